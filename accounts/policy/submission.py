"""By when the data of a quarter have to be submitted, and when that day is near (R-48). Plain values."""

from datetime import date, timedelta
from typing import Final

NEAR_DAYS: Final = 30  # without the successor's role it is critical inside 30 days of a submission deadline
QUARTERLY: Final = {"pbj": "PBJ-1"}  # stream -> the fact that says how many days after the quarter's end are left


def near_due(on: date, days: int) -> date | None:
    """Return the last day for a quarter's data where it is near, None while it is not.

    ``days``: how many there are after the quarter's end. The last day itself is still near; then the next one counts.
    """
    quarter = date(on.year - 1, 10, 1)
    while True:
        following = (quarter + timedelta(days=93)).replace(day=1)
        due_on = following + timedelta(days=days - 1)
        if due_on >= on:
            return due_on if (due_on - on).days <= NEAR_DAYS else None
        quarter = following
