"""What was seen in a system is stronger than what was said: between the last login and that day there was none."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple


class Sighting(NamedTuple):
    """Somebody saw in the system on a day which login was the last one (grade A, design section 4)."""

    last_login_on: date
    seen_on: date


def contradicting(day: date, sightings: Iterable[Sighting]) -> Sighting | None:
    """Return the newest sighting by which there was no login on this day; None where none says so."""
    against = [each for each in sightings if each.last_login_on < day <= each.seen_on]
    return max(against, key=lambda each: each.seen_on, default=None)
