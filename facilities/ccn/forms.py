"""The written forms of a CCN and what each says: State Operations Manual chapter 2, sections 2779A1 to 2779K."""

import re
from dataclasses import dataclass
from typing import Final

from facilities.ccn.tables import ProviderType, StateCode, state_codes, type_of_digits, types_by_letter

# I, N and O stand in no position: a typed O is a zero, a typed I is a one.
_CODE: Final = r"(?P<code>[0-9A-HJ-MP-Z][0-9])"
_FORMS: Final = (
    ("provider", re.compile(_CODE + r"(?P<serial>[0-9]{4})")),
    ("medicaid", re.compile(_CODE + r"(?P<letter>[ABEFGHJKL])(?P<serial>[0-9]{3})")),
    ("unit", re.compile(_CODE + r"(?P<letter>[MRSTUVWYZ])(?P<serial>[0-9]{3})")),
    ("unit", re.compile(_CODE + r"(?P<letter>[ST])(?P<excluded>[A-HJK])(?P<serial>[0-9]{2})")),
    ("opo", re.compile(_CODE + r"(?P<letter>P)(?P<serial>[0-9]{3})")),
    ("emergency", re.compile(_CODE + r"(?P<serial>[0-9]{3})(?P<letter>[EF])")),
    ("supplier", re.compile(_CODE + r"(?P<letter>[CDX])(?P<serial>[0-9]{7})")),
    ("branch", re.compile(_CODE + r"(?P<letter>Q)(?P<parent>[0-9]{4})(?P<serial>[0-9]{3})")),
)
# Units of hospitals that are themselves outside the payment system: letter in position 4 -> the parent's digits.
_PARENTS_DIGITS: Final = ("20", "21", "22", "30", "33", "40", "41", "42", "43", "44")
_EXCLUDED_PARENTS: Final = dict(zip("ABCDEFGHJK", _PARENTS_DIGITS, strict=True))
_SUFFIX: Final = re.compile(r"[A-Z]{1,2}|0[0-9]|00[0-9]")


@dataclass(frozen=True, slots=True)
class Number:
    """A well-formed CCN taken apart. ``state`` is None for an unknown code, empty for a foreign country's."""

    ccn: str
    form: str
    state_code: str
    state: str | None
    place: str
    type: ProviderType
    parent: str = ""


def parse(text: str) -> Number | None:
    """Return the number if ``text`` has exactly one of the forms, upper case and without separators; else None."""
    for form, pattern in _FORMS:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        parts = match.groupdict()
        kind = type_of_digits(parts["serial"]) if form == "provider" else types_by_letter()[form, parts["letter"]]
        if kind is None:
            return None
        known: StateCode | None = state_codes().get(parts["code"])
        state, place = (known.state, known.name) if known else (None, "")
        return Number(text, form, parts["code"], state, place, kind, _parent(parts, kind))
    return None


def split_suffix(text: str) -> tuple[Number, str] | None:
    """Return (number, suffix) for a six-character CCN with an enrollment suffix of 1 to 3 characters, else None."""
    if not 7 <= len(text) <= 9 or not _SUFFIX.fullmatch(text[6:]):
        return None
    number = parse(text[:6])
    return (number, text[6:]) if number else None


def _parent(parts: dict[str, str], kind: ProviderType) -> str:
    if parts.get("parent"):
        return parts["code"] + parts["parent"]
    if parts.get("excluded"):
        return parts["code"] + _EXCLUDED_PARENTS[parts["excluded"]] + parts["serial"]
    return parts["code"] + kind.parent_digit + parts["serial"] if kind.parent_digit else ""
