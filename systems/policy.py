"""The rules of dates, on plain values: by which day something must be done, and what a late deed still mends.

A *basis* is the day a clock counts from (last login, grant, certification), a *chain* all dated versions of one rule
of one system. Days are calendar days in the zone of the rule; the basis is day 0. Numbers live in the catalogue.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

EASTERN: Final = "America/New_York"
MORE_THAN, OR_MORE = "gt", "ge"
PASSWORD_EXPIRED: Final = "password_expired"  # noqa: S105 (a consequence, no password)
# Consequences that take access away without anybody telling us: past the last safe day we presume them.
TAKES_ACCESS: Final = frozenset(
    {"inactive", "disabled", "deactivated", "roles_revoked", "role_removed", PASSWORD_EXPIRED, "deleted"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """One dated version of a rule. `limit_days` or `limit_years` is set, never both.

    `boundary` "gt": the limit itself is still safe; "ge": the day the limit is reached is too late. `effective_from`
    None = since ever, `effective_to` None = still in force, both days inclusive.
    """

    key: str
    limit_days: int | None = None
    limit_years: int | None = None
    boundary: str = MORE_THAN
    zone: str = EASTERN
    consequence: str = "none"
    effective_from: date | None = None
    effective_to: date | None = None
    policy_id: int | None = None
    revision: int = 0

    def __post_init__(self) -> None:
        if (self.limit_days is None) == (self.limit_years is None):
            raise ValueError(f"{self.key}: a version limits either days or years")
        if (self.limit_days or self.limit_years or 0) < 1:
            raise ValueError(f"{self.key}: a limit is at least 1")
        if self.boundary not in {MORE_THAN, OR_MORE}:
            raise ValueError(f"{self.key}: boundary {self.boundary!r} is neither 'gt' nor 'ge'")
        if self.effective_from and self.effective_to and self.effective_from > self.effective_to:
            raise ValueError(f"{self.key}: ends before it starts")

    def safe_until(self, basis_on: date) -> date:
        """Return the last safe day as if this version had always been in force (12.1 of the fact file)."""
        if self.limit_years is not None:
            reached = anniversary(basis_on, self.limit_years)
        else:
            reached = _plus(basis_on, self.limit_days or 0)
        return reached if self.boundary == MORE_THAN else _plus(reached, -1)

    def covers(self, day: date) -> bool:
        """Return whether the version's own dates include the day; a later-starting version may still displace it."""
        return (self.effective_from or date.min) <= day <= (self.effective_to or date.max)


@dataclass(frozen=True, slots=True)
class Due:
    """The last safe day and the version that bites on the day after it."""

    due_on: date
    version: PolicyVersion

    @property
    def policy_key(self) -> str:
        return self.version.key


class Standing(StrEnum):
    """How an account stands on a day; the words people read are the page's."""

    FINE = "fine"
    SOON = "soon"
    LATE = "late"
    PRESUMED_LAPSED = "presumed_lapsed"
    CHECK_ROLES = "check_roles"
    UNKNOWN = "unknown"
    CLOSED = "closed"


def due(basis_on: date, chain: Sequence[PolicyVersion]) -> Due | None:
    """Return the last safe day under a chain of versions, None where no version ever bites.

    On every day the version in force is the latest-starting one that covers it. The account is overdue from the first
    day on which the version in force *on that day* says so, and stays so. From this follow the rules of design
    section 4: a version that shortens from day E gives `min(last + old, max(E - 1, last + new))`, one without an older
    limit `max(E - 1, last + new)`, and a longer one helps only those not overdue before E.
    Raises ValueError where two versions start on the same day.
    """
    for version, first, last in _stretches(chain):
        candidate = version.safe_until(basis_on)
        if first != date.min:
            candidate = max(candidate, _plus(first, -1))
        if candidate < last or last == date.max:
            return Due(candidate, version)
    return None


def in_force(chain: Sequence[PolicyVersion], on: date) -> PolicyVersion | None:
    """Return the version in force on a day, None in a gap. Raises ValueError as `due` does."""
    return next((version for version, first, last in _stretches(chain) if first <= on <= last), None)


def _stretches(chain: Sequence[PolicyVersion]) -> Iterator[tuple[PolicyVersion, date, date]]:
    """Yield (version, first day, last day) of each stretch of days ruled by one version, in order of days."""
    starts = [version.effective_from or date.min for version in chain]
    if len(set(starts)) != len(starts):
        keys = ", ".join(sorted(version.key for version in chain))
        raise ValueError(f"two versions of one rule start on the same day: {keys}")
    ends = [_plus(version.effective_to, 1) for version in chain if version.effective_to not in {None, date.max}]
    edges = sorted({*starts, *ends})
    for position, first in enumerate(edges):
        last = _plus(edges[position + 1], -1) if position + 1 < len(edges) else date.max
        ruling = [version for version in chain if version.covers(first)]
        if ruling:
            yield max(ruling, key=lambda version: version.effective_from or date.min), first, last


def anniversary(day: date, years: int) -> date:
    """Return the same day `years` later; 29 February becomes 28 February where that year has none."""
    if day.year + years > date.max.year:
        return date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 2, 28)


def target_on(
    *, basis_on: date, due_on: date | None, house_days: int | None, house_from: date | None = None
) -> date | None:
    """Return the day an organization wants it done by: its own window where that is stricter, else `due_on`.

    A house window never moves `due_on`. Without a published limit it is the only date, without either there is none.
    ``house_from``: the day from which the window holds. As with a published limit that becomes shorter (see `due`),
    whoever is idle for longer by then is too late on that day itself, never before.
    """
    if house_days is None:
        return due_on
    wanted = _plus(basis_on, house_days)
    if house_from is not None:
        wanted = max(wanted, _plus(house_from, -1))
    return wanted if due_on is None else min(wanted, due_on)


def days_left(due_on: date, on: date) -> int:
    """Return the days from `on` to the last safe day; negative once overdue."""
    return (due_on - on).days


def overdue(due_on: date, on: date) -> bool:
    """Return whether the last safe day has passed."""
    return on > due_on


def cures(consequence: str) -> bool:
    """Return whether signing in later mends the consequence by itself: true for an expired password only."""
    return consequence == PASSWORD_EXPIRED


def login_restarts_clock(*, login_on: date, due_on: date | None, consequence: str) -> bool:
    """Return whether a login starts a new cycle; otherwise somebody must look whether the roles are still there."""
    return due_on is None or login_on <= due_on or cures(consequence)


def standing(
    *,
    on: date,
    due_on: date | None,
    soon_days: int,
    consequence: str,
    wanted_on: date | None = None,
    basis_known: bool = True,
    check_pending: bool = False,
    closed: bool = False,
) -> Standing:
    """Return how an account stands. `soon_days` is the first step of the ladder, counted back from `wanted_on`.

    `wanted_on` is the house target (default `due_on`); passing it alone is never worse than soon.
    """
    if closed:
        return Standing.CLOSED
    if not basis_known:
        return Standing.UNKNOWN
    if check_pending:
        return Standing.CHECK_ROLES
    if due_on is not None and overdue(due_on, on):
        return Standing.PRESUMED_LAPSED if consequence in TAKES_ACCESS else Standing.LATE
    aim = wanted_on or due_on
    if aim is not None and days_left(aim, on) <= soon_days:
        return Standing.SOON
    return Standing.FINE


def day_in(at: datetime, zone: str = EASTERN) -> date:
    """Return the calendar day of an instant in an IANA zone. Raises ValueError for a naive instant."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(ZoneInfo(zone)).date()


def latest_day(at: datetime) -> date:
    """Return the newest day that has begun somewhere in the US and its territories: Guam's. Later is the future."""
    return day_in(at, "Pacific/Guam")


def eastern_day(day: date, at: datetime) -> date:
    """Return the US Eastern day that somebody means by a day typed at an instant: Guam's new day is Eastern's today."""
    today = day_in(at, EASTERN)
    return today if today < day <= latest_day(at) else day


def _plus(day: date, days: int) -> date:
    """Add days; stops at the ends of the calendar instead of failing."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min
