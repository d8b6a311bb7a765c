"""The plain values that the comparison of a roster with the register takes and returns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple


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
    person: Known
    columns: dict[str, str] = field(default_factory=dict)
    voided: list[Stint] = field(default_factory=list)
    opened: list[Time] = field(default_factory=list)
    ended: int | None = None  # the facility that she left


_SAID: Final = ("first_name", "last_name", "email", "phone", "number")
_BETWEEN: Final = "\x1f"  # a blank, which no cleaned cell holds


class Newcomer:
    """Somebody new, to be read as a Change. A first roster has a hundred thousand: her columns are one text."""

    __slots__ = ("_said", "_times", "line")
    kind: Final = Kind.JOINER
    person: Final = None
    ended: Final = None

    def __init__(self, line: int, columns: Mapping[str, str], times: Iterable[Time]) -> None:
        self.line = line
        self._said = _BETWEEN.join([columns[name].replace(_BETWEEN, " ") for name in _SAID])
        self._times = tuple(times)

    @property
    def columns(self) -> dict[str, str]:
        """All columns that the file can say, empty where it does not."""
        return dict(zip(_SAID, self._said.split(_BETWEEN), strict=True))

    @property
    def opened(self) -> list[Time]:
        """The times to write."""
        return list(self._times)

    @property
    def voided(self) -> list[Stint]:
        """None: she had no time here."""
        return []


AnyChange = Change | Newcomer


@dataclass(slots=True)
class Difference:
    """What a roster changes. ``held_back`` are leavers that are not applied, with the reason in ``notes``."""

    changes: list[AnyChange] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    unchanged: int = 0
    merged: int = 0  # rows that repeat another row
    held_back: int = 0
    still_listed: list[int] = field(default_factory=list)  # lines of people whose end a person typed here
    notes: list[str] = field(default_factory=list)
    brakes: Mapping[int, tuple[int, int]] = field(default_factory=dict)  # facility -> (leavers, employed)

    def count(self, kind: Kind) -> int:
        """Return how many people the run concerns in this way."""
        return sum(change.kind == kind for change in self.changes)
