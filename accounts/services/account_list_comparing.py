"""A list of accounts beside the register: whose each row is, what it changes, what the list does not show."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from accounts.lists.cleaning import AccountRow
from accounts.lists.reading import AccountList
from accounts.lists.words import Systems
from accounts.policy.holders import ANYWHERE
from accounts.policy.listing import Held, change_of
from accounts.policy.missing import Seen, note_seen
from accounts.services.account_list_tying import Packed, rows_of, tied
from accounts.services.account_plans import Plans
from accounts.services.account_register import Key, authority_of, held_accounts, known_ids
from accounts.services.missing import Missing, find_missing
from facilities.access import Scope
from facilities.models import Organization
from imports.answers import ListReport, understood
from staff.policy import Rejection
from staff.policy.fingerprint import digest_of
from staff.roster.reading import rejected_row

_PEOPLE_AT_ONCE: Final = 50_000  # of whom rows, accounts and roles are in memory together


@dataclass(slots=True)
class Report(ListReport):
    """What a run found and did, in the shape of the command's JSON."""

    matched: int = 0
    created: int = 0
    unknown_people: list[dict[str, Any]] = field(default_factory=list)
    missing_in_file: list[dict[str, Any]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return the figures that an import keeps."""
        counted = {name: getattr(self, name) for name in ("rows", "matched", "created", "updated", "unchanged")}
        listed = ("unknown_people", "missing_in_file", "rejected")
        return counted | {name: len(getattr(self, name)) for name in listed}


@dataclass(slots=True)
class Comparison:
    """What was read, what it changes, and both in the words of the command."""

    roster: AccountList
    planned: Plans
    refused: list[Rejection]
    unknown: list[tuple[AccountRow, str]]
    missing: Missing
    report: Report

    @property
    def digest(self) -> str:
        """What a consent refers to; the same only as long as the outcome is the same."""
        changes = sorted([each.person, each.system.key, repr(each.change)] for each in self.planned)
        rows = [[row.line, row.column, row.reason] for row in self.refused]
        people = [[row.line, reason] for row, reason in self.unknown]
        gaps = sorted([gap.account, gap.facility, *gap.roles] for gap in self.missing.gaps)
        return digest_of([*changes, *rows, *people, *gaps])


def compare(scope: Scope, found: AccountList, *, on: date, dry_run: bool) -> Comparison:
    """Return the list beside the register. Takes the rows out of ``found``: a long list is in memory once, packed,
    and some ten thousand people are looked at together.
    """
    report = Report(
        rows=found.rows,
        restored=found.restored,
        dry_run=dry_run,
        header=found.header,
        **understood(found.guess, found.styles),
    )
    by_person, unknown, shared = tied(scope.organization, found)
    outcome = _Outcome(Plans(found.systems), list(found.rejected))
    people = list(by_person)
    for start in range(0, len(people), _PEOPLE_AT_ONCE):
        part = {person: by_person.pop(person) for person in people[start : start + _PEOPLE_AT_ONCE]}
        _compare_part(scope.organization, found.systems, part, outcome, on)
    planned, refused = outcome.planned, sorted(outcome.refused)
    report.matched, report.unchanged = outcome.matched, outcome.unchanged
    report.unknown_people = [_unknown(row, reason) for row, reason in unknown]
    report.rejected = [rejected_row(found, each) for each in refused]
    report.created, report.updated = planned.opened, len(planned) - planned.opened
    doubtful: Sequence[AccountRow | Rejection] = [*(row for row, _ in unknown), *refused]
    missing = find_missing(scope, outcome.seen, doubtful, on=on)
    report.missing_in_file, report.notes = missing.listed, found.notes + shared + missing.notes
    return Comparison(found, planned, refused, unknown, missing, report)


@dataclass(slots=True)
class _Outcome:
    """What the rows of those people who were looked at come to."""

    planned: Plans
    refused: list[Rejection]
    seen: Seen = field(default_factory=dict)
    matched: int = 0
    unchanged: int = 0

    def add(self, person: int, rows: list[AccountRow], held: Held | None, known_id: str, on: date) -> None:
        """Add the rows of one person on one system."""
        system = rows[0].system
        note_seen(self.seen, person, system.key, [row for row in rows if row.facility != ANYWHERE])
        change, refusals = change_of(rows, held, known_id=known_id, on=on)
        if refusals:
            lines = {row.line: row for row in rows}
            self.refused += [_rejection(lines[each.line], each.column, each.reason) for each in refusals]
        self.matched += len(rows) - len(refusals)
        self.unchanged += not change and len(refusals) < len(rows)
        if change:
            self.planned.append(person, system, change)


def _compare_part(
    organization: Organization, systems: Systems, part: dict[int, Packed], outcome: _Outcome, on: date
) -> None:
    """Add what the rows of these people come to. Five queries."""
    by_key: dict[Key, list[AccountRow]] = {}
    for person, packed in part.items():
        for row in rows_of(packed, systems):
            by_key.setdefault((person, row.system.key), []).append(row)
    ids = known_ids(organization, part, {authority_of(rows[0].system) for rows in by_key.values()})
    held = held_accounts(organization, by_key)
    for key, rows in by_key.items():
        known_id = ids.get((key[0], authority_of(rows[0].system)), "")
        outcome.add(key[0], rows, held.get(key), known_id, on)


def _rejection(row: AccountRow, column: str, reason: str) -> Rejection:
    return Rejection(row.line, column, reason, row.number, row.email, row.first_name, row.last_name, row.facility)


def _unknown(row: AccountRow, reason: str) -> dict[str, Any]:
    said = f"{row.first_name} {row.last_name}".strip() or row.email or row.number or row.user_id
    return {"line": row.line, "name": said, "system": row.system.slug, "reason": reason}
