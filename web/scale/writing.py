"""Rows in bulk with keys known beforehand: COPY on PostgreSQL, one prepared INSERT on SQLite."""

import io
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Max, Model

_BLOCK = 1_000  # keys reserved at a time


class Table:
    """Rows of one model that wait to be written. ``fields`` without the key, in the order of ``add``'s values."""

    def __init__(self, model: type[Model], *fields: str) -> None:
        quote = connection.ops.quote_name
        self.model = model
        self.name = model._meta.db_table
        self.columns = ", ".join(
            quote(str(model._meta.get_field(name).column))  # type: ignore[union-attr]
            for name in ("id", *fields)
        )
        self._width = len(fields) + 1
        self._rows: list[tuple[Any, ...]] = []
        self._next = self._end = 0

    def add(self, *values: Any) -> int:
        """Keep one row for the next `write` and return its key. Days as ISO text, None for NULL."""
        if self._next == self._end:
            self._reserve()
        key = self._next
        self._next += 1
        self._rows.append((key, *values))
        return key

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def keys(self) -> tuple[int, int]:
        """First and last key of the waiting rows; (0, 0) without any."""
        return (self._rows[0][0], self._rows[-1][0]) if self._rows else (0, 0)

    def write(self) -> None:
        """Write the waiting rows, all or none, and forget them."""
        if not self._rows:
            return
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                text = io.StringIO("".join(_line(row) for row in self._rows))
                cursor.copy_expert(f"COPY {self.name} ({self.columns}) FROM STDIN", text)
            else:
                marks = ", ".join(["%s"] * self._width)
                cursor.executemany(f"INSERT INTO {self.name} ({self.columns}) VALUES ({marks})", self._rows)  # noqa: S608
        self._rows.clear()

    def _reserve(self) -> None:
        """Take keys from the sequence; SQLite has one writer, so there counting on from the last key will do."""
        if connection.vendor == "postgresql":
            sequence = "pg_get_serial_sequence(%s, 'id')"
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT setval({sequence}, nextval({sequence}) + %s)", [self.name, self.name, _BLOCK - 1]
                )  # noqa: S608
                (last,) = cursor.fetchone()
            self._next, self._end = last - _BLOCK + 1, last + 1
            return
        if not self._end:
            self._next = (self.model._base_manager.aggregate(last=Max("pk"))["last"] or 0) + 1
        self._end = self._next + _BLOCK


def _line(row: Iterable[Any]) -> str:
    return "\t".join(map(_cell, row)) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    return str(value)


def analyze() -> None:
    """Tell the planner how many rows there are now; a scratch server may have no autovacuum."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
