"""From a path to byte streams: plain files, gzip and zip, told apart by content, never unpacked beyond a cap."""

import gzip
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_DAMAGE = (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError)


class FileRefused(Exception):  # noqa: N818  (a verdict on a file, not a fault)
    """A file that cannot be read whole. ``line`` counts from 1 with the header; None where no line is to blame."""

    def __init__(self, code: str, message: str, *, file: str, line: int | None = None, column: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.file = file
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Held:
    """A file that lies in memory only: an upload touches no disk before it was searched for secrets."""

    name: str
    content: bytes

    def __str__(self) -> str:
        return self.name

    @property
    def suffix(self) -> str:
        """The ending of the name, as of a path."""
        return Path(self.name).suffix

    def open(self, mode: str = "rb") -> io.BytesIO:
        """Return the content as a stream; there is no other mode."""
        assert mode == "rb"
        return io.BytesIO(self.content)

    def stat(self) -> os.stat_result:
        """Return kind and size, as of a path."""
        return os.stat_result((stat.S_IFREG, 0, 0, 0, 0, 0, len(self.content), 0, 0, 0))


Readable = Path | Held


@dataclass(frozen=True, slots=True)
class Caps:
    """How much a file may hold: bytes as stored, bytes unpacked (all members of an archive together)."""

    stored: int = 512 * 2**20
    unpacked: int = 2 * 2**30
    members: int = 200
    ratio: int = 100  # unpacked : stored; CMS's lists pack to a fifth or a tenth, a bomb to a thousandth
    always: int = 64 * 2**20  # unpacked, whatever the ratio


class _Metered(io.RawIOBase):
    """Hands on another stream's bytes; stops at the cap and says "damaged" for any unpacking fault."""

    def __init__(self, source: IO[bytes], *, file: str, budget: list[int]) -> None:
        super().__init__()
        self._source = source
        self._file = file
        self._budget = budget  # one shared number: what is left for all members

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            chunk = self._source.read(len(buffer))
        except _DAMAGE as exc:
            raise FileRefused("damaged", f"The file is damaged: {exc}.", file=self._file) from exc
        self._budget[0] -= len(chunk)
        if self._budget[0] < 0:
            raise FileRefused("too_big", "The file unpacks to more than is accepted.", file=self._file)
        buffer[: len(chunk)] = chunk
        return len(chunk)


def open_members(
    path: Readable, *, caps: Caps | None = None, suffix: str = ".csv"
) -> Iterator[tuple[str, io.BufferedReader]]:
    """Yield (name, stream of unpacked bytes) for a file, or for each ``suffix`` member of a zip archive.

    The name of a member is ``archive.zip/member.csv``. A stream is closed when the next one is asked for.
    Raises FileRefused: unreadable, too_big, damaged, encrypted, not_a_list.
    """
    caps = caps or Caps()
    file = str(path)
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise FileRefused("unreadable", "The file cannot be opened: this is no file.", file=file)
        raw = path.open("rb")
    except OSError as exc:
        raise FileRefused("unreadable", f"The file cannot be opened: {exc.strerror}.", file=file) from exc
    with raw:
        stored = facts.st_size
        if stored > caps.stored:
            raise FileRefused("too_big", f"The file has {stored:,} bytes, {caps.stored:,} are accepted.", file=file)
        try:
            magic = raw.read(4)
        except OSError as exc:
            raise FileRefused("unreadable", f"The file cannot be read: {exc.strerror}.", file=file) from exc
        raw.seek(0)
        budget = [min(caps.unpacked, max(caps.always, stored * caps.ratio))]
        if magic in (_ZIP, _EMPTY_ZIP):
            yield from _open_archive(raw, file=file, budget=budget, members=caps.members, suffix=suffix)
            return
        _check_name_fits(path, magic, file=file)
        source: IO[bytes] = gzip.GzipFile(fileobj=raw, mode="rb") if magic[:2] == _GZIP else raw  # type: ignore[assignment]
        with _buffered(source, file=file, budget=budget) as stream:
            yield file, stream


def _buffered(source: IO[bytes], *, file: str, budget: list[int]) -> io.BufferedReader:
    metered: Any = _Metered(source, file=file, budget=budget)
    return io.BufferedReader(metered)


def _check_name_fits(path: Readable, magic: bytes, *, file: str) -> None:
    if not magic:
        raise FileRefused("empty", "The file is empty.", file=file)
    said = path.suffix.lower()
    if said == ".zip" or (said == ".gz" and magic[:2] != _GZIP):
        raise FileRefused("damaged", f"The name ends in {said}, but this is no {said} archive.", file=file)


def _is_list(member: str, suffix: str) -> bool:
    """Whether an archive's member is a list; a Mac adds a shadow of each file, in a folder or beside it."""
    shadow = member.startswith("__MACOSX/") or member.rpartition("/")[2].startswith("._")
    return member.lower().endswith(suffix) and not shadow


def _open_archive(
    raw: IO[bytes], *, file: str, budget: list[int], members: int, suffix: str
) -> Iterator[tuple[str, io.BufferedReader]]:
    try:
        archive = zipfile.ZipFile(raw)
    except _DAMAGE as exc:
        raise FileRefused("damaged", f"The archive is damaged: {exc}.", file=file) from exc
    with archive:
        names = [item for item in archive.infolist() if _is_list(item.filename, suffix)]
        if not names and "xl/workbook.xml" in archive.namelist():
            message = f"This is an Excel workbook. Save its sheet as {suffix} and import that."
            raise FileRefused("not_a_list", message, file=file)
        if not names or len(names) > members:
            message = f"The archive holds {len(names) or 'no'} {suffix} files."
            raise FileRefused("not_a_list", message, file=file)
        for item in names:
            name = f"{file}/{item.filename}"
            if item.flag_bits & 1:
                raise FileRefused("encrypted", "The archive is protected by a password.", file=name)
            try:
                source = archive.open(item)
            except _DAMAGE as exc:
                raise FileRefused("damaged", f"The archive is damaged: {exc}.", file=name) from exc
            with source, _buffered(source, file=name, budget=budget) as stream:
                yield name, stream
