"""From what people type or paste to a CCN, in the order measured on real lists; a repair is only ever a proposal.

Of 37,440 real numbers with one digit left out, padding with a zero gave a known state code every time and the
right state in 3.4 %: so a padded number needs the state to agree and a person (or a report line) to confirm it.
"""

import enum
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from facilities.ccn.forms import Number, parse, split_suffix
from facilities.ccn.tables import state_names

_APOSTROPHES: Final = "'\u2018\u2019`"
_WRAPPED: Final = re.compile(r'=?\s*"([^"]*)"')
_TAX_NUMBER: Final = re.compile(r"[0-9]{2}-[0-9]{7}")
_SCIENTIFIC: Final = re.compile(r"([1-9])(?:[.,]([0-9]*))?E\+?([0-9]{1,3})")
_NEGATIVE_EXPONENT: Final = re.compile(r"[0-9.,]+E-[0-9]+")
_WHOLE_FLOAT: Final = re.compile(r"([0-9]+)(?:\.0+|,00?)")
_SUFFIXED_WITHOUT_ZERO: Final = re.compile(r"[1-9][0-9]{4}00[0-9]")
_NO_CCN: Final = {"N/A", "NA", "N.A.", "NONE", "NOTAPPLICABLE", "LICENSEDONLY"}
_LETTERS_FOR_DIGITS: Final = str.maketrans("OI", "01")


class Kind(enum.Enum):
    """What became of the text."""

    MISSING = "missing"  # nothing was given
    NO_CCN = "licensed_only"  # N/A and the like: licensed by the state, no number
    ACCEPTED = "accepted"
    UNKNOWN_STATE = "unknown_state_code"  # well-formed, but the code is in no table: ask, don't refuse for ever
    PROPOSED = "restored"
    AMBIGUOUS = "ambiguous"
    CONTRADICTED = "state_conflict"  # a repair is possible, but the state speaks against it
    REFUSED = "invalid"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text was read. ``number`` is set for ACCEPTED, UNKNOWN_STATE and PROPOSED; ``why`` is a sentence."""

    kind: Kind
    number: Number | None = None
    extension: str = ""
    readings: tuple[str, ...] = ()
    why: str = ""


def clean(text: str) -> str:
    """Return ``text`` in NFKC, upper case, trimmed, without invisible marks, spreadsheet quotes and wrappers."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(mark for mark in text if unicodedata.category(mark) != "Cf")  # zero-width, soft hyphen, marks
    text = text.strip().lstrip(_APOSTROPHES).strip()
    wrapped = _WRAPPED.fullmatch(text)
    return (wrapped[1] if wrapped else text).strip().lstrip(_APOSTROPHES).upper()


def plain_dashes(text: str) -> str:
    """Return ``text`` with every kind of dash and minus as ``-``."""
    if text.isascii():
        return text
    return "".join("-" if unicodedata.category(mark) == "Pd" or mark in "\u2212\u2043" else mark for mark in text)


def read_state(text: str) -> str | None:
    """Return the postal abbreviation for an abbreviation or a name; None for anything else."""
    wanted = " ".join(clean(text).replace(".", "").split())
    names = state_names()
    if wanted in names:
        return wanted
    return next((code for code, name in names.items() if name.upper().replace(".", "") == wanted), None)


def read_ccn(text: str, *, state: str = "") -> Reading:
    """Read one CCN field. ``state`` is a postal abbreviation or empty; it decides between readings of a repair.

    A number that needs no repair is ACCEPTED whatever ``state`` says: comparing the two is the caller's question.
    """
    if number := parse(text):  # nearly every row of a list; what follows would give the same
        return _taken(number)
    cleaned = plain_dashes(clean(text))
    compact = re.sub(r"[\s\-]", "", cleaned)
    if not compact:  # also a lone hyphen, which CMS writes for "no value"
        return Reading(Kind.MISSING, why="No CCN was given.")
    if compact in _NO_CCN:
        return Reading(Kind.NO_CCN, why="No CCN: licensed by its state only.")
    something_else = _something_else(cleaned, compact)
    if something_else:
        return Reading(Kind.REFUSED, why=something_else)
    whole = _WHOLE_FLOAT.fullmatch(compact)
    exact = whole[1] if whole and len(whole[1]) == 6 else compact
    if number := parse(exact):
        return _taken(number)
    if split := split_suffix(compact):
        return _suffixed_repair(compact, split[0], state) or _taken(*split)
    return _repaired(compact, whole[1] if whole else compact, state)


def _taken(number: Number, extension: str = "") -> Reading:
    if number.state is None:
        why = f"{number.state_code} is not a state code we know: please check the first two characters."
        return Reading(Kind.UNKNOWN_STATE, number, extension, why=why)
    return Reading(Kind.ACCEPTED, number, extension)


def _suffixed_repair(compact: str, number: Number, state: str) -> Reading | None:
    """Read 15009001 as 015009 with suffix 001 where the state says so, rather than as 150090 with 01.

    Three of the 52 numbers with three digits behind them in the SNF enrollments begin with a zero that can be lost.
    """
    if not _SUFFIXED_WITHOUT_ZERO.fullmatch(compact) or (state and number.state == state):
        return None
    padded = parse("0" + compact[:5])
    if padded is None or padded.state is None or (state and padded.state != state):
        return None
    if state:
        return _proposal([padded], compact[5:], state)
    return _proposal([number, padded], "", state)


def _something_else(cleaned: str, compact: str) -> str:
    """Say what the text plainly is instead of a CCN; empty if it may be one."""
    if cleaned.startswith("#"):
        return f"{cleaned[:20]} is a spreadsheet error, not a CCN."
    if re.fullmatch(r"[0-9]{10}(\.0+)?", compact):
        return "Ten digits are an NPI, not a CCN. A CCN has six characters."
    if _TAX_NUMBER.fullmatch(cleaned):
        return "This looks like a tax number (EIN), not a CCN."
    if _NEGATIVE_EXPONENT.fullmatch(cleaned.replace(" ", "")):
        return "A spreadsheet turned this into a small number; the CCN cannot be told from it."
    tokens = [token for token in re.split(r"[\s,;/|&+]+|\bAND\b|\bOR\b", cleaned) if re.search("[0-9]", token)]
    if sum(len(token.replace("-", "")) >= 5 for token in tokens) > 1:
        return "There is more than one number in this field."
    return ""


def _repaired(compact: str, digits: str, state: str) -> Reading:
    extension = ""
    if match := _SCIENTIFIC.fullmatch(compact):
        texts = _scientific_readings(match[1], (match[2] or "").rstrip("0"), int(match[3]))
        if not texts:
            return Reading(Kind.REFUSED, why="A spreadsheet rounded this number; the CCN cannot be told from it.")
    elif re.fullmatch(r"[1-9][0-9]{3,4}", digits):
        texts = [digits.zfill(6)]
    else:
        swapped = compact.translate(_LETTERS_FOR_DIGITS)
        if not parse(swapped):
            swapped, extension = compact[:6].translate(_LETTERS_FOR_DIGITS), compact[6:]
        changed = swapped + extension != compact
        texts = [swapped] if changed and (not extension or split_suffix(swapped + extension)) else []
    numbers = [number for number in map(parse, texts) if number and number.state is not None]
    return _proposal(numbers, extension, state) if numbers else Reading(Kind.REFUSED, why=_why_not(compact))


def _scientific_readings(first: str, second: str, exponent: int) -> list[str]:
    """Return the CCNs that a spreadsheet shows as d.dE+n: ``ddEnnn`` with n - 1, for one digit also ``0dEnnn``."""
    if len(second) > 1:
        return []
    if second:
        return [f"{first}{second}E{exponent - 1:03d}"] if exponent else []
    readings = [f"0{first}E{exponent:03d}"]
    return [*readings, f"{first}0E{exponent - 1:03d}"] if exponent else readings


def _proposal(numbers: list[Number], extension: str, state: str) -> Reading:
    texts = tuple(number.ccn for number in numbers)
    if state:
        fitting = [number for number in numbers if number.state == state]
        if not fitting:
            named = " or ".join(f"{number.ccn} ({number.place})" for number in numbers)
            return Reading(Kind.CONTRADICTED, readings=texts, why=f"Could be {named}, but the state says {state}.")
        numbers = fitting
    if len(numbers) > 1:
        named = " or ".join(f"{number.ccn} ({number.place})" for number in numbers)
        return Reading(Kind.AMBIGUOUS, readings=texts, why=f"Could be {named}: the state decides.")
    number = numbers[0]
    return Reading(Kind.PROPOSED, number, extension, texts, f"Read as {number.ccn} ({number.place}): please confirm.")


def _why_not(compact: str) -> str:
    if len(compact) < 6:
        return f"{len(compact)} characters are too few: a CCN has six, some suppliers' ten."
    if len(compact) > 10:
        return f"{len(compact)} characters are too many: a CCN has six, some suppliers' ten."
    if re.fullmatch(r"[0-9A-Z]{2}0000", compact):
        return "0000 is never assigned as the last four digits."
    return "This has none of the forms of a CCN, such as 015009, 01A193, 36T180 or 05C0001831."
