"""Standings as conditions on the list of accounts, in step with `web.standings`, which names them on each row."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from accounts.models import Deadline, PortalAccount
from accounts.models.inventory import PortalAccountQuerySet
from reminders.ladder import first_step
from systems.models import Policy
from systems.selectors import clock_policies
from web.standings import HOUSE_SOON_DAYS, limit_in_days


@dataclass(frozen=True, slots=True)
class Choice:
    """One standing that can be asked for."""

    slug: str
    label: str


STANDINGS = (
    Choice("late", "Late or presumed lapsed"),
    Choice("check-roles", "Check the roles"),
    Choice("unknown", "Last login unknown"),
    Choice("soon", "Soon"),
    Choice("fine", "Fine"),
    Choice("lost", "Lost"),
    Choice("removed", "Removed"),
)


def narrowed(accounts: PortalAccountQuerySet, standing: str, on: date) -> PortalAccountQuerySet:
    """Return the accounts that stand so on ``on``; without a standing all but the removed ones. Worst one counts."""
    status = PortalAccount.Status
    if standing in {status.LOST, status.REMOVED}:
        return accounts.filter(status=standing)
    if not standing:
        return accounts.open()
    open_ones = Deadline.objects.open().filter(account=OuterRef("pk"))
    late = Exists(open_ones.filter(due_on__lt=on, check_on=None, policy__isnull=False))
    check = Exists(open_ones.filter(check_on__isnull=False))
    soon = Exists(open_ones.annotate(aim=Coalesce("target_on", "due_on")).filter(_in_ladder(on)))
    unknown = Q(login_state=PortalAccount.LoginState.UNKNOWN)
    running = accounts.running()
    return {
        "late": lambda: running.filter(late),
        "check-roles": lambda: running.filter(~late, check),
        "unknown": lambda: running.filter(~late, ~check, unknown),
        "soon": lambda: running.filter(~late, ~check, ~unknown, soon),
        "fine": lambda: running.filter(~late, ~check, ~unknown, ~soon),
    }[standing]()


def _in_ladder(on: date) -> Q:
    """Return the condition that an open deadline is inside its ladder; one term per first step, not per policy."""
    steps: dict[int, list[int]] = defaultdict(list)
    for policy in clock_policies():
        steps[_first_step(policy)].append(policy.pk)
    inside = Q(policy=None, aim__lte=on + timedelta(days=HOUSE_SOON_DAYS))
    for days, policies in sorted(steps.items()):
        inside |= Q(policy__in=policies, aim__lte=on + timedelta(days=days))
    return inside


def _first_step(policy: Policy) -> int:
    return first_step(policy.kind, limit_in_days(policy.limit_days, policy.limit_years))
