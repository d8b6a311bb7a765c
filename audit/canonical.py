"""What is hashed, and how: pure functions on plain values, so that anybody can recompute a chain."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

ITEMS_PER_EVENT: Final = 1 << 24
EVENT_COLUMNS: Final = (
    "id",
    "chain",
    "seq",
    "actor_key",
    "actor_label",
    "action",
    "subject_key",
    "subject_label",
    "reason",
    "request_id",
    "at",
    "item_count",
    "items_digest",
    "items_kept",
    "prev_hash",
)


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of the text in UTF-8, in 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def instant_text(at: datetime) -> str:
    """Return the instant in UTC with microseconds, such as 2026-11-22T05:00:00.000000+00:00."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def event_hash(columns: Mapping[str, Any]) -> str:
    """Return the hash of an event: SHA-256 over JSON of EVENT_COLUMNS, keys sorted, no blanks, ASCII.

    ``at`` must be given as ``instant_text``; other values as stored. Values of a wrong type (a forged row)
    give another hash, never an error.
    """
    named = {name: columns[name] for name in EVENT_COLUMNS}
    return sha256_hex(json.dumps(named, sort_keys=True, separators=(",", ":"), default=repr))


def payload_text(subject_key: str, payload: Mapping[str, Any]) -> str:
    """Return the JSON text stored for one item; days and instants in ISO 8601, decimals as text.

    Raises ValueError if the payload brings a "subject" of its own, TypeError for a value without a form in JSON.
    """
    if "subject" in payload:
        raise ValueError("'subject' is written by the audit itself; leave it out of the payload")
    return json.dumps({"subject": subject_key, **payload}, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in an audit payload")


def items_digest(item_hashes: Iterable[str]) -> str:
    """Return the SHA-256 over the item hashes written one after the other, in order of their ordinals."""
    digest = hashlib.sha256()
    for item_hash in item_hashes:
        digest.update(item_hash.encode())
    return digest.hexdigest()


def keys_digest(keys: Iterable[str]) -> str:
    """Return the SHA-256 over the keys, each but the first after a line feed; sort them by their UTF-8 bytes."""
    digest = hashlib.sha256()
    for position, key in enumerate(keys):
        digest.update(f"\n{key}".encode() if position else key.encode())
    return digest.hexdigest()


NO_ITEMS: Final = items_digest([])


def head_signature(key: str, chain: str, seq: int, head_hash: str) -> str:
    """Return the HMAC-SHA-256 of a chain's head in hexadecimal digits; "" without a key."""
    if not key:
        return ""
    message = json.dumps([chain, seq, head_hash], default=repr)
    return hmac.new(key.encode(), message.encode(), "sha256").hexdigest()
