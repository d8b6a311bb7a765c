"""Which rows of one roster are one person: the same employee number, else the same work e-mail."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

from staff.policy.names import folded, full_name
from staff.policy.packing import Packed, packed_row, row_of, rows_of
from staff.policy.values import Record, Rejection

Group = list[Record]  # all rows of one person, one a facility


def reject(record: Record, column: str, reason: str) -> Rejection:
    """Return the row as rejected; what it says stays known, to protect the people it may be about."""
    return Rejection(
        record.line, column, reason, record.number, record.email, record.first_name, record.last_name, record.facility
    )


def grouped(records: Iterable[Record | bytes]) -> tuple[list[Packed], list[Rejection], int]:
    """Return the people of the file, the rows that contradict each other, and how many rows only repeat another."""
    by_number: dict[str, Packed] = {}
    rest: list[bytes] = []
    number_of: dict[str, str] = {}
    shared: dict[str, set[str]] = {}  # only what several numbers have: a set for everybody would be most of the memory
    for each in records:
        packed, record = (each, row_of(each)) if isinstance(each, bytes) else (packed_row(each), each)
        if not record.number:
            rest.append(packed)
            continue
        _add(by_number, record.number, packed)
        if record.email and number_of.setdefault(record.email, record.number) != record.number:
            shared.setdefault(record.email, {number_of[record.email]}).add(record.number)
    rejected = _share_an_address(by_number, shared)
    by_email: dict[str, Packed] = {}
    nameless: list[bytes] = []  # rows with nothing but a name
    for packed in rest:
        record = row_of(packed)
        owner = number_of.get(record.email, "") if record.email else ""
        if record.email in shared or (owner and owner not in by_number):
            rejected.append(reject(record, "email", "several people in this file have this e-mail"))
        elif owner:
            _add(by_number, owner, packed)
        elif record.email:
            _add(by_email, record.email, packed)
        else:
            nameless.append(packed)
    groups = [*by_number.values(), *by_email.values()]
    singles, doubtful = _by_name_alone(nameless, groups)
    kept, conflicts, merged = _consistent(groups)
    return kept + singles, rejected + doubtful + conflicts, merged


def _add(groups: dict[str, Packed], key: str, packed: bytes) -> None:
    before = groups.setdefault(key, packed)
    if isinstance(before, list):
        before.append(packed)
    elif before is not packed:
        groups[key] = [before, packed]


def _share_an_address(by_number: dict[str, Packed], shared: dict[str, set[str]]) -> list[Rejection]:
    """Take out people of different numbers with one e-mail: one person twice, or two who share it, nobody can tell."""
    taken = {number: rows_of(by_number.pop(number)) for number in set().union(*shared.values())}
    untold = dict(taken)  # somebody may share one e-mail with the one and one with the other
    rejected = []
    for numbers in shared.values():
        lines = _listed(sorted(record.line for number in numbers for record in taken[number]))
        reason = f"lines {lines} have one e-mail and different employee numbers"
        fresh = [record for number in numbers for record in untold.pop(number, [])]
        rejected += [reject(record, "email", reason) for record in fresh]
    return rejected


def _by_name_alone(nameless: list[bytes], groups: list[Packed]) -> tuple[list[Packed], list[Rejection]]:
    """Return rows without number and e-mail as people of their own, unless the name stands twice at one facility."""
    if not nameless:
        return [], []
    doubles = _doubles(nameless, groups)
    lines: dict[tuple[int, str], list[int]] = defaultdict(list)
    for record in _all_rows(nameless, groups) if doubles else ():
        place = (record.facility, full_name(record))
        if hash(place) in doubles:
            lines[place].append(record.line)
    singles: list[Packed] = []
    doubtful = []
    for packed in nameless:
        record = row_of(packed)
        same = lines.get((record.facility, full_name(record)), [])
        if len(same) < 2:
            singles.append(packed)
            continue
        reason = (
            f"lines {_listed(same)} have one name: only an employee number or e-mail tells whether it is one person"
        )
        doubtful.append(reject(record, "last_name", reason))
    return singles, doubtful


def _all_rows(nameless: list[bytes], groups: list[Packed]) -> Iterator[Record]:
    return chain(map(row_of, nameless), chain.from_iterable(map(rows_of, groups)))


def _doubles(nameless: list[bytes], groups: list[Packed]) -> set[int]:
    """Return hashes of names that stand twice at one facility, and by chance of others: they are looked at again."""
    once: set[int] = set()
    twice: set[int] = set()
    for record in _all_rows(nameless, groups):
        place = hash((record.facility, full_name(record)))
        (twice if place in once else once).add(place)
    return twice


def _consistent(groups: list[Packed]) -> tuple[list[Packed], list[Rejection], int]:
    kept: list[Packed] = []
    rejected, merged = [], 0
    for packed in groups:
        if isinstance(packed, bytes):
            kept.append(packed)
            continue
        group = rows_of(packed)
        column = _contradiction(group)
        if column:
            what = "employee number" if group[0].number else "e-mail"
            lines = _listed([record.line for record in group])
            reason = f"lines {lines} have one {what} but differ in {column.replace('_', ' ')}"
            rejected += [reject(record, column, reason) for record in group]
            continue
        places = {record.facility: record for record in reversed(group)}
        merged += len(group) - len(places)
        kept.append([packed_row(record) for record in sorted(places.values())])
    return kept, rejected, merged


def _contradiction(group: Group) -> str:
    """Return the column in which rows of one person contradict each other; empty if none does."""
    if len({folded(record.last_name) for record in group}) > 1:
        return "last_name"
    if len({folded(record.first_name) for record in group}) > 1:
        return "first_name"
    if len({record.number for record in group if record.number}) > 1:
        return "employee_number"
    if len({record.email for record in group if record.email}) > 1:
        return "email"
    for facility in {record.facility for record in group}:
        here = [record for record in group if record.facility == facility]
        for column in ("job_title", "starts_on", "ends_on", "left"):
            if len({getattr(record, column) for record in here}) > 1:
                return {"starts_on": "start_date", "ends_on": "end_date", "left": "status"}.get(column, column)
    return ""


def _listed(lines: list[int]) -> str:
    shown = [str(line) for line in lines[:5]]
    more = f" and {len(lines) - 5} more" if len(lines) > 5 else ""
    return (", ".join(shown[:-1]) + " and " + shown[-1] if not more else ", ".join(shown)) + more
