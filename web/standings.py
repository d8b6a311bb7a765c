"""How accounts stand, for lists and tables that show many at once: plain values from rows read in bulk."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Min, Q, QuerySet

from accounts.models import Deadline, PortalAccount, RoleGrant
from reminders.ladder import first_step
from systems.policy import Standing, standing

# Worst first: a table's cell and a person's row show the worst of what they hold.
WORST_FIRST = (
    Standing.PRESUMED_LAPSED,
    Standing.LATE,
    Standing.CHECK_ROLES,
    Standing.UNKNOWN,
    Standing.SOON,
    Standing.FINE,
    Standing.CLOSED,
)
HOUSE_SOON_DAYS = 30  # mention at 60, flag at 90 (design section 4), where nothing else is set


@dataclass(frozen=True, slots=True)
class Held:
    """One account with its standing. ``words`` replace the usual ones (a lost, planned or removed account).

    ``next_on`` is the soonest last safe day (or the organization's own day) of what runs, ``next_kind`` its kind.
    """

    account: PortalAccount
    standing: Standing
    words: str = ""
    next_on: date | None = None
    next_kind: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """What decides how one open deadline stands. ``consequence`` None: only the organization's own window."""

    kind: str
    due_on: date
    target_on: date | None
    check_pending: bool
    consequence: str | None
    limit_days: int

    def standing(self, on: date) -> Standing:
        """Return the standing on a day."""
        if self.consequence is None:
            # Passing a window that we set ourselves is never worse than soon.
            return standing(on=on, due_on=None, wanted_on=self.due_on, soon_days=HOUSE_SOON_DAYS, consequence="none")
        return standing(
            on=on,
            due_on=self.due_on,
            wanted_on=self.target_on,
            soon_days=first_step(self.kind, self.limit_days),
            consequence=self.consequence,
            check_pending=self.check_pending,
        )


def clock_of(deadline: Deadline) -> Clock:
    """Return the clock of an open deadline; read it with ``select_related("policy")``."""
    policy = deadline.policy
    return Clock(
        deadline.kind,
        deadline.due_on,
        deadline.target_on,
        deadline.check_on is not None,
        policy.consequence if policy else None,
        limit_in_days(policy.limit_days, policy.limit_years) if policy else HOUSE_SOON_DAYS,
    )


def limit_in_days(days: int | None, years: int | None) -> int:
    """Return a policy's limit as the ladder wants to know it."""
    return days or 365 * (years or 1)


def held_on(account: PortalAccount, deadlines: Iterable[Deadline], on: date) -> Held:
    """Return the account with the worst of its open deadlines; an unknown last login is never "fine"."""
    status = PortalAccount.Status
    if account.status == status.REMOVED:
        return Held(account, Standing.CLOSED, "Removed")
    if account.status == status.LOST:
        return Held(account, Standing.LATE, account.get_loss_display())
    if account.status != status.ACTIVE:
        return Held(account, Standing.UNKNOWN, account.get_status_display())
    running = sorted(deadlines, key=lambda each: (each.target_on or each.due_on, each.kind))
    found = [clock_of(each).standing(on) for each in running]
    if account.login_state == PortalAccount.LoginState.UNKNOWN:
        found.append(Standing.UNKNOWN)
    first = running[0] if running else None
    return Held(
        account,
        worst(found),
        next_on=(first.target_on or first.due_on) if first else None,
        next_kind=first.kind if first else "",
    )


def worst(found: Iterable[Standing]) -> Standing:
    """Return the worst of some standings; fine when there is none."""
    return min(found, key=WORST_FIRST.index, default=Standing.FINE)


def all_held(accounts: Iterable[PortalAccount], on: date) -> list[Held]:
    """Return the standings of many accounts with one more query, whatever their number."""
    rows = list(accounts)
    deadlines: dict[int | None, list[Deadline]] = defaultdict(list)
    running = Deadline.objects.open().filter(account__in=[account.pk for account in rows])
    for deadline in running.select_related("policy"):
        deadlines[deadline.account_id].append(deadline)
    return [held_on(account, deadlines[account.pk], on) for account in rows]


@dataclass(frozen=True, slots=True)
class PlaceStanding:
    """What a facility's accounts come to: how many there are, the worst standing, the soonest date."""

    accounts: int
    standing: Standing
    next_on: date | None


def places_standing(grants: QuerySet[RoleGrant], on: date) -> dict[int, PlaceStanding]:
    """Return by facility key what the accounts behind these grants come to. Two queries, whatever their number.

    Within one rule the earliest date is the worst one, so the database answers with one row per facility and rule
    and `systems.policy` still decides what each means.
    """
    status, state = PortalAccount.Status, PortalAccount.LoginState
    unknown = Q(account__status=status.ACTIVE, account__login_state=state.UNKNOWN)
    totals = grants.values("facility_id").annotate(
        accounts=Count("account", distinct=True),
        unknown=Count("account", filter=unknown),
        lost=Count("account", filter=Q(account__status=status.LOST)),
    )
    clocks = _rules_at(grants)
    found = {}
    for row in totals.order_by():
        running = clocks[row["facility_id"]]
        standings = [clock.standing(on) for clock in running]
        standings += [Standing.UNKNOWN] if row["unknown"] else []
        standings += [Standing.LATE] if row["lost"] else []
        soonest = min((clock.target_on or clock.due_on for clock in running), default=None)
        found[row["facility_id"]] = PlaceStanding(row["accounts"], worst(standings), soonest)
    return found


def _rules_at(grants: QuerySet[RoleGrant]) -> dict[int, list[Clock]]:
    """Return by facility key the earliest clock of each rule."""
    deadline = "account__deadlines__"
    running = grants.filter(account__deadlines__isnull=False, account__deadlines__closed_at=None)
    limits = (f"{deadline}policy__consequence", f"{deadline}policy__limit_days", f"{deadline}policy__limit_years")
    rules = running.order_by().values_list("facility_id", f"{deadline}kind", *limits)
    earliest = rules.annotate(
        due=Min(f"{deadline}due_on"), target=Min(f"{deadline}target_on"), checks=Count(f"{deadline}check_on")
    )
    found: dict[int, list[Clock]] = defaultdict(list)
    for facility_id, kind, consequence, days, years, due_on, target_on, checks in earliest:
        limit = limit_in_days(days, years)
        found[facility_id].append(Clock(kind, due_on, target_on, bool(checks), consequence, limit))
    return found
