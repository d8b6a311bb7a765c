"""Federal holidays by the words of the statute: judges the calendar that the product uses."""

from datetime import date, timedelta


def nth(year, month, weekday, number):
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def federal_holidays(year):
    """5 U.S.C. 6103, with the days observed instead: Friday for a Saturday, Monday for a Sunday."""
    last_of_may = date(year, 5, 31)
    days = {
        nth(year, 1, 0, 3), nth(year, 2, 0, 3), last_of_may - timedelta(days=last_of_may.weekday()),
        nth(year, 9, 0, 1), nth(year, 10, 0, 2), nth(year, 11, 3, 4),
    }  # fmt: skip
    fixed = [date(year, 1, 1), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25), date(year + 1, 1, 1)]
    if year >= 2021:
        fixed.append(date(year, 6, 19))
    for day in fixed:
        days |= {day, day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))}
    return days
