"""Geometry and words of the clock: one bar for one window in which somebody has to sign in. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from accounts.words import day, day_short, in_days


@dataclass(frozen=True, slots=True)
class Clock:
    """What `components/clock.html` draws; positions are percentages of the bar's width as SVG text."""

    standing: str
    text: str  # the same in words: the bar alone must never be needed
    elapsed: str = ""
    due: str = ""
    over: str = ""  # width of the part behind the last safe day
    today: str = ""
    ticks: tuple[str, ...] = ()

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw: without a known basis there is no window."""
        return bool(self.due)


def draw_clock(
    *,
    standing: str,
    on: date,
    basis_on: date | None,
    due_on: date | None,
    ticks: Sequence[date] = (),
    since: str = "the last login",
) -> Clock:
    """Return the clock of a window from ``basis_on`` (day 0) to ``due_on`` (the last safe day) as of ``on``.

    ``ticks`` are the days of reminders; ``since`` says what day 0 was. Without basis or due day the
    clock has words only.
    """
    if basis_on is None or due_on is None:
        return Clock(standing, "No date can be given: the last login is not known.")
    limit = max((due_on - basis_on).days, 1)
    used = max((on - basis_on).days, 0)
    whole = max(limit, used)

    def at(days: int) -> str:
        return f"{100 * min(max(days, 0), whole) / whole:.1f}%"

    over = max(used - limit, 0)
    return Clock(
        standing=standing,
        text=_text(basis_on=basis_on, due_on=due_on, on=on, limit=limit, used=used, since=since),
        elapsed=at(min(used, limit)),
        due=at(limit),
        over=at(over) if over else "",
        today=at(used),
        ticks=tuple(at((tick - basis_on).days) for tick in ticks if basis_on < tick < due_on),
    )


def _text(*, basis_on: date, due_on: date, on: date, limit: int, used: int, since: str) -> str:
    spent = f"{used} of {limit} days since {since} on {day_short(basis_on)}."
    if on > due_on:
        return f"{spent} The last safe day was {day(due_on)} ({in_days(due_on, on)})."
    return f"{spent} Last safe day: {day(due_on)} ({in_days(due_on, on)})."
