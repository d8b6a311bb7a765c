"""From byte streams to rows of text, one at a time: encoding, delimiter, quoting, header. Knows no column's meaning.

CMS's own files come as UTF-8 with or without a byte order mark, with single Windows-1252 bytes after megabytes of
plain ASCII, with CRLF or LF, quoted or not within one file; people add UTF-16, semicolons and tabs.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imports.opening import Caps, FileRefused, open_members

_DELIMITERS: Final = ",;\t|"
_LONGEST_LINE: Final = 2**20  # characters; a real line has a few thousand
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
    """A row that cannot be cut into cells; reading goes on behind it."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """A file as a header and rows to be read once."""

    file: str
    header: list[str]
    rows: Iterator[Row | BrokenRow]


def header_key(title: str) -> str:
    """Return a column title reduced to what is compared: letters and digits, lower case."""
    return re.sub(r"[^a-z0-9]", "", title.lower())


def read_tables(path: Path, *, knows: Callable[[list[str]], bool], caps: Caps | None = None) -> Iterator[Table]:
    """Yield the tables of a .csv, .csv.gz or .zip file; read the rows of one before asking for the next.

    ``knows(header)`` says whether a header makes sense; it settles which delimiter the file uses.
    Raises FileRefused: what open_members() raises, unknown_encoding, not_text, empty, broken_quotes, line_too_long.
    """
    for file, stream in open_members(path, caps=caps):
        yield _read_table(file, stream, knows)


def _read_table(file: str, stream: io.BufferedReader, knows: Callable[[list[str]], bool]) -> Table:
    text = io.TextIOWrapper(stream, encoding=_encoding(stream), errors="windows-1252-bytes", newline="")
    lines = _Lines(text, file)
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise FileRefused("empty", "The file holds no line.", file=file)
    try:
        header, delimiter = _cut_header(first, knows)
    except csv.Error as exc:
        raise FileRefused("not_a_list", "The first line is no header.", file=file, line=lines.number) from exc
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
    """Lines with their ends, numbered; refuses what is not text."""

    def __init__(self, text: io.TextIOWrapper, file: str) -> None:
        self._text = text
        self.file = file
        self.number = 0

    def __next__(self) -> str:
        try:
            line = self._text.readline(_LONGEST_LINE)
        except UnicodeError as exc:
            message = f"The text is neither UTF-8, UTF-16 nor Windows-1252 (after line {self.number})."
            raise FileRefused("unknown_encoding", message, file=self.file) from exc
        if not line:
            raise StopIteration
        self.number += 1
        if "\0" in line:
            raise FileRefused("not_text", "This is no text file.", file=self.file, line=self.number)
        if len(line) == _LONGEST_LINE:
            raise FileRefused("line_too_long", "The line is too long for a list.", file=self.file, line=self.number)
        return line


def _cut_header(line: str, knows: Callable[[list[str]], bool]) -> tuple[list[str], str]:
    best: tuple[tuple[bool, int], list[str], str] | None = None
    for delimiter in _DELIMITERS:
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
        rank = (knows(cells), len(cells))
        if best is None or rank > best[0]:
            best = (rank, cells, delimiter)
    assert best is not None
    return best[1], best[2]


def _rows(lines: _Lines, delimiter: str, width: int) -> Iterator[Row | BrokenRow]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        start = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            if "end of data" in str(exc) or "field larger" in str(exc):
                message = "A quotation mark opens here or later and never closes."
                raise FileRefused("broken_quotes", message, file=lines.file, line=start) from exc
            where = f"lines {start} to {lines.number}" if lines.number > start else "the row"
            yield BrokenRow(start, f"quotation marks in {where} don't match")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            del cells[width:]
        if len(cells) == width:
            yield Row(start, cells)
        else:
            yield BrokenRow(start, f"the row has {len(cells)} cells, the header {width}")
