"""What a list of accounts changes, as bytes until it is written: a hundred thousand changes, in parts."""

import marshal
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from accounts.lists.words import Systems, SystemWords
from accounts.policy.listing import Certified, Change, Granted
from staff.policy.packing import day_at, day_of, loaded, ordinal


@dataclass(slots=True)
class Planned:
    """What one person's rows on one system change; ``account`` is its key once that is known."""

    person: int
    system: SystemWords
    change: Change
    account: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """Return the person and the system at which she signs in: her identity is there."""
        return self.person, self.system.authority or self.system.key

    @property
    def asks_above(self) -> bool:
        """Whether an account is opened or told its user ID, so that the one at the authority is asked for."""
        return self.change.account is None or bool(self.change.user_id)


class Plans:
    """Changes in order, those of a person together; each is read anew at each reading."""

    __slots__ = ("_accounts", "_packed", "_persons", "_systems", "asking")

    def __init__(self, systems: Systems) -> None:
        self._systems = systems
        self._packed: list[bytes] = []
        self._persons, self._accounts = array("q"), array("q")  # account 0: a new one
        self.asking: set[tuple[int, int]] = set()  # places at which accounts above are asked for

    def append(self, person: int, system: SystemWords, change: Change) -> None:
        """Add what the rows of one person on one system change."""
        planned = Planned(person, system, change)
        if planned.asks_above:
            self.asking.add(planned.place)
        self._persons.append(person)
        self._accounts.append(change.account or 0)
        self._packed.append(_packed(planned))

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[Planned]:
        return (self[at] for at in range(len(self)))

    def __getitem__(self, at: int) -> Planned:
        return _planned(self._packed[at], self._systems)

    @property
    def known(self) -> set[int]:
        """Return the keys of the accounts that change."""
        return set(self._accounts) - {0}

    @property
    def opened(self) -> int:
        """Return how many accounts are new."""
        return self._accounts.count(0)

    def parts(self, most: int) -> Iterator[list[Planned]]:
        """Yield them some ``most`` at a time, all changes of a person in one part."""
        start = 0
        while start < len(self):
            end = min(start + most, len(self))
            while end < len(self) and self._persons[end] == self._persons[end - 1]:
                end += 1
            yield [self[at] for at in range(start, end)]
            start = end


def _packed(planned: Planned) -> bytes:
    change = planned.change
    granted = [(*told[:2], ordinal(told.since), told.line) for told in change.grants]
    certified = [(*told[:2], ordinal(told.on), told.by) for told in change.certified]
    return marshal.dumps((
        planned.person, planned.system.key, change.account, change.line, ordinal(change.opened_on), change.status,
        change.was, change.user_id, change.never, ordinal(change.login_on), change.lost, granted, change.ended,
        certified,
    ))  # fmt: skip


def _planned(packed: bytes, systems: Systems) -> Planned:
    person, system, account, line, opened, status, was, user_id, never, login, lost, granted, ended, certified = loaded(
        packed
    )
    change = Change(
        account, line, day_of(opened), status, was, user_id, never, day_of(login), lost,
        tuple([Granted(facility, role, day_at(since), row) for facility, role, since, row in granted]),
        ended,
        tuple([Certified(facility, role, day_at(on), by) for facility, role, on, by in certified]),
    )  # fmt: skip
    return Planned(person, systems.by_key[system], change)
