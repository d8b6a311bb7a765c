"""What runs out in the next 13 weeks, week by week: plain values for the drawing and for its table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db.models import Count, QuerySet

from accounts.models import Deadline

WEEKS: Final = 13
_HEIGHT, _TOP, _FOOT = 180, 24, 40  # px: the bars' room, above it the number, below it the day


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from ``starts_on``: how many logins are due in them, and how many other dates run out."""

    starts_on: date
    ends_on: date
    logins: int
    others: int

    @property
    def total(self) -> int:
        return self.logins + self.others


@dataclass(frozen=True, slots=True)
class Bar:
    """One week as drawn; x and width are percentages as SVG text, the rest pixels."""

    week: Week
    x: str
    middle: str
    width: str
    logins_y: int
    logins_height: int
    others_y: int
    others_height: int
    number_y: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """The bars, and the same weeks as rows."""

    weeks: list[Week]
    bars: list[Bar]
    height: int
    base: int
    total: int
    busiest: Week | None


def forecast(deadlines: QuerySet[Deadline], on: date) -> Forecast:
    """Return what of these open deadlines is due from ``on`` for 13 weeks. One query, a row per day and kind."""
    until = on + timedelta(weeks=WEEKS)
    due = deadlines.filter(due_on__gte=on, due_on__lt=until).order_by().values_list("due_on", "kind")
    return drawn(weeks_of(due.annotate(count=Count("pk")), on))


def weeks_of(counts: Iterable[tuple[date, str, int]], on: date) -> list[Week]:
    """Return 13 weeks from (day, kind, how many); days outside are left out."""
    logins, others = [0] * WEEKS, [0] * WEEKS
    for day, kind, count in counts:
        number = (day - on).days // 7
        if 0 <= number < WEEKS:
            (logins if kind == Deadline.Kind.INACTIVITY else others)[number] += count
    return [
        Week(on + timedelta(weeks=number), on + timedelta(weeks=number, days=6), logins[number], others[number])
        for number in range(WEEKS)
    ]


def drawn(weeks: Sequence[Week]) -> Forecast:
    """Return the drawing of some weeks; the highest bar fills the room."""
    most = max((week.total for week in weeks), default=0)
    base = _TOP + _HEIGHT
    step = 100 / max(len(weeks), 1)
    bars = []
    for number, week in enumerate(weeks):
        whole = round(_HEIGHT * week.total / most) if most else 0
        whole = max(whole, 3) if week.total else 0
        others = round(whole * week.others / week.total) if week.total else 0
        bars.append(
            Bar(
                week=week,
                x=f"{number * step + step * 0.15:.2f}%",
                middle=f"{number * step + step / 2:.2f}%",
                width=f"{step * 0.7:.2f}%",
                logins_y=base - (whole - others),
                logins_height=whole - others,
                others_y=base - whole,
                others_height=others,
                number_y=base - whole - 6,
            )
        )
    busiest = max(weeks, key=lambda week: week.total, default=None)
    return Forecast(
        weeks=list(weeks),
        bars=bars,
        height=base + _FOOT,
        base=base,
        total=sum(week.total for week in weeks),
        busiest=busiest if busiest and busiest.total else None,
    )
