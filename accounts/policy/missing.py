"""What a list of accounts does not show: roles of known accounts at places that it speaks of. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import NamedTuple, Protocol

from staff.policy.names import bare_number, folded

_ALIKE = 0.75  # from here on two names may be one, misspelled: Carrol Tset and Carol Test

Place = tuple[int, int]  # system, facility
Seen = dict[Place, dict[int, tuple[int, ...] | None]]  # whom a list shows there: roles, None where a row names none


class Listed(Protocol):
    """A row that is tied to a person."""

    @property
    def facility(self) -> int: ...
    @property
    def roles(self) -> tuple[int, ...]: ...


class Doubtful(Protocol):
    """What could be read of a row that was not taken."""

    @property
    def number(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def first_name(self) -> str: ...
    @property
    def last_name(self) -> str: ...
    @property
    def facility(self) -> int | None: ...


class Owner(NamedTuple):
    """Who holds an account."""

    first_name: str
    last_name: str
    number: str
    email: str


class Has(NamedTuple):
    """One role of one account at one facility that the list speaks of."""

    account: int
    person: int
    system: int
    facility: int
    role: int
    owner: Owner


@dataclass(slots=True)
class Gap:
    """An account at a facility that the list does not show, or of which it does not show ``roles``."""

    account: int
    person: int
    system: int
    facility: int
    roles: list[int] = field(default_factory=list)
    whole: bool = True  # no row is about the person there


def note_seen(seen: Seen, person: int, system: int, rows: Iterable[Listed]) -> None:
    """Note what the rows of one person on one system show."""
    for row in rows:
        people = seen.setdefault((system, row.facility), {})
        known = people.get(person, ())
        if known is None or not row.roles:
            people[person] = None
        else:
            people[person] = (*known, *row.roles) if known else row.roles


def gaps(held: Iterable[Has], seen: Seen, doubtful: Iterable[Doubtful]) -> list[Gap]:
    """Return what is missing, by account and facility. ``held``: roles of running accounts, an account's together.

    Nothing is missing that a row which was not taken may be about.
    """
    doubts: dict[int | None, list[Doubtful]] = defaultdict(list)
    for row in doubtful:
        doubts[row.facility].append(row)
    found: dict[tuple[int, int], Gap] = {}
    for each in held:
        people = seen.get((each.system, each.facility), {})
        shown = people.get(each.person, ())
        if shown is None or each.role in shown:
            continue
        rows = (*doubts.get(each.facility, ()), *doubts.get(None, ()))
        gap = found.get((each.account, each.facility))
        if gap is None:
            if any(may_mean(row, each.owner) for row in rows):
                continue
            gap = Gap(each.account, each.person, each.system, each.facility, whole=each.person not in people)
            found[each.account, each.facility] = gap
        gap.roles.append(each.role)
    return list(found.values())


def may_mean(row: Doubtful, owner: Owner) -> bool:
    """Return whether a row may be about this person: one key or name is hers, or hers misspelled, or it has none."""
    if row.email and row.email == owner.email:
        return True
    if row.number and owner.number and bare_number(row.number) == bare_number(owner.number):
        return True
    first, last = folded(row.first_name), folded(row.last_name)
    if not last and not first:
        return not (row.email and owner.email) and not (row.number and owner.number)
    own_first, own_last = folded(owner.first_name), folded(owner.last_name)
    if first == own_first or (last == own_last and first[:1] == own_first[:1]):
        return True
    return SequenceMatcher(None, first + last, own_first + own_last).ratio() >= _ALIKE


def cut(missing: Collection[Gap], total: Mapping[Place, int], most: int) -> list[tuple[int, int, int, int]]:
    """Return (system, facility, missing, held) where more than ``most`` and half of the accounts are missing.

    ``total``: how many accounts are held at each place that the list speaks of.
    """
    lost: dict[Place, int] = defaultdict(int)
    for gap in missing:
        lost[gap.system, gap.facility] += gap.whole
    return [
        (*place, count, total[place])
        for place, count in sorted(lost.items())
        if count > most and count * 2 > total[place]
    ]
