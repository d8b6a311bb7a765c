"""The tables behind a CCN, read once from ``facilities/data``.

Sources: State Operations Manual chapter 2, sections 2779A1 to 2779D (state codes of Rev. 226, 2024-12-06); the
three-digit ZIP prefixes are the US Postal Service's public ranges. They are data because CMS keeps adding codes.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).resolve().parent.parent / "data"


@dataclass(frozen=True, slots=True)
class StateCode:
    """First two characters of a CCN. ``state`` is empty for a foreign country; ``seen`` in CMS's lists or not."""

    code: str
    state: str
    name: str
    seen: bool


@dataclass(frozen=True, slots=True)
class ProviderType:
    """What a number says its holder is; ``parent_digit`` leads from a unit to its hospital."""

    code: str
    description: str
    form: str = "provider"
    parent_digit: str = ""


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of one data file as dictionaries of text."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def state_codes() -> dict[str, StateCode]:
    """Return all assigned state codes by their two characters."""
    return {
        row["code"]: StateCode(row["code"], row["state"], row["name"], row["evidence"] == "seen")
        for row in rows("ccn_states.csv")
    }


@cache
def state_names() -> dict[str, str]:
    """Return state name by postal abbreviation."""
    return {row.state: row.name for row in state_codes().values() if row.state}


@cache
def _ranges() -> tuple[tuple[int, int, ProviderType], ...]:
    return tuple(
        (int(row["first"]), int(row["last"]), ProviderType(row["type"], row["description"]))
        for row in rows("ccn_ranges.csv")
    )


def type_of_digits(last_four: str) -> ProviderType | None:
    """Return the type of a provider number by its last four digits; None for 0000, which is not assigned."""
    number = int(last_four)
    return next((kind for first, last, kind in _ranges() if first <= number <= last), None)


@cache
def types_by_letter() -> dict[tuple[str, str], ProviderType]:
    """Return the type by (form, letter); E and F mean other things in another position."""
    return {
        (row["form"], row["letter"]): ProviderType(row["type"], row["description"], row["form"], row["parent_digit"])
        for row in rows("ccn_letters.csv")
    }


@cache
def type_descriptions() -> dict[str, str]:
    """Return one description per type code, the first of the tables."""
    found: dict[str, str] = {}
    for _, _, kind in _ranges():
        found.setdefault(kind.code, kind.description)
    for kind in types_by_letter().values():
        found.setdefault(kind.code, kind.description)
    return found


@cache
def expected_types() -> dict[str, frozenset[str]]:
    """Return the types that belong to a data set, by its key; empty means any."""
    return {row["key"]: frozenset(row["types"].split()) for row in rows("datasets.csv")}


@cache
def dataset_titles() -> dict[str, str]:
    """Return a data set's title by its key."""
    return {row["key"]: row["title"] for row in rows("datasets.csv")}
