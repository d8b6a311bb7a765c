"""The ladders as SQL expressions: which step is a deadline's latest due one on a day, which one came before.

No rule lives here: `reminders.ladder` is asked for its steps, and what it says is spelled out as CASE over days.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import Case, Exists, F, OuterRef, Q, SmallIntegerField, Value, When

from accounts.models import Deadline, HouseWindow
from accounts.services.clocks import HOUSE_FLAG_DAYS
from reminders.ladder import (
    CLOCK_KINDS,
    CMS_DAY_NEAR,
    CMS_DAY_PASSED,
    CMS_NEAR_DAYS,
    DAY_AFTER,
    FIXED_KINDS,
    Audience,
    Ladder,
    house_ladder,
    ladder_of,
)
from systems.models import Policy

HOUSE_MENTION_DAYS: Final = HouseWindow._meta.get_field("mention_days").default
_FAR: Final = 30  # ladders that begin earlier than this get a statement of their own, so that it alone reads so far


@dataclass(frozen=True, slots=True)
class Climb:
    """One ladder and the deadlines that climb it: their kinds, and for clocks their policies.

    ``house``: clocks without a policy; ``window`` = those with an own window of the same span, None = the default's.
    """

    ladder: Ladder
    kinds: tuple[str, ...]
    policies: tuple[int, ...] | None = None
    house: bool = False
    window: int | None = None
    windows_exist: bool = False

    def condition(self, path: str = "") -> Q:
        """Return the condition on rows that reach their deadline by ``path``, such as ``deadline__``."""
        these = Q(**{f"{path}kind__in": self.kinds})
        if self.policies is not None:
            return these & Q(**{f"{path}policy__in": self.policies})
        if not self.house:
            return these
        these &= Q(**{f"{path}policy": None})
        if not self.windows_exist:
            return these
        own = HouseWindow.objects.filter(
            organization=OuterRef(f"{path}organization"), system=OuterRef(f"{path}account__system")
        )
        if self.window is None:
            return these & ~Q(Exists(own))
        return these & Q(Exists(own.filter(enabled=True, flag_days=F("mention_days") + self.window)))


def climbs() -> list[list[Climb]]:
    """Return the ladders in use, in groups that are planned by one statement each."""
    near: list[Climb] = []
    far: list[list[Climb]] = []
    for climb in [*_fixed(), *_clocks(), *_house()]:
        if climb.ladder.first > _FAR:
            far.append([climb])
        else:
            near.append(climb)
    return [near, *far]


def _fixed() -> Iterator[Climb]:
    for kind in FIXED_KINDS:
        ladder = ladder_of(kind)
        if ladder is not None and Deadline.objects.filter(kind=kind).exists():  # one look at the unique key
            yield Climb(ladder, (kind,))


def _clocks() -> Iterator[Climb]:
    limits: dict[Ladder, list[int]] = defaultdict(list)
    policies = Policy.objects.filter(kind__in=CLOCK_KINDS).exclude(limit_days=None, limit_years=None)
    for pk, kind, days, years in policies.order_by("pk").values_list("pk", "kind", "limit_days", "limit_years"):
        ladder = ladder_of(kind, days or (years or 1) * 365)
        if ladder is not None:
            limits[ladder].append(pk)
    for ladder, these in limits.items():
        yield Climb(ladder, CLOCK_KINDS, policies=tuple(these))


def _house() -> Iterator[Climb]:
    """Yield the windows where CMS publishes no limit: the default, and those that organizations set."""
    kinds = (Deadline.Kind.INACTIVITY.value,)
    exist = HouseWindow.objects.exists()
    default = house_ladder(mention_days=HOUSE_MENTION_DAYS, flag_days=HOUSE_FLAG_DAYS)
    yield Climb(default, kinds, house=True, windows_exist=exist)
    own = HouseWindow.objects.filter(enabled=True).order_by("mention_days", "flag_days")
    pairs = own.values_list("mention_days", "flag_days").distinct()
    for ladder in dict.fromkeys(house_ladder(mention_days=mention, flag_days=flag) for mention, flag in pairs):
        yield Climb(ladder, kinds, house=True, window=ladder.first, windows_exist=exist)


def reached(group: Sequence[Climb], *, day: str, audience: Audience, on: date) -> Q:
    """Return the condition on deadlines whose column ``day`` lies within what the audience hears of."""
    some = Q()
    for climb in group:
        some |= climb.condition() & Q(**{f"{day}__lte": _plus(on, climb.ladder.joins(audience))})
    # Said once for all as well, so that the range is plain to see for the index on (zone, day).
    return some & Q(**{f"{day}__lte": _plus(on, max(climb.ladder.joins(audience) for climb in group))})


def latest_step(group: Sequence[Climb], *, day: str, on: date, overdue: Sequence[date]) -> Case:
    """Return the latest due step of a deadline, counted from its column ``day``.

    ``overdue``: the passed days that occur among deadlines with a daily ladder.
    """
    whens = [When(climb.condition(), then=_step(climb.ladder, day, on, overdue)) for climb in group]
    return Case(*whens, output_field=SmallIntegerField())


def _step(ladder: Ladder, day: str, on: date, overdue: Sequence[date]) -> Case:
    following = [*ladder.before[1:], DAY_AFTER]
    whens = [
        When(**{f"{day}__gt": _plus(on, after)}, then=Value(step))
        for step, after in zip(ladder.before, following, strict=True)
    ]
    last: Any = Value(DAY_AFTER)
    if ladder.daily:
        last = Case(*[When(**{day: passed}, then=Value((passed - on).days)) for passed in overdue], default=last)
    elif day == "target_on":
        last = Case(
            When(due_on__gt=_plus(on, CMS_NEAR_DAYS), then=Value(DAY_AFTER)),
            When(due_on__gt=_plus(on, DAY_AFTER), then=Value(CMS_DAY_NEAR)),
            default=Value(CMS_DAY_PASSED),
        )
    return Case(*whens, default=last, output_field=SmallIntegerField())


def previous_step(group: Sequence[Climb], *, audience: Audience, path: str) -> Case:
    """Return the step before a reminder's step at which the audience heard; NULL where it is the first."""
    whens = []
    for climb in group:
        steps = (*climb.ladder.before, DAY_AFTER, CMS_DAY_NEAR, CMS_DAY_PASSED)
        pairs = [(step, climb.ladder.previous(step, audience)) for step in steps]
        known = [When(step=step, then=Value(before)) for step, before in pairs if before is not None]
        default = Value(climb.ladder.before[-1]) if climb.ladder.daily else None
        whens.append(When(climb.condition(path), then=Case(*known, default=default)))
    return Case(*whens, output_field=SmallIntegerField())


def _plus(on: date, days: int) -> date:
    return on + timedelta(days=days)
