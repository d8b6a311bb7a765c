"""Scratch databases for benchmarks: a PostgreSQL of the test wheel (or the server of DATABASE_URL), or SQLite files.

Work in them is done by child processes, so that neither settings nor memory of one measurement touch another.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from psycopg2 import sql

from config.local_services import ServiceError

ROOT = Path(__file__).resolve().parent.parent
ENGINES = ("postgresql", "sqlite")
_MEMORY_MB = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
# Of the machine's memory the quarter that PostgreSQL's manual begins with, as whoever runs it for real would give it: a
# million accounts are three gigabytes. Statistics are made by ANALYZE where they are needed.
_SERVER = {
    "shared_buffers": f"{min(max(_MEMORY_MB // 4, 128), 4_096)}MB",
    "work_mem": "32MB",
    "max_wal_size": "4GB",
    "jit": "off",
}
_NAME = "portalkeeper_bench"


class ScratchError(RuntimeError):
    """A scratch database could not be made or filled."""


@contextmanager
def server(engine: str) -> Iterator[str]:
    """Yield an address to make databases on: of a server for PostgreSQL, of a temporary folder for SQLite."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory(prefix="pk-bench-") as folder:
            yield f"sqlite:///{folder}"
        return
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        yield given
        return
    try:
        from tests.postgres import LocalPostgres
    except ImportError as exc:
        raise ScratchError("the development packages are not installed; or set DATABASE_URL to a PostgreSQL") from exc
    try:
        local = LocalPostgres(_SERVER).start()
    except ServiceError as exc:
        raise ScratchError(str(exc)) from exc
    try:
        yield local.url
    finally:
        local.stop()


@contextmanager
def database(address: str, suffix: str) -> Iterator[str]:
    """Make an empty, migrated database on the server and yield its address; it is gone afterwards."""
    parts = urlsplit(address)
    if parts.scheme == "sqlite":
        file = Path(parts.path) / f"{suffix}.sqlite3"
        url = f"sqlite:///{file}"
        try:
            manage(url, "migrate", "-v", "0")
            yield url
        finally:
            for each in file.parent.glob(f"{file.name}*"):
                each.unlink()
        return
    name = f"{_NAME}_{os.getpid()}_{suffix}"
    _on_server(address, "CREATE DATABASE {}", name)
    try:
        url = parts._replace(path=f"/{name}").geturl()
        manage(url, "migrate", "-v", "0")
        yield url
    finally:
        _on_server(address, "DROP DATABASE {} WITH (FORCE)", name)


def _on_server(address: str, statement: str, name: str) -> None:
    connection = psycopg2.connect(address)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(sql.Identifier(name)))
    finally:
        connection.close()


def manage(url: str, *arguments: str, accept: tuple[int, ...] = (0,)) -> str:
    """Run ``manage.py`` on the database in a child process; return what it printed. Raises ScratchError."""
    return python(url, "manage.py", *arguments, accept=accept)


def python(url: str, *arguments: str, accept: tuple[int, ...] = (0,)) -> str:
    """Run this Python on the database in a child process; return what it printed.

    Under the embedded settings and without a signing key. Raises ScratchError for an exit code not accepted.
    """
    environment = {key: value for key, value in os.environ.items() if key not in {"AUDIT_SIGNING_KEY", "REDIS_URL"}}
    environment |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings.embedded", "LOG_LEVEL": "ERROR"}
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if ran.returncode not in accept:
        raise ScratchError(f"{' '.join(arguments)} ended with {ran.returncode}: {ran.stdout.strip()[-500:]}")
    return ran.stdout
