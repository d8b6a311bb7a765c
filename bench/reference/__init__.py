"""Runs the hand-written SQL of this folder on either engine, as the product's counterpart."""

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from audit.canonical import instant_text
from audit.context import request_id
from systems.policy import day_in

FOLDER = Path(__file__).parent
_ACTS = {
    "finding.lapse-opened": {
        "actor_key": "system:sweep",
        "actor_label": "nightly sweep",
        "subject_key": "rule:lapse",
        "subject_label": "Passed deadlines",
        "rows": "SELECT 'organization:' || organization_id AS chain, subject_key AS subject FROM accounts_finding"
        " WHERE id > %(newest_finding)s AND kind = 'lapse'",
    },
    "reminders.planned": {
        "actor_key": "system:reminders",
        "actor_label": "reminder sweep",
        "subject_key": "rule:ladder",
        "subject_label": "Steps of the ladder",
        "rows": "SELECT 'organization:' || organization_id AS chain, 'reminder:' || id AS subject"
        " FROM reminders_reminder WHERE id > %(newest_reminder)s AND state = 'planned'",
    },
    "deadline.recomputed": {
        "actor_key": "system:recomputation",
        "actor_label": "recomputation after a change of the catalogue",
        "subject_key": "rule:iqies/inactivity",
        "subject_label": "iQIES, inactivity",
        # What the new version says is new, unless the old one said the same day.
        "rows": "SELECT 'organization:' || organization_id AS chain, subject_key AS subject FROM accounts_deadline"
        " WHERE policy_id = %(new_policy)s AND closed_at IS NULL AND due_on <> days_after(basis_on, 60)",
    },
}
_PLANNING = ("reminders", "certifications")
_POSTGRESQL = {
    "date_type": "date",
    "instant_type": "timestamptz",
    "boolean_type": "boolean",
    "digest": "encode(sha256(convert_to(string_agg(subject, E'\\n' ORDER BY subject COLLATE \"C\"), 'UTF8')), 'hex')",
    "next_id": "nextval(pg_get_serial_sequence('audit_auditevent', 'id'))",
    "hash": "bench_sha256",
    "for_update": "FOR UPDATE",
    "days_after": r"(\1 + \2)",
}
_SQLITE = {
    "date_type": "text",
    "instant_type": "text",
    "boolean_type": "integer",
    "digest": "SHA256(group_concat(subject, char(10)))",
    "next_id": "(SELECT seq FROM sqlite_sequence WHERE name = 'audit_auditevent')"
    " + row_number() OVER (ORDER BY t.chain)",
    "hash": "SHA256",
    "for_update": "",
    "days_after": r"date(\1, '+\2 days')",
}


def prepare() -> None:
    """Give PostgreSQL a short name for its SHA-256 in hexadecimal digits, for this session only."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION pg_temp.bench_sha256(text) RETURNS text LANGUAGE sql IMMUTABLE"
                " AS $$ SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex') $$"
            )


def sweep(at: datetime) -> dict[str, int]:
    """Do by hand what `sweep_lapses` and `plan_due` do, in one transaction; return rows written by statement."""
    with transaction.atomic(), connection.cursor() as cursor:
        values = _values(cursor, at)
        written: dict[str, int] = {}
        for name, sql in _script("sweep.sql", connection.vendor):
            if name == "audit":
                if any(written[each] for each in (("findings",) if sql.startswith("finding") else _PLANNING)):
                    _record(cursor, sql, values)
                continue
            cursor.execute(sql, values)
            written[name] = cursor.rowcount
    return written


@dataclass(frozen=True, slots=True)
class Change:
    """A version that shortens the limit of iQIES from 60 to 45 days: keys, its revision, the day before it starts."""

    system: int
    old_policy: int
    new_policy: int
    revision: int
    day_before: date


def recompute(at: datetime, change: Change) -> dict[str, int]:
    """Do by hand what following that change does, in one transaction; return rows written by statement."""
    with transaction.atomic(), connection.cursor() as cursor:
        values = _instant(at) | asdict(change) | {"day_before": change.day_before.isoformat()}
        written: dict[str, int] = {}
        for name, sql in _script("recompute.sql", connection.vendor):
            if name == "audit":
                if written["deadlines"]:
                    _record(cursor, sql, values)
                continue
            cursor.execute(sql, values)
            written[name] = cursor.rowcount
    return written


def roster(organization: int, path: Path, at: datetime, command: str) -> None:
    """Do by hand what importing a clean roster of new people does, in one transaction. PostgreSQL only."""
    _imported("roster.sql", "staff.imported", organization, path, at, command)


def feed(organization: int, path: Path, at: datetime, command: str) -> None:
    """Do by hand what importing a day's logins does, in one transaction. PostgreSQL only."""
    _imported("feed.sql", "accounts.imported", organization, path, at, command)


def _imported(script: str, action: str, organization: int, path: Path, at: datetime, command: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        values = _instant(at) | {"organization": organization, "file": path.name, "action": action}
        values |= {"actor_key": f"command:{command}", "actor": f"manage.py {command}"}
        with path.open("rb") as raw:
            values["sha256"] = hashlib.file_digest(raw, "sha256").hexdigest()
        for name, sql in [*_script(script, connection.vendor), *_script("imported.sql", connection.vendor)]:
            if name == "copy":
                _copy(cursor, sql, path)
            else:
                cursor.execute(sql, values)


def _copy(cursor: Any, table: str, path: Path) -> None:
    """Copy the rows below the header into the table, each with its line in the file."""
    numbered = io.StringIO()
    with path.open(encoding="utf-8", newline="") as text:
        text.readline()
        for line, row in enumerate(text, start=2):
            numbered.write(f"{line},{row}")
    numbered.seek(0)
    cursor.copy_expert(f"COPY {table} FROM STDIN WITH (FORMAT csv)", numbered)


def _record(cursor: Any, action: str, values: dict[str, Any]) -> None:
    act = _ACTS[action]
    for _, sql in _script("audit.sql", connection.vendor, act["rows"]):
        cursor.execute(sql, values | act | {"action": action})


def _values(cursor: Any, at: datetime) -> dict[str, Any]:
    on = day_in(at)
    values: dict[str, Any] = {
        f"on_plus_{days}": (on + timedelta(days=days)).isoformat() for days in (1, 2, 5, 7, 10, 14, 20, 30, 60)
    }
    for table, name in (("accounts_finding", "newest_finding"), ("reminders_reminder", "newest_reminder")):
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        (values[name],) = cursor.fetchone()
    return values | _instant(at) | {"on": on.isoformat()}


def _instant(at: datetime) -> dict[str, Any]:
    stored_at = connection.ops.adapt_datetimefield_value(at)
    return {"at": stored_at, "at_text": instant_text(at), "request_id": request_id.get()}


@cache
def _script(file: str, vendor: str, rows: str = "") -> list[tuple[str, str]]:
    """Return (name, statement) of a file in order; ``audit`` with the action where an act is to be recorded."""
    return list(_statements((FOLDER / file).read_text(), vendor, rows))


def _statements(text: str, vendor: str, rows: str) -> Iterator[tuple[str, str]]:
    dialect = _POSTGRESQL if vendor == "postgresql" else _SQLITE
    if rows:  # SQLite 3.40 has no ORDER BY within an aggregate, and takes the rows as they come
        ordered = rows if vendor == "postgresql" else f"SELECT * FROM ({rows}) AS unsorted ORDER BY chain, subject"
        text = text.format(rows=ordered, **dialect)
    parts = r"^-- (name|audit|copy): (\S+)\n(.*?)(?=^-- (?:name|audit|copy):|\Z)"
    for kind, name, body in re.findall(parts, text, re.M | re.S):
        if kind != "name":
            yield kind, name
            continue
        sql = body.strip().removesuffix(";")
        for word in ("date_type", "instant_type", "boolean_type"):
            sql = sql.replace(f"AS {word})", f"AS {dialect[word]})")
        sql = re.sub(r"days_after\(([\w.]+), (\d+)\)", dialect["days_after"], sql)
        yield name, sql.replace("bench_sha256(", "pg_temp.bench_sha256(")
