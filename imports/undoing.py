"""Taking an import back: what every kind of import shares. Facts dated now, nothing is deleted."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction

from facilities.access import Action, Scope, authorize
from facilities.errors import FacilitiesError
from facilities.models import Organization
from imports.models import UNDO_WITHIN, Import, ImportRow
from imports.recording import record_rows

_BATCH = 2_000


class UndoRefused(FacilitiesError):
    """The import cannot be taken back: ``too_late``, ``undone``, ``other``, ``stale``."""


class Kind(NamedTuple):
    """What is told apart of the kinds of imports; ``subjects`` names what they change, ``act`` the one of undoing."""

    key: str  # of `Import.Kind`
    subjects: str
    action: Action
    act: str


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


def may_undo(what: Kind, scope: Scope, source: Import, at: datetime) -> None:
    """Raise NotAllowed, or UndoRefused: ``other``, ``undone``, ``too_late``."""
    authorize(scope, what.action)
    if source.organization_id != scope.organization.pk or source.kind != what.key:
        raise UndoRefused(f"This is no import of {what.subjects} of this organization.", code="other")
    _refuse_over(source, at)


def undo(what: Kind, scope: Scope, source: Import, at: datetime, take_back: Callable[[Undone], None]) -> Undone:
    """Take an import back as one act; nothing is undone where it raises.

    ``take_back`` does what is of the kind, within the transaction: it marks the rows as undone or kept, and counts.
    Raises as may_undo() does, and UndoRefused ``stale`` where somebody changed the subjects meanwhile.
    """
    may_undo(what, scope, source, at)
    result = Undone()
    try:
        with transaction.atomic():
            Organization.objects.select_for_update(no_key=True).get(pk=scope.organization.pk)
            _claim(scope, source, at)
            take_back(result)
            undone = ImportRow.objects.filter(source=source, status=ImportRow.Status.UNDONE)
            record_rows(what.act, undone, scope, source, at, reason=f"{len(result.kept)} changed since, kept")
    except IntegrityError as exc:
        message = f"Somebody changed {what.subjects} of this organization meanwhile. Nothing was undone; try again."
        raise UndoRefused(message, code="stale") from exc
    source.refresh_from_db()
    return result


def _claim(scope: Scope, source: Import, at: datetime) -> None:
    """Mark an import as taken back, once. Raises UndoRefused."""
    fresh = Import.objects.filter(pk=source.pk, undone_at=None, emptied_at=None, applied_at__gte=at - UNDO_WITHIN)
    if fresh.update(undone_at=at, undone_by=scope.actor.label):
        return
    source.refresh_from_db()
    _refuse_over(source, at)


def _refuse_over(source: Import, at: datetime) -> None:
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
