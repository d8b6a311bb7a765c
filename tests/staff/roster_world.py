"""A register in memory: what the services do with a difference, without a database."""

from datetime import date
from itertools import count

from staff.policy import Difference, Known, Record, Stint, diff

ON = date(2026, 11, 25)
OAK, ELM = 1, 2


def stint(key, facility=OAK, job="Nurse", starts_on=date(2020, 1, 1), ends_on=None, *, from_file=True):
    return Stint(key, facility, job, starts_on, ends_on, from_file)


def known(key, first="Ada", last="Example", number="", email="", *stints, phone=""):
    return Known(key, 1, first, last, number, email, phone, stints or (stint(key),))


def row(line, first="Ada", last="Example", number="", email="", facility=OAK, **more):
    return Record(line, facility, first, last, number, email, **more)


def compare(records, people, rejected=(), on=ON):
    return diff(records, rejected, people, on=on)


def applied(people: list[Known], difference: Difference) -> list[Known]:
    """Return the register after the changes."""
    after = {person.key: person for person in people}
    keys = count(max(after, default=0) + 1)
    stints = count(max((each.key for person in people for each in person.stints), default=0) + 1)
    for change in difference.changes:
        person = change.person or Known(next(keys), 1, "", "", "", "", "")
        gone = {each.key for each in change.voided}
        opened = [Stint(next(stints), *time) for time in change.opened]
        kept = [each for each in person.stints if each.key not in gone]
        after[person.key] = person._replace(**change.columns, stints=(*kept, *opened))
    return list(after.values())


__all__ = ["ELM", "OAK", "ON", "applied", "compare", "known", "row", "stint"]
