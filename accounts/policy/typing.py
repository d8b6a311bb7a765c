"""When so many logins are typed for others that somebody should ask what they rest on (design 9.12). Pure."""

from datetime import date, timedelta
from typing import Final

WITHIN: Final = timedelta(hours=1)
MOST: Final = 20  # by one member, within that time
_TOLD_FOR: Final = timedelta(days=7)  # then nobody remembers any more, and it closes by itself


def many_typed(count: int) -> bool:
    """Return whether so many logins typed for others within the time are too many to have been looked at."""
    return count > MOST


def told_from(on: date) -> date:
    """Return the first day whose findings are still told on a day; older ones are closed."""
    return on - _TOLD_FOR
