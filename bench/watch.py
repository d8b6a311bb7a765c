"""What statements really touched: rows written by table, and whether a table was read; counted by the engine."""

from collections.abc import Callable
from typing import Any

from django.db import connection

LOGINS = "accounts_loginevent"


def touched(work: Callable[[], Any]) -> tuple[int, int]:
    """Do the work inside the open transaction; return (rows it wrote, times it read the table of logins)."""
    if connection.vendor == "postgresql":
        before = _counters()
        work()
        after = _counters()
        return after[0] - before[0], after[1] - before[1]
    return _touched_on_sqlite(work)


def _counters() -> tuple[int, int]:
    """Return counters of this transaction: rows inserted, updated, deleted; scans of the table of logins."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del),"
            " sum(CASE WHEN relname = %s THEN coalesce(seq_scan, 0) + coalesce(idx_scan, 0) ELSE 0 END)"
            " FROM pg_stat_xact_user_tables WHERE schemaname NOT LIKE 'pg_temp%%'",
            [LOGINS],
        )
        written, scans = cursor.fetchone()
    return int(written), int(scans)


def _touched_on_sqlite(work: Callable[[], Any]) -> tuple[int, int]:
    import sqlite3

    reads = 0

    def note(action: int, first: str | None, *_: Any) -> int:
        nonlocal reads
        reads += action == sqlite3.SQLITE_READ and first == LOGINS
        return sqlite3.SQLITE_OK

    connection.ensure_connection()
    raw = connection.connection
    before = raw.total_changes
    raw.set_authorizer(note)  # asked when a statement is prepared, which this call makes happen anew
    try:
        work()
    finally:
        raw.set_authorizer(None)
    return raw.total_changes - before, reads
