"""Which accounts stand so, worst one first, as sets to filter and count: late, to check, unknown, due this week."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from accounts.models import Deadline, HouseWindow, PortalAccount
from accounts.models.inventory import PortalAccountQuerySet
from facilities.models import Organization

WEEK_DAYS = 6  # today and the six days after it


Deadlines = TypeVar("Deadlines", bound=QuerySet[Any])


def passed(deadlines: Deadlines, on: date) -> Deadlines:
    """Return those of the open, unmuted deadlines that make an account late on ``on``; house windows never do."""
    return deadlines.filter(due_on__lt=on, check_on=None, policy__isnull=False)


def near_by(deadlines: Deadlines, on: date, stricter: bool) -> Deadlines:
    """Return those of the open, unmuted deadlines that want a login today or in the six days after it.

    The day of the organization's own window counts where there is one (``stricter``: there may be), also once passed.
    """
    until = on + timedelta(days=WEEK_DAYS)
    running = deadlines.filter(Q(due_on__gte=on) | Q(policy=None), check_on=None)
    return running.filter(Q(due_on__lte=until) | Q(target_on__lte=until) if stricter else Q(due_on__lte=until))


@dataclass(frozen=True, slots=True)
class Pressing:
    """Accounts of one organization in which something presses; each account in one set, the worst."""

    late: PortalAccountQuerySet
    check_roles: PortalAccountQuerySet
    unknown: PortalAccountQuerySet
    week: PortalAccountQuerySet


def pressing(accounts: PortalAccountQuerySet, organization: Organization, on: date) -> Pressing:
    """Return the sets among the organization's ``accounts``.

    Each starts at an index of what is due, so that it costs what is due and not what is stored.
    """
    clocks = Deadline.objects.open().filter(organization=organization, account__isnull=False, muted=False)
    running = accounts.running()
    late = Q(pk__in=passed(clocks, on).values("account"))
    check = Q(pk__in=clocks.filter(check_on__isnull=False).values("account"))
    unknown = Q(login_state=PortalAccount.LoginState.UNKNOWN)
    near = Q(
        pk__in=near_by(clocks, on, HouseWindow.objects.filter(organization=organization, enabled=True).exists()).values(
            "account"
        )
    )
    return Pressing(
        late=running.filter(late),
        check_roles=running.filter(check).exclude(late),
        unknown=running.filter(unknown).exclude(late).exclude(check),
        week=running.filter(near).exclude(late).exclude(check).exclude(unknown),
    )
