"""From byte streams to rows of text, one at a time: encoding, delimiter, quoting, header. Knows no column's meaning.

CMS's own files come as UTF-8 with or without a byte order mark, with single Windows-1252 bytes after megabytes of
plain ASCII, with CRLF or LF, quoted or not within one file; people add UTF-16, semicolons and tabs.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from imports.answers import number_of
from imports.opening import Caps, FileRefused, Readable, open_members

_DELIMITERS: Final = ",;\t|"
_LONGEST_LINE: Final = 2**20  # characters; a real line has a few thousand
_HEADER_WITHIN: Final = 20  # lines: people and spreadsheets put a title or "sep=;" above the header
_FEWEST_CELLS: Final = 3  # in narrower rows two lines of a cell and two swallowed rows cannot be told apart
_HEADER_LINES: Final = 5  # a title in quotes may run over lines
_MARKS: Final = (  # longest first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One data row; ``line`` is the physical line it starts on, the header's counted. As many cells as the header."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that cannot be cut into the header's cells; reading goes on behind it. ``cells``: what it was cut into."""

    line: int
    reason: str
    cells: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A file as a header and rows to be read once."""

    file: str
    header: list[str]
    rows: Iterator[Row | BrokenRow]
    notes: tuple[str, ...] = ()  # what a person should know about how it was opened

    def skip(self) -> None:
        """Read to the end for nothing but the proof that the file is whole."""
        for _ in self.rows:
            pass


def header_key(title: str) -> str:
    """Return a column title reduced to what is compared: letters and digits, lower case."""
    return re.sub(r"[^a-z0-9]", "", title.lower())


def read_tables(path: Readable, *, knows: Callable[[list[str]], bool], caps: Caps | None = None) -> Iterator[Table]:
    """Yield the tables of a .csv, .csv.gz or .zip file; read the rows of one before asking for the next.

    ``knows(header)`` says whether a header makes sense; it settles which delimiter the file uses.
    Raises FileRefused: what open_members() raises, unknown_encoding, not_text, empty, broken_quotes, line_too_long.
    """
    for file, stream in open_members(path, caps=caps):
        yield _read_table(file, stream, knows)


def _read_table(file: str, stream: io.BufferedReader, knows: Callable[[list[str]], bool]) -> Table:
    text = io.TextIOWrapper(stream, encoding=_encoding(stream), errors="windows-1252-bytes", newline="")
    lines = _Lines(text, file)
    header, delimiter = _find_header(lines, knows)
    return Table(file, header, _rows(lines, delimiter, len(header)))


def _encoding(stream: io.BufferedReader) -> str:
    start = stream.peek(4)[:4]
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if len(start) == 4 and not start[1] and not start[3] and start[0] and start[2]:
        return "utf-16-le"
    if len(start) == 4 and not start[0] and not start[2] and start[1] and start[3]:
        return "utf-16-be"
    return "utf-8"


def _windows_bytes(error: UnicodeError) -> tuple[str, int]:
    """Decode what is not UTF-8 as Windows-1252; bytes that it leaves undefined stay an error."""
    if not isinstance(error, UnicodeDecodeError) or not error.encoding.startswith("utf-8"):
        raise error
    try:
        return error.object[error.start : error.end].decode("cp1252"), error.end
    except UnicodeDecodeError:
        raise error from None


codecs.register_error("windows-1252-bytes", _windows_bytes)


class _Lines(Iterator[str]):
    """Lines with their ends, numbered as they are taken; refuses what is not text."""

    def __init__(self, text: io.TextIOWrapper, file: str) -> None:
        self._text = text
        self._ahead: deque[str] = deque()
        self.file = file
        self.number = 0

    def look(self, count: int) -> list[str]:
        """Return the next lines, at most ``count``, without taking them."""
        while len(self._ahead) < count and (line := self._read()):
            self._ahead.append(line)
        return list(islice(self._ahead, count))

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        return line

    def _read(self) -> str:
        number = self.number + len(self._ahead) + 1
        try:
            line = self._text.readline(_LONGEST_LINE)
        except UnicodeError as exc:
            message = f"The text in or after line {number} is neither UTF-8, UTF-16 nor Windows-1252."
            raise FileRefused("unknown_encoding", message, file=self.file) from exc
        if "\0" in line:
            raise FileRefused("not_text", "This is no text file.", file=self.file, line=number)
        if len(line) == _LONGEST_LINE:
            raise FileRefused("line_too_long", "The line is too long for a list.", file=self.file, line=number)
        return line


def _find_header(lines: _Lines, knows: Callable[[list[str]], bool]) -> tuple[list[str], str]:
    """Take the lines up to the header, the first one that makes sense; return its titles and the delimiter.

    Where none makes sense the first line that isn't empty is the header, for the caller to judge.
    """
    opening = lines.look(_HEADER_WITHIN)
    filled = [start for start, line in enumerate(opening) if line.strip()]
    if not filled:
        raise FileRefused("empty", "The file holds no line.", file=lines.file)
    cut = [(start, found) for start in filled if (found := _cut_header(opening[start:], knows))]
    if not cut:
        message = "The first line is no header."
        raise FileRefused("not_a_list", message, file=lines.file, line=filled[0] + 1)
    start, (_, titles, delimiter, used) = next((each for each in cut if each[1][0]), cut[0])
    for _ in range(start + used):
        next(lines)
    while titles and not titles[-1]:  # commas behind the last title, which the rows need not repeat
        titles.pop()
    return titles, delimiter


def _cut_header(opening: list[str], knows: Callable[[list[str]], bool]) -> tuple[bool, list[str], str, int] | None:
    """Return (known, titles, delimiter, lines used) for the delimiter that suits best; None if none does."""
    found = []
    for delimiter in _DELIMITERS:
        reader = csv.reader(opening, delimiter=delimiter)
        try:
            titles = [" ".join(cell.split()) for cell in next(reader)]
        except csv.Error:
            continue
        if reader.line_num <= _HEADER_LINES:
            found.append((knows(titles), titles, delimiter, reader.line_num))
    return max(found, key=lambda each: (each[0], len(each[1])), default=None)


def _rows(lines: _Lines, delimiter: str, width: int) -> Iterator[Row | BrokenRow]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        start = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            yield _unread(lines, start, exc)
            continue
        if lines.number > start and any(_holds_rows(cell, delimiter, len(cells)) for cell in cells):
            message = f"A quotation mark opens here and closes in line {lines.number}: whole rows lie between."
            raise FileRefused("broken_quotes", message, file=lines.file, line=start)
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            del cells[width:]
        if len(cells) == width:
            yield Row(start, cells)
        else:
            yield BrokenRow(
                start, f"the row has {number_of(len(cells), 'cell,cells')}, the header {width}", tuple(cells)
            )


def _unread(lines: _Lines, start: int, exc: csv.Error) -> BrokenRow:
    """Return the row that csv could not read. Raises FileRefused where nobody can tell how many rows are lost in it."""
    alone = lines.number == start
    if "field larger" in str(exc) and alone:
        message = f"A cell holds more than {csv.field_size_limit():,} characters."
        raise FileRefused("line_too_long", message, file=lines.file, line=start) from exc
    if "end of data" in str(exc) or "field larger" in str(exc):
        message = "A quotation mark opens here or later and never closes."
        raise FileRefused("broken_quotes", message, file=lines.file, line=start) from exc
    if not alone:
        message = f"Quotation marks in lines {start} to {lines.number} don't match."
        raise FileRefused("broken_quotes", message, file=lines.file, line=start) from exc
    return BrokenRow(start, "quotation marks in the row don't match")


def _holds_rows(cell: str, delimiter: str, width: int) -> bool:
    """Return whether a cell over several lines swallowed rows: each end of a line stands for all the cells of one.

    A comma with a blank behind it is one of a sentence.
    """
    ends = cell.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    if not ends or width < _FEWEST_CELLS:
        return False
    return cell.count(delimiter) - cell.count(f"{delimiter} ") == ends * (width - 1)
