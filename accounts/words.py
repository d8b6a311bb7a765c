"""How the product says dates and counts: one voice for pages and mails. Pure.

Days are given as `datetime.date`, instants as aware `datetime`; nothing here reads the clock.
"""

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from imports.days import in_words
from systems.policy import EASTERN

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ZONES = {
    "America/New_York": "ET",
    "America/Chicago": "CT",
    "America/Denver": "MT",
    "America/Los_Angeles": "PT",
    "America/Anchorage": "AKT",
    "Pacific/Honolulu": "HT",
    "America/Puerto_Rico": "AT",
}


def day(value: date | None) -> str:
    """Return a day as ``Thu 3 Dec 2026``; nothing for None."""
    return in_words(value) if value else ""


def day_short(value: date | None) -> str:
    """Return a day of the near future or past as ``Thu 3 Dec``; nothing for None."""
    return f"{value:%a} {value.day} {value:%b}" if value else ""


def in_days(value: date | None, today: date) -> str:
    """Return how far a day is from ``today``: ``in 12 days``, ``tomorrow``, ``three days ago``."""
    if not value:
        return ""
    away = _plain(value).toordinal() - _plain(today).toordinal()
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(away)
    if near:
        return near
    return f"in {count_word(away)} days" if away > 0 else f"{count_word(-away)} days ago"


def day_in(value: date | None, today: date) -> str:
    """Return ``Thu 3 Dec 2026 (in 12 days)``; nothing for None."""
    return f"{day(value)} ({in_days(value, today)})" if value else ""


def instant(value: datetime | None, zone: str = EASTERN) -> str:
    """Return an instant as ``Thu 3 Dec 2026, 4:05 p.m. ET`` in an IANA zone; nothing for None."""
    if not value:
        return ""
    local = value.astimezone(ZoneInfo(zone))
    return f"{day(local)}, {clock_time(value, zone)}"


def clock_time(value: datetime | None, zone: str = EASTERN) -> str:
    """Return the time of an instant as ``4:05 p.m. ET``; nothing for None."""
    if not value:
        return ""
    local = value.astimezone(ZoneInfo(zone))
    hour = local.hour % 12 or 12
    half = "a.m." if local.hour < 12 else "p.m."
    return f"{hour}:{local.minute:02d} {half} {_ZONES.get(zone) or local.tzname()}"


def zone_short(zone: str) -> str:
    """Return how people write an IANA zone: ``ET``; the city where there is no short word."""
    return _ZONES.get(zone) or f"{zone.rpartition('/')[2].replace('_', ' ')} time"


def count_word(value: int) -> str:
    """Return a count for a sentence: words below ten (``no``, ``one``), else digits with separators."""
    return _SMALL[value] if 0 <= value < len(_SMALL) else f"{value:,}"


def count_noun(value: int, nouns: str) -> str:
    """Return count and noun from ``"login,logins"``: ``one login``, ``12 logins``."""
    one, many = nouns.split(",")
    return f"{count_word(value)} {one if value == 1 else many}"


def listed(values: Iterable[object]) -> str:
    """Return ``a, b and c``."""
    words = [str(value) for value in values]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _plain(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value
