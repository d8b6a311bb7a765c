"""By when a role has to be certified again (R-12). Pure: plain values in, plain values out."""

from collections.abc import Sequence
from datetime import date

from systems.policy import Due, PolicyVersion, anniversary, due


def certification_due(
    *, certified_on: date | None, granted_on: date, recorded_on: date, chain: Sequence[PolicyVersion]
) -> Due | None:
    """Return the last day for the next certification, None without a rule.

    It counts from the last certification that we know, else from the grant. A role that was older than a year when
    it was recorded here was still there on that day, so it had been certified at every anniversary before: then the
    last of those counts. That is our inference; without it a whole list of old accounts would be called lost on the
    day it is brought here.
    """
    if not chain:
        return None
    return due(certified_on or _last_anniversary(granted_on, recorded_on), chain)


def _last_anniversary(granted_on: date, recorded_on: date) -> date:
    years = max(0, recorded_on.year - granted_on.year)
    reached = anniversary(granted_on, years)
    return reached if years == 0 or reached <= recorded_on else anniversary(granted_on, years - 1)
