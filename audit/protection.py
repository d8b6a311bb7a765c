"""Database triggers that stand on both engines: what is missing or altered is found, and put in place again.

They are installed after every ``migrate`` and not by a migration: SQLite drops triggers silently whenever Django
rebuilds a table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection, transaction


@dataclass(frozen=True, slots=True)
class Protection:
    """Triggers of some tables: per engine name -> (table, CREATE TRIGGER statement).

    The statements for PostgreSQL are written as ``pg_get_triggerdef()`` writes them, so that an altered one is found.
    ``functions``: name -> body of the PL/pgSQL functions that they call.
    """

    functions: Mapping[str, str]
    postgresql: Mapping[str, tuple[str, str]]
    sqlite: Mapping[str, tuple[str, str]]

    @property
    def triggers(self) -> Mapping[str, tuple[str, str]]:
        """Those of the engine in use."""
        return self.postgresql if connection.vendor == "postgresql" else self.sqlite

    @property
    def tables(self) -> set[str]:
        """The tables that triggers stand on."""
        return {table for table, _ in self.triggers.values()}

    def missing(self) -> list[str]:
        """Return the names of triggers that are absent, switched off or altered; empty when all stand."""
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT t.tgname, pg_get_triggerdef(t.oid, true), p.proname, p.prosrc"
                    " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
                    " WHERE c.relname = ANY(%s) AND pg_table_is_visible(c.oid) AND t.tgenabled IN ('O', 'A')",
                    [sorted(self.tables)],
                )
                rows = cursor.fetchall()
                standing = {name: text for name, text, proc, body in rows if self.functions.get(proc) == body}
            else:
                cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
                standing = dict(cursor.fetchall())
        return [name for name, (_, statement) in self.triggers.items() if standing.get(name) != statement]

    def install(self) -> None:
        """Create every trigger that is missing or not as it should be; safe to repeat."""
        with transaction.atomic(), connection.cursor() as cursor:
            missing = self.missing()
            if missing and connection.vendor == "postgresql":
                for function, body in self.functions.items():
                    cursor.execute(
                        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
                    )
            for name in missing:
                self._drop(cursor, name)
                cursor.execute(self.triggers[name][1])

    def drop(self) -> None:
        """Take the triggers away, for instance while tables that they read are rebuilt."""
        with transaction.atomic(), connection.cursor() as cursor:
            for name in self.triggers:
                self._drop(cursor, name)

    def _drop(self, cursor: object, name: str) -> None:
        on_table = f" ON {self.triggers[name][0]}" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")  # type: ignore[attr-defined]

    def install_where_tables_exist(self) -> None:
        """Install them unless a table is not there: `migrate APP zero` has just removed it."""
        if self.tables <= set(connection.introspection.table_names()):
            self.install()
