"""A list of accounts beside the register: whose each row is, what it changes, what the list does not show."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from accounts.lists.cleaning import AccountRow
from accounts.lists.reading import AccountList
from accounts.policy.holders import ANYWHERE, Holders, Wanted, id_key
from accounts.policy.listing import Held, change_of
from accounts.policy.missing import Seen, note_seen
from accounts.services.account_opening import Planned
from accounts.services.account_register import Key, Sought, authority_of, held_accounts, known_holders
from accounts.services.missing import Missing, find_missing
from facilities.access import Scope
from facilities.models import Organization
from imports.answers import ListReport, understood
from staff.policy import Rejection
from staff.policy.fingerprint import digest_of
from staff.roster.reading import rejected_row

_SHOWN: Final = 20  # user IDs of several people that are remarked on


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
    """What was read, what it changes (``held``: accounts as they are), and both in the words of the command."""

    roster: AccountList
    planned: list[Planned]
    held: dict[Key, Held]
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
    """Return the list beside the register. Empties ``found.accounts``: a long list is in memory once."""
    report = Report(
        rows=found.rows,
        restored=found.restored,
        dry_run=dry_run,
        header=found.header,
        **understood(found.guess, found.styles),
    )
    by_key, unknown, ids = _tied(scope.organization, found.accounts)
    shared = _shared_ids(by_key)
    held = held_accounts(scope.organization, by_key)
    planned: list[Planned] = []
    refused = list(found.rejected)
    seen: Seen = {}
    for key in list(by_key):
        rows = by_key.pop(key)  # in memory once, as rows or as what they change
        note_seen(seen, *key, [row for row in rows if row.facility != ANYWHERE])
        known_id = ids.get((key[0], authority_of(rows[0].system)), "")
        change, refusals = change_of(rows, held.get(key), known_id=known_id, on=on)
        if refusals:
            lines = {row.line: row for row in rows}
            refused += [_rejection(lines[each.line], each.column, each.reason) for each in refusals]
        report.matched += len(rows) - len(refusals)
        report.unchanged += not change and len(refusals) < len(rows)
        if change:
            planned.append(Planned(key[0], rows[0].system, change))
    refused.sort()
    report.unknown_people = [_unknown(row, reason) for row, reason in unknown]
    report.rejected = [rejected_row(found, each) for each in refused]
    report.created = sum(each.change.account is None for each in planned)
    report.updated = len(planned) - report.created
    doubtful: Sequence[AccountRow | Rejection] = [*(row for row, _ in unknown), *refused]
    missing = find_missing(scope, seen, doubtful, on=on)
    report.missing_in_file, report.notes = missing.listed, found.notes + shared + missing.notes
    return Comparison(found, planned, held, refused, unknown, missing, report)


def _tied(
    organization: Organization, rows: list[AccountRow]
) -> tuple[dict[Key, list[AccountRow]], list[tuple[AccountRow, str]], dict[Key, str]]:
    """Return the rows by person and system, those whose person nobody can tell, with why, and known user IDs.

    Empties ``rows``.
    """
    sought = Sought()
    for row in rows:
        sought.add(row, authority_of(row.system))
    people, ids = known_holders(organization, sought)
    del sought
    holders = Holders(people)
    by_key: dict[Key, list[AccountRow]] = defaultdict(list)
    unknown: list[tuple[AccountRow, str]] = []
    rows.reverse()
    while rows:
        row = rows.pop()
        wanted = Wanted(
            row.first_name, row.last_name, row.number, row.email, row.user_id, authority_of(row.system), row.facility
        )
        person = holders.find(wanted)
        if isinstance(person, int):
            by_key[person, row.system.key].append(row)
        else:
            unknown.append((row, person))
    return by_key, unknown, ids


def _shared_ids(by_key: Mapping[Key, list[AccountRow]]) -> list[str]:
    """Return remarks about user IDs that the list gives to several people: as it says so, a finding will follow."""
    lines: dict[tuple[int, str], dict[int, int]] = defaultdict(dict)  # person -> the first line
    for (person, _), rows in by_key.items():
        for row in rows:
            if row.user_id:
                lines[authority_of(row.system), id_key(row.user_id)].setdefault(person, row.line)
    shared = sorted(sorted(people.values()) for people in lines.values() if len(people) > 1)
    return [
        f"Lines {first} and {second} give one user ID to two people: a slip, or an account that they share?"
        for first, second, *_ in shared[:_SHOWN]
    ]


def _rejection(row: AccountRow, column: str, reason: str) -> Rejection:
    return Rejection(row.line, column, reason, row.number, row.email, row.first_name, row.last_name, row.facility)


def _unknown(row: AccountRow, reason: str) -> dict[str, Any]:
    said = f"{row.first_name} {row.last_name}".strip() or row.email or row.number or row.user_id
    return {"line": row.line, "name": said, "system": row.system.slug, "reason": reason}
