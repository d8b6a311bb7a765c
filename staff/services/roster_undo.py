"""Takes an import of people back within 30 days: compensating facts dated now, nothing is deleted.

Whatever a person or a later import has touched since stays as it is and is listed. People whom the import added stay
in the register without employment: others may already hold accounts for them.
"""

import json
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Q

from audit.bulk import insert_rows, reserve_keys
from facilities.access import Action, Scope
from imports.models import Import, ImportRow
from imports.undoing import Kind, Prospect, Undone, batches, may_undo, undo
from staff.models import Employment, Person
from staff.services.rechecks import recheck_people
from staff.services.roster_writing import TIME, Corrected, update_people, void_times

_PEOPLE: Final = Kind(Import.Kind.STAFF, "people", Action.IMPORT_PEOPLE, "staff.import-undone")


def look_ahead(*, scope: Scope, source: Import, at: datetime) -> Prospect:
    """Return what `undo_import` would do now; writes nothing. Raises NotAllowed and UndoRefused as it does."""
    may_undo(_PEOPLE, scope, source, at)
    prospect = Prospect()
    for batch in batches(source):
        changes = {row.pk: json.loads(row.change) for row in batch}
        touched = _touched(list(changes.values()), source)
        for row in batch:
            person = changes[row.pk]["person"]
            if person in touched:
                prospect.kept.append(person)
            else:
                prospect.kinds[row.kind] += 1
    return prospect


def undo_import(*, scope: Scope, source: Import, at: datetime) -> Undone:
    """Take an import of people back; nothing is undone where it raises.

    Raises NotAllowed; UndoRefused: ``too_late``, ``undone``, ``other``, ``stale`` (somebody changed people meanwhile).
    """

    def take_back(result: Undone) -> None:
        for batch in batches(source):
            _take_back(batch, source, at, result)

    return undo(_PEOPLE, scope, source, at, take_back)


def _take_back(batch: list[ImportRow], source: Import, at: datetime, result: Undone) -> None:
    """Put one batch of people back, as sets."""
    changes = {row.pk: json.loads(row.change) for row in batch}
    touched = _touched(list(changes.values()), source)
    kept = [pk for pk, change in changes.items() if change["person"] in touched]
    done = [pk for pk, change in changes.items() if change["person"] not in touched]
    mine = [changes[pk] for pk in done]
    void_times([key for change in mine for key in change["opened"]], at)
    _write_again([key for change in mine for key in change.get("voided", ())], at)
    update_people(
        Corrected(change["person"], change["version"], change["before"], _contact_before(change))
        for change in mine
        if change.get("before")
    )
    recheck_people(change["person"] for change in mine)
    ImportRow.objects.filter(pk__in=kept).update(status=ImportRow.Status.KEPT)
    ImportRow.objects.filter(pk__in=done).update(status=ImportRow.Status.UNDONE)
    result.undone += len(done)
    result.kept += [changes[pk]["person"] for pk in kept]


def _contact_before(change: dict[str, Any]) -> tuple[date | None, ...]:
    """Return when contact data had last changed before the import: what was put back is no change of today."""
    if "contact" not in change:
        return ()
    return (date.fromisoformat(change["contact"]) if change["contact"] else None,)


def _touched(changes: list[dict[str, Any]], source: Import) -> set[int]:
    """Return the people whose columns or times are not as the import left them."""
    people = [change["person"] for change in changes]
    versions = dict(Person.objects.filter(pk__in=people).values_list("pk", "version"))
    times = Employment.objects.filter(person__in=people)
    corrected = set(times.filter(source=source).exclude(voided_at=None).values_list("person_id", flat=True))
    later = Q(recorded_at__gt=source.applied_at) | Q(voided_at__gt=source.applied_at)
    others = set(times.exclude(source=source).filter(later).values_list("person_id", flat=True))
    changed = {change["person"] for change in changes if versions[change["person"]] != change["version"]}
    return corrected | others | changed


def _write_again(keys: list[int], at: datetime) -> None:
    """Insert voided employments once more: what they said holds again, known from now on."""
    old = list(
        Employment.objects.filter(pk__in=keys).values_list(
            "organization_id", "person_id", "facility_id", "job_title", "valid_from", "valid_to", "source_id"
        )
    )
    new = reserve_keys(Employment, len(old))
    rows = ([key, *facts, at, source] for key, (*facts, source) in zip(new, old, strict=True))
    insert_rows(Employment, TIME, rows)
