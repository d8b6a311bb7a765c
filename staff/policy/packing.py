"""The rows of a long roster and what they change, each as bytes: as values they would be four times as large. Pure."""

import marshal
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Any, Final

from staff.policy.values import Change, Kind, Known, Record, Stint, Time

_KINDS: Final = tuple(Kind)
_COLUMNS: Final = ("first_name", "last_name", "email", "phone", "number")
Packed = bytes | list[bytes]  # the row of one person, or her rows if there are several
day_at = lru_cache(maxsize=4_096)(date.fromordinal)  # one object for each of the days, of which a file has few


def packed_row(row: Record) -> bytes:
    """Return a row as bytes."""
    return marshal.dumps((*row[:8], ordinal(row.starts_on), ordinal(row.ends_on), row.left))


def row_of(packed: bytes) -> Record:
    """Return the row that was packed."""
    *columns, starts_on, ends_on, left = loaded(packed)
    return Record._make([*columns, day_of(starts_on), day_of(ends_on), left])


def rows_of(packed: Packed) -> list[Record]:
    """Return all rows of a person."""
    return [row_of(packed)] if isinstance(packed, bytes) else [row_of(each) for each in packed]


class Changes:
    """What becomes of people, in order; read anew at each reading, and what is read is written back by ``put``."""

    __slots__ = ("_packed",)

    def __init__(self, changes: Iterable[Change] = ()) -> None:
        self._packed = [_packed(each) for each in changes]

    def append(self, change: Change) -> None:
        """Add a change."""
        self._packed.append(_packed(change))

    def put(self, place: int, change: Change) -> None:
        """Write a change over the one at a place."""
        self._packed[place] = _packed(change)

    def __getitem__(self, place: int) -> Change:
        return _change(self._packed[place])

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[Change]:
        return map(_change, self._packed)

    def of(self, kind: Kind) -> Iterator[Change]:
        """Yield those of one kind."""
        number = _KINDS.index(kind)
        return (_change(each) for each in self._packed if each[0] == number)

    def count(self, kind: Kind) -> int:
        """Return how many people the run concerns in this way."""
        number = _KINDS.index(kind)
        return sum(each[0] == number for each in self._packed)


def _packed(change: Change) -> bytes:
    known = change.person and _flat(change.person)
    columns = [change.columns.get(name) for name in _COLUMNS]
    times = [(*time[:2], *map(ordinal, time[2:])) for time in change.opened]
    voided = [_flat_stint(stint) for stint in change.voided]
    kind = bytes((_KINDS.index(change.kind),))
    return kind + marshal.dumps((change.line, known, columns, voided, times, change.ended))


def _change(packed: bytes) -> Change:
    line, known, columns, voided, times, ended = loaded(packed[1:])
    return Change(
        _KINDS[packed[0]],
        line,
        known and _person(known),
        {name: value for name, value in zip(_COLUMNS, columns, strict=True) if value is not None},
        [_stint(stint) for stint in voided],
        [Time(facility, job, day_at(starts_on), day_of(ends_on)) for facility, job, starts_on, ends_on in times],
        ended,
    )


def _flat(known: Known) -> tuple[Any, ...]:
    return *known[:7], [_flat_stint(stint) for stint in known.stints], ordinal(known.contact_changed_on)


def _person(flat: tuple[Any, ...]) -> Known:
    return Known._make([*flat[:7], tuple([_stint(stint) for stint in flat[7]]), day_of(flat[8])])


def _flat_stint(stint: Stint) -> tuple[Any, ...]:
    return *stint[:3], ordinal(stint.starts_on), ordinal(stint.ends_on), stint.from_file


def _stint(flat: tuple[Any, ...]) -> Stint:
    key, facility, job, starts_on, ends_on, from_file = flat
    return Stint(key, facility, job, day_at(starts_on), day_of(ends_on), from_file)


def loaded(packed: bytes) -> Any:
    """Return the values that were packed here."""
    return marshal.loads(packed)  # noqa: S302  # nosec B302  (made in this module, never read from anywhere)


def ordinal(day: date | None) -> int:
    """Return a day as a number, 0 for none."""
    return day.toordinal() if day else 0


def day_of(number: int) -> date | None:
    """Return the day of a number, None for 0; the same object for the same day."""
    return day_at(number) if number else None
