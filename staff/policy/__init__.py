"""Compares a roster with the register. Pure: plain values in, plain values out; `docs/flows/roster.md` tells the rules.

Whatever is in doubt is rejected and said. No doubt ever ends somebody's employment: that is what `leavers` is for.
"""

from collections.abc import Callable, Iterable
from datetime import date

from staff.policy.grouping import Group, grouped, reject
from staff.policy.leavers import Seen, brakes, end_missing, missing_people
from staff.policy.matching import Register, matched
from staff.policy.names import bare_number, digits, folded
from staff.policy.times import Plan, planned
from staff.policy.values import (
    AnyChange,
    Change,
    Difference,
    Kind,
    Known,
    Newcomer,
    Record,
    Rejection,
    Stint,
    Time,
)

__all__ = [
    "AnyChange",
    "Change",
    "Difference",
    "Kind",
    "Known",
    "Record",
    "Rejection",
    "Stint",
    "Time",
    "diff",
]


def diff(records: Iterable[Record], rejected: Iterable[Rejection], people: Iterable[Known], *, on: date) -> Difference:
    """Return what a roster changes on the day ``on``; applying it and comparing again finds nothing.

    ``records`` are read once, and each row is forgotten as soon as it is known what it changes. ``rejected``: rows
    that could not be read, which protect the people they may be about.
    """
    result = Difference(rejected=list(rejected))
    groups, conflicts, result.merged = grouped(records)
    register = Register(people)
    matches, refused = matched(groups, register)
    del groups
    result.rejected += conflicts + refused
    seen = Seen()
    same: dict[tuple[int, ...], tuple[int, ...]] = {}  # of all who work at one facility in memory once
    matches.reverse()
    while matches:  # in memory once, as rows or as what they change
        group, known = matches.pop()
        change, wrong = _change(group, known, on, seen)
        if wrong:
            result.rejected += wrong
            continue
        seen.facilities.update(record.facility for record in group)
        if known:
            places = tuple([record.facility for record in group])
            seen.places[known.key] = same.setdefault(places, places)
        if change is not None:
            seen.changes.append(change)
        elif known is None or known.key not in seen.lagging:
            result.unchanged += 1
    result.still_listed = sorted(line for lines in seen.lagging.values() for line in lines)
    _let_go(result, seen, register, on)
    result.changes = seen.changes
    result.brakes = brakes(result, register, on=on)
    result.rejected.sort(key=lambda row: row.line)
    return result


def _let_go(result: Difference, seen: Seen, register: Register, on: date) -> None:
    """Let the leavers go, unless a rejected row may be about anybody: then nobody's time ends in this run."""
    untied = [row.line for row in result.rejected if not register.is_tied(row)]
    missing = missing_people(register, seen, result, on=on)
    if not untied:
        result.unchanged -= end_missing(missing, seen, on=on)
        return
    leavers = [change for change in seen.changes if isinstance(change, Change) and change.kind is Kind.LEAVER]
    for change in leavers:  # what else her row says is taken
        change.kind, change.voided, change.opened, change.ended = Kind.UPDATED, [], [], None
    seen.changes = [change for change in seen.changes if change.columns or change.opened or change.voided]
    result.held_back += len(missing) + len(leavers)
    if len(untied) == 1:
        which, may = f"row in line {untied[0]}", "it may"
    else:
        which, may = f"rows in line {untied[0]} and {len(untied) - 1:,} more", "they may"
    result.notes.append(
        f"No leaver was applied: the rejected {which} cannot be tied to one known person, so {may} be about"
        f" anybody. Otherwise {result.held_back:,} would have been."
    )


def _change(group: Group, known: Known | None, on: date, seen: Seen) -> tuple[AnyChange | None, list[Rejection] | None]:
    """Return (what becomes of the person, None) or (None, the rows as rejected)."""
    columns = _columns(group, known)
    plans = [planned(record, _stints(known, record.facility), on=on) for record in group]
    wrong = next((plan.wrong for plan in plans if plan.wrong), "")
    if wrong:
        reasons = [plan.wrong or "another row of the same person is rejected" for plan in plans]
        return None, [reject(record, "end_date", reason) for record, reason in zip(group, reasons, strict=True)]
    if known:
        if any(plan.at_work for plan in plans):
            seen.at_work.add(known.key)
        lagging = [record.line for record, plan in zip(group, plans, strict=True) if plan.still_listed]
        if lagging:
            seen.lagging[known.key] = lagging
    opened = [time for plan in plans for time in plan.opened]
    voided = [stint for plan in plans for stint in plan.voided]
    if (known is None and not opened) or not (columns or opened or voided):
        return None, None
    if known is None:
        return Newcomer(group[0].line, columns, opened), None
    left = next((record.facility for record, plan in zip(group, plans, strict=True) if plan.left), None)
    return Change(_kind(known, plans, on), group[0].line, known, columns, voided, opened, left), None


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
