"""One run at a time, on both engines, and never a lock that outlives its holder: kill -9 frees it at once."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.db import connection

_KEY: Final = 7_265_401  # any number that nothing else in this database locks
_in_memory = threading.Lock()


@contextmanager
def only_one() -> Iterator[bool]:
    """Yield whether the lock is ours; it is given back at the end of the block.

    PostgreSQL: an advisory lock of the session. SQLite: an advisory lock on a file beside the database, which the
    kernel gives up with the process; for a database in memory, which no other process sees, a lock of this one.
    """
    if connection.vendor == "postgresql":
        yield from _by_session()
    else:
        yield from _by_file()


def _by_session() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_KEY])
        (ours,) = cursor.fetchone()
    try:
        yield bool(ours)
    finally:
        if ours and connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_KEY])


def _by_file() -> Iterator[bool]:
    path = _database_file()
    if path is None:
        ours = _in_memory.acquire(blocking=False)
        try:
            yield ours
        finally:
            if ours:
                _in_memory.release()
        return
    descriptor = os.open(path.with_name(f"{path.name}-tick"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _database_file() -> Path | None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA database_list")
        file = next((file for _, name, file in cursor.fetchall() if name == "main"), "")
    return Path(file) if file else None
