"""Business days: weekdays that are no US federal holiday, observed days included. Pure."""

from datetime import date, timedelta
from functools import cache
from typing import Final

import holidays

_SATURDAY: Final = 5


@cache
def _federal(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("US", years=year))


def is_business_day(day: date) -> bool:
    """Return whether offices of the federal government are open: no weekend, no federal holiday."""
    return day.weekday() < _SATURDAY and not is_federal_holiday(day)


def is_federal_holiday(day: date) -> bool:
    """Return whether a day is a US federal holiday, or the one on which it is observed."""
    return day in _federal(day.year)


def last_day_before(on: date, count: int) -> date:
    """Return the last day after which so many full business days are over on a day: `add_business_days` turned round.

    Raises ValueError for fewer than one.
    """
    if count < 1:
        raise ValueError("at least one business day lies between")
    day = on - timedelta(days=1)
    while add_business_days(day, count) > on:
        day -= timedelta(days=1)
    return day


def add_business_days(day: date, count: int) -> date:
    """Return the day so many full business days after a day, which itself never counts (CMSN-REG-4).

    Submitted on a Friday, two full business days are Monday and Tuesday. ``count`` 0 is the day itself.
    Raises ValueError for a negative count.
    """
    if count < 0:
        raise ValueError("business days are counted forward")
    while count:
        day += timedelta(days=1)
        count -= is_business_day(day)
    return day
