"""What an .xlsx archive holds, before rows are built of it: sizes, and whether each sheet is one of short rows.

A sheet is read row by row, but each row whole, and everything around the rows is kept. So it is walked once as a stream
by the parser that will read it: rows stand one beside the other, none is longer than a list's, and little stands around
them. Which parts are sheets is asked as it will be: of the workbook, not of their names.
"""

import zipfile
import zlib
from typing import Any, Final
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

from openpyxl.packaging.manifest import Manifest
from openpyxl.reader.excel import _find_workbook_part
from openpyxl.reader.workbook import WorkbookParser
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.xml.constants import (
    ARC_CONTENT_TYPES,
    ARC_CORE,
    ARC_CUSTOM,
    ARC_STYLE,
    ARC_THEME,
    SHARED_STRINGS,
    SHEET_MAIN_NS,
)
from openpyxl.xml.functions import fromstring

from imports.opening import Caps, FileRefused, Readable

OLE: Final = b"\xd0\xcf\x11\xe0"  # .xls, and an .xlsx behind a password
MOST_LINES: Final = 2**20  # of a sheet of Excel's
_PART: Final = 64 * 2**20  # bytes of a part that is read at once, such as the shared texts
_ROW_BYTES: Final = 2 * 2**20
_ROW_CELLS: Final = 16_384  # Excel's widest
_AROUND_BYTES: Final = 16 * 2**20  # before, between and behind the rows: widths, merged cells, links, rules of colour
_AROUND_PARTS: Final = 1_000_000
_THINGS: Final = 400_000  # marks of a part that is read at once, one or two an element; Excel's own have some thousands
_PIECE: Final = 64 * 2**10
_ROW: Final = f"{SHEET_MAIN_NS} row"
_ROWS: Final = f"{SHEET_MAIN_NS} sheetData"
# What a damaged or foreign workbook makes openpyxl raise; it has no base class of its own.
DAMAGE: Final = (
    zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError, AttributeError, IndexError,
    EOFError, OSError, NotImplementedError, OverflowError, AssertionError,
)  # fmt: skip
_WHOLE: Final = frozenset({ARC_CONTENT_TYPES, ARC_CORE, ARC_CUSTOM, ARC_STYLE, ARC_THEME})


def check_parts(path: Readable, file: str, caps: Caps) -> None:
    """Refuse what is no workbook or would fill the memory.

    Raises FileRefused: damaged, encrypted, old_format, too_big, unreadable.
    """
    try:
        with path.open("rb") as raw:
            if raw.read(4) == OLE:
                message = "This is an old .xls workbook or one with a password. Save it as .xlsx without a password."
                raise FileRefused("old_format", message, file=file)
            if raw.seek(0, 2) > caps.stored:
                raise FileRefused("too_big", f"The workbook has more than {caps.stored:,} bytes.", file=file)
            archive = _Archive(raw)
            _check_sizes(archive.infolist(), file, caps, stored=raw.seek(0, 2))
            sheets, whole, texts = _sheets(archive, file)
            for part in archive.infolist():
                streamed = (
                    part.filename in sheets and part.filename not in whole and not part.filename.endswith(".rels")
                )
                if part.file_size > _PART and not streamed:
                    raise FileRefused("too_big", "The workbook unpacks to more than is accepted.", file=file)
            for name in sorted((whole - texts) & set(archive.namelist())):
                _check_things(archive, name, file)
            for name, title in sheets.items():
                _Sheet(title, file).walk(archive, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as exc:
        raise FileRefused("damaged", f"The workbook is damaged: {exc}.", file=file) from exc
    except OSError as exc:
        raise FileRefused("unreadable", f"The file cannot be opened: {exc.strerror}.", file=file) from exc


class _Archive(zipfile.ZipFile):
    """An archive of which nothing long is read at once; the sizes it states are binding, no more is ever unpacked."""

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        """Return a part; raises BadZipFile for one that is too long to be what is read so."""
        if self.getinfo(name).file_size > _PART:
            raise zipfile.BadZipFile("what it says of itself is too long")
        content = super().read(name, pwd)
        if content.count(b"<") > _THINGS:
            raise zipfile.BadZipFile("what it says of itself is too long")
        return content


def _check_sizes(parts: list[zipfile.ZipInfo], file: str, caps: Caps, *, stored: int) -> None:
    if any(part.flag_bits & 1 for part in parts):
        raise FileRefused("encrypted", "The workbook is protected by a password.", file=file)
    most = min(caps.unpacked, max(caps.always, stored * caps.ratio))
    if sum(part.file_size for part in parts) > most or len(parts) > caps.members:
        raise FileRefused("too_big", "The workbook unpacks to more than is accepted.", file=file)
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise FileRefused("damaged", "This is no Excel workbook.", file=file)


def _check_things(archive: _Archive, name: str, file: str) -> None:
    """Refuse a part that is read at once and made of very many things, each of which becomes an object."""
    things = 0
    with archive.open(name) as stream:
        while piece := stream.read(_PIECE):
            things += piece.count(b"<")
            if things > _THINGS:
                message = f"The part “{name[:60]}” of the workbook holds more than {_THINGS:,} marks."
                raise FileRefused("too_big", message, file=file)


def _sheets(archive: _Archive, file: str) -> tuple[dict[str, str], set[str], set[str]]:
    """Return the parts that will be read as sheets, with their titles, and those that will be read at once; of them
    also those of shared texts, which may be many.
    """
    try:
        manifest = Manifest.from_tree(fromstring(archive.read(ARC_CONTENT_TYPES)))
        book = WorkbookParser(archive, _find_workbook_part(manifest).PartName[1:], keep_links=False)
        book.parse()
        found = [(each.target, str(sheet.name), "chartsheet" in each.Type) for sheet, each in book.find_sheets()]
        texts = manifest.find(SHARED_STRINGS)
    except DAMAGE as exc:
        raise FileRefused("damaged", "The workbook is damaged or not of Excel's making.", file=file) from exc
    shared = {texts.PartName[1:]} if texts else set()
    whole = {*_WHOLE, *(part for part, _, chart in found if chart), *shared}
    names = set(archive.namelist())
    return {part: title for part, title, chart in found if part in names and not chart}, whole, shared


class _Sheet:
    """A walk through one sheet. Raises FileRefused with the sheet's title and what was met."""

    def __init__(self, title: str, file: str) -> None:
        self._title, self._file = title, file
        self._depth = self._cells = self._rows = self._around = 0  # the last: bytes around the rows
        self._inside = self._in_row = False  # of <sheetData>, of one of its rows
        self._row_at = self._began = self._ended = 0  # where this row and the rows begin, where they end
        self._things = 0  # around the rows
        self._at = 0  # bytes that were made out
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.XmlDeclHandler, self._parser.StartDoctypeDeclHandler = self._declared, self._doctype

    def walk(self, archive: zipfile.ZipFile, part: str) -> None:
        """Read the sheet to its end, or to where it is damaged: nobody will read any further."""
        fed = 0
        with archive.open(part) as stream:
            while piece := stream.read(_PIECE):
                if not fed and (piece[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in piece[:4]):
                    self._refuse("damaged", "is not written in UTF-8")
                fed += len(piece)
                try:
                    self._parser.Parse(piece, False)
                except expat.ExpatError:
                    return
                self._measure(fed)

    def _measure(self, fed: int) -> None:
        self._at = max(self._parser.CurrentByteIndex, self._at)
        if fed - self._at > _ROW_BYTES:
            self._refuse("too_big", f"has a remark or a name of more than {_ROW_BYTES:,} bytes")
        if self._in_row and fed - self._row_at > _ROW_BYTES + _PIECE:
            self._refuse("too_big", f"has a row of more than {_ROW_BYTES:,} bytes")
        if not self._inside and self._around + fed - self._ended > _AROUND_BYTES:
            self._refuse("too_big", f"has more than {_AROUND_BYTES:,} bytes around its rows")

    def _start(self, name: str, _: Any) -> None:
        self._depth += 1
        if self._in_row:
            if self._depth == 4:  # a cell
                self._cells += 1
                if self._cells > _ROW_CELLS:
                    self._refuse("too_big", f"has a row of more than {_ROW_CELLS:,} cells")
            if name == _ROW:
                self._refuse("damaged", "has a row inside a row")
        elif self._inside:
            if name != _ROW or self._depth != 3:
                self._refuse("damaged", "has something else between its rows")
            self._begin_row()
        elif name == _ROWS and self._depth == 2:
            self._inside, self._began = True, self._parser.CurrentByteIndex
            self._around += self._began - self._ended
        else:
            self._around_part(name)

    def _begin_row(self) -> None:
        self._rows += 1
        if self._rows > MOST_LINES:
            self._refuse("too_big", f"has more than {MOST_LINES:,} rows")
        self._in_row, self._row_at, self._cells = True, self._parser.CurrentByteIndex, 0
        self._parser.CharacterDataHandler = None

    def _around_part(self, name: str) -> None:
        self._things += 1
        if name == _ROW:
            self._refuse("damaged", "has a row where no rows stand")
        if self._things > _AROUND_PARTS:
            self._refuse("too_big", f"has more than {_AROUND_PARTS:,} things around its rows")

    def _end(self, _: str) -> None:
        self._depth -= 1
        if self._in_row:
            if self._depth == 2:
                self._in_row = False
                self._parser.CharacterDataHandler = self._text
        elif self._inside and self._depth == 1:
            self._inside, self._ended = False, self._parser.CurrentByteIndex

    def _text(self, text: str) -> None:
        """Count what stands between the rows, where it is kept."""
        if self._inside:
            self._around += len(text)
            if self._around > _AROUND_BYTES:
                self._refuse("too_big", f"has more than {_AROUND_BYTES:,} bytes around its rows")

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if (encoding or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
            self._refuse("damaged", "is not written in UTF-8")

    def _doctype(self, *_: Any) -> None:
        self._refuse("damaged", "explains itself in a document type, as no spreadsheet does")

    def _refuse(self, code: str, met: str) -> None:
        raise FileRefused(code, f"The sheet “{self._title[:40]}” {met}.", file=self._file)
