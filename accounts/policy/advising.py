"""When CMS's advice about signing in is worth a word (R-03). Pure: plain values in, plain values out."""

from datetime import date
from typing import Final

EARLY_DAYS: Final = 10  # from day 50 of the advised 60


def advice_is_near(last_on: date, limit_days: int, on: date) -> bool:
    """Return whether the day by which a login is advised, so many days after the last one, is near or over."""
    return (on - last_on).days >= limit_days - EARLY_DAYS
