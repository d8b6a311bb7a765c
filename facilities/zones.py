"""The time zone in which a facility lives, guessed from its state and ZIP Code; people may change it.

``data/zip_zones.csv`` holds one default per state and the ZIP ranges that differ (boundaries of 49 CFR part 71,
the Navajo Nation's daylight saving time). Zones that agree today share one name: Indianapolis is New_York here.
"""

from functools import cache

from facilities.ccn import state_of_zip
from facilities.ccn.tables import rows


@cache
def _zones() -> tuple[dict[str, str], dict[str, list[tuple[str, str, str]]]]:
    defaults: dict[str, str] = {}
    ranges: dict[str, list[tuple[str, str, str]]] = {}
    for row in rows("zip_zones.csv"):
        if row["first"]:
            ranges.setdefault(row["state"], []).append((row["first"], row["last"], row["zone"]))
        else:
            defaults[row["state"]] = row["zone"]
    return defaults, ranges


def zone_of(state: str, zip_code: str) -> str:
    """Return the IANA zone for a postal abbreviation and five-digit ZIP; either may be empty or unknown.

    An unknown state is taken from the ZIP. Where neither helps the answer is US Eastern, the zone of CMS's clocks.
    """
    defaults, ranges = _zones()
    if state not in defaults:
        state = state_of_zip(zip_code) or ""
    for first, last, zone in ranges.get(state, ()):
        if first <= zip_code <= last:
            return zone
    return defaults.get(state, "America/New_York")


def all_zones() -> list[str]:
    """Return every zone that a facility may choose, sorted."""
    defaults, ranges = _zones()
    return sorted(set(defaults.values()) | {zone for found in ranges.values() for _, _, zone in found})
