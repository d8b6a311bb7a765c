"""From an .xlsx workbook to rows of text, one at a time and in flat memory: which sheet, which header, what cells say.

Values are those that the spreadsheet last computed; formulas are never run. Days come as ISO text, whole numbers
without ".0", and a number that its format pads with zeros (``00000``) is padded here too, as the person saw it.
"""

import re
import stat
import warnings
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from itertools import islice
from typing import Any, Final

from imports.opening import Caps, FileRefused, Readable
from imports.reading import Row, Table
from imports.workbook_parts import DAMAGE, MOST_LINES, OLE, check_parts
from imports.workbook_texts import Reader

_HEADER_WITHIN: Final = 20
_MOST_ROWS: Final = 250_000
_MOST_COLUMNS: Final = 300
_MOST_SHEETS: Final = 50
_CAPS: Final = Caps(stored=64 * 2**20, unpacked=768 * 2**20, members=2_000, always=16 * 2**20)
_ONLY_ZEROS: Final = re.compile("0{2,20}")

warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")  # about styles and validation rules


def is_workbook(path: Readable) -> bool:
    """Return whether the content is an Excel workbook of any kind, whatever the file's name says."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for, a device has no end
            return False
        with path.open("rb") as raw:
            if raw.read(4) == OLE:
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
    check_parts(path, file, caps)
    try:
        reader = Reader(path.open("rb"), file)
        reader.read()
        book = reader.wb
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
    except DAMAGE as exc:
        raise FileRefused("damaged", "The workbook is damaged or not of Excel's making.", file=file) from exc
    if len(sheets) > _MOST_SHEETS:
        raise FileRefused("too_big", f"The workbook has more than {_MOST_SHEETS} sheets.", file=file)
    found = [(sheet, header) for sheet in sheets if (header := _find_header(sheet, knows, file))]
    if not found:
        raise FileRefused("empty", "The workbook holds no filled cell.", file=file)
    known = [each for each in found if each[1][0]]
    sheet, (_, line, titles) = (known or found)[0]
    return Table(file, titles, _rows(sheet, line, len(titles), file), _notes(sheet.title, known, len(sheets)))


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
        except DAMAGE as exc:
            raise FileRefused("damaged", f"The sheet is damaged after line {line}.", file=file, line=line) from exc
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            blank = row
        if line > MOST_LINES:
            raise FileRefused("damaged", f"The sheet goes on after line {MOST_LINES:,}.", file=file, line=line)
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
