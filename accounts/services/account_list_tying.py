"""Whose each row of a list of accounts is, a part of the rows after the other: a long list is in memory packed."""

from array import array
from itertools import groupby, islice
from typing import Final

from accounts.lists.cleaning import AccountRow
from accounts.lists.packing import account_of
from accounts.lists.reading import AccountList
from accounts.lists.words import Systems
from accounts.policy.holders import Holders, Wanted, id_key
from accounts.services.account_register import Sought, authority_of, known_holders
from facilities.models import Organization

Packed = bytes | list[bytes]  # the row of one person, or her rows if there are several
_ROWS_AT_ONCE: Final = 50_000  # of which the people whom they may mean are in memory together
_SHOWN: Final = 20  # user IDs of several people that are remarked on


def tied(
    organization: Organization, found: AccountList
) -> tuple[dict[int, Packed], list[tuple[AccountRow, str]], list[str]]:
    """Return the rows by person, those whose person nobody can tell, with why, and remarks on user IDs.

    Takes the rows out of ``found``. Four queries for each part of the rows.
    """
    by_person: dict[int, Packed] = {}
    unknown: list[tuple[AccountRow, str]] = []
    ids = _GivenIds()
    remaining = found.take_accounts()
    while part := list(islice(remaining, _ROWS_AT_ONCE)):
        rows = [account_of(each, found.systems) for each in part]
        holders = _holders(organization, rows)
        for packed, row in zip(part, rows, strict=True):
            person = holders.find(_wanted(row))
            if isinstance(person, str):
                unknown.append((row, person))
                continue
            _put(by_person, person, packed)
            if row.user_id:
                ids.add(authority_of(row.system), row.user_id, person, row.line)
    return by_person, unknown, ids.remarks()


def rows_of(packed: Packed, systems: Systems) -> list[AccountRow]:
    """Return all rows of a person."""
    return [account_of(each, systems) for each in ([packed] if isinstance(packed, bytes) else packed)]


def _put(by_person: dict[int, Packed], person: int, packed: bytes) -> None:
    before = by_person.get(person)
    if before is None:
        by_person[person] = packed
    elif isinstance(before, bytes):
        by_person[person] = [before, packed]
    else:
        before.append(packed)


def _holders(organization: Organization, rows: list[AccountRow]) -> Holders:
    """Return the people whom these rows may mean."""
    sought = Sought()
    for row in rows:
        sought.add(row, authority_of(row.system))
    return Holders(known_holders(organization, sought))


def _wanted(row: AccountRow) -> Wanted:
    return Wanted(
        row.first_name, row.last_name, row.number, row.email, row.user_id, authority_of(row.system), row.facility
    )


class _GivenIds:
    """The user IDs that a list gives, each as a number that stands for it, with whose row it is."""

    def __init__(self) -> None:
        self._ids, self._people, self._lines = array("q"), array("q"), array("q")

    def add(self, authority: int, user_id: str, person: int, line: int) -> None:
        self._ids.append(hash((authority, id_key(user_id))))
        self._people.append(person)
        self._lines.append(line)

    def remarks(self) -> list[str]:
        """Return remarks about IDs that the list gives to several people: as it says so, a finding will follow."""
        shared: list[list[int]] = []
        ordered = sorted(range(len(self._ids)), key=self._ids.__getitem__)  # stable: lines rise within an ID
        for _, same in groupby(ordered, key=self._ids.__getitem__):
            lines: dict[int, int] = {}  # person -> the first line
            for at in same:
                lines.setdefault(self._people[at], self._lines[at])
            if len(lines) > 1:
                shared.append(sorted(lines.values()))
        return [
            f"Lines {first} and {second} give one user ID to two people: a slip, or an account that they share?"
            for first, second, *_ in sorted(shared)[:_SHOWN]
        ]
