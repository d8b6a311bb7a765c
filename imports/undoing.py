"""Taking an import back: what every kind of import shares. Facts dated now, nothing is deleted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from facilities.access import Scope
from facilities.errors import FacilitiesError
from imports.models import UNDO_WITHIN, Import, ImportRow

_BATCH = 2_000


class UndoRefused(FacilitiesError):
    """The import cannot be taken back: ``too_late``, ``undone``, ``other``, ``stale``."""


@dataclass(slots=True)
class Undone:
    """How many subjects (people, accounts) were put back, and the keys of those that somebody changed since."""

    undone: int = 0
    kept: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Prospect:
    """What taking an import back would do now: subjects by kind of change, and keys of those that would stay."""

    kinds: Counter[str] = field(default_factory=Counter)
    kept: list[int] = field(default_factory=list)


def claim(scope: Scope, source: Import, at: datetime) -> None:
    """Mark an import as taken back, once; needs the transaction that does it. Raises UndoRefused."""
    fresh = Import.objects.filter(pk=source.pk, undone_at=None, emptied_at=None, applied_at__gte=at - UNDO_WITHIN)
    if fresh.update(undone_at=at, undone_by=scope.actor.label):
        return
    source.refresh_from_db()
    refuse_over(source, at)


def refuse_over(source: Import, at: datetime) -> None:
    """Raise UndoRefused for an import that was taken back already, or too long ago to be."""
    if source.undone_at is not None:
        raise UndoRefused("This import was undone already.", code="undone")
    if source.emptied_at is not None or source.applied_at < at - UNDO_WITHIN:
        raise UndoRefused(f"An import can be undone for {UNDO_WITHIN.days} days.", code="too_late")


def batches(source: Import) -> Iterator[list[ImportRow]]:
    """Yield the rows that count, as they are when their turn comes."""
    rows = ImportRow.objects.filter(source=source, status=ImportRow.Status.APPLIED)
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        last = batch[-1].pk
        yield batch
