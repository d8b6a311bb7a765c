"""One text for all that a difference would change, so that a consent holds for exactly what was looked at. Pure."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from staff.policy.difference import Difference
from staff.policy.values import Change


def fingerprint(difference: Difference) -> str:
    """Return a digest that differs where changes, rejected rows or brakes differ."""
    return digest_of(_parts(difference))


def digest_of(parts: Iterable[Any]) -> str:
    """Return one digest for what a consent is about, in this order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(json.dumps(part, default=str, ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()


def _parts(difference: Difference) -> Iterator[Any]:
    yield ["unchanged", difference.unchanged, difference.merged, difference.held_back, difference.still_listed]
    yield ["brakes", sorted(difference.brakes.items())]
    for change in difference.changes:
        yield _change(change)
    for row in difference.rejected:
        yield [row.line, row.column, row.reason]


def _change(change: Change) -> list[Any]:
    known, columns = change.person, change.columns
    before = [getattr(known, name) for name in sorted(columns)] if known else []
    return [
        change.kind.value,
        change.line,
        known.key if known else None,
        sorted(columns.items()),
        before,
        sorted(stint.key for stint in change.voided),
        [list(time) for time in change.opened],
    ]
