"""By when a step of a request is through. Pure: plain values in, a day or None out.

Where CMS publishes no duration for a decision on its side, we look after it ourselves: after one business day, after
five where the first Security Official has to be approved by CMS, after three weeks where a source speaks of weeks
without a number (R-50; our choice, no CMS limit).
"""

from datetime import date, timedelta
from typing import Final

from accounts.policy.business_days import add_business_days

DECISION_DAYS: Final = 1
FIRST_OFFICIAL_DAYS: Final = 5
WEEKS_DAYS: Final = 15
_DECIDERS: Final = frozenset({"official", "approver"})
# Keys of steps, in the catalogue, that somebody else takes but that are through only once CMS's side has decided.
_WITH_DECISION: Final = frozenset({"ask-again"})


def step_due(
    started_on: date, *, duration: int | None, unit: str, actor: str, takes: str = "", key: str = ""
) -> date | None:
    """Return the last day of a step that began on a day; None where nobody knows how long it takes.

    ``takes``: how long in words, where no number was printed; then the day is the one on which we ask how it stands.
    """
    if duration is None:
        if takes:
            return add_business_days(started_on, WEEKS_DAYS)
        if actor == "cms":
            return add_business_days(started_on, FIRST_OFFICIAL_DAYS)
        decided = actor in _DECIDERS or key in _WITH_DECISION
        return add_business_days(started_on, DECISION_DAYS) if decided else None
    if unit == "business_days":
        return add_business_days(started_on, duration)
    if unit == "calendar_days":
        return started_on + timedelta(days=duration)
    return started_on + timedelta(days=duration // 24 if unit == "hours" else 0)
