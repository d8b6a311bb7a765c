"""Who left because the file does not have her, and when so many are missing that the file must be wrong.

Leavers are looked for only in facilities that occur in the file. A person whom a rejected row may be about stays.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from staff.policy.matching import Register
from staff.policy.names import full_name
from staff.policy.times import leaving_today
from staff.policy.values import AnyChange, Change, Difference, Kind, Known, Newcomer, Stint

# The brake. A facility of any size loses three people in a month; a fifth of a large one, or more than half of a
# small one, do not vanish between two rosters.
FEW: Final = 3
SHARE: Final = 0.2
SMALL_SHARE: Final = 0.5


@dataclass(slots=True)
class Seen:
    """What the rows of a file came to: facilities, where it has whom, who is at work, what changes so far."""

    facilities: set[int] = field(default_factory=set)
    places: dict[int, tuple[int, ...]] = field(default_factory=dict)  # person -> facilities where the file has her
    at_work: set[int] = field(default_factory=set)
    lagging: dict[int, list[int]] = field(default_factory=dict)  # person -> lines that a typed end overrules
    changes: list[AnyChange] = field(default_factory=list)


Missing = tuple[Known, list[Stint]]
_NAMESAKE: Final = (
    "The newcomer in line {line} has the name of somebody who is missing in the file. Whether she is the same person"
    " nobody can tell, so nobody of this name was ended: please decide."
)


def missing_people(register: Register, seen: Seen, result: Difference, *, on: date) -> list[Missing]:
    """Return everybody who works at a facility of the file and is not in it, with the times that end."""
    protected = {key for row in result.rejected for key in register.may_mean(row)}
    newcomers: dict[str, list[Newcomer]] = defaultdict(list)
    for change in seen.changes if register.people else ():
        if isinstance(change, Newcomer):
            newcomers[_name_of(change)].append(change)
    found = []
    for known in register.people:
        here = seen.places.get(known.key, ())
        gone = [
            stint
            for stint in known.stints
            if stint.facility in seen.facilities and stint.facility not in here and _at_work(stint, on)
        ]
        if not gone or known.key in protected:
            continue
        namesake = None if here else _namesake(known, newcomers)
        if namesake is not None:
            result.held_back += 1
            result.notes.append(_NAMESAKE.format(line=namesake.line))
            continue
        found.append((known, gone))
    return found


def end_missing(missing: list[Missing], seen: Seen, *, on: date) -> int:
    """Add the ends to the changes; return how many people of them the file has elsewhere without a change.

    Whoever the file has at work elsewhere moved; the end joins the change that her row makes.
    """
    changed = {change.person.key: change for change in seen.changes if isinstance(change, Change)}
    were_unchanged = 0
    for known, gone in missing:
        change = changed.get(known.key)
        if change is None:
            moved = known.key in seen.at_work
            were_unchanged += known.key in seen.places and known.key not in seen.lagging
            change = Change(Kind.MOVER if moved else Kind.LEAVER, None, known)
            seen.changes.append(change)
        elif change.kind is Kind.UPDATED:
            change.kind = Kind.MOVER if known.key in seen.at_work else Kind.LEAVER
        plans = [leaving_today(stint, on=on) for stint in gone]
        change.voided += [stint for plan in plans for stint in plan.voided]
        change.opened += [time for plan in plans for time in plan.opened]
        change.ended = gone[0].facility
    return were_unchanged


def _namesake(known: Known, newcomers: Mapping[str, list[Newcomer]]) -> Newcomer | None:
    found = newcomers.get(full_name(known), ()) if newcomers else ()
    return next((change for change in found if _may_be(known, change)), None)


def _at_work(stint: Stint, on: date) -> bool:
    return stint.starts_on <= on and (stint.ends_on is None or stint.ends_on > on)


def _name_of(change: Newcomer) -> str:
    columns = change.columns
    return full_name(Known(0, 0, columns["first_name"], columns["last_name"], "", "", ""))


def _may_be(known: Known, newcomer: Newcomer) -> bool:
    """Return whether the newcomer may be the missing person under a new number: unless both keys differ."""
    differ = [
        bool(old and new and old != new)
        for old, new in (
            (known.number, newcomer.columns["number"]),
            (known.email, newcomer.columns["email"]),
        )
    ]
    return not all(differ)


def brakes(result: Difference, register: Register, *, on: date) -> dict[int, tuple[int, int]]:
    """Return {facility: (leavers, employed)} for facilities that lose too many people for the file to be right."""
    leaving: dict[int, set[int]] = defaultdict(set)
    for change in result.changes:
        if change.kind is Kind.LEAVER and change.person is not None:
            for stint in change.voided:
                leaving[stint.facility].add(change.person.key)
    employed: dict[int, set[int]] = defaultdict(set)
    for known in register.people:
        for stint in known.stints:
            if stint.facility in leaving and stint.starts_on <= on and (stint.ends_on is None or stint.ends_on >= on):
                employed[stint.facility].add(known.key)
    return {
        facility: (len(people), len(employed[facility]))
        for facility, people in leaving.items()
        if is_too_many(len(people), len(employed[facility]))
    }


def is_too_many(leavers: int, employed: int) -> bool:
    """Return whether so many of so many cannot have left: more than three and a fifth, or two and half."""
    if leavers > FEW and leavers > SHARE * employed:
        return True
    return leavers >= 2 and leavers > SMALL_SHARE * employed
