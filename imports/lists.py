"""The door for lists that people bring: a workbook, text in any of its forms, or an archive with one of these."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from imports.opening import Caps, FileRefused, Readable
from imports.reading import BrokenRow, Row, Table, read_tables
from imports.workbooks import is_workbook, read_workbook

_CAPS: Final = Caps(stored=128 * 2**20, unpacked=256 * 2**20, members=1)


def open_list(path: Readable, *, knows: Callable[[list[str]], bool]) -> Table:
    """Return the one table of a .xlsx, .csv, .tsv, .csv.gz or .zip file; the content decides, not the name.

    ``knows(header)`` says whether a header makes sense. Raises FileRefused for what cannot be read whole; some of
    that shows only while the rows are read.
    """
    if is_workbook(path):
        return read_workbook(path, knows=knows)
    tables = read_tables(path, knows=knows, caps=_CAPS)
    table = next(tables)
    return replace(table, rows=_holding(tables, table))


def _holding(tables: Iterator[Table], table: Table) -> Iterator[Row | BrokenRow]:
    """Yield the rows while the iterator of tables, whose end would close the file, is kept."""
    yield from table.rows
    for further in tables:  # the caps let no second one pass
        raise FileRefused("not_a_list", "The archive holds more than one list.", file=further.file)
