"""What statements really touched: rows stored, temporary tables apart, and whether a table was read.

Both counted by the engine.
"""

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

    writes = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
    reads = written = 0
    stored: dict[str, bool] = {}  # by statement: asked when it is prepared, which is once for each
    asked = ""

    def note(action: int, first: str | None, second: str | None, database: str | None, *_: Any) -> int:
        nonlocal reads
        reads += action == sqlite3.SQLITE_READ and first == LOGINS
        if action in writes and database != "temp":
            stored[asked] = True
        return sqlite3.SQLITE_OK

    def count(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal asked, written
        asked, before = sql, raw.total_changes
        try:
            return execute(sql, *rest)
        finally:
            written += (raw.total_changes - before) if stored.get(sql) else 0

    connection.ensure_connection()
    raw = connection.connection
    raw.set_authorizer(note)  # what was prepared before is prepared anew
    try:
        with connection.execute_wrapper(count):
            work()
    finally:
        raw.set_authorizer(None)
    return written, reads
