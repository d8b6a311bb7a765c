"""An organization's own window for a system: how often people sign in there, stricter than CMS, or where CMS is silent.

It moves the day that people aim at, never CMS's own. Without a published limit it is the only date, and called so.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from django.db import transaction

from accounts.errors import AccountRefused
from accounts.models import HouseWindow, PortalAccount
from accounts.services.clocks import HOUSE_FLAG_DAYS, Moved, close_cured_findings, recompute
from accounts.services.recomputation import Slice, lock_accounts
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from systems.models import Policy, PolicyKind, System
from systems.policy import EASTERN, OR_MORE, day_in, in_force
from systems.selectors import clock_policies, version_of

MOST_DAYS: Final = 365  # of an own window; longer ones would watch nothing


class Wanted(StrEnum):
    """What an organization may want of a system."""

    OWN = "own"  # a window of its own
    USUAL = "usual"  # what holds without one: CMS's limit, or the product's default where there is none
    OFF = "off"  # no date at all; only where CMS publishes no limit


@dataclass(frozen=True, slots=True)
class Published:
    """CMS's limit in force on a day, with its source; ``safe_days`` without a login are the most that it allows."""

    policy: Policy
    safe_days: int

    @property
    def words(self) -> str:
        """The limit and who says so, such as ``60 days (IQ-INACT-1, "iQIES will implement …")``."""
        return f"{self.safe_days} days ({self.policy.key}, “{self.policy.source.title}”)"


@dataclass(frozen=True, slots=True)
class Change:
    """What came of it. ``window``: the one in force, None where what is usual holds; ``moved``: deadlines."""

    window: HouseWindow | None
    moved: Moved


def published_limits(on: date) -> dict[int, Published]:
    """Return system -> its published inactivity limit on a day, or the next one to come. One query."""
    chains: dict[int, list[Policy]] = {}
    for policy in clock_policies().filter(kind=PolicyKind.INACTIVITY, system__isnull=False).select_related("source"):
        chains.setdefault(policy.system_id or 0, []).append(policy)
    found = {}
    for system, policies in chains.items():
        version = in_force([version_of(each) for each in policies], on)
        policy = next((each for each in policies if version and each.pk == version.policy_id), policies[-1])
        days = policy.limit_days or 365 * (policy.limit_years or 1)
        found[system] = Published(policy, days - (policy.boundary == OR_MORE))
    return found


def set_window(
    *,
    scope: Scope,
    system: System,
    wanted: Wanted,
    flag_days: int | None = None,
    mention_days: int | None = None,
    mark: str,
    at: datetime,
) -> Change:
    """Set how often people have to sign in to a system, go back to what is usual, or switch it off. Safe to repeat.

    ``mark``: `mark_of` the window that was shown. A window that becomes shorter counts from today: nobody is too late
    before. Raises NotAllowed, and AccountRefused for a window that is not shorter than CMS's limit, for switching off
    where there is one, and when somebody changed it meanwhile (``stale``).
    """
    authorize(scope, Action.SWITCH_RULES)
    on = day_in(at, EASTERN)
    limit = published_limits(on).get(system.pk)
    days = _checked(system, wanted, flag_days, mention_days, limit)
    with transaction.atomic():
        # The organization's row: of two who set a window at the same moment, the second one sees the first.
        type(scope.organization).objects.select_for_update(no_key=True).get(pk=scope.organization.pk)
        current = HouseWindow.objects.filter(organization=scope.organization, system=system).first()
        before = _told(current)
        if before == {"wanted": wanted.value, **days}:
            return Change(current, Moved())
        if mark != mark_of(current):
            raise AccountRefused("Somebody changed this meanwhile: look again at what holds now.", code="stale")
        window = _write(scope, system, wanted, days, current, limit, at)
        moved = _follow(scope, system, at)
        _record(scope, system, before, _told(window), moved, at)
    return Change(window, moved)


def mark_of(window: HouseWindow | None) -> str:
    """Return what tells one state of a window from all others, for forms."""
    return f"{window.pk}.{window.version}" if window else ""


def _checked(
    system: System, wanted: Wanted, flag_days: int | None, mention_days: int | None, limit: Published | None
) -> dict[str, int]:
    """Return the days of the window, as they are stored; none for anything but an own one."""
    if wanted == Wanted.OFF and limit:
        message = f"CMS limits {system} to {limit.words}. Its dates cannot be switched off."
        raise AccountRefused(message, field="wanted")
    if wanted != Wanted.OWN:
        return {}
    if not flag_days or flag_days < 1:
        raise AccountRefused("Say after how many days without a login.", field="flag_days")
    if limit and flag_days >= limit.safe_days:
        shorter = f"Yours has to be shorter: at most {limit.safe_days - 1} days."
        raise AccountRefused(f"CMS’s own limit for {system} is {limit.words}. {shorter}", field="flag_days")
    if flag_days > MOST_DAYS:
        raise AccountRefused(f"At most {MOST_DAYS} days.", field="flag_days")
    # Where CMS publishes a limit, the steps of reminders are those of its ladder.
    mention = None if limit else mention_days
    mention = mention if mention is not None else max(1, flag_days * 2 // 3)
    if not 1 <= mention <= flag_days:
        raise AccountRefused("The first reminder comes before the last day.", field="mention_days")
    return {"flag_days": flag_days, "mention_days": mention}


def _told(window: HouseWindow | None) -> dict[str, Any]:
    if window is None:
        return {"wanted": Wanted.USUAL.value}
    if not window.enabled:
        return {"wanted": Wanted.OFF.value}
    return {"wanted": Wanted.OWN.value, "flag_days": window.flag_days, "mention_days": window.mention_days}


def _write(
    scope: Scope,
    system: System,
    wanted: Wanted,
    days: dict[str, int],
    current: HouseWindow | None,
    limit: Published | None,
    at: datetime,
) -> HouseWindow | None:
    if wanted == Wanted.USUAL:
        if current is not None:
            current.delete()
        return None
    window = current or HouseWindow(organization=scope.organization, system=system, version=0)
    if wanted == Wanted.OWN and days["flag_days"] < _held_before(current, limit):
        window.counts_from_on = day_in(at, EASTERN)
    window.enabled = wanted == Wanted.OWN
    for name, value in days.items():
        setattr(window, name, value)
    window.version += 1
    window.set_at, window.set_by = at, scope.actor.label
    window.save()
    return window


def _held_before(current: HouseWindow | None, limit: Published | None) -> int:
    """Return after how many days without a login somebody was too late until now."""
    if current is not None and current.enabled:
        return current.flag_days
    if limit is not None:
        return limit.safe_days
    return HOUSE_FLAG_DAYS if current is None else MOST_DAYS + 1


def _follow(scope: Scope, system: System, at: datetime) -> Moved:
    key = scope.organization.pk
    lock_accounts(Slice(system.pk, key, key).chosen)
    accounts = PortalAccount.objects.filter(organization=key, system=system)
    moved = recompute(accounts=accounts, at=at)
    close_cured_findings(accounts=accounts, at=at, on=day_in(at, EASTERN))
    return moved


def _record(
    scope: Scope, system: System, before: dict[str, Any], after: dict[str, Any], moved: Moved, at: datetime
) -> None:
    counts = {"opened": moved.opened, "moved": moved.moved, "closed": moved.closed}
    record(
        chain=scope.organization.key,
        action="house-window.set",
        actor=scope.actor,
        subject=Ref(f"house-window:{system.slug}", str(system)),
        at=at,
        payload={"before": before, "after": after, **counts},
    )
