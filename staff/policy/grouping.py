"""Which rows of one roster are one person: the same employee number, else the same work e-mail."""

from collections import defaultdict
from collections.abc import Iterable

from staff.policy.names import folded, full_name
from staff.policy.values import Record, Rejection

Group = list[Record]  # all rows of one person, one a facility


def reject(record: Record, column: str, reason: str) -> Rejection:
    """Return the row as rejected; what it says stays known, to protect the people it may be about."""
    return Rejection(
        record.line, column, reason, record.number, record.email, record.first_name, record.last_name, record.facility
    )


def grouped(records: Iterable[Record]) -> tuple[list[Group], list[Rejection], int]:
    """Return the people of the file, the rows that contradict each other, and how many rows only repeat another."""
    by_number: dict[str, Group] = {}
    rest: list[Record] = []
    for record in records:  # may be the last time that anybody has them
        if record.number:
            _add(by_number, record.number, record)
        else:
            rest.append(record)
    number_of: dict[str, str] = {}
    shared: dict[str, set[str]] = {}  # only what several numbers have: a set for everybody would be most of the memory
    for number, group in by_number.items():
        for record in group:
            if record.email and number_of.setdefault(record.email, number) != number:
                shared.setdefault(record.email, {number_of[record.email]}).add(number)
    rejected = _share_an_address(by_number, shared)
    by_email: dict[str, Group] = {}
    nameless: list[Record] = []  # rows with nothing but a name
    for record in rest:
        owner = number_of.get(record.email, "") if record.email else ""
        if record.email in shared or (owner and owner not in by_number):
            rejected.append(reject(record, "email", "several people in this file have this e-mail"))
        elif owner:
            by_number[owner].append(record)
        elif record.email:
            _add(by_email, record.email, record)
        else:
            nameless.append(record)
    groups = [*by_number.values(), *by_email.values()]
    singles, doubtful = _by_name_alone(nameless, groups)
    kept, conflicts, merged = _consistent(groups)
    return kept + singles, rejected + doubtful + conflicts, merged


def _add(groups: dict[str, Group], key: str, record: Record) -> None:
    """Add a row to its person: most have one, and a list made for one is half as large as a list that grew to one."""
    group = groups.get(key)
    if group is None:
        groups[key] = [record]
    else:
        group.append(record)


def _share_an_address(by_number: dict[str, Group], shared: dict[str, set[str]]) -> list[Rejection]:
    """Take out people of different numbers with one e-mail: one person twice, or two who share it, nobody can tell."""
    rejected = []
    for numbers in shared.values():
        lines = sorted(record.line for number in numbers for record in by_number.get(number, ()))
        reason = f"lines {_listed(lines)} have one e-mail and different employee numbers"
        for number in numbers:
            rejected += [reject(record, "email", reason) for record in by_number.pop(number, ())]
    return rejected


def _by_name_alone(nameless: list[Record], groups: list[Group]) -> tuple[list[Group], list[Rejection]]:
    """Return rows without number and e-mail as people of their own, unless the name stands twice at one facility."""
    if not nameless:
        return [], []
    lines: dict[tuple[int, str], list[int]] = defaultdict(list)
    for record in (*nameless, *(record for group in groups for record in group)):
        lines[record.facility, full_name(record)].append(record.line)
    singles, doubtful = [], []
    for record in nameless:
        same = lines[record.facility, full_name(record)]
        if len(same) == 1:
            singles.append([record])
            continue
        reason = (
            f"lines {_listed(same)} have one name: only an employee number or e-mail tells whether it is one person"
        )
        doubtful.append(reject(record, "last_name", reason))
    return singles, doubtful


def _consistent(groups: list[Group]) -> tuple[list[Group], list[Rejection], int]:
    kept, rejected, merged = [], [], 0
    for group in groups:
        if len(group) == 1:
            kept.append(group)
            continue
        column = _contradiction(group)
        if column:
            what = "employee number" if group[0].number else "e-mail"
            lines = _listed([record.line for record in group])
            reason = f"lines {lines} have one {what} but differ in {column.replace('_', ' ')}"
            rejected += [reject(record, column, reason) for record in group]
            continue
        places = {record.facility: record for record in reversed(group)}
        merged += len(group) - len(places)
        kept.append(sorted(places.values()))
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
