"""Brings stored findings in line with what rules have found: two temporary tables and three statements per rule."""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import islice
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import Finding
from accounts.services.rules.found import Found, Rule, Slice

_AT_ONCE: Final = 100  # rows of one INSERT; SQLite takes a bounded number of values in a statement
_CREATE: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS accounts_finding_now ("
    " kind varchar(24) NOT NULL, subject_key varchar(80) NOT NULL, organization_id bigint NOT NULL,"
    " facility_id bigint NULL, person_id bigint NULL, account_id bigint NULL, facts text NOT NULL,"
    " severity varchar(8) NOT NULL, opened_on date NOT NULL, PRIMARY KEY (kind, subject_key))",
    "CREATE TEMPORARY TABLE IF NOT EXISTS accounts_looked_at ("
    " about varchar(8) NOT NULL, subject_id bigint NOT NULL, PRIMARY KEY (about, subject_id))",
)
# ``about`` names a column and comes from the rule, as its kinds do; nothing here was typed by people.
_GONE: Final = """
SELECT x.id FROM accounts_finding x
 WHERE x.closed_at IS NULL AND x.kind IN ({kinds})
   AND x.{about}_id IN (SELECT subject_id FROM accounts_looked_at WHERE about = '{about}')
   AND NOT EXISTS (SELECT 1 FROM accounts_finding_now n WHERE n.kind = x.kind AND n.subject_key = x.subject_key)"""
_DIFFERING: Final = """
SELECT x.id FROM accounts_finding x JOIN accounts_finding_now n ON n.kind = x.kind AND n.subject_key = x.subject_key
 WHERE x.closed_at IS NULL AND x.kind IN ({kinds}) AND (x.facts <> n.facts OR x.severity <> n.severity)"""
_RESTATE: Final = """
UPDATE accounts_finding AS x SET facts = n.facts, severity = n.severity
  FROM accounts_finding_now n
 WHERE x.closed_at IS NULL AND x.kind = n.kind AND x.subject_key = n.subject_key AND n.kind IN ({kinds})
   AND (x.facts <> n.facts OR x.severity <> n.severity)"""
_OPEN: Final = """
INSERT INTO accounts_finding
       (organization_id, kind, subject_key, facility_id, person_id, account_id, facts, severity, opened_on)
SELECT n.organization_id, n.kind, n.subject_key, n.facility_id, n.person_id, n.account_id, n.facts, n.severity,
       n.opened_on
  FROM accounts_finding_now n
 WHERE n.kind IN ({kinds}) AND NOT EXISTS (
       SELECT 1 FROM accounts_finding x WHERE x.closed_at IS NULL AND x.kind = n.kind AND x.subject_key = n.subject_key)
 ORDER BY n.kind, n.subject_key
    ON CONFLICT (kind, subject_key) WHERE closed_at IS NULL DO NOTHING"""


def begin() -> None:
    """Make the temporary tables and empty them."""
    with connection.cursor() as cursor:
        for statement in _CREATE:
            cursor.execute(statement)
        cursor.execute("DELETE FROM accounts_finding_now")
        cursor.execute("DELETE FROM accounts_looked_at")


def looked_at(part: Slice) -> None:
    """Note which facilities and people were looked at: only their findings may be closed."""
    _insert("accounts_looked_at", [("facility", key) for key in part.facilities])
    _insert("accounts_looked_at", [("person", key) for key in part.people])


def stage(organization: int, on: date, found: Iterable[Found]) -> int:
    """Take up what a rule has found; what was found before under the same kind and subject stays. Returns how many."""
    rows = [
        (
            each.kind,
            each.subject_key,
            organization,
            each.facility,
            each.person,
            each.account,
            json.dumps(each.facts, sort_keys=True, ensure_ascii=False),
            each.severity,
            on.isoformat(),
        )
        for each in found
    ]
    _insert("accounts_finding_now", rows)
    return len(rows)


def gone(rule: Rule) -> QuerySet[Finding]:
    """Return the open findings of what was looked at that are no longer true."""
    return _those(_GONE.format(kinds=_marks(rule), about=rule.about), rule)


def differing(rule: Rule) -> QuerySet[Finding]:
    """Return the open findings whose facts or severity are others now."""
    return _those(_DIFFERING.format(kinds=_marks(rule)), rule)


def restate(rule: Rule) -> None:
    """Let open findings say what was found now."""
    with connection.cursor() as cursor:
        cursor.execute(_RESTATE.format(kinds=_marks(rule)), list(rule.kinds))


def open_new(rule: Rule) -> int:
    """Open what was found and is not open yet. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN.format(kinds=_marks(rule)), list(rule.kinds))
        return int(cursor.rowcount)


def _those(sql: str, rule: Rule) -> QuerySet[Finding]:
    return Finding.objects.filter(pk__in=RawSQL(sql, list(rule.kinds)))  # noqa: S611  # nosec B611  (constants only)


def _marks(rule: Rule) -> str:
    return ", ".join(["%s"] * len(rule.kinds))


def _insert(table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    remaining = iter(rows)
    with connection.cursor() as cursor:
        while batch := list(islice(remaining, _AT_ONCE)):
            row = f"({', '.join(['%s'] * len(batch[0]))})"
            cursor.execute(
                f"INSERT INTO {table} VALUES {', '.join([row] * len(batch))} ON CONFLICT DO NOTHING",  # noqa: S608
                [value for values in batch for value in values],
            )
