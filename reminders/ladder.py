"""When somebody is reminded of a deadline, and who. Pure: plain values in, plain values out.

A *step* is a number of days left; it is due on the day with that many days left and on every later day until it
has been planned. The steps are ours, not CMS's (C-19 of the fact file); EQRS's own mail days are another matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from accounts.policy.business_days import add_business_days, last_day_before

DAY_AFTER: Final = -1
# Where an organization's own, stricter day came first, the steps above are counted against that day. CMS's day then
# gets two of its own: so many days before it, and the day after it.
CMS_DAY_NEAR, CMS_DAY_PASSED, CMS_NEAR_DAYS = -2, -3, 2
LONG_CLOCK_DAYS: Final = 60
# A step of a request is heard of as soon as it opens, however long it takes: that is the hand-over.
OPENED: Final = 366
_CLOCKS: Final = frozenset({"inactivity", "password"})
_LONG_CLOCK: Final = (20, 10, 5, 2)
_FIXED: Final = {
    "deletion": (30, 14, 7, 1),
    "acknowledgement": (30, 14, 7, 1),
    "certification": (60, 30, 14, 7, 1),
    "review": (14, 7, 1),
    "obligation": (14, 7, 3, 1),
    "temporary": (14, 7, 1),
    "removal": (7, 1, 0),
    "request-step": (OPENED, 0),
    "window": (30, 14, 7, 1),  # those known are 30 days long: so the first is the hand-over
}
# So many business days after the day, instead of the day after: offices that do not work cannot have answered.
_AFTERWARDS: Final = {"request-step": (1, 3)}
_DAILY_AFTERWARDS: Final = frozenset({"removal"})
_TOLD_AFTERWARDS: Final = frozenset({"certification"})  # somebody else's duty: the holder hears when it was missed
_OF_THE_PLACE: Final = frozenset({"obligation", "review", "officials"})  # nobody holds it but who runs the facility
FIXED_KINDS: Final = tuple(_FIXED)
CLOCK_KINDS: Final = tuple(sorted(_CLOCKS))


class Audience(StrEnum):
    """Who hears: the holder, or the approver on CMS's side; administrators of the facility, then of the organization.

    Where nobody holds the approver's role the facility's administrators stand in, and the organization's for those.
    """

    HOLDER = "holder"
    APPROVER = "approver"
    FACILITY = "facility"
    ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps before the last safe day, largest first. The day after follows; ``daily`` = then every further day.

    ``after``: instead of the day after, the business days after it; the step of three of them is -3.
    """

    before: tuple[int, ...]
    daily: bool = False
    told_afterwards: bool = False
    of_the_place: bool = False
    after: tuple[int, ...] = ()

    @property
    def steps(self) -> tuple[int, ...]:
        """All steps, those after the day included."""
        return (*self.before, *(-number for number in self.after)) if self.after else (*self.before, DAY_AFTER)

    def passed_before(self, on: date) -> list[tuple[int, date]]:
        """Return the steps in business days, each with the last day after which it is due on a day."""
        return [(-number, last_day_before(on, number)) for number in self.after]

    def last_on(self, due_on: date) -> date:
        """Return the day of the last step, of a daily part its first."""
        return add_business_days(due_on, self.after[-1]) if self.after else due_on + timedelta(days=1)

    @property
    def first(self) -> int:
        """Days left from which the deadline counts as soon."""
        return self.before[0]

    def latest_due(self, days_left: int) -> int | None:
        """Return the newest step that is due with so many days left, None while none is."""
        if self.daily and days_left < 0:
            return days_left
        return min((step for step in self.steps if step >= days_left), default=None)

    def step_on(self, on: date, *, day: date, due_on: date) -> int | None:
        """Return the newest step that is due on a day, None before the first one.

        ``day``: the one that steps are counted against, an organization's own or CMS's ``due_on``. After a day of its
        own two steps count against CMS's.
        """
        if self.after and day < on:
            due = [step for step, last in self.passed_before(on) if day <= last]
            return min(due, default=self.before[-1])
        step = self.latest_due((day - on).days)
        if step != DAY_AFTER or self.daily or day == due_on:
            return step
        left = (due_on - on).days
        if left > CMS_NEAR_DAYS:
            return DAY_AFTER
        return CMS_DAY_NEAR if left > DAY_AFTER else CMS_DAY_PASSED

    def heard_by(self, audience: Audience, step: int) -> bool:
        """Return whether this audience hears at a step.

        Facility administrators join at the third step before the day, organization administrators at the last;
        where there are fewer than three, both join at the last, but never at the very first one.
        """
        return step <= self.joins(audience)

    def joins(self, audience: Audience) -> int:
        """Return the first step at which an audience hears; it hears at every later one."""
        if audience is Audience.HOLDER:
            return DAY_AFTER if self.told_afterwards else self.first
        if audience is Audience.APPROVER or (audience is Audience.FACILITY and self.of_the_place):
            return self.first
        if self.after:
            return self.steps[2] if audience is Audience.FACILITY else self.steps[-1]
        position = len(self.before) - 1
        if audience is Audience.FACILITY:
            position = min(position, 2)
        return self.before[position] if position else DAY_AFTER

    @property
    def behind(self) -> tuple[int, ...]:
        """Steps that may have been missed when a later one is planned; of a daily part only today's matters."""
        if self.after:
            return self.steps
        return self.before if self.daily else (*self.before, DAY_AFTER, CMS_DAY_NEAR)

    def previous(self, step: int, audience: Audience) -> int | None:
        """Return the step before this one at which the audience heard, None where it is its first."""
        return min((each for each in self.behind if step < each <= self.joins(audience)), default=None)


def ladder_of(kind: str, limit_days: int | None = None) -> Ladder | None:
    """Return the ladder of a kind of deadline, None for a kind that has none (yet).

    ``limit_days`` is the length of the clock, needed for inactivity and password age. Raises ValueError without it.
    """
    if kind in _FIXED:
        return Ladder(
            _FIXED[kind],
            daily=kind in _DAILY_AFTERWARDS,
            told_afterwards=kind in _TOLD_AFTERWARDS,
            of_the_place=kind in _OF_THE_PLACE,
            after=_AFTERWARDS.get(kind, ()),
        )
    if kind not in _CLOCKS:
        return None
    if limit_days is None or limit_days < 1:
        raise ValueError(f"the ladder of {kind} depends on its limit in days")
    if limit_days >= LONG_CLOCK_DAYS:
        return Ladder(_LONG_CLOCK)
    steps = {limit_days // 3, limit_days // 6, 2}
    return Ladder(_falling([step for step in steps if step < limit_days]))


def house_ladder(*, mention_days: int, flag_days: int) -> Ladder:
    """Return the ladder of an organization's own window: one mention, then the day after it is flagged."""
    if not 0 < mention_days <= flag_days:
        raise ValueError("a window is mentioned before it is flagged")
    return Ladder((flag_days - mention_days,))


def first_step(kind: str, limit_days: int | None = None) -> int:
    """Return the days left from which a deadline counts as soon (`systems.policy.standing`); 0 without a ladder."""
    ladder = ladder_of(kind, limit_days)
    return ladder.first if ladder else 0


def _falling(steps: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(set(steps), reverse=True))
