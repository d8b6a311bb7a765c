"""The plain values that the comparison of a roster with the register takes and returns."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a run means for one person. ``updated``: contact data or dates only, same job at the same place."""

    JOINER = "joiner"
    MOVER = "mover"
    LEAVER = "leaver"
    UPDATED = "updated"


class Record(NamedTuple):
    """One row of a roster, cleaned: she works at ``facility``. Empty texts and None mean "the row does not say"."""

    line: int
    facility: int
    first_name: str
    last_name: str
    number: str = ""
    email: str = ""
    phone: str = ""
    job_title: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    left: bool = False  # the row's status says that she left


class Stint(NamedTuple):
    """A time at a facility as the register knows it; ``ends_on`` is the last day worked."""

    key: int
    facility: int
    job_title: str
    starts_on: date
    ends_on: date | None
    from_file: bool = True  # written by an import, not typed by a person


class Known(NamedTuple):
    """A person of the register."""

    key: int
    version: int
    first_name: str
    last_name: str
    number: str
    email: str
    phone: str
    stints: tuple[Stint, ...] = ()
    contact_changed_on: date | None = None


class Rejection(NamedTuple):
    """A row that is not taken. What could be read of it serves to find the people it may be about."""

    line: int
    column: str
    reason: str
    number: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    facility: int | None = None


class Time(NamedTuple):
    """A time at a facility to be written."""

    facility: int
    job_title: str
    starts_on: date
    ends_on: date | None


@dataclass(slots=True)
class Change:
    """What becomes of one person: new columns, times to void and times to write."""

    kind: Kind
    line: int | None  # None: she is missing in the file
    person: Known | None  # None: somebody new
    columns: dict[str, str] = field(default_factory=dict)
    voided: list[Stint] = field(default_factory=list)
    opened: list[Time] = field(default_factory=list)
    ended: int | None = None  # the facility that she left
