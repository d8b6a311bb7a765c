"""The versions of a rule drawn over the years: plain values for `web/systems_timeline.html`, and the same in words.

Widths are percentages of the drawing as SVG text, heights are pixels, so that text never shrinks with the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from systems.models import Confidence, Policy
from web.guides.limits import length_words, span_words, title_of

KINDS: Final = ("inactivity", "deletion", "password", "certification")
EARLIEST: Final = 2010
_LANE, _TOP, _AXIS = 62, 6, 26  # px: one lane, space above the first, the years below the last
_SLIM, _TIGHT = 6, 22  # percent: narrower bars carry no words at all, or none on a phone
_FEW = 7  # so many years stand side by side on a phone


@dataclass(frozen=True, slots=True)
class Bar:
    """One version. `open_start`: nobody printed when it began; `assumed`: we assume its first day."""

    x: str
    width: str
    label: str
    open_start: bool
    assumed: bool
    current: bool
    tight: bool  # too narrow for its words on a phone; the table has them


@dataclass(frozen=True, slots=True)
class Lane:
    """All versions of one rule; `y` is the top of the lane."""

    title: str
    y: int
    bars: list[Bar]
    marks: list[dict[str, str]] = field(default_factory=list)

    @property
    def text_y(self) -> int:
        return self.y + 14

    @property
    def bar_y(self) -> int:
        return self.y + 21

    @property
    def label_y(self) -> int:
        return self.y + 38

    @property
    def bar_end(self) -> int:
        return self.y + 47

    @property
    def mark_y(self) -> int:
        return self.y + 34


@dataclass(frozen=True, slots=True)
class Timeline:
    """The drawing and its twin in words."""

    lanes: list[Lane]
    years: list[dict[str, Any]]
    today: str
    height: int
    title: str
    rows: list[dict[str, Any]]  # {rule, limit, span, note, policy}
    key: list[dict[str, str]]  # what the signs mean that stand in this drawing

    @property
    def axis_y(self) -> int:
        return self.height - 8

    @property
    def foot(self) -> int:
        return self.height - _AXIS + 4


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear axis of time."""

    first: date
    last: date

    def at(self, on: date) -> float:
        """Return the place of a day in percent, kept inside the drawing."""
        share = (on - self.first).days / max((self.last - self.first).days, 1)
        return 100 * min(max(share, 0.0), 1.0)


def timeline_of(
    system: str, policies: Sequence[Policy], on: date, marks: Sequence[dict[str, Any]] = ()
) -> Timeline | None:
    """Return the drawing of all rules that set a date, None without any.

    `marks` are days of an answer: {kind, basis_on, due_on}.
    """
    chains = {kind: _chain(policies, kind) for kind in KINDS}
    chains = {kind: rows for kind, rows in chains.items() if rows}
    if not chains:
        return None
    scale = _scale([row for rows in chains.values() for row in rows], on)
    lanes = [
        Lane(
            title_of(kind),
            _TOP + _LANE * number,
            [_bar(row, end, scale, on) for row, end in _ends(rows)],
            [sign for mark in marks if mark["kind"] == kind for sign in _signs(mark, scale)],
        )
        for number, (kind, rows) in enumerate(chains.items())
    ]
    shown = [row for rows in chains.values() for row in rows]
    return Timeline(
        lanes=lanes,
        years=_years(scale),
        today=f"{scale.at(on):.2f}%",
        height=_TOP + _LANE * len(lanes) + _AXIS,
        title=f"{system}: its rules from {scale.first.year} to {scale.last.year}. The table below says the same.",
        rows=[_row(row, on) for row in shown],
        key=_key(lanes),
    )


def _chain(policies: Sequence[Policy], kind: str) -> list[Policy]:
    rows = [row for row in policies if row.kind == kind and row.applied and (row.limit_days or row.limit_years)]
    return sorted(rows, key=lambda row: row.effective_from or date.min)


def _ends(rows: Sequence[Policy]) -> list[tuple[Policy, date | None]]:
    """Return each version with its last day: its own, or the day before the next one displaces it."""
    found = []
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        ends = [row.effective_to] if row.effective_to else []
        if following and following.effective_from:
            ends.append(following.effective_from - timedelta(days=1))
        found.append((row, min(ends) if ends else None))
    return found


def _scale(rows: Sequence[Policy], on: date) -> Scale:
    known = [each for row in rows for each in (row.effective_from, row.effective_to) if each]
    # Air before the first day that is known, more where a bar of unknown beginning needs room for its words.
    air = 3 if any(row.effective_from is None for row in rows) else 1
    first = min(each.year for each in known) - air if known else on.year - 4
    return Scale(date(max(min(first, on.year - 2), EARLIEST), 1, 1), date(on.year + 1, 12, 31))


def _bar(row: Policy, end: date | None, scale: Scale, on: date) -> Bar:
    start, stop = scale.at(row.effective_from or scale.first), scale.at(end or scale.last)
    return Bar(
        x=f"{start:.2f}%",
        width=f"{max(stop - start, 0.5):.2f}%",
        label=length_words(row) if stop - start >= _SLIM else "",
        open_start=row.effective_from is None,
        assumed=row.effective_from is not None and row.start_confidence == Confidence.INFERENCE,
        current=(row.effective_from or date.min) <= on <= (end or date.max),
        tight=stop - start < _TIGHT,
    )


def _signs(mark: dict[str, Any], scale: Scale) -> list[dict[str, str]]:
    return [
        {"sign": "basis", "x": f"{scale.at(mark['basis_on']):.2f}%"},
        {"sign": "due", "x": f"{scale.at(mark['due_on']):.2f}%"},
    ]


def _years(scale: Scale) -> list[dict[str, Any]]:
    """Return the beginnings of the years; `minor` ones have no label where the window is narrow."""
    years = range(scale.first.year, scale.last.year + 1)
    every = -(-len(years) // _FEW)
    return [
        {"x": f"{scale.at(date(year, 1, 1)):.2f}%", "label": str(year), "minor": bool((year - years[0]) % every)}
        for year in years
    ]


def _row(row: Policy, on: date) -> dict[str, Any]:
    return {"rule": title_of(row.kind), "limit": length_words(row), "span": span_words(row, on), "policy": row}


def _key(lanes: Sequence[Lane]) -> list[dict[str, str]]:
    bars = [bar for lane in lanes for bar in lane.bars]
    key = [{"sign": "current", "text": "in force today"}]
    if any(not bar.current for bar in bars):
        key.append({"sign": "past", "text": "not in force today"})
    if any(bar.open_start for bar in bars):
        key.append({"sign": "open", "text": "its beginning was not printed"})
    if any(bar.assumed for bar in bars):
        key.append({"sign": "assumed", "text": "we assume the day on which it began"})
    key.append({"sign": "today", "text": "today"})
    if any(lane.marks for lane in lanes):
        key += [
            {"sign": "basis", "text": "the day that your answer counts from"},
            {"sign": "due", "text": "the last safe day of your answer"},
        ]
    return key
