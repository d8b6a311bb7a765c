"""Guesses how a column writes its days, from all its values, and reads them. Pure: no clock, the caller gives it.

Most forms can be told from one value. Only 03/04/2026 cannot: it is a day of March in one country and of April in
another, so the other values of the column decide, then the file's other columns, then the custom of the United States.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

from systems.policy import EASTERN

MONTH_FIRST: Final = "month first"
DAY_FIRST: Final = "day first"
MIXED: Final = "mixed"
_NAMES: Final = {
    MONTH_FIRST: "month/day/year",
    DAY_FIRST: "day/month/year",
    MIXED: "both day/month/year and month/day/year",
}
_NOTHING: Final = frozenset(
    {"", "-", "--", "n/a", "na", "none", "null", "nil", "tbd", "present", "current", "00/00/0000", "0000-00-00", "0"}
)
_NEVER_BEFORE: Final = 1930
_FOR_EVER: Final = 2090  # 12/31/9999 and its like mean "no end"
_AHEAD: Final = 10  # years after today that a roster may speak of
_OUTWEIGHS: Final = 10  # a form found this much oftener makes the other one a mistake
_EXCEL_EPOCH: Final = date(1899, 12, 30)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_CLOCK: Final = re.compile(r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[ap]\.?m\.?)?( ?(z|utc|[+-]\d{2}:?\d{2}))?$", re.I)
_INSTANT: Final = re.compile(
    r"[T ](\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)? ?(?:([ap])\.?m\.?)? ?(?:z|utc|([+-])(\d{2}):?(\d{2}))$", re.I
)
_ISO: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_COMPACT: Final = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_NUMBERS: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_SERIAL: Final = re.compile(r"\d{5}(\.\d+)?")
_WORD_SECOND: Final = re.compile(
    r"(?:[a-z]+,? +)?(\d{1,2})(?:st|nd|rd|th)?[-. /]*([a-z]{3,9})\.?,?[-. /]*(\d{4}|\d{2})", re.I
)
_WORD_FIRST: Final = re.compile(
    r"(?:[a-z]+day,? +)?([a-z]{3,9})\.?[-. /]*(\d{1,2})(?:st|nd|rd|th)?,?[-. /]+(\d{4}|\d{2})", re.I
)


def in_words(value: date) -> str:
    """Return a day as people read it: ``Thu 3 Dec 2026``."""
    return f"{value:%a} {value.day} {value:%b} {value.year}"


class NoDay(ValueError):  # noqa: N818  (a verdict on a cell)
    """The text is no day that this column can mean; the message says why without naming the column."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a column writes days. ``order`` matters for 03/04/2026 only; ``assumed``: nothing in the file decided it."""

    order: str = MONTH_FIRST
    assumed: bool = False
    shown: str = ""


@dataclass(frozen=True, slots=True)
class _Count:
    month_first: int = 0
    day_first: int = 0
    open: int = 0
    dots: int = 0
    iso: int = 0
    words: int = 0
    serial: int = 0


def guess_styles(columns: Mapping[str, Iterable[str]]) -> dict[str, Style]:
    """Return each column's style; a column that cannot tell takes the order of those that can."""
    counts = {name: _counted(values) for name, values in columns.items()}
    decided = {name: order for name, count in counts.items() if (order := _order(count))}
    agreed = set(decided.values()) - {MIXED}
    borrowed = agreed.pop() if len(agreed) == 1 else None
    return {name: _style(count, decided.get(name), borrowed) for name, count in counts.items()}


def _counted(values: Iterable[str]) -> _Count:
    month_first = day_first = either = dots = iso = words = serial = 0
    for value in set(values):
        text = _bare(value)
        if text.lower() in _NOTHING:
            continue
        if match := _NUMBERS.fullmatch(text):
            first, second = int(match[1]), int(match[3])
            dots += match[2] == "."
            month_first += first <= 12 < second <= 31
            day_first += second <= 12 < first <= 31
            either += first <= 12 and second <= 12 and first != second
        elif _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
            iso += 1
        elif _SERIAL.fullmatch(text):
            serial += 1
        elif any(letter.isalpha() for letter in text):
            words += 1
    return _Count(month_first, day_first, either, dots, iso, words, serial)


def _order(count: _Count) -> str | None:
    if not count.month_first and not count.day_first:
        return None
    if count.month_first >= _OUTWEIGHS * count.day_first:
        return MONTH_FIRST
    if count.day_first >= _OUTWEIGHS * count.month_first:
        return DAY_FIRST
    return MIXED


def _style(count: _Count, decided: str | None, borrowed: str | None) -> Style:
    custom = DAY_FIRST if count.dots and count.dots >= count.open else MONTH_FIRST
    order = decided or borrowed or custom
    forms = []
    if count.month_first or count.day_first or count.open:
        forms.append(_NAMES[order].replace("/", ".") if count.dots else _NAMES[order])
    forms += ["year-month-day"] * bool(count.iso) + ["with the month's name"] * bool(count.words)
    forms += ["a spreadsheet's day numbers"] * bool(count.serial)
    return Style(order, bool(count.open) and not (decided or borrowed), ", ".join(forms))


def read_day(text: str, style: Style, *, on: date) -> date | None:
    """Return the day, or None for an empty cell and for words such as "present" or a year such as 9999.

    Of an instant with its zone the day in US Eastern is meant, where all days are counted.

    Raises NoDay for what is no day, what could be two days, and days before 1930 or more than ten years ahead.
    """
    bare = _bare(text)
    if bare.lower() in _NOTHING:
        return None
    year, month, day = _parts(bare, style, on)
    if year >= _FOR_EVER:
        return None
    try:
        found = date(year, month, day)
    except ValueError:
        raise NoDay("there is no such day") from None
    found = _in_eastern(found, text.strip())
    if not _NEVER_BEFORE <= found.year <= on.year + _AHEAD:
        raise NoDay(f"the year {found.year} cannot be meant")
    return found


def _in_eastern(day: date, text: str) -> date:
    match = _INSTANT.search(text)
    if match is None:
        return day
    hour, minute = int(match[1]), int(match[2])
    if match[3]:
        hour = hour % 12 + 12 * (match[3].lower() == "p")
    if not hour and not minute:  # a day, as programs write days
        return day
    away = timedelta(hours=int(match[5] or 0), minutes=int(match[6] or 0)) * (-1 if match[4] == "-" else 1)
    try:
        return datetime.combine(day, time(hour, minute), timezone(away)).astimezone(ZoneInfo(EASTERN)).date()
    except ValueError:
        raise NoDay("there is no such time of day") from None
    except OverflowError:  # the first hours of the year 1, which programs write for no day
        raise NoDay(f"the year {day.year} cannot be meant") from None


def _bare(text: str) -> str:
    return _CLOCK.sub("", text.strip()).strip()


def _parts(text: str, style: Style, on: date) -> tuple[int, int, int]:
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        return int(match[1]), int(match[2]), int(match[3])
    if match := _NUMBERS.fullmatch(text):
        month, day = _month_and_day(int(match[1]), int(match[3]), style)
        return _year(match[4], on), month, day
    if _SERIAL.fullmatch(text):
        found = _EXCEL_EPOCH + timedelta(days=int(text.partition(".")[0]))
        return found.year, found.month, found.day
    if match := _WORD_FIRST.fullmatch(text):
        return _year(match[3], on), _month(match[1]), int(match[2])
    if match := _WORD_SECOND.fullmatch(text):
        return _year(match[3], on), _month(match[2]), int(match[1])
    raise NoDay("this is no day")


def _month_and_day(first: int, second: int, style: Style) -> tuple[int, int]:
    if style.order == MIXED:
        if first <= 12 and second <= 12 and first != second:
            raise NoDay("this could be two days, and the column writes both day first and month first")
        return (second, first) if first > 12 else (first, second)
    return (second, first) if style.order == DAY_FIRST else (first, second)


def _month(word: str) -> int:
    start = word[:3].lower()
    names = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
             "november", "december", "sept")  # fmt: skip
    if start not in _MONTHS or not any(name.startswith(word.lower()) for name in names):
        raise NoDay("there is no such month")
    return _MONTHS.index(start) + 1


def _year(digits: str, on: date) -> int:
    """Two digits mean the year nearest to today that lies at most ten years ahead."""
    if len(digits) == 4:
        return int(digits)
    year = on.year // 100 * 100 + int(digits)
    return year if year <= on.year + _AHEAD else year - 100
