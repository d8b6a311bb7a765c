"""The ladders in use: which deadlines climb them, and on which days each step is the latest due one.

No rule lives here: `reminders.ladder` is asked for its steps, and what it says is spelled out as days.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db.models import Exists, F, OuterRef, Q

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
NOT_YET: Final = 32_000  # no step: more days are left than the ladder has
# kind of deadline -> what those hang on that do not hang on an account
SUBJECTS: Final[dict[str, tuple[str, ...]]] = {
    "certification": ("grant",),
    "temporary": ("account", "grant"),
    "acknowledgement": ("person",),
    "obligation": ("obligation",),
    "officials": ("facility",),
    "review": ("facility",),
    "request-step": ("request_step",),
    "window": ("request_step", "obligation"),
}
_FAR: Final = 30  # ladders that begin earlier than this get a statement of their own, so that it alone reads so far


@dataclass(frozen=True, slots=True)
class Climb:
    """One ladder and the deadlines that climb it: their kinds, what these hang on, and for clocks their policies.

    ``house``: clocks without a policy; ``window`` = those with an own window of the same span, None = the default's.
    """

    ladder: Ladder
    kinds: tuple[str, ...]
    policies: tuple[int, ...] | None = None
    house: bool = False
    window: int | None = None
    windows_exist: bool = False
    subject: str = "account"

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


def subject_of(deadline: Deadline) -> str:
    """Return what a deadline hangs on."""
    some = SUBJECTS.get(deadline.kind, ("account",))
    return next((each for each in some if getattr(deadline, f"{each}_id") is not None), some[0])


def climbs() -> list[list[Climb]]:
    """Return the ladders in use, in groups that are planned by one statement each."""
    near: list[Climb] = []
    far: list[list[Climb]] = []
    for climb in [*_fixed(), *_clocks(), *_house()]:
        if climb.ladder.first > _FAR or climb.subject != "account":
            far.append([climb])
        else:
            near.append(climb)
    return [near, *far]


def _fixed() -> Iterator[Climb]:
    for kind in FIXED_KINDS:
        ladder = ladder_of(kind)
        if ladder is not None and Deadline.objects.filter(kind=kind).exists():  # one look at the unique key
            for subject in SUBJECTS.get(kind, ("account",)):
                yield Climb(ladder, (kind,), subject=subject)


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
    yield Climb(_default(), kinds, house=True, windows_exist=exist)
    own = HouseWindow.objects.filter(enabled=True).order_by("mention_days", "flag_days")
    pairs = own.values_list("mention_days", "flag_days").distinct()
    for ladder in dict.fromkeys(house_ladder(mention_days=mention, flag_days=flag) for mention, flag in pairs):
        yield Climb(ladder, kinds, house=True, window=ladder.first, windows_exist=exist)


def ladders_of(deadlines: Sequence[Deadline]) -> dict[int, Ladder]:
    """Return by key the ladder that each deadline climbs; those that climb none are left out.

    Read them with policy and account. One query where one has no policy.
    """
    found: dict[int, Ladder] = {}
    house = [each for each in deadlines if each.policy is None and each.kind in CLOCK_KINDS]
    own = _windows(house)
    for each in deadlines:
        if each in house and each.account is not None:
            ladder = own.get((each.organization_id, each.account.system_id), _default())
        else:
            policy = each.policy
            limit = (policy.limit_days or (policy.limit_years or 1) * 365) if policy else None
            ladder = ladder_of(each.kind, limit)
        if ladder is not None:
            found[each.pk] = ladder
    return found


def _windows(deadlines: Sequence[Deadline]) -> dict[tuple[int, int], Ladder | None]:
    """Return by organization and system the ladder of an own window, None where it is switched off."""
    if not deadlines:
        return {}
    own = HouseWindow.objects.filter(organization__in={each.organization_id for each in deadlines})
    return {
        (row.organization_id, row.system_id): house_ladder(mention_days=row.mention_days, flag_days=row.flag_days)
        if row.enabled
        else None
        for row in own
    }


def _default() -> Ladder:
    return house_ladder(mention_days=HOUSE_MENTION_DAYS, flag_days=HOUSE_FLAG_DAYS)


def reached(group: Sequence[Climb], *, day: str, audience: Audience, on: date) -> Q:
    """Return the condition on deadlines whose column ``day`` lies within what the audience hears of."""
    some = Q()
    for climb in group:
        some |= climb.condition() & Q(**{f"{day}__lte": _plus(on, climb.ladder.joins(audience))})
    # Said once for all as well, so that the range is plain to see for the index on (zone, day).
    return some & Q(**{f"{day}__lte": _plus(on, max(climb.ladder.joins(audience) for climb in group))})


def begun(climb: Climb, *, day: str, on: date) -> str:
    """Return the SQL condition over deadline ``d`` alone that those of the ladder fulfil which have come to its steps.

    Windows are left to `members_of`: said of one table, it spares the joins of what is still far from its ladder.
    """
    whose = f"d.policy_id IS NULL AND {_kinds(climb)}" if climb.house else members_of(climb)
    return f"(d.{day} <= '{_plus(on, climb.ladder.first)}' AND {whose})"  # the day first: most fall out by it


def _kinds(climb: Climb) -> str:
    return f"d.kind IN ({', '.join(repr(str(kind)) for kind in climb.kinds)})"


def members_of(climb: Climb) -> str:
    """Return the SQL condition of the deadlines that climb it, over deadline ``d`` and its house window ``h``.

    The same as `Climb.condition`, for statements that have joined the window already.
    """
    kinds = _kinds(climb)
    if climb.policies is not None:
        return f"d.policy_id IN ({', '.join(str(int(pk)) for pk in climb.policies)}) AND {kinds}"
    if not climb.house:
        return kinds
    if not climb.windows_exist:
        return f"{kinds} AND d.policy_id IS NULL"
    window = "h.id IS NULL" if climb.window is None else f"h.enabled AND h.flag_days = h.mention_days + {climb.window}"
    return f"{kinds} AND d.policy_id IS NULL AND {window}"


def steps_of(ladder: Ladder, *, on: date, house_day: bool, overdue: Sequence[date]) -> Iterator[tuple[str, int]]:
    """Yield (SQL condition over ``w.day`` and ``w.due_on``, step): the latest due step, first match wins.

    ``house_day``: counted against the organization's own day, after which two steps count against CMS's.
    ``overdue``: the passed days that occur among deadlines with a daily ladder.
    """
    yield f"w.day > '{_plus(on, ladder.first)}'", NOT_YET
    if ladder.after:
        yield from _steps_in_business_days(ladder, on)
        return
    for step, after in zip(ladder.before, [*ladder.before[1:], DAY_AFTER], strict=True):
        yield f"w.day > '{_plus(on, after)}'", step
    if ladder.daily:
        yield from ((f"w.day = '{day}'", (day - on).days) for day in overdue)
    elif house_day:
        yield f"w.due_on > '{_plus(on, CMS_NEAR_DAYS)}'", DAY_AFTER
        yield f"w.due_on > '{_plus(on, DAY_AFTER)}'", CMS_DAY_NEAR
        yield "w.due_on IS NOT NULL", CMS_DAY_PASSED
    else:
        yield "w.day IS NOT NULL", DAY_AFTER


def _steps_in_business_days(ladder: Ladder, on: date) -> Iterator[tuple[str, int]]:
    for step, after in zip(ladder.before, ladder.before[1:], strict=False):
        yield f"w.day > '{_plus(on, after)}'", step
    step = ladder.before[-1]
    for later, last in ladder.passed_before(on):
        yield f"w.day > '{last}'", step
        step = later
    yield "w.day IS NOT NULL", step


def _plus(on: date, days: int) -> date:
    return on + timedelta(days=days)
