"""How accounts stand, for lists and tables that show many at once: plain values from rows read in bulk."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from accounts.models import Deadline, PortalAccount
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
    closed: bool = False  # the system has closed wherever the account is held

    def standing(self, on: date) -> Standing:
        """Return the standing on a day."""
        if self.closed:
            return Standing.CLOSED
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
        deadline.muted,
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
