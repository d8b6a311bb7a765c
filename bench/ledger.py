"""What a sweep wrote, comparable between runs: every column but the keys that a sequence hands out."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Finding
from audit.models import AuditEvent
from reminders.models import Reminder

_EVENT = ("chain", "seq", "actor_key", "actor_label", "action", "subject_key", "subject_label", "reason", "request_id",
          "at", "item_count", "items_kept")  # fmt: skip
# The text of a row that tells NULL, an empty text and a text with a comma in it apart.
_TEXT = {"postgresql": "ROW({columns})::text", "sqlite": "json_array({columns})"}
_HASHED = {"postgresql": "encode(sha256(convert_to({text}, 'UTF8')), 'hex')", "sqlite": "SHA256({text})"}
# SQLite 3.40 has no ORDER BY within an aggregate, and takes the rows as they come.
_JOINED = {"postgresql": "string_agg(hash, '' ORDER BY hash)", "sqlite": "group_concat(hash, '')"}


def ledger() -> dict[str, "QuerySet[Any, Any]"]:
    """Return what is compared of findings, reminders and events.

    Left out: what depends on row keys of this run (hashes of events, and the digest over keys of reminders).
    """
    events = AuditEvent.objects.all()
    return {
        "findings": _columns(Finding),
        "reminders": _columns(Reminder),
        "events": events.values_list(*_EVENT),
        "digests": events.exclude(action="reminders.planned").values_list("chain", "seq", "items_digest"),
    }


def _columns(model: Any) -> "QuerySet[Any, Any]":
    return model.objects.values_list(*[each.attname for each in model._meta.concrete_fields if not each.primary_key])


def rows_of_ledger() -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of each part of `ledger`, sorted: for a look at what differs where there are few."""
    return {part: sorted(rows, key=repr) for part, rows in ledger().items()}


def counts_of_ledger() -> dict[str, int]:
    """Return the number of rows of each part of `ledger`."""
    return {part: rows.count() for part, rows in ledger().items()}


def digest_of_ledger() -> dict[str, tuple[int, str]]:
    """Return count and digest of each part of `ledger`."""
    return {part: digest(rows) for part, rows in ledger().items()}


def digest(rows: "QuerySet[Any, Any]") -> tuple[int, str]:
    """Return how many rows a queryset of values has, and the SHA-256 over the sorted SHA-256 of each.

    The database does it: a million rows take seconds there and minutes here. Their order does not matter.
    """
    vendor = connection.vendor
    compiler = rows.order_by().query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    columns = ", ".join(f"c{position}" for position in range(len(compiler.select)))
    hashed = _HASHED[vendor].format(text=_TEXT[vendor].format(columns=columns))
    whole = _HASHED[vendor].format(text=f"coalesce({_JOINED[vendor]}, '')")
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH found({columns}) AS ({sql}), hashes AS (SELECT {hashed} AS hash FROM found ORDER BY hash)"  # noqa: S608
            f" SELECT count(*), {whole} FROM hashes",
            params,
        )
        count, text = cursor.fetchone()
    return int(count), str(text)
