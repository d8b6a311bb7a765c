"""Lists of people on the pages of imports: who joins, changes and leaves, cell by cell."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import islice
from typing import Final

from django.db.models import Count
from django.urls import reverse

from accounts.models import PortalAccount
from accounts.words import count_noun, day, listed
from facilities.access import Scope
from imports.models import Import, PendingImport
from imports.uploads import Agreed, content_of
from staff.policy import Change, Kind, Stint, Time
from staff.roster.keeping import Kept
from staff.roster.reading import Roster
from staff.services.rosters import Comparison, import_roster, preview_roster
from web.imports.fields import PEOPLE_FIELDS
from web.imports.parts import REJECTED, RESTORED, Cell, Outcome, Row, Total, Words, rejected_row, restored_row
from web.imports.telling import AHEAD, DONE, counted, facility_names, sentence, undo_until

_COLUMNS: Final = {
    "first_name": "First name",
    "last_name": "Last name",
    "email": "Work e-mail",
    "phone": "Phone",
    "number": "Employee number",
}
_STILL: Final = 20  # lines that are named


class People:
    """What the pages know of lists of people; see `web.imports.parts.Pages`."""

    kind = Import.Kind.STAFF
    make: type[Roster] = Roster
    fields: Mapping[str, str] = PEOPLE_FIELDS
    parts: Mapping[str, Words] = {
        "rejected": REJECTED,
        "restored": RESTORED,
        Kind.LEAVER.value: Words("People who leave"),
        Kind.JOINER.value: Words("People who join", what="What is known"),
        Kind.MOVER.value: Words("People who change job or place"),
        Kind.UPDATED.value: Words("People with new contact data or dates"),
    }
    most_rows = 50_000
    has_system = False

    def preview(self, scope: Scope, pending: PendingImport, at: datetime) -> Comparison:
        """Return what the upload would change. Raises FileRefused."""
        return preview_roster(scope=scope, kept=Kept(content_of(pending)), at=at, columns=pending.columns or None)

    def rows_of(self, scope: Scope, found: Comparison, slug: str, start: int, size: int) -> tuple[int, list[Row]]:
        """Return (how many rows a part has, some of them)."""
        if slug == "rejected":
            rejected = found.difference.rejected
            return len(rejected), [rejected_row(each, found.roster) for each in rejected[start : start + size]]
        if slug == "restored":
            restored = found.report.restored
            return len(restored), [restored_row(each) for each in restored[start : start + size]]
        changes = found.difference.changes
        shown = list(islice(changes.of(Kind(slug)), start, start + size))
        names = facility_names(scope.organization, _facilities(shown)) if shown else {}
        held = open_accounts(change for change in shown if change.kind is Kind.LEAVER)
        return changes.count(Kind(slug)), [_row(each, scope, names, held) for each in shown]

    def outcome(self, scope: Scope, found: Comparison, at: datetime) -> Outcome:
        """Return what the preview says beside its rows."""
        report, brakes = found.report, found.difference.brakes
        names = facility_names(scope.organization, set(brakes))
        rejected = len(report.rejected)
        return Outcome(
            totals=[
                Total(report.joiners, "joins" if report.joiners == 1 else "join"),
                Total(report.movers, "changes job or place" if report.movers == 1 else "change job or place"),
                Total(report.leavers, "leaves" if report.leavers == 1 else "leave", "late" if brakes else ""),
                Total(report.updated, f"{'gets' if report.updated == 1 else 'get'} new contact data or dates"),
                Total(report.unchanged, "stays as before" if report.unchanged == 1 else "stay as they are"),
                Total(rejected, f"{'row' if rejected == 1 else 'rows'} not taken", "soon" if rejected else ""),
            ],
            notes=report.notes + _repeated(report.merged) + _still_listed(report.still_listed),
            promises=_promises(scope, found, at),
            deed=counted({key: getattr(report, key) for key in AHEAD}, AHEAD),
            same="the rows that could be read say what the register says."
            if rejected
            else "the register says the same already.",
            brakes=[
                {"pk": key, "name": names[key], "leavers": leavers, "employed": employed}
                for key, (leavers, employed) in sorted(brakes.items())
            ],
        )

    def consent(
        self, scope: Scope, pending: PendingImport, at: datetime, *, digest: str, left: frozenset[int]
    ) -> tuple[int | None, str]:
        """Write what was looked at. Raises RosterRefused, FileRefused."""
        kept, agreed = Kept(content_of(pending)), Agreed(pending, digest, left)
        report = import_roster(scope=scope, path=kept, at=at, columns=pending.columns or None, agreed=agreed)
        return report.source, sentence(counted({key: getattr(report, key) for key in AHEAD}, DONE))


def _promises(scope: Scope, found: Comparison, at: datetime) -> list[str]:
    told = []
    if found.report.rejected:
        told.append("Rows that are not taken change nothing, and nobody leaves whom they may be about.")
    mail = "No mail is sent, and nothing is removed on CMS’s systems."
    if held := len(open_accounts(found.difference.changes.of(Kind.LEAVER))):
        who = sentence(count_noun(held, "person who leaves holds,people who leave hold"))
        mail += f" {who} open accounts there: you find them under People, “Left, access still open”."
    return [*told, mail, f"You can take the import back until {day(undo_until(at, scope.organization))}."]


def _repeated(merged: int) -> list[str]:
    if not merged:
        return []
    return [f"{sentence(count_noun(merged, 'row repeats,rows repeat'))} what another row says; each counts once."]


def _still_listed(lines: list[int]) -> list[str]:
    if not lines:
        return []
    noun, more = "line" if len(lines) == 1 else "lines", " and more" if len(lines) > _STILL else ""
    return [f"Still listed, though their last day was typed here, which counts: {noun} {listed(lines[:_STILL])}{more}."]


def open_accounts(leavers: Iterable[Change]) -> dict[int, int]:
    """Return how many open accounts the people of the changes hold, by person; those without are left out."""
    keys = [change.person.key for change in leavers if change.person]
    if not keys:
        return {}
    held = PortalAccount.objects.open().filter(person__in=keys).order_by().values_list("person")
    return dict(held.annotate(count=Count("pk")))


def _facilities(changes: Iterable[Change]) -> set[int]:
    return {time.facility for change in changes for time in _times(change)}


def _times(change: Change) -> list[Stint | Time]:
    return [*change.voided, *change.opened]


def _row(each: Change, scope: Scope, names: Mapping[int, str], held: Mapping[int, int]) -> Row:
    known, columns = each.person, each.columns
    first = columns.get("first_name") or (known.first_name if known else "")
    last = columns.get("last_name") or (known.last_name if known else "")
    note = f"Line {each.line}" if each.line else "Not in the file"
    if known and (count := held.get(known.key)):
        note += f" · holds {count_noun(count, 'open account,open accounts')}"
    return Row(
        f"{first} {last}".strip(),
        note=note,
        url=reverse("web:person", args=[scope.organization.slug, known.key]) if known else "",
        cells=[*_time_cells(each, names), *_column_cells(each)],
    )


def _column_cells(change: Change) -> list[Cell]:
    known = change.person
    return [
        Cell(_COLUMNS[name], getattr(known, name) if known else "", value)
        for name, value in change.columns.items()
        if value and (known or name not in ("first_name", "last_name"))
    ]


def _time_cells(change: Change, names: Mapping[int, str]) -> list[Cell]:
    cells = []
    for facility in dict.fromkeys(time.facility for time in _times(change)):
        old = [stint for stint in change.voided if stint.facility == facility]
        new = [time for time in change.opened if time.facility == facility]
        name = names.get(facility, "a facility")
        if old and new:
            cells += _corrected(old, new, name)
        else:
            cells += [Cell("Works at", "", _worded(time, name)) for time in new]
    return cells


def _corrected(old: list[Stint], new: list[Time], name: str) -> list[Cell]:
    first, last = min(old, key=_start), max(old, key=_start)
    begins, goes_on = min(new, key=_start), max(new, key=_start)
    cells = []
    if last.job_title != goes_on.job_title:
        since = f", from {day(goes_on.starts_on)}" if goes_on.starts_on != last.starts_on else ""
        cells.append(Cell(f"Job at {name}", last.job_title or "none", f"{goes_on.job_title}{since}"))
    if first.starts_on != begins.starts_on:
        cells.append(Cell(f"First day at {name}", day(first.starts_on), day(begins.starts_on)))
    if last.ends_on != goes_on.ends_on:
        cells.append(Cell(f"Last day at {name}", day(last.ends_on) or "open", day(goes_on.ends_on) or "open"))
    return cells


def _start(time: Stint | Time) -> date:
    return time.starts_on


def _worded(time: Time, name: str) -> str:
    job = f", {time.job_title}" if time.job_title else ""
    until = f" to {day(time.ends_on)}" if time.ends_on else ""
    return f"{name}{job}, from {day(time.starts_on)}{until}"
