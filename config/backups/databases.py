"""Copying a database out and in again, consistently, on both engines.

SQLite uses its own online backup; PostgreSQL uses pg_dump and pg_restore of the server's version. Row counts and chain
heads are read from the very snapshot that is copied.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from audit.commands import Refused

Facts = tuple[dict[str, int], dict[str, list[Any]], list[str]]


def read_facts(fetch: Callable[[str], Iterable[tuple[Any, ...]]], tables: Iterable[str]) -> Facts:
    """Return rows per table, head per audit chain, and applied migrations, through any way of asking."""
    names = sorted(tables)
    # The names come from the database's own catalogue, never from a person.
    counts = {name: int(next(iter(fetch(f'SELECT count(*) FROM "{name}"')))[0]) for name in names}  # noqa: S608
    heads = {chain: [seq, hash_] for chain, seq, hash_ in fetch("SELECT chain, seq, hash FROM audit_chainhead")}
    applied = [f"{app}.{name}" for app, name in fetch("SELECT app, name FROM django_migrations")]
    return counts, heads, sorted(applied)


class SqliteCopy:
    """The whole database in one file."""

    engine = "sqlite"
    file_name = "database.sqlite3"

    def dump(self, target: Path) -> Facts:
        """Write a copy while others read and write; return the facts of that copy."""
        connection.ensure_connection()
        with closing(sqlite3.connect(target)) as copy:
            connection.connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
            return self._facts(copy)

    def facts_of(self, source: Path) -> Facts:
        """Return the facts of a copy."""
        try:
            with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as copy:
                return self._facts(copy)
        except sqlite3.DatabaseError as exc:
            raise Refused("damaged", f"the database in the copy cannot be read: {exc}", source.name) from exc

    def _facts(self, copy: sqlite3.Connection) -> Facts:
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        return read_facts(copy.execute, [name for (name,) in copy.execute(tables)])

    def load(self, source: Path) -> None:
        """Replace the content of the database of the settings in one transaction."""
        connection.close()
        target = connection.settings_dict["NAME"]
        with closing(sqlite3.connect(source)) as copy, closing(sqlite3.connect(target, timeout=20)) as live:
            copy.backup(live)
            live.execute("PRAGMA journal_mode=WAL")


class PostgresCopy:
    """A custom-format dump; owners and rights are left out, the restoring role's defaults apply."""

    engine = "postgresql"
    file_name = "database.dump"

    def dump(self, target: Path) -> Facts:
        """Dump and count inside one exported snapshot."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
            run_client(
                "pg_dump",
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                f"--snapshot={snapshot}",
                f"--file={target}",
            )
            return self._facts(cursor)

    def facts(self) -> Facts:
        """Return the facts of the database as it is."""
        with connection.cursor() as cursor:
            return self._facts(cursor)

    def _facts(self, cursor: Any) -> Facts:
        def fetch(sql: str) -> list[tuple[Any, ...]]:
            cursor.execute(sql)
            return list(cursor.fetchall())

        return read_facts(fetch, [name for (name,) in fetch(_TABLES)])

    def load(self, source: Path) -> None:
        """Drop our tables and restore the dump; pg_restore works in one transaction."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_TABLES)
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TABLE "{name}" CASCADE')
        connection.close()
        run_client(
            "pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction",
            "--exit-on-error", f"--dbname={connection.settings_dict['NAME']}", str(source),
        )  # fmt: skip

    def other_sessions(self) -> int:
        """Return how many other clients are connected to the database."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            return int(cursor.fetchone()[0])


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"


def run_client(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's client programs; raise Refused with what it said when it fails.

    The password travels in the environment, never in the arguments, which every user of the machine can read.
    """
    path = shutil.which(program)
    if path is None:
        raise Refused("client", f"{program} is not installed; on Debian: apt-get install postgresql-client", program)
    database = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    variables = {variable: str(database[key]) for variable, key in names.items() if database.get(key)}
    if mode := database.get("OPTIONS", {}).get("sslmode"):
        variables["PGSSLMODE"] = mode
    done = subprocess.run(  # noqa: S603
        [path, "--no-password", *arguments], env=os.environ | variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = " ".join(done.stderr.split())
        hint = ""
        if "version mismatch" in said:
            hint = " Install the client programs of the server's version, such as postgresql-client-18."
        raise Refused("client", f"{program} failed: {said[:500]}{hint}", program)


def copier() -> SqliteCopy | PostgresCopy:
    """Return the way of copying for the engine of the settings; raise Refused for a database in memory."""
    if connection.vendor == "postgresql":
        return PostgresCopy()
    name = str(connection.settings_dict["NAME"])
    if name == ":memory:" or "mode=memory" in name:
        raise Refused("database", "a database in memory cannot be backed up or restored", "DATABASE_URL")
    return SqliteCopy()
