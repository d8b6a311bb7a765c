"""By when a document has to be acknowledged again (R-13, R-14). Pure: plain values in, plain values out."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from systems.policy import Due, PolicyVersion, due

FIRST_AFTER_DAYS: Final = 30  # nobody is late on the day an organization switches the rule on (design section 4)


def acknowledgement_due(
    *,
    last_on: date | None,
    enabled_on: date,
    chain: Sequence[PolicyVersion],
    in_force_from: Iterable[date] = (),
) -> Due | None:
    """Return the last day for the next acknowledgement, None without a rule.

    The limit counts from the last acknowledgement; a version of the document that took effect since asks for it on
    its own day (``in_force_from``: the days on which versions took effect). Without any acknowledgement, and for
    whoever was late already, the first day is 30 days after the organization switched the rule on.
    """
    found = due(last_on or enabled_on, chain) if chain else None
    if found is None:
        return None
    first = enabled_on + timedelta(days=FIRST_AFTER_DAYS)
    if last_on is None:
        return Due(first, found.version)
    newer = min((day for day in in_force_from if day > last_on), default=date.max)
    return Due(max(first, min(found.due_on, newer)), found.version)
