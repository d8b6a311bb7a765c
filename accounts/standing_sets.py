"""Which accounts stand so, worst one first, as sets to filter and count: in step with `systems.policy.standing`."""

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
    week = (on, on + timedelta(days=WEEK_DAYS))
    near = Q(pk__in=clocks.filter(check_on=None, due_on__range=week).values("account"))
    if HouseWindow.objects.filter(organization=organization, enabled=True).exists():  # no index leads from here to them
        near |= Q(pk__in=clocks.filter(check_on=None, target_on__range=week).values("account"))
    return Pressing(
        late=running.filter(late),
        check_roles=running.filter(check).exclude(late),
        unknown=running.filter(unknown).exclude(late).exclude(check),
        week=running.filter(near).exclude(late).exclude(check).exclude(unknown),
    )
