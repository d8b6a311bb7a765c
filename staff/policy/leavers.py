"""Who left because the file does not have her, and when so many are missing that the file must be wrong.

Leavers are looked for only in facilities that occur in the file. A person whom a rejected row may be about stays.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from staff.policy.difference import Difference
from staff.policy.likeness import Newcomer, Newcomers
from staff.policy.matching import Register
from staff.policy.names import full_name
from staff.policy.packing import Changes
from staff.policy.times import leaving_today
from staff.policy.values import Change, Kind, Known, Rejection, Stint

# The brake. A facility of any size loses three people in a month; a fifth of a large one, or more than half of a
# small one, do not vanish between two rosters.
FEW: Final = 3
SHARE: Final = 0.2
SMALL_SHARE: Final = 0.5


class Apart(NamedTuple):
    """Somebody whom the file has, but not everywhere where she works; ``change``: its place among the changes."""

    facilities: set[int]
    at_work: bool
    change: int | None


@dataclass(slots=True)
class Seen:
    """What the rows of a file came to: facilities, whom it has, what changes so far."""

    facilities: set[int] = field(default_factory=set)
    settled: set[int] = field(default_factory=set)  # people whom the file has wherever they work
    apart: dict[int, Apart] = field(default_factory=dict)  # others whom it has
    places: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # newcomers: first line -> (line, facility)
    lagging: dict[int, list[int]] = field(default_factory=dict)  # person -> lines that a typed end overrules
    changes: Changes = field(default_factory=Changes)

    def note(self, known: Known, facilities: set[int], change: Change | None, *, at_work: bool, on: date) -> None:
        """Note where the file has somebody; ``change`` was just added. ``at_work``: a row says that she works there."""
        if all(stint.facility in facilities for stint in known.stints if _at_work(stint, on)):
            self.settled.add(known.key)
        else:
            self.apart[known.key] = Apart(facilities, at_work, len(self.changes) - 1 if change else None)

    def drop_newcomers(self, lines: Collection[int]) -> None:
        """Forget the newcomers whose first row stands in one of these lines."""
        self.changes = Changes(each for each in self.changes if each.person is not None or each.line not in lines)


Missing = tuple[Known, list[Stint]]
_MAY_BE: Final = (
    "this may be {name}, who is missing in this file. If it is, correct the name, or give the employee number or e-mail"
    " that is known here; somebody new is to be added under People first"
)


def missing_people(register: Register, seen: Seen, result: Difference, *, on: date) -> Iterator[Missing]:
    """Yield everybody who works at a facility of the file and is not in it, with the times that end."""
    protected = {key for row in result.rejected for key in register.may_mean(row)}
    return (each for each in _gone(register, seen, on) if each[0].key not in protected)


def refuse_doubtful(missing: Iterable[Missing], seen: Seen, result: Difference, *, on: date) -> set[int]:
    """Reject newcomers who may be somebody of ``missing``; return the keys of these people, who stay.

    Neither is taken: with a newcomer beside her the next file would make a leaver of her.
    """
    gone = [each for each in missing if each[0].key not in seen.apart]
    if not gone:
        return set()
    newcomers = Newcomers(_newcomers(seen, gone), on=on)
    held: set[int] = set()
    refused: set[int] = set()
    for known, stints in gone:
        for new in newcomers.like(known, stints):
            held.add(known.key)
            if new.line not in refused:
                refused.add(new.line)
                result.rejected += _refusals(new, known, seen)
    if refused:
        seen.drop_newcomers(refused)
    return held


def _newcomers(seen: Seen, gone: list[Missing]) -> Iterator[Newcomer]:
    """Yield the newcomers at places where somebody is missing, or with the name of somebody who is."""
    places = {stint.facility for _, stints in gone for stint in stints}
    names = {full_name(known) for known, _ in gone}
    for change in seen.changes.of(Kind.JOINER):
        if change.person is not None or change.line is None:
            continue
        said = change.columns
        new = Newcomer(
            change.line, said["first_name"], said["last_name"], said["number"], said["email"], said["phone"],
            tuple(change.opened),
        )  # fmt: skip
        if any(time.facility in places for time in new.times) or full_name(new) in names:
            yield new


def _refusals(new: Newcomer, known: Known, seen: Seen) -> Iterator[Rejection]:
    name = f"{known.first_name} {known.last_name}" + (f" ({known.number})" if known.number else "")
    said = (new.number, new.email, new.first_name, new.last_name)
    for line, facility in seen.places.get(new.line) or [(new.line, new.times[0].facility)]:
        yield Rejection(line, "last_name", _MAY_BE.format(name=name.strip()), *said, facility)


def _gone(register: Register, seen: Seen, on: date) -> Iterator[Missing]:
    for known in register.others(seen.settled):
        apart = seen.apart.get(known.key)
        gone = [
            stint
            for stint in known.stints
            if stint.facility in seen.facilities
            and not (apart and stint.facility in apart.facilities)
            and _at_work(stint, on)
        ]
        if gone:
            yield known, gone


def end_missing(missing: Iterable[Missing], seen: Seen, *, on: date) -> int:
    """Add the ends to the changes; return how many people of them the file has elsewhere without a change.

    Whoever the file has at work elsewhere moved; the end joins the change that her row makes.
    """
    were_unchanged = 0
    for known, gone in missing:
        apart = seen.apart.get(known.key)
        kind = Kind.MOVER if apart and apart.at_work else Kind.LEAVER
        place = apart.change if apart else None
        if place is None:
            were_unchanged += apart is not None and known.key not in seen.lagging
            change = Change(kind, None, known)
        else:
            change = seen.changes[place]
            change.kind = kind if change.kind is Kind.UPDATED else change.kind
        plans = [leaving_today(stint, on=on) for stint in gone]
        change.voided += [stint for plan in plans for stint in plan.voided]
        change.opened += [time for plan in plans for time in plan.opened]
        change.ended = gone[0].facility
        if place is None:
            seen.changes.append(change)
        else:
            seen.changes.put(place, change)
    return were_unchanged


def _at_work(stint: Stint, on: date) -> bool:
    return stint.starts_on <= on and (stint.ends_on is None or stint.ends_on > on)


def brakes(result: Difference, register: Register, *, on: date) -> dict[int, tuple[int, int]]:
    """Return {facility: (leavers, employed)} for facilities that lose too many people for the file to be right."""
    leaving: dict[int, set[int]] = defaultdict(set)
    for change in result.changes.of(Kind.LEAVER):
        if change.person is not None:
            for stint in change.voided:
                leaving[stint.facility].add(change.person.key)
    employed: dict[int, set[int]] = defaultdict(set)
    for known in register if leaving else ():
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
