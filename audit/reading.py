"""Read the audit tables as they lie in the database, forged values included, in one snapshot and flat memory.

The ORM would convert on the way: a forged ``5`` in a yes-or-no column reads as yes. Rows come as plain values.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from audit.canonical import EVENT_COLUMNS, instant_text

FETCH = 2_000
Row = dict[str, Any]
_ITEM_COLUMNS = ("id", "event_id", "ordinal", "subject_key", "payload", "item_hash")
_HEAD_COLUMNS = ("chain", "seq", "hash", "signature")
_COUNTS_OF_ITEMS = ("id", "chain", "seq", "item_count", "items_digest", "items_kept")


@contextmanager
def snapshot() -> Iterator[None]:
    """Let all reads inside see the same moment, without holding up writers.

    Inside a transaction of the caller its own view is used as it is.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        # Not atomic(): that begins IMMEDIATE, and a long walk would keep everybody from writing.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")


def events_by_chain() -> Iterator[Row]:
    """All events with their hash, chain by chain in order of seq; ``at`` as text for hashing."""
    return _rows("audit_auditevent", (*EVENT_COLUMNS, "hash"), "chain, seq")


def events_by_id() -> Iterator[Row]:
    """What events say about their items, in order of id."""
    return _rows("audit_auditevent", _COUNTS_OF_ITEMS, "id")


def items_by_id() -> Iterator[Row]:
    """All items in order of id, hence event by event in order of ordinal."""
    return _rows("audit_audititem", _ITEM_COLUMNS, "id")


def heads() -> dict[Any, Row]:
    """All heads by chain."""
    return {head["chain"]: head for head in _rows("audit_chainhead", _HEAD_COLUMNS, "chain")}


def _rows(table: str, columns: tuple[str, ...], order: str) -> Iterator[Row]:
    on_postgresql = connection.vendor == "postgresql"
    # A bare column would be converted by its declared type in sqlite3; the unary plus hides the type.
    selected = ", ".join(columns if on_postgresql else (f"+{column}" for column in columns))
    if on_postgresql:
        # As text: psycopg2 cannot read an instant forged to 'infinity' or to a year before Christ.
        as_text = "to_char(at AT TIME ZONE 'UTC', 'FMYYYY-MM-DD\"T\"HH24:MI:SS.US+00:00')"
        selected = ", ".join(as_text if column == "at" else column for column in columns)
    sql = f"SELECT {selected} FROM {table} ORDER BY {order}"  # noqa: S608
    with connection.chunked_cursor() as cursor:
        with _lenient_text():
            cursor.execute(sql)
        while chunk := _fetch(cursor):
            for values in chunk:
                row = dict(zip(columns, values, strict=True))
                if "at" in row and not on_postgresql:
                    row["at"] = _stored_instant(row["at"])
                if row.get("items_kept") in (0, 1):  # SQLite stores yes and no as numbers
                    row["items_kept"] = bool(row["items_kept"])
                yield row


def _fetch(cursor: Any) -> list[tuple[Any, ...]]:
    with _lenient_text():
        return list(cursor.fetchmany(FETCH))


@contextmanager
def _lenient_text() -> Iterator[None]:
    """Read text that is no UTF-8 (a forged column on SQLite) as such, instead of stopping the walk."""
    if connection.vendor == "postgresql":
        yield
        return
    database: Any = connection.connection
    usual, database.text_factory = database.text_factory, lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        database.text_factory = usual


def _stored_instant(value: Any) -> Any:
    """Return the instant of a SQLite column as hashed, or the value itself where Django did not write it so."""
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    written_by_django = instant.tzinfo is None and str(instant) == value
    return instant_text(instant.replace(tzinfo=UTC)) if written_by_django else value
