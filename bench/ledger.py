"""What a sweep wrote, comparable between runs: every column but the keys that a sequence hands out."""

import hashlib
from typing import Any

from accounts.models import Finding
from audit.models import AuditEvent
from reminders.models import Reminder

_EVENT = ("chain", "seq", "actor_key", "actor_label", "action", "subject_key", "subject_label", "reason", "request_id",
          "at", "item_count", "items_kept")  # fmt: skip


def ledger() -> dict[str, list[tuple[Any, ...]]]:
    """Return findings, reminders and events, sorted.

    Left out: what depends on row keys of this run (hashes of events, and the digest over keys of reminders).
    """
    events = AuditEvent.objects.order_by("chain", "seq")
    return {
        "findings": _rows(Finding),
        "reminders": _rows(Reminder),
        "events": list(events.values_list(*_EVENT)),
        "digests": list(events.exclude(action="reminders.planned").values_list("chain", "seq", "items_digest")),
    }


def _rows(model: Any) -> list[tuple[Any, ...]]:
    names = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
    return sorted(model.objects.values_list(*names), key=repr)


def digest_of_ledger() -> dict[str, tuple[int, str]]:
    """Return count and SHA-256 of each part of `ledger`."""
    return {part: (len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()) for part, rows in ledger().items()}
