"""Imports in words: what one did, whether it can be taken back, and what each of its rows meant."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from django.urls import reverse

from accounts.models import PortalAccount
from accounts.words import count_noun, day, listed
from facilities.access import Scope
from facilities.models import Facility, Organization
from imports.models import UNDO_WITHIN, Import, ImportRow
from staff.models import Person
from systems.policy import day_in

# key of Import.counts: what is said of one and of several
DONE: Final = {
    "joiners": "joined,joined",
    "movers": "changed job or place,changed job or place",
    "leavers": "left,left",
    "updated": "updated,updated",
    "rejected": "row rejected,rows rejected",
}
DONE_TO_ACCOUNTS: Final = {
    "created": "account added,accounts added",
    "updated": "account updated,accounts updated",
    "unknown_people": "unknown person,unknown people",
    "missing_in_file": "account missing in the list,accounts missing in the list",
    "rejected": "row rejected,rows rejected",
}
AHEAD: Final = {
    "joiners": "joins,join",
    "movers": "changes job or place,change job or place",
    "leavers": "leaves,leave",
    "updated": "gets new contact data or dates,get new contact data or dates",
}
AHEAD_OF_ACCOUNTS: Final = {
    "created": "new account,new accounts",
    "updated": "changed account,changed accounts",
    "missing_in_file": "account noted as missing in the list,accounts noted as missing in the list",
}
ROW_KINDS: Final = {
    "joiner": "Joined",
    "mover": "Changed job or place",
    "leaver": "Left",
    "updated": "Updated",
    "created": "Account added",
    "rejected": "Rejected",
}
_TIME: Final = re.compile(r"facility:(\d+) from (\d{4}-\d\d-\d\d)(?: to (\d{4}-\d\d-\d\d))?")
_ROLE: Final = re.compile(r"role:\d+ at (facility:.+)")
_COLUMNS: Final = {"email": "work e-mail"}


def counted(counts: Mapping[str, int], words: Mapping[str, str]) -> str:
    """Return the counts that are not zero: ``12 joined, three left``; nothing for none."""
    return listed(count_noun(counts[key], nouns) for key, nouns in words.items() if counts.get(key))


def did(source: Import) -> str:
    """Return what an import did as a sentence without its full stop."""
    words = DONE if source.kind == Import.Kind.STAFF else DONE_TO_ACCOUNTS
    return sentence(counted(source.counts, words)) or "Nothing changed"


def sentence(text: str) -> str:
    """Return the text with a capital first letter and everything else as it is."""
    return text[:1].upper() + text[1:]


def undo_until(applied_at: datetime, organization: Organization) -> date:
    """Return the day, by the organization's clock, until which an import can be taken back."""
    return day_in(applied_at + UNDO_WITHIN, organization.zone)


def can_undo(source: Import, at: datetime) -> bool:
    """Return whether an import can be taken back, and the time for it still runs."""
    return source.undone_at is None and source.emptied_at is None and source.applied_at >= at - UNDO_WITHIN


def state(source: Import, organization: Organization, at: datetime) -> str:
    """Return whether an import stands: ``Can be taken back until Thu 3 Dec 2026``."""
    if source.undone_at is not None:
        return f"Taken back on {day(day_in(source.undone_at, organization.zone))}"
    if can_undo(source, at):
        return f"Can be taken back until {day(undo_until(source.applied_at, organization))}"
    return "Can no longer be taken back"


def facility_names(organization: Organization, keys: set[int]) -> dict[int, str]:
    """Return the names of facilities. One query."""
    return dict(Facility.objects.filter(organization=organization, pk__in=keys).values_list("pk", "name"))


def facilities_of(rows: list[ImportRow]) -> set[int]:
    """Return the facilities that the rows' summaries speak of."""
    return {int(match[1]) for row in rows for match in _TIME.finditer(row.summary)}


def what(row: ImportRow, names: Mapping[int, str]) -> str:
    """Return what a row changed, from its summary of keys and days: ``Oak House from Wed 1 Jan 2020``."""
    parts = [_part(part, names) for part in row.summary.split("; ")]
    return sentence("; ".join(part for part in parts if part))


def _part(part: str, names: Mapping[int, str]) -> str:
    if part.startswith("instead of") or part in ("added", "opened"):
        return ""
    if part.startswith("signed in on "):
        return f"signed in on {day(date.fromisoformat(part.removeprefix('signed in on ')))}"
    if part.startswith("grant:"):
        return "a role ended"
    if role := _ROLE.fullmatch(part):
        return f"a role at {_part(role[1], names)}"
    match = _TIME.fullmatch(part)
    if match:
        until = f" to {day(date.fromisoformat(match[3]))}" if match[3] else ""
        return f"{names.get(int(match[1]), 'a facility')} from {day(date.fromisoformat(match[2]))}{until}"
    changed = part.removeprefix("changed ")
    if changed != part:
        return "new " + listed(_COLUMNS.get(name, name.replace("_", " ")) for name in changed.split(", "))
    return part


def row_cells(row: ImportRow, subjects: Mapping[str, Any], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return the cells of an import's table; ``subjects``: audit key -> person or account."""
    who = subjects.get(row.subject_key)
    line = f"Line {row.line}" if row.line else "Not in the file"
    return [
        {"text": name_of(who), "url": who.get_absolute_url(), "note": line} if who else {"text": line},
        {"text": ROW_KINDS.get(row.kind, row.kind), "note": _status(row)},
        {"text": sentence(row.reason) or what(row, names)},
    ]


def _status(row: ImportRow) -> str:
    if row.status in (ImportRow.Status.UNDONE, ImportRow.Status.KEPT):
        return {"undone": "Taken back", "kept": "Kept: changed since"}[row.status]
    return ""


def name_of(subject: Person | PortalAccount) -> str:
    """Return how a person, or an account with its system, is called."""
    return f"{subject.person}, {subject.system.name}" if isinstance(subject, PortalAccount) else str(subject)


def subjects_of(organization: Organization, rows: list[ImportRow]) -> dict[str, Person | PortalAccount]:
    """Return the people or accounts the rows are about by audit key. At most two queries."""
    keys: dict[str, list[int]] = {"person": [], "account": []}
    for row in rows:
        kind, _, key = row.subject_key.partition(":")
        if kind in keys and key.isdecimal():
            keys[kind].append(int(key))
    people = Person.objects.filter(organization=organization, pk__in=keys["person"]).select_related("organization")
    accounts = PortalAccount.objects.filter(organization=organization, pk__in=keys["account"])
    found: dict[str, Person | PortalAccount] = {each.key: each for each in people} if keys["person"] else {}
    if keys["account"]:
        found |= {each.key: each for each in accounts.select_related("organization", "person", "system")}
    return found


def imports_crumb(scope: Scope) -> dict[str, str]:
    """Return the way back to the list."""
    return {"label": "Imports", "url": reverse("web:imports", args=[scope.organization.slug])}
