"""Importing a roster: read, compare, brake, write in one transaction, record one act. See docs/flows/roster.md."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import groupby
from math import inf
from operator import itemgetter
from typing import Final

from django.db import DataError, IntegrityError, transaction

from facilities.access import Action, Scope, authorize
from facilities.models import Facility, Organization
from imports.answers import ListReport, number_of, rejected_of, understood
from imports.models import PendingImport
from imports.opening import Readable
from imports.uploads import Agreed, mark_written, written_as
from staff.errors import StaffError
from staff.models import Employment, Person
from staff.policy import Difference, Kind, Known, Stint, diff
from staff.policy.fingerprint import fingerprint
from staff.roster.keeping import Kept, taken_up
from staff.roster.places import Places
from staff.roster.reading import Chosen, Roster, judge, read_roster, refuse_missing, rejected_row
from staff.services.roster_writing import write_difference
from systems.policy import day_in

_BRAKE = "mass_leavers"
_AT_ONCE: Final = 5_000
_NOBODY: Final[tuple[float, Iterator[tuple[int, Stint]]]] = (inf, iter(()))  # behind the last person


class RosterRefused(StaffError):
    """The roster is not taken, and nothing was written; ``report`` says what was found in it."""

    def __init__(self, message: str, *, code: str, report: "Report") -> None:
        super().__init__(message, code=code)
        self.report = report


@dataclass(slots=True)
class Report(ListReport):
    """What a run found and did, in the shape of the command's JSON."""

    joiners: int = 0
    movers: int = 0
    leavers: int = 0
    merged: int = 0
    held_back: int = 0
    still_listed: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A roster beside the register: what was read, what it changes, and both in the words of the command."""

    roster: Roster
    difference: Difference
    report: Report

    @property
    def digest(self) -> str:
        """What a consent refers to; the same only as long as the outcome is the same."""
        return fingerprint(self.difference)


def preview_roster(*, scope: Scope, kept: Kept, at: datetime, columns: Chosen = None) -> Comparison:
    """Return what an upload would change now; writes nothing. Raises NotAllowed, and FileRefused (missing_column)."""
    authorize(scope, Action.IMPORT_PEOPLE)
    on = day_in(at, scope.organization.zone)
    return _compared(_read(kept, scope.organization, columns, on, None), scope.organization, on=on, dry_run=True)


def import_roster(
    *,
    scope: Scope,
    path: Readable | Kept,
    at: datetime,
    columns: Chosen = None,
    agreed: Agreed | None = None,
    dry_run: bool = False,
    allow_mass_leavers: bool = False,
    strict: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Bring people and employments in line with a roster. The same file again writes nothing.

    ``columns``: field -> name of its column, where it shall not be guessed (`imports.columns.column_names`).
    ``agreed``: write only what was looked at, and one upload once: a repetition answers with the import it became.
    Raises NotAllowed; FileRefused for a file that cannot be read whole; UploadGone; RosterRefused (``mass_leavers``,
    ``rejected`` with ``strict``, ``changed`` where the outcome is not the agreed one, ``stale`` when somebody changed
    people meanwhile). Then nothing was written.
    """
    authorize(scope, Action.IMPORT_PEOPLE)
    organization = scope.organization
    on = day_in(at, organization.zone)
    say = progress or (lambda text: None)
    roster = _read(path, organization, columns, on, progress)
    say(f"{number_of(roster.rows, 'row,rows')} read, comparing")
    check = partial(_refuse_other_than, agreed) if agreed else partial(_refuse, strict, allow_mass_leavers)
    if dry_run:
        found = _compared(roster, organization, on=on, dry_run=True)
        check(found)
        return found.report
    try:
        with transaction.atomic():
            return _write(scope, roster, check, agreed.pending if agreed else None, at=at, say=say)
    except (IntegrityError, DataError) as exc:
        message = "Somebody changed people of this organization meanwhile. Nothing was written; run it again."
        raise RosterRefused(message, code="stale", report=Report(rows=roster.rows)) from exc


def _write(
    scope: Scope,
    roster: Roster,
    check: Callable[[Comparison], None],
    pending: PendingImport | None,
    *,
    at: datetime,
    say: Callable[[str], None],
) -> Report:
    organization = scope.organization
    # A second import of this organization waits here and then compares with what this one wrote.
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if pending is not None and (done := written_as(pending)):
        return Report(rows=roster.rows, source=done)
    found = _compared(roster, organization, on=day_in(at, organization.zone), dry_run=False)
    check(found)
    difference, report = found.difference, found.report
    if difference.changes:
        say(f"{number_of(len(difference.changes), 'person changes,people change')}, writing")
        counts = _counts(report)
        report.source = write_difference(scope=scope, roster=roster, difference=difference, counts=counts, at=at)
        if pending is not None:
            mark_written(pending, report.source)
    return report


def _read(
    path: Readable | Kept,
    organization: Organization,
    columns: Chosen,
    on: date,
    progress: Callable[[str], None] | None,
) -> Roster:
    places = Places(organization, on=on)
    if not isinstance(path, Kept):
        return read_roster(path, places, on=on, columns=columns, progress=progress)
    roster = taken_up(Roster, path, columns)
    refuse_missing(roster)
    judge(roster, places, on=on)
    return roster


def _compared(roster: Roster, organization: Organization, *, on: date, dry_run: bool) -> Comparison:
    difference = diff(roster.take_records(), roster.rejected, known_people(organization), on=on)
    return Comparison(roster, difference, _report(roster, difference, dry_run))


def known_people(organization: Organization) -> Iterator[Known]:
    """Yield the people of the register with the times that are known of them. Two queries, read side by side."""
    times = groupby(_times(organization), key=itemgetter(0))
    whose, hers = next(times, _NOBODY)
    people = Person.objects.filter(organization=organization).order_by("pk")
    names = ("pk", "version", "first_name", "last_name", "employee_number", "email", "phone", "contact_changed_on")
    rows = people.values_list(*names).iterator(chunk_size=_AT_ONCE)
    for key, version, first, last, number, email, phone, changed_on in rows:
        while whose < key:
            whose, hers = next(times, _NOBODY)
        stints = tuple([stint for _, stint in hers]) if whose == key else ()
        yield Known(key, version, first, last, number or "", email.lower(), phone, stints, changed_on)


def _times(organization: Organization) -> Iterator[tuple[int, Stint]]:
    times = Employment.objects.known().filter(organization=organization).order_by("person")
    columns = times.values_list("person_id", "pk", "facility_id", "job_title", "valid_from", "valid_to", "source_id")
    for person, *rest, source in columns.iterator(chunk_size=_AT_ONCE):
        yield person, Stint._make([*rest, source is not None])


def _refuse(strict: bool, allow_mass_leavers: bool, found: Comparison) -> None:
    difference, report = found.difference, found.report
    if strict and report.rejected:
        message = f"Nothing was written: {rejected_of(report)} (--strict)."
        raise RosterRefused(message, code="rejected", report=report)
    if difference.brakes and not allow_mass_leavers:
        names = dict(Facility.objects.filter(pk__in=difference.brakes).values_list("pk", "name"))
        lost = [
            f"{names[facility]} would lose {leavers} of {employed} people"
            for facility, (leavers, employed) in sorted(difference.brakes.items())
        ]
        more = f" and {number_of(len(lost) - 5, 'more facility,more facilities')}" if len(lost) > 5 else ""
        message = (
            f"Nothing was written: {'; '.join(lost[:5])}{more}. A roster that lost rows looks like this."
            " If they have really left, run it again with --allow-mass-leavers."
        )
        raise RosterRefused(message, code=_BRAKE, report=report)


def _refuse_other_than(agreed: Agreed, found: Comparison) -> None:
    if found.digest != agreed.digest:
        message = "People or facilities changed since this was shown. Nothing was written; please look once more."
        raise RosterRefused(message, code="changed", report=found.report)
    if set(found.difference.brakes) - agreed.really_left:
        message = "Nothing was written: tick first that so many people have really left."
        raise RosterRefused(message, code=_BRAKE, report=found.report)


def _report(roster: Roster, difference: Difference, dry_run: bool) -> Report:
    return Report(
        rows=roster.rows,
        joiners=difference.changes.count(Kind.JOINER),
        movers=difference.changes.count(Kind.MOVER),
        leavers=difference.changes.count(Kind.LEAVER),
        updated=difference.changes.count(Kind.UPDATED),
        unchanged=difference.unchanged,
        merged=difference.merged,
        held_back=difference.held_back,
        rejected=[rejected_row(roster, row) for row in difference.rejected],
        restored=roster.restored,
        still_listed=difference.still_listed,
        header=roster.header,
        **understood(roster.guess, roster.styles),
        notes=roster.notes + difference.notes,
        dry_run=dry_run,
    )


def _counts(report: Report) -> dict[str, int]:
    counted = ("rows", "joiners", "movers", "leavers", "updated", "unchanged", "merged", "held_back")
    return {name: getattr(report, name) for name in counted} | {"rejected": len(report.rejected)}
