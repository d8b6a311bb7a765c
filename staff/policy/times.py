"""What one row means for the times that the register knows of one person at one facility."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from staff.policy.names import folded
from staff.policy.values import Record, Stint, Time

_DAY = timedelta(days=1)


@dataclass(slots=True)
class Plan:
    """Times to void and to write. ``began``: at work here from now on; ``left``: no more; ``moved``: another job.

    ``at_work``: the row says that she works here, whether that is news or not.
    """

    voided: list[Stint] = field(default_factory=list)
    opened: list[Time] = field(default_factory=list)
    began: bool = False
    left: bool = False
    moved: bool = False
    at_work: bool = False
    still_listed: bool = False
    wrong: str = ""  # why the row cannot be: then nothing else is set


def planned(row: Record, stints: list[Stint], *, on: date) -> Plan:
    """Return what the row changes. ``stints``: the person's known times at this facility in order."""
    last = stints[-1] if stints else None
    gone = (row.ends_on or on) <= on if row.left else bool(row.ends_on and row.ends_on < on)
    if gone:
        return _leaving(row, last, on)
    if last is None:
        return Plan(
            opened=[Time(row.facility, row.job_title, row.starts_on or on, row.ends_on)], began=True, at_work=True
        )
    goes_on = last.ends_on is None or last.ends_on > on
    if goes_on or last.ends_on == row.ends_on:
        return _going_on(row, stints, on)
    return _coming_back(row, last, on)


def leaving_today(stint: Stint, *, on: date) -> Plan:
    """Return the end of a time because the person is missing in the file: today is the last day."""
    return Plan([stint], [Time(stint.facility, stint.job_title, stint.starts_on, on)], left=True)


def _leaving(row: Record, last: Stint | None, on: date) -> Plan:
    if last is None:
        return Plan()  # left before we knew her: not our business
    employed = last.ends_on is None or last.ends_on >= on
    if not employed and (row.ends_on is None or not last.from_file):
        return Plan()
    end = row.ends_on or on
    if last.ends_on == end:
        return Plan()
    if row.ends_on is None and last.ends_on is not None and last.ends_on <= on:
        return Plan()
    if end < last.starts_on:
        return Plan(wrong=f"the end lies before the start that is known here ({last.starts_on.isoformat()})")
    ended = Time(last.facility, last.job_title, last.starts_on, end)
    return Plan([last], [ended], left=employed)


def _going_on(row: Record, stints: list[Stint], on: date) -> Plan:
    last = stints[-1]
    end = row.ends_on if row.ends_on is not None else last.ends_on
    new_job = bool(row.job_title) and folded(row.job_title) != folded(last.job_title)
    moved = new_job and bool(last.job_title)
    if moved and row.starts_on and last.starts_on < row.starts_on <= (end or date.max) and last.starts_on <= on:
        before = Time(row.facility, last.job_title, last.starts_on, row.starts_on - _DAY)
        after = Time(row.facility, row.job_title, row.starts_on, end)  # the day of the new job, not of the first one
        return Plan([last], [before, after], moved=True, at_work=True)
    chain = _chain(stints)
    start = _corrected_start(row, stints, chain, end)
    plan = Plan(at_work=True)
    if start is not None and chain[0] is not last:
        plan.voided.append(chain[0])
        plan.opened.append(Time(row.facility, chain[0].job_title, start, chain[0].ends_on))
    begins = start if start is not None and chain[0] is last else last.starts_on
    job = row.job_title if new_job else last.job_title
    if not new_job and end == last.ends_on and begins == last.starts_on:
        return plan
    plan.moved = moved
    plan.voided.append(last)
    if plan.moved and begins < on:  # the old job was true until yesterday
        plan.opened.append(Time(row.facility, last.job_title, begins, on - _DAY))
        begins = on
    plan.opened.append(Time(row.facility, job, begins, end))
    return plan


def _chain(stints: list[Stint]) -> list[Stint]:
    """Return the last time and those that lead up to it without a day between them."""
    chain = [stints[-1]]
    for stint in reversed(stints[:-1]):
        if stint.ends_on is None or stint.ends_on + _DAY != chain[0].starts_on:
            break
        chain.insert(0, stint)
    return chain


def _corrected_start(row: Record, stints: list[Stint], chain: list[Stint], end: date | None) -> date | None:
    """Return the start that the row gives where it corrects the known one and leaves no overlap; else None."""
    start = row.starts_on
    if start is None or any(start == stint.starts_on for stint in chain):
        return None
    until = end if chain[0] is stints[-1] else chain[0].ends_on
    if until is not None and start > until:
        return None
    before = stints[: len(stints) - len(chain)]
    if any(stint.ends_on is None or stint.ends_on >= start for stint in before):
        return None
    return start


def _coming_back(row: Record, last: Stint, on: date) -> Plan:
    assert last.ends_on is not None
    later = row.starts_on is not None and row.starts_on > last.ends_on
    if not later and not last.from_file:  # a person typed the end; a roster that lags behind does not undo it
        return Plan(still_listed=True)
    start = row.starts_on if later and row.starts_on else max(on, last.ends_on + _DAY)
    if row.ends_on is not None and row.ends_on < start:
        return Plan()
    return Plan(
        opened=[Time(row.facility, row.job_title or last.job_title, start, row.ends_on)], began=True, at_work=True
    )
