"""When access has outlived the work it was for, when a job, a user ID or contact data are others now. Pure."""

from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple

LATE_MOVE_DAYS: Final = 30  # ARS-XFER-1: access is reviewed within this many days of a change of duties


class Time(NamedTuple):
    """A time at a facility; ``until`` is the last day worked, None while it goes on."""

    facility: int
    since: date
    until: date | None
    title: str = ""


class JobChange(NamedTuple):
    """Another job at the same facility: its first day, the title before and the title since."""

    changed_on: date
    was: str
    now: str


def last_day(times: Iterable[Time], on: date) -> date | None:
    """Return the last day worked anywhere of somebody who has left, None for whoever works, will work or never did."""
    known = list(times)
    if not known or any(time.until is None or time.until >= on for time in known):
        return None
    return max(time.until for time in known if time.until)


def moved_on(times: Iterable[Time], facility: int, on: date) -> date | None:
    """Return the last day at a facility of somebody who works on elsewhere only; None where she never worked there."""
    known = list(times)
    working = {time.facility for time in known if time.since <= on and (time.until is None or time.until >= on)}
    there = [time for time in known if time.facility == facility]
    if not working or not there or any(time.until is None or time.until >= on for time in there):
        return None
    return max(time.until for time in there if time.until)


def job_change(times: Iterable[Time], facility: int, on: date) -> JobChange | None:
    """Return the last change of job at a facility of somebody who works there; a time without a title tells nothing."""
    there = sorted(
        (time for time in times if time.facility == facility and time.since <= on),
        key=lambda time: (time.since, time.title.casefold()),
    )
    if not any(time.until is None or time.until >= on for time in there):
        return None
    titled = [time._replace(title=time.title.strip()) for time in there if time.title.strip()]
    changes = [
        JobChange(after.since, before.title, after.title)
        for before, after in pairwise(titled)
        if before.since < after.since and before.title.casefold() != after.title.casefold()
    ]
    return changes[-1] if changes else None


def profile_is_stale(changed_on: date, confirmed_on: date, enabled_on: date) -> bool:
    """Return whether contact data changed after a profile was last right (R-43), since the organization cares."""
    return changed_on >= enabled_on and changed_on > confirmed_on


def gap_severity(last_on: date, on: date) -> str:
    """Return how bad it is that somebody who left still has access: R-33, worse from the second day on."""
    return "high" if (on - last_on).days <= 1 else "critical"


def move_severity(last_on: date, on: date) -> str:
    """Return how bad it is that access stayed as it was for the old place or job: R-38, worse after 30 days."""
    return "medium" if (on - last_on).days <= LATE_MOVE_DAYS else "high"


def id_passed_on(opened_on: date, ended_on: date, years: int) -> bool:
    """Return whether a user ID was given to somebody else within so many years of its last holder's end (R-53)."""
    try:
        free_on = ended_on.replace(year=ended_on.year + years)
    except ValueError:
        free_on = date(ended_on.year + years, 2, 28)
    return ended_on <= opened_on < free_on


def lapses_while_away(lapses_on: date, since: date, until: date | None) -> bool:
    """Return whether a last safe day lies within an absence; ``until`` is the last day away, None while not known."""
    return lapses_on >= since and (until is None or lapses_on <= until)
