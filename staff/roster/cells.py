"""The cells of a list as it was read, packed: they are kept until the import is written, and read in order."""

import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

_BLOCK: Final = 256  # rows that are packed together


class Cells:
    """Line -> the row's cells as one text, lines in rising order. As texts in a dict they were a third of an import."""

    __slots__ = ("_blocks", "_last", "_lengths", "_lines", "_open")

    def __init__(self, rows: Iterable[tuple[int, str]] = ()) -> None:
        self._lines, self._lengths = array("L"), array("L")
        self._blocks: list[bytes] = []
        self._open: list[str] = []  # the rows behind the last whole block
        self._last: tuple[int, list[str]] = (-1, [])  # what was unpacked last
        for line, text in rows:
            self.put(line, text)

    def put(self, line: int, text: str) -> None:
        """Keep a row behind those that are kept."""
        if self._lines and line <= self._lines[-1]:
            raise ValueError(f"line {line} after line {self._lines[-1]}")
        self._lines.append(line)
        self._lengths.append(len(text))
        self._open.append(text)
        if len(self._open) == _BLOCK:
            self._blocks.append(zlib.compress("".join(self._open).encode("utf-8", "surrogatepass"), 1))
            self._open = []

    def __len__(self) -> int:
        return len(self._lines)

    def get(self, line: int) -> str:
        """Return the cells of a line, empty where it is not kept."""
        at = bisect_left(self._lines, line)
        if at == len(self._lines) or self._lines[at] != line:
            return ""
        block, row = divmod(at, _BLOCK)
        return self._block(block)[row]

    def values(self) -> Iterator[str]:
        """Yield the cells of each row in order."""
        for block in range(len(self._blocks) + 1):
            yield from self._block(block)

    def items(self) -> Iterator[tuple[int, str]]:
        """Yield the rows in order, each as line and cells."""
        return zip(self._lines, self.values(), strict=True)

    def _block(self, number: int) -> list[str]:
        if number == len(self._blocks):
            return self._open
        if self._last[0] != number:
            self._last = number, list(self._unpacked(number))
        return self._last[1]

    def _unpacked(self, number: int) -> Iterator[str]:
        text = zlib.decompress(self._blocks[number]).decode("utf-8", "surrogatepass")
        start = 0
        for length in self._lengths[number * _BLOCK : (number + 1) * _BLOCK]:
            yield text[start : start + length]
            start += length
