"""Compares a roster with the register. Pure: plain values in, plain values out; `docs/flows/roster.md` tells the rules.

Whatever is in doubt is rejected and said. No doubt ever ends somebody's employment: that is what `leavers` is for.
"""

from collections.abc import Callable, Iterable
from datetime import date

from staff.policy.difference import Difference
from staff.policy.grouping import Group, grouped, reject
from staff.policy.leavers import Seen, brakes, end_missing, missing_people, refuse_doubtful
from staff.policy.matching import Matching, Register
from staff.policy.names import bare_number, digits, folded
from staff.policy.packing import Changes
from staff.policy.times import Plan, planned
from staff.policy.values import Change, Kind, Known, Record, Rejection, Stint, Time

__all__ = ["Change", "Difference", "Kind", "Known", "Record", "Rejection", "Stint", "Time", "diff"]


def diff(
    records: Iterable[Record | bytes], rejected: Iterable[Rejection], people: Iterable[Known], *, on: date
) -> Difference:
    """Return what a roster changes on the day ``on``; applying it and comparing again finds nothing.

    ``records``, packed or not, are read first, then ``people``, each once; a row is forgotten as soon as it is known
    what it changes.
    ``rejected``: rows that could not be read, which protect the people they may be about.
    """
    result = Difference(rejected=list(rejected))
    groups, conflicts, result.merged = grouped(records)
    register = Register(people)
    matching = Matching(groups, register)
    seen = Seen()
    for group, known in matching.found():
        plans = [planned(record, _stints(known, record.facility), on=on) for record in group]
        if any(plan.wrong for plan in plans):
            result.rejected += _wrong(group, plans)
            continue
        change = _change(group, known, plans, on)
        if change is not None:
            seen.changes.append(change)
            if known is None and len(group) > 1:
                seen.places[group[0].line] = [(record.line, record.facility) for record in group]
        facilities = {record.facility for record in group}
        seen.facilities |= facilities
        if known is not None:
            seen.note(known, facilities, change, at_work=any(plan.at_work for plan in plans), on=on)
        lagging = [record.line for record, plan in zip(group, plans, strict=True) if plan.still_listed]
        if known is not None and lagging:
            seen.lagging[known.key] = lagging
        elif change is None:
            result.unchanged += 1
    result.rejected += conflicts + matching.rejected
    result.still_listed = sorted(line for lines in seen.lagging.values() for line in lines)
    _let_go(result, seen, register, on)
    result.changes = seen.changes
    result.brakes = brakes(result, register, on=on)
    result.rejected.sort(key=lambda row: row.line)
    return result


def _let_go(result: Difference, seen: Seen, register: Register, on: date) -> None:
    """Let the leavers go, unless a rejected row may be about anybody: then nobody's time ends in this run."""
    untied = sorted(row.line for row in result.rejected if not register.is_tied(row))
    missing = list(missing_people(register, seen, result, on=on))
    stay = refuse_doubtful(missing, seen, result, on=on)
    missing = [each for each in missing if each[0].key not in stay]
    result.held_back += len(stay)
    if not untied:
        result.unchanged -= end_missing(missing, seen, on=on)
        return
    held_back = len(missing) + seen.changes.count(Kind.LEAVER)
    result.held_back += held_back
    if held_back:  # what else their rows say is taken
        seen.changes = Changes(filter(None, map(_without_leaving, seen.changes)))
    if len(untied) == 1:
        which, may = f"row in line {untied[0]}", "it may"
    else:
        which, may = f"rows in line {untied[0]} and {len(untied) - 1:,} more", "they may"
    result.notes.append(
        f"No leaver was applied: the rejected {which} cannot be tied to one known person, so {may} be about"
        f" anybody. Otherwise {f'{held_back:,}' if held_back else 'none'} would have been."
    )


def _without_leaving(change: Change) -> Change | None:
    if change.kind is not Kind.LEAVER:
        return change
    return Change(Kind.UPDATED, change.line, change.person, change.columns) if change.columns else None


def _wrong(group: Group, plans: list[Plan]) -> list[Rejection]:
    reasons = [plan.wrong or "another row of the same person is rejected" for plan in plans]
    return [reject(record, "end_date", reason) for record, reason in zip(group, reasons, strict=True)]


def _change(group: Group, known: Known | None, plans: list[Plan], on: date) -> Change | None:
    """Return what becomes of the person, if anything."""
    columns = _columns(group, known)
    opened = [time for plan in plans for time in plan.opened]
    voided = [stint for plan in plans for stint in plan.voided]
    if (known is None and not opened) or not (columns or opened or voided):
        return None
    if known is None:
        return Change(Kind.JOINER, group[0].line, None, columns, [], opened)
    left = next((record.facility for record, plan in zip(group, plans, strict=True) if plan.left), None)
    return Change(_kind(known, plans, on), group[0].line, known, columns, voided, opened, left)


def _kind(known: Known, plans: list[Plan], on: date) -> Kind:
    employed = any(stint.ends_on is None or stint.ends_on >= on for stint in known.stints if stint.starts_on <= on)
    began = any(plan.began for plan in plans)
    if began and not employed:
        return Kind.JOINER
    if began or any(plan.moved for plan in plans):
        return Kind.MOVER
    if any(plan.left for plan in plans):
        return Kind.LEAVER if all(plan.left for plan in plans) else Kind.MOVER
    return Kind.UPDATED


def _stints(known: Known | None, facility: int) -> list[Stint]:
    if known is None:
        return []
    return sorted((stint for stint in known.stints if stint.facility == facility), key=lambda stint: stint.starts_on)


def _columns(group: Group, known: Known | None) -> dict[str, str]:
    """Return the columns of the person that change; an empty cell changes nothing."""
    said = {
        name: next((value for record in group if (value := getattr(record, name))), "")
        for name in ("first_name", "last_name", "email", "phone", "number")
    }
    if known is None:
        return said
    return {
        name: value
        for name, value in said.items()
        if value and value != (before := getattr(known, name)) and _SEEN_AS[name](value) != _SEEN_AS[name](before)
    }


# Spelling alone changes nothing: two lists that differ in capitals would else overwrite each other every night.
_SEEN_AS: dict[str, Callable[[str], str]] = {
    "first_name": folded,
    "last_name": folded,
    "email": str,
    "phone": digits,
    "number": bare_number,
}
