"""When a facility is about to lose all its Security Officials at once (R-18). Pure: plain values in and out."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

NEAR_DAYS: Final = 15  # the newest login is older than 45 of the 60 days


def all_lapsing(due_days: Iterable[date | None], on: date) -> str:
    """Return how bad it is that every official lapses soon: "high", "critical" when all are over, "" while one is safe.

    ``due_days``: each official's last safe day, None where the last login is not known: that one is not safe, and
    alone no reason.
    """
    days = list(due_days)
    known = [day for day in days if day is not None]
    if not known or any(day - on >= timedelta(days=NEAR_DAYS) for day in known):
        return ""
    return "critical" if len(known) == len(days) and max(known) < on else "high"
