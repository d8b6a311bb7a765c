"""The texts that the cells of a workbook share, read as a stream: as a tree a million of them would fill the memory."""

import weakref
from array import array
from typing import IO, Final
from xml.parsers import expat

from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from imports.opening import FileRefused

_MOST: Final = 4_000_000  # 250,000 rows of sixteen cells that nobody else has
_PIECE: Final = 64 * 2**10
_ITEM, _TEXT, _RUN = (f"{SHEET_MAIN_NS} {name}" for name in ("si", "t", "r"))


class Texts:
    """Texts by their place, all in one piece of memory."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._bytes = bytearray()
        self._ends = array("L", [0])
        self._path: list[str] = []  # the elements around
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, stream: IO[bytes]) -> None:
        """Take all of it in. Raises FileRefused (too_big), and ValueError where it is damaged."""
        try:
            while piece := stream.read(_PIECE):
                self._parser.Parse(piece, False)
            self._parser.Parse(b"", True)
        except expat.ExpatError as exc:
            raise ValueError(str(exc)) from exc

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, place: int) -> str:
        if place < 0:
            raise IndexError(place)
        text = self._bytes[self._ends[place] : self._ends[place + 1]].decode("utf-8", "surrogatepass")
        return text.replace("x005F_", "")  # as openpyxl does: a line that begins so was written with a mark

    def _start(self, name: str, _: object) -> None:
        self._path.append(name)
        # What is read aloud for East Asian words stands in <rPh>, and is no part of the text.
        if self._path[1:] in ([_ITEM, _TEXT], [_ITEM, _RUN, _TEXT]):
            self._parser.CharacterDataHandler = self._said

    def _end(self, name: str) -> None:
        self._path.pop()
        self._parser.CharacterDataHandler = None
        if name == _ITEM and len(self._path) == 1:
            self._ends.append(len(self._bytes))
            if len(self) > _MOST:
                message = f"The cells of the workbook share more than {_MOST:,} different texts."
                raise FileRefused("too_big", message, file=self._file)

    def _said(self, text: str) -> None:
        self._bytes += text.encode("utf-8", "surrogatepass")

    def _doctype(self, *_: object) -> None:
        raise ValueError("a document type")


class Reader(ExcelReader):
    """Opens a workbook row by row, as ``load_workbook`` does, with its shared texts in little memory."""

    def __init__(self, given: IO[bytes], file: str) -> None:
        """Take over an open file. Of a path openpyxl would believe the ending of the name."""
        super().__init__(given, read_only=True, data_only=True, keep_links=False)
        weakref.finalize(self.archive, given.close)
        self._file = file

    def read_strings(self) -> None:
        """Read the shared texts; called by ``read``."""
        part = self.package.find(SHARED_STRINGS)
        if part is not None:
            self.shared_strings = Texts(self._file)
            with self.archive.open(part.PartName[1:]) as stream:
                self.shared_strings.read(stream)
