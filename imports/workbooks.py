"""From an .xlsx workbook to rows of text, one at a time and in flat memory: which sheet, which header, what cells say.

Values are those that the spreadsheet last computed; formulas are never run. Days come as ISO text, whole numbers
without ".0", and a number that its format pads with zeros (``00000``) is padded here too, as the person saw it.
"""

import re
import stat
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from itertools import islice
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from imports.opening import Caps, FileRefused, Held, Readable
from imports.reading import Row, Table

_OLE: Final = b"\xd0\xcf\x11\xe0"  # .xls, and an .xlsx behind a password
_HEADER_WITHIN: Final = 20
_MOST_ROWS: Final = 300_000
_LAST_LINE: Final = 2**20  # of a sheet of Excel's
_MOST_COLUMNS: Final = 300
_MOST_SHEETS: Final = 50
_PART: Final = 64 * 2**20  # bytes of a part that is read at once, such as the shared texts
_CAPS: Final = Caps(stored=64 * 2**20, unpacked=768 * 2**20, members=2_000, always=16 * 2**20)
# A row is held whole in memory, so one must begin in every stretch of a long sheet; Excel's longest has 16,384 cells.
_STRETCH: Final = 2 * 2**20
_BEHIND_ROWS: Final = 16 * 2**20  # bytes after the last row: merged cells, links, rules of colour
_ROW: Final = re.compile(rb"<(?:\w+:)?row[\s/>]")
_ROWS_END: Final = re.compile(rb"</(?:\w+:)?sheetData\s*>")
_NO_SHEET: Final = re.compile(rb"<[!?](?!xml\s)")  # comments and the like, in which a row would be none
_ONLY_ZEROS: Final = re.compile("0{2,20}")
# What a damaged or foreign workbook makes openpyxl raise; it has no base class of its own.
_DAMAGE: Final = (
    zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError, AttributeError, IndexError,
    EOFError, OSError, NotImplementedError, OverflowError, AssertionError,
)  # fmt: skip

warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")  # about styles and validation rules


def is_workbook(path: Readable) -> bool:
    """Return whether the content is an Excel workbook of any kind, whatever the file's name says."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for, a device has no end
            return False
        with path.open("rb") as raw:
            if raw.read(4) == _OLE:
                return True
            return zipfile.is_zipfile(raw) and "[Content_Types].xml" in zipfile.ZipFile(raw).namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def read_workbook(path: Readable, *, knows: Callable[[list[str]], bool], caps: Caps = _CAPS) -> Table:
    """Return the first sheet whose header makes sense; ``notes`` say which it is when there are several.

    ``knows(header)`` as for read_tables(); where no header makes sense, the first filled row of the first filled
    sheet is the header, for the caller to judge. Rows may have more cells than the header.
    Raises FileRefused: damaged, encrypted, old_format, too_big, empty.
    """
    file = str(path)
    _check_parts(path, file, caps)
    try:
        given = path.open() if isinstance(path, Held) else path
        book = load_workbook(given, read_only=True, data_only=True, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
    except _DAMAGE as exc:
        raise FileRefused("damaged", "The workbook is damaged or not of Excel's making.", file=file) from exc
    if len(sheets) > _MOST_SHEETS:
        raise FileRefused("too_big", f"The workbook has more than {_MOST_SHEETS} sheets.", file=file)
    found = [(sheet, header) for sheet in sheets if (header := _find_header(sheet, knows, file))]
    if not found:
        raise FileRefused("empty", "The workbook holds no filled cell.", file=file)
    known = [each for each in found if each[1][0]]
    sheet, (_, line, titles) = (known or found)[0]
    return Table(file, titles, _rows(sheet, line, len(titles), file), _notes(sheet.title, known, len(sheets)))


def _check_parts(path: Readable, file: str, caps: Caps) -> None:
    try:
        with path.open("rb") as raw:
            if raw.read(4) == _OLE:
                message = "This is an old .xls workbook or one with a password. Save it as .xlsx without a password."
                raise FileRefused("old_format", message, file=file)
            if raw.seek(0, 2) > caps.stored:
                raise FileRefused("too_big", f"The workbook has more than {caps.stored:,} bytes.", file=file)
            archive = zipfile.ZipFile(raw)
            parts = archive.infolist()
            _check_sizes(parts, file, caps, stored=raw.seek(0, 2))
            for part in parts:
                if "/worksheets/" in part.filename and part.file_size > _STRETCH:
                    _check_stretches(archive, part, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as exc:
        raise FileRefused("damaged", f"The workbook is damaged: {exc}.", file=file) from exc
    except OSError as exc:
        raise FileRefused("unreadable", f"The file cannot be opened: {exc.strerror}.", file=file) from exc


def _check_sizes(parts: list[zipfile.ZipInfo], file: str, caps: Caps, *, stored: int) -> None:
    if any(part.flag_bits & 1 for part in parts):
        raise FileRefused("encrypted", "The workbook is protected by a password.", file=file)
    most = min(caps.unpacked, max(caps.always, stored * caps.ratio))
    # The sizes an archive states are binding: no more is ever unpacked from a part than it says.
    whole = [part for part in parts if part.filename.endswith(".xml") and "/worksheets/" not in part.filename]
    too_big = sum(part.file_size for part in parts) > most or any(part.file_size > _PART for part in whole)
    if too_big or len(parts) > caps.members:
        raise FileRefused("too_big", "The workbook unpacks to more than is accepted.", file=file)
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise FileRefused("damaged", "This is no Excel workbook.", file=file)


def _check_stretches(archive: zipfile.ZipFile, part: zipfile.ZipInfo, file: str) -> None:
    """Refuse a sheet with a row that would fill the memory, before anything builds rows of it."""
    behind: int | None = None  # bytes after the last row
    with archive.open(part) as stream:
        while stretch := stream.read(_STRETCH):
            if behind is None and (end := _ROWS_END.search(stretch)):
                behind = -end.end()
            if behind is not None:
                behind += len(stretch)
            no_row = behind is None and len(stretch) == _STRETCH and not _ROW.search(stretch)
            if no_row or _NO_SHEET.search(stretch) or (behind or 0) > _BEHIND_ROWS:
                raise FileRefused("too_big", "A sheet of the workbook holds more than a list does.", file=file)


def _find_header(sheet: Any, knows: Callable[[list[str]], bool], file: str) -> tuple[bool, int, list[str]] | None:
    """Return (known, line, titles) of the first row that makes sense, else of the first filled one."""
    first = None
    for line, cells in islice(_texts(sheet, 1, file), _HEADER_WITHIN):
        titles = [" ".join(cell.split()) for cell in cells]
        while titles and not titles[-1]:
            titles.pop()
        if titles and knows(titles):
            return True, line, titles
        if titles and first is None:
            first = (False, line, titles)
    return first


def _notes(title: str, known: list[Any], count: int) -> tuple[str, ...]:
    if count == 1:
        return ()
    others = [sheet.title for sheet, _ in known if sheet.title != title]
    also = f" These were left out though they look alike: {', '.join(others)}." if others else ""
    return (f"Read the sheet “{title}” of {count}.{also}",)


def _rows(sheet: Any, header_line: int, width: int, file: str) -> Iterator[Row]:
    filled = 0
    for line, cells in _texts(sheet, header_line + 1, file):
        if not any(cells):
            continue
        filled += 1
        if filled > _MOST_ROWS:
            raise FileRefused("too_big", f"The sheet has more than {_MOST_ROWS:,} rows.", file=file, line=line)
        yield Row(line, cells + [""] * (width - len(cells)))
    sheet.parent.close()


def _texts(sheet: Any, start: int, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells as text without empty ones at the end). Raises FileRefused where the sheet is damaged."""
    sheet.reset_dimensions()  # many programs write a wrong size; the rows themselves are right
    rows = sheet.iter_rows(min_row=start, max_col=_MOST_COLUMNS)
    line = start - 1
    blank = None  # rows that the file leaves out come as one and the same object, up to a million times
    while True:
        try:
            row = next(rows, None)
            if row is None:
                return
            line += 1
            cells = [] if row is blank else [_text(cell) for cell in row]
        except _DAMAGE as exc:
            raise FileRefused("damaged", f"The sheet is damaged after line {line}.", file=file, line=line) from exc
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            blank = row
        if line > _LAST_LINE:
            raise FileRefused("damaged", f"The sheet goes on after line {_LAST_LINE:,}.", file=file, line=line)
        yield line, cells


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if not value.is_integer() or abs(value) >= 1e15:
            return f"{value:.15g}"
        value = int(value)
    if isinstance(value, int):
        padded = _ONLY_ZEROS.fullmatch(cell.number_format or "")
        return str(value).zfill(len(padded[0])) if padded else str(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date | time) else str(value)
