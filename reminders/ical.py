"""A calendar as RFC 5545 writes it: whole days, in the words of `reminders.calendar_entries`."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from icalendar import Alarm, Calendar, Event

from accounts.calendar_words import written_on
from reminders.calendar_entries import MOST, Entries, Entry

BEFORE: Final = timedelta(days=-2, hours=9)  # nine in the morning, two days before; by the clock of the calendar
AGAIN: Final = timedelta(hours=6)  # how soon a calendar that listens asks again


def calendar_bytes(name: str, found: Entries, on: date) -> bytes:
    """Return the calendar as UTF-8; the same dates on the same day give the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", "-//Portalkeeper//CMS dates//EN")
    calendar.add("version", "2.0")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    if found.cut:
        calendar.add("description", f"Only the {MOST} soonest entries; the rest is in Portalkeeper.")
    calendar.add("refresh-interval", AGAIN, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    for entry in found.entries:
        calendar.add_component(_event(entry, host, on))
    return calendar.to_ical()


def _event(entry: Entry, host: str, on: date) -> Event:
    event = Event()
    event.add("uid", f"{entry.mark}@{host}")
    # When the words were written: the day, not the second, or every answer would look new.
    event.add("dtstamp", datetime.combine(on, time.min, UTC))
    event.add("sequence", entry.sequence)
    event.add("dtstart", entry.on)
    event.add("dtend", entry.on + timedelta(days=1))
    event.add("summary", entry.title)
    event.add("description", "\n".join([*entry.lines, entry.url, written_on(on)]))
    event.add("url", entry.url)
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT")  # nobody is busy all day because of it
    if entry.alarm:
        event.add_component(_alarm(entry))
    return event


def _alarm(entry: Entry) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", entry.title)
    alarm.add("trigger", BEFORE)
    return alarm
