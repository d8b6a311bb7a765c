"""From a roster file to cleaned rows: the columns and forms of days are guessed, secrets refused, the rest judged.

Two passes, because what a column writes is decided by all of its values: the first takes the rows in as text, the
second makes records of them. Lists of other kinds are taken in here too: `Roster.TITLES` says what titles mean.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final, NamedTuple, TypeVar

from audit.secrets import found_secret
from imports.answers import number_of
from imports.columns import Field, Guess, misnamed
from imports.days import Style, guess_styles
from imports.lists import open_list
from imports.opening import FileRefused, Readable
from imports.reading import BrokenRow, Table
from staff.policy import Record, Rejection
from staff.policy.packing import packed_row
from staff.roster.cells import Cells
from staff.roster.cleaning import Cleaner, Words, tidy
from staff.roster.places import Places
from staff.roster.statuses import read_statuses
from staff.roster_columns import FIELDS, guess_roster, knows, missing_from

Chosen = Mapping[str, str] | None  # field -> name of its column, where a person said so
SEPARATOR: Final = "\x1f"  # between the cells of a row while it is kept as one text
_MOST_ROWS: Final = 250_000  # with more, an import would take more than 300 MB of memory
_PROGRESS_EVERY: Final = 25_000
# Words without which no pattern of audit.secrets can match: a text test before thirteen searches per cell.
_SECRET_WORDS: Final = ("ssn", "social", "pass", "pwd", "pw", "kennwort", "pin", "security", "secret", "challenge",
                        "maiden", "otp", "mfa", "2fa", "authenticator", "code", "dob", "birth", "born")  # fmt: skip
_UNITS: Final = re.compile(  # titles of columns that name jobs or places
    r"\b(?:job|position|unit|dep(?:artmen)?t|location|facility|building|wing|floor|room|cost cent(?:er|re))\b",
    re.IGNORECASE,
)
_SSN_LIKE: Final = re.compile(r"\d{3}[- ]\d{2}[- ]\d{4}")
_FOOTER: Final = re.compile(
    r"(grand |sub)?totals?\b|count\b|end of (report|list|file)|page \d|report (date|run|generated|total)|printed|"
    r"generated|run date|records?:|\*{3}|confidential|-{3}",
    re.IGNORECASE,
)


# Columns to name instead of one that the file does not have.
_STANDS_FOR: Final = {
    "first_name": ("full_name",),
    "last_name": ("full_name",),
    "ccn": ("facility",),
    "facility": ("ccn",),
    "user_id": ("employee_number", "email", "full_name", "last_name"),
}


class Titles(NamedTuple):
    """How the titles of one kind of list are understood."""

    fields: Sequence[Field]
    knows: Callable[[list[str], Chosen], bool]  # whether a header makes sense
    guess: Callable[[list[str], Chosen], Guess]


@dataclass(slots=True)
class Roster:
    """A file as it was understood. ``cells``: line -> the row's cells as one text, joined by SEPARATOR."""

    TITLES: ClassVar[Titles] = Titles(FIELDS, knows, guess_roster)

    file: str
    header: list[str] = field(default_factory=list)
    sha256: str = ""
    rows: int = 0
    records: list[bytes] = field(default_factory=list)  # packed: see staff.policy.packing
    rejected: list[Rejection] = field(default_factory=list)
    restored: list[dict[str, Any]] = field(default_factory=list)
    cells: Cells = field(default_factory=Cells)
    guess: Guess = field(default_factory=Guess)
    styles: dict[str, Style] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take_records(self) -> Iterator[bytes]:
        """Yield the records and forget them: whoever compares them holds what is needed of them."""
        records, self.records = self.records, []
        return taken(records)

    def title(self, column: str) -> str:
        """Return the file's own title of a column, or the field's name where the file has none."""
        names = (column, *_STANDS_FOR.get(column, ()))
        return next((self.guess.columns[name].title for name in names if name in self.guess.columns), column)


R = TypeVar("R", bound=Roster)  # a kind of list


def taken(rows: list[bytes]) -> Iterator[bytes]:
    """Yield the rows in order, each out of the list."""
    rows.reverse()
    while rows:
        yield rows.pop()


def rejected_row(roster: Roster, row: Rejection) -> dict[str, Any]:
    """Return a rejected row as the command tells it: file, line, the file's own title of the column, reason."""
    column = roster.title(row.column) if row.column else ""
    return {"file": roster.file, "line": row.line, "column": column, "reason": row.reason}


def read_roster(
    path: Readable,
    places: Places,
    *,
    on: date,
    columns: Chosen = None,
    progress: Callable[[str], None] | None = None,
) -> Roster:
    """Return the roster. Raises FileRefused, and nothing of the file is kept: unreadable, damaged, empty, no header
    of a roster (``missing_column``), a column or a cell that looks like a secret (``secret``).
    """
    roster, table = opened(Roster, path, columns)
    refuse_missing(roster)
    take_in(roster, table, progress)
    roster.sha256 = sha256_of(path)
    judge(roster, places, on=on)
    return roster


def judge(roster: Roster, places: Places, *, on: date) -> None:
    """Make records and rejections of the rows that were taken in."""
    words = _words(roster, on)
    cleaner = Cleaner(roster.guess, places, words, on=on)
    for line, text in roster.cells.items():
        result = cleaner.clean(line, text.split(SEPARATOR))
        if isinstance(result, Record):
            roster.records.append(packed_row(result))
        else:
            roster.rejected.append(result)
    for line, given, ccn in cleaner.restored:
        roster.restored.append({"file": roster.file, "line": line, "given": given, "ccn": ccn})


def look_over(kind: type[R], path: Readable, *, most_rows: int = _MOST_ROWS) -> R:
    """Return header, guess and cells of a list that may lack what its kind needs; its rows are not judged.

    Raises FileRefused as read_roster() does, but for missing columns, which a person may still choose.
    """
    roster, table = opened(kind, path, None)
    take_in(roster, table, None, most_rows)
    roster.sha256 = sha256_of(path)
    return roster


def opened(kind: type[R], path: Readable, columns: Chosen) -> tuple[R, Table]:
    """Return the list with what its header means, and its rows yet to be read.

    Raises FileRefused, also (``unknown_column``) where a choice names no field or no column of the list.
    """
    titles = kind.TITLES
    table = open_list(path, knows=lambda header: titles.knows(header, columns))
    if trouble := misnamed(table.header, titles.fields, columns or {}):
        raise FileRefused("unknown_column", trouble, file=table.file)
    roster = kind(table.file, table.header, guess=titles.guess(table.header, columns), notes=list(table.notes))
    refuse_secret_columns(roster)
    twice = {title for title in table.header if title and table.header.count(title) > 1}
    roster.notes += [
        f"Several columns are called “{column.title[:40]}”: column {column.position + 1} is read, the others are not."
        for column in roster.guess.columns.values()
        if column.title in twice
    ]
    return roster, table


def refuse_secret_columns(roster: Roster) -> None:
    """Refuse the file whole where the title of a column names what must not be stored, or is a secret itself."""
    if roster.guess.secrets:
        title, kind = roster.guess.secrets[0]
        message = f"The column “{title[:40]}” looks like {kind}. Take it out of the file; nothing was read or stored."
        raise FileRefused("secret", message, file=roster.file, column=title)
    for position, title in enumerate(roster.header, start=1):
        if secret := found_secret(title):  # a list without titles: its first row is taken for them
            message = (
                f"The title of column {position} looks like {secret}. Take it out of the file; nothing was stored."
            )
            raise FileRefused("secret", message, file=roster.file)


def refuse_missing(roster: Roster) -> None:
    """Refuse a list without what a roster cannot do without."""
    refuse_lacking(roster, missing_from(roster.guess))


def refuse_lacking(roster: Roster, missing: list[str]) -> None:
    """Refuse a list that lacks something, named in words; nothing where nothing is missing."""
    if missing:
        found = ", ".join(f"“{title[:40]}”" for title in roster.header[:12] if title) or "none"
        message = f"This list lacks {' and '.join(missing)}. Its columns: {found}."
        raise FileRefused("missing_column", message, file=roster.file)


def take_in(roster: Roster, table: Table, progress: Callable[[str], None] | None, most_rows: int = _MOST_ROWS) -> None:
    """Take the rows in as text, footers and repeated headers left out; a cell with a secret refuses the file whole."""
    titles = [title.casefold() for title in table.header]
    footers = 0
    for row in table.rows:
        _refuse_secrets(roster, row.line, row.cells, table.header)
        filled = [cell for cell in row.cells if cell.strip()]
        if filled and _is_footer(filled):
            footers += 1
            continue
        if [cell.strip().casefold() for cell in row.cells[: len(titles)]] == titles:
            continue  # the header again, at the top of a printed page
        roster.rows += 1
        if roster.rows > most_rows:
            raise FileRefused("too_big", f"The list has more than {most_rows:,} rows.", file=roster.file)
        if isinstance(row, BrokenRow):
            roster.rejected.append(Rejection(row.line, "", row.reason))
        else:
            roster.cells.put(row.line, _joined(row.cells))
        if progress and roster.rows % _PROGRESS_EVERY == 0:
            progress(f"{roster.rows:,} rows read")
    if not roster.rows:
        raise FileRefused("empty", "The list has a header and no row.", file=roster.file)
    if footers:
        were = number_of(footers, "row that tells of no person was,rows that tell of no person were")
        roster.notes.append(f"{were} left out, such as a total or a remark.")


def _is_footer(filled: list[str]) -> bool:
    """Return whether the filled cells of a row are a total or a remark: its word, and one more cell or only numbers."""
    if not _FOOTER.match(filled[0].strip()):
        return False
    return len(filled) <= 2 or not any(map(str.isalpha, "".join(filled[1:])))


def _joined(cells: list[str]) -> str:
    text = SEPARATOR.join(cells)
    if text.count(SEPARATOR) >= len(cells):
        text = SEPARATOR.join(cell.replace(SEPARATOR, " ") for cell in cells)
    return text


def _refuse_secrets(roster: Roster, line: int, cells: Any, header: list[str]) -> None:
    """Refuse the file whole: what must never be stored must not lie about in the file either (design R-42)."""
    text = " ".join(cells)
    if not text.isascii():  # invisible marks and other blanks would hide what a person sees
        cells = [tidy(cell) for cell in cells]
        text = " ".join(cells)
    lower = text.lower()
    if not any(word in lower for word in _SECRET_WORDS) and not _SSN_LIKE.search(text):
        return
    for position, cell in enumerate(cells):
        column = header[position] if position < len(header) else ""
        kind = found_secret(cell, names_units=bool(_UNITS.search(column)))
        if kind:
            message = f"A cell looks like {kind}. Take it out of the file; nothing was stored."
            raise FileRefused("secret", message, file=roster.file, line=line, column=column)


def _words(roster: Roster, on: date) -> Words:
    """Decide from all values how the columns of days and of the status are to be read."""
    take_styles(roster, ("start_date", "end_date"))
    statuses, notes = read_statuses(values_of(roster, "status"), on=on) if roster.guess.has("status") else ({}, [])
    roster.notes += notes
    return Words(roster.styles, statuses)


def take_styles(roster: Roster, days: tuple[str, ...], nothing: frozenset[str] = frozenset()) -> None:
    """Decide how the columns of days are written; ``nothing`` are words in lower case that are no days there."""
    said = {name: values_of(roster, name) for name in days if roster.guess.has(name)}
    roster.styles = guess_styles(
        {name: {value for value in values if value.lower() not in nothing} for name, values in said.items()}
    )
    for name, style in roster.styles.items():
        if style.assumed:
            roster.notes.append(
                f"Nothing in “{roster.title(name)}” tells day and month apart: read as {style.shown}. Please check."
            )


def values_of(roster: Roster, name: str) -> set[str]:
    """Return the different values of a column, tidied."""
    position = roster.guess.columns[name].position
    values = {text.split(SEPARATOR, position + 1)[position] for text in roster.cells.values()}
    return {tidy(value) for value in values}


def sha256_of(path: Readable) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()
