"""Writes a difference: set-based, a few statements whatever the number of people; see audit.bulk for how."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, Final, NamedTuple

from django.db import IntegrityError, connection

from audit.bulk import insert_rows, reserve_keys, update_rows
from facilities.access import Scope
from facilities.services.rechecks import recheck
from imports.models import Import, ImportRow
from imports.recording import IMPORT_ROW, record_rows
from staff.models import Employment, Person
from staff.policy import Change, Difference, Known, Rejection
from staff.policy.packing import Changes
from staff.roster.reading import SEPARATOR, Roster
from staff.services.rechecks import further_places
from systems.policy import day_in

PERSON = ("first_name", "last_name", "email", "phone", "employee_number")
_FIELDS = {"first_name": "first_name", "last_name": "last_name", "email": "email", "phone": "phone",
           "number": "employee_number"}  # fmt: skip
_CONTACT = _FIELDS.keys() - {"number"}  # what a profile on a CMS system repeats
_AT_ONCE: Final = 5_000
TIME = ("id", "organization", "person", "facility", "job_title", "valid_from", "valid_to", "recorded_at", "source")


class Corrected(NamedTuple):
    """A known person's columns to be written, in the order of PERSON; ``version`` is the one that was read.

    ``contact``: the day to stand as that of the last change of contact data (None: never), empty where it stays.
    """

    key: int
    version: int
    columns: Sequence[str | None]
    contact: tuple[date | None, ...] = ()


def write_difference(
    *, scope: Scope, roster: Roster, difference: Difference, counts: dict[str, int], at: datetime
) -> int:
    """Write people, times, the import with its rows, and one act; return the import's key. Needs a transaction.

    Raises IntegrityError where the register is not any more what the difference was taken from.
    """
    organization = scope.organization
    source = Import.objects.create(
        organization=organization,
        kind=Import.Kind.STAFF,
        file_name=roster.file.replace("\\", "/").rpartition("/")[2][:200],
        sha256=roster.sha256,
        counts=counts,
        columns={name: [each.title, each.confidence] for name, each in roster.guess.columns.items()},
        applied_at=at,
        applied_by=scope.actor.label,
    )
    changes = difference.changes
    found = _gathered(changes)
    people = _write_people(changes, found.people, organization.pk, day_in(at, organization.zone), at)
    void_times(found.voided, at)
    times = reserve_keys(Employment, found.opened)
    insert_rows(Employment, TIME, _time_rows(changes, people, times, organization.pk, source.pk, at))
    recheck(found.places)
    rows = _import_rows(roster, changes, people, times)
    insert_rows(
        ImportRow,
        IMPORT_ROW,
        ([organization.pk, source.pk, *row] for row in _with_rejected(rows, difference.rejected)),
    )
    record_rows("staff.imported", ImportRow.objects.filter(source=source), scope, source, at)
    return int(source.pk)


class _Gathered(NamedTuple):
    """What all changes together come to."""

    people: list[int | None]  # keys in the order of the changes, None: somebody new
    voided: list[int]  # keys of employments
    opened: int  # employments
    places: set[int]  # where people change or count: where they work, and where they hold a role or keep the record


def _gathered(changes: Changes) -> _Gathered:
    people: list[int | None] = []
    moved: list[int] = []
    voided: list[int] = []
    opened, places = 0, set()
    for change in changes:
        people.append(change.person and change.person.key)
        voided += [stint.key for stint in change.voided]
        opened += len(change.opened)
        places |= {time.facility for time in change.opened}
        if change.person is not None:
            places |= {stint.facility for stint in change.person.stints}
            if change.voided or change.opened:
                moved.append(change.person.key)
    return _Gathered(people, voided, opened, places | further_places(moved))


def _write_people(changes: Changes, known: list[int | None], organization: int, on: date, at: datetime) -> list[int]:
    """Insert the new people, update the known; return everybody's key in the order of the changes."""
    keys = iter(reserve_keys(Person, known.count(None)))
    people = [next(keys) if key is None else key for key in known]
    insert_rows(
        Person,
        ("id", "organization", *PERSON, "affiliation", "version", "created_at"),
        (
            [key, organization, *columns_after(change), Person.Affiliation.EMPLOYEE.value, 1, at]
            for key, change in zip(people, changes, strict=True)
            if change.person is None
        ),
    )
    update_people(_corrected(changes, on))
    return people


def _corrected(changes: Changes, on: date) -> Iterator[Corrected]:
    for change in changes:
        if change.person is not None and change.columns:
            contact = (on,) if changes_contact(change) else ()
            yield Corrected(change.person.key, change.person.version, columns_after(change), contact)


def changes_contact(change: Change) -> bool:
    """Return whether a known person's name, address or phone becomes another one."""
    return change.person is not None and not _CONTACT.isdisjoint(change.columns)


def update_people(corrected: Iterable[Corrected]) -> None:
    """Write people's columns. Raises IntegrityError when somebody else changed one of them meanwhile."""
    remaining = iter(corrected)
    again = "version = staff_person.version + 1"
    while known := list(islice(remaining, _AT_ONCE)):
        dated = ([*_row(each), day.isoformat() if day else None] for each in known for day in each.contact)
        matched = update_rows(Person, ("id", "version"), (*PERSON, "contact_changed_on"), dated, also=again)
        others = (_row(each) for each in known if not each.contact)
        matched += update_rows(Person, ("id", "version"), PERSON, others, also=again)
        if matched != len(known):
            raise IntegrityError("a person was changed meanwhile")


def _row(each: Corrected) -> list[Any]:
    return [each.key, each.version, *each.columns]


def columns_after(change: Change) -> list[str | None]:
    """Return the person's columns as they are after the change, in the order of PERSON; no number is None."""
    columns = change.columns
    return [
        columns.get(name, getattr(change.person, name, "")) or (None if name == "number" else "") for name in _FIELDS
    ]


def void_times(keys: list[int], at: datetime) -> None:
    """Void employments. Raises IntegrityError when one of them was voided meanwhile."""
    if not keys:
        return
    listed = "ANY(%s)" if connection.vendor == "postgresql" else "(SELECT value FROM json_each(%s))"
    operator = "=" if connection.vendor == "postgresql" else "IN"
    given: Any = keys if connection.vendor == "postgresql" else json.dumps(keys)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE staff_employment SET voided_at = %s WHERE voided_at IS NULL AND id {operator} {listed}",  # noqa: S608
            [connection.ops.adapt_datetimefield_value(at), given],
        )
        if cursor.rowcount != len(keys):
            raise IntegrityError("an employment was corrected while the roster was compared")


def _time_rows(
    changes: Changes, people: list[int], times: list[int], organization: int, source: int, at: datetime
) -> Iterator[list[Any]]:
    keys = iter(times)
    for person, change in zip(people, changes, strict=True):
        for time, key in zip(change.opened, keys, strict=False):  # in this order: no key is lost behind the last time
            yield [key, organization, person, time.facility, time.job_title, time.starts_on, time.ends_on, at, source]


def _import_rows(roster: Roster, changes: Changes, people: list[int], times: list[int]) -> Iterator[list[Any]]:
    keys = iter(times)
    for change, person in zip(changes, people, strict=True):
        cells = roster.cells.get(change.line) if change.line is not None else ""
        opened = list(islice(keys, len(change.opened)))
        yield [
            change.line,
            change.kind.value,
            ImportRow.Status.APPLIED.value,
            f"person:{person}",
            _summary(change)[:500],
            "",
            json.dumps(cells.split(SEPARATOR), ensure_ascii=False) if cells else "",
            json.dumps(_undo(change, person, opened), ensure_ascii=False),
        ]


def _undo(change: Change, person: int, opened: list[int]) -> dict[str, Any]:
    """Return what taking the change back needs; a created person has nothing to be put back."""
    known = change.person
    undo: dict[str, Any] = {"person": person, "opened": opened, "version": 1}
    if known is None:
        return undo
    undo["version"] = known.version + bool(change.columns)
    undo["before"] = _before(known) if change.columns else None
    undo["voided"] = [stint.key for stint in change.voided]
    if changes_contact(change):
        undo["contact"] = known.contact_changed_on.isoformat() if known.contact_changed_on else None
    return undo


def _before(known: Known) -> list[str | None]:
    return [getattr(known, name) or (None if name == "number" else "") for name in _FIELDS]


def _summary(change: Change) -> str:
    """Say what changed in keys, days and names of columns: the audit outlives a person's right to be forgotten."""
    parts = []
    if change.person is None:
        parts.append("added")
    elif change.columns:
        parts.append(f"changed {', '.join(sorted(_FIELDS[name] for name in change.columns))}")
    for time in change.opened:
        until = f" to {time.ends_on.isoformat()}" if time.ends_on else ""
        parts.append(f"facility:{time.facility} from {time.starts_on.isoformat()}{until}")
    parts += [f"instead of employment:{stint.key}" for stint in change.voided]
    return "; ".join(parts)


def _with_rejected(rows: Iterator[list[Any]], rejected: list[Rejection]) -> Iterator[list[Any]]:
    yield from rows
    for row in rejected:  # without its cells: what was not taken is not kept
        yield [row.line, "rejected", ImportRow.Status.REJECTED.value, "", "", row.reason[:500], "", ""]
