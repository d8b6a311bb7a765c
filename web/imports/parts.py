"""What every preview of an upload is made of: its columns and days, and rows of one kind with what becomes of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol

from accounts.words import day
from facilities.access import Scope
from imports.answers import ListReport
from imports.columns import CERTAIN, CHOSEN, Column, column_names
from imports.days import NoDay, Style, read_day
from imports.models import Import, PendingImport
from staff.policy import Rejection
from staff.roster.cleaning import tidy
from staff.roster.reading import SEPARATOR, Roster

SHOWN: Final = 10  # rows of each part on the page itself
_SAMPLED: Final = 200  # rows looked through for samples of a column


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing that changes: ``before`` is empty for what is new."""

    label: str
    before: str
    after: str


@dataclass(slots=True)
class Row:
    """One person or account, or one row of the file, with what becomes of it."""

    title: str
    note: str = ""
    url: str = ""
    text: str = ""
    cells: list[Cell] = field(default_factory=list)


class Words(NamedTuple):
    """What a part is called, what its two columns are, and what it means where that is not plain."""

    title: str
    who: str = "Person"
    what: str = "What changes"
    text: str = ""


REJECTED: Final = Words("Rows that are not taken", "Row", "Why")
RESTORED: Final = Words("CCNs that were repaired", "Row", "What changes")


@dataclass(slots=True)
class Part:
    """Rows of one kind: those shown, and how many there are."""

    slug: str
    words: Words
    count: int
    rows: list[Row]

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.rows)


@dataclass(frozen=True, slots=True)
class Total:
    """A figure of the preview; ``tone``: late, soon or nothing."""

    count: int
    words: str
    tone: str = ""


@dataclass(slots=True)
class Outcome:
    """What the page says beside the rows: figures, what to check, what the consent is about and what it means."""

    totals: list[Total]
    notes: list[str]
    promises: list[str]
    deed: str  # empty where there is nothing to consent to
    same: str  # said then
    brakes: list[dict[str, Any]] = field(default_factory=list)


class Compared(Protocol):
    """An upload beside the register."""

    @property
    def roster(self) -> Roster: ...
    @property
    def report(self) -> ListReport: ...
    @property
    def digest(self) -> str: ...


class Pages(Protocol):
    """What the pages of imports need to know of one kind of list."""

    kind: Import.Kind
    make: type[Roster]
    fields: Mapping[str, str]  # what a column may be, in words
    parts: Mapping[str, Words]  # worries first
    most_rows: int  # of a list that is compared while somebody waits; more are imported by the command
    has_system: bool  # whether a list may be about one system that no column names

    def preview(self, scope: Scope, pending: PendingImport, at: datetime) -> Any:
        """Return what the upload would change. Raises FileRefused for a list that lacks a column."""

    def rows_of(self, scope: Scope, found: Any, slug: str, start: int, size: int) -> tuple[int, list[Row]]:
        """Return (how many rows a part has, some of them)."""

    def outcome(self, scope: Scope, found: Any, at: datetime) -> Outcome:
        """Return what the preview says beside its rows."""

    def consent(
        self, scope: Scope, pending: PendingImport, at: datetime, *, digest: str, left: frozenset[int]
    ) -> tuple[int | None, str]:
        """Write what was looked at; return (the import or None, what was done). Raises FileRefused, FacilitiesError."""


def parts_of(
    pages: Pages, scope: Scope, found: Any, slugs: Sequence[str], *, start: int = 0, size: int = SHOWN
) -> list[Part]:
    """Return the parts that hold anything, worries first; each with ``size`` rows from ``start``."""
    told = [(slug, *pages.rows_of(scope, found, slug, start, size)) for slug in slugs]
    return [Part(slug, pages.parts[slug], count, rows) for slug, count, rows in told if count]


def rejected_row(each: Rejection, roster: Roster) -> Row:
    """Return a row that is not taken, with the column to blame."""
    name = f"{each.first_name} {each.last_name}".strip()
    title = roster.title(each.column)
    column = f"Column “{title}”" if title in roster.header else "No column is taken for it" if each.column else ""
    note = " · ".join(part for part in (name, column) if part)
    return Row(f"Line {each.line}", note=note, text=each.reason[:1].upper() + each.reason[1:])


def restored_row(each: Mapping[str, Any]) -> Row:
    """Return a row whose CCN was repaired."""
    return Row(f"Line {each['line']}", text=f"“{each['given']}” is read as {each['ccn']}")


def columns_of(roster: Roster) -> list[dict[str, Any]]:
    """Return each column of the file: what it is taken for, how sure that is, and two of its cells."""
    taken = {column.position: column for column in roster.guess.columns.values()}
    rows = [text.split(SEPARATOR) for text in islice(roster.cells.values(), _SAMPLED)]
    told = []
    for position, name in enumerate(column_names(roster.header)):
        column = taken.get(position)
        cells = dict.fromkeys(cell for row in rows if (cell := row[position].strip()[:40]))
        told.append(
            {
                "name": name,
                "select": f"column-{position}",
                "field": column.field if column else "",
                "samples": list(cells)[:2],
                "unsure": column is not None and column.confidence < CERTAIN,
                "confidence": _confidence(column),
            }
        )
    return told


def _confidence(column: Column | None) -> str:
    if column is None:
        return "Not used"
    if column.confidence == CHOSEN:
        return "Chosen"
    return "Known title" if column.confidence >= CERTAIN else "A guess: please check"


def dates_of(roster: Roster, *, on: date) -> list[dict[str, str]]:
    """Return how each column of days is read, with one cell of it as an example."""
    found = []
    for name, style in roster.styles.items():
        if not style.shown:
            continue
        position = roster.guess.columns[name].position
        for text in roster.cells.values():
            cell = tidy(text.split(SEPARATOR)[position])
            read = _day_or_none(cell, style, on)
            if read is not None:
                told = {"title": roster.title(name), "shown": style.shown, "cell": cell, "day": day(read)}
                found.append(told)
                break
    return found


def _day_or_none(cell: str, style: Style, on: date) -> date | None:
    try:
        return read_day(cell, style, on=on)
    except NoDay:
        return None
