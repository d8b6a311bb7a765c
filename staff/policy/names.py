"""When two spellings are one name, one number, one phone: for comparing only, never for storing."""

import re
import unicodedata
from functools import lru_cache
from typing import Final, Protocol

_NICKNAME: Final = re.compile(r"\([^)]*\)|[\"“][^\"”]*[\"”]")


class Named(Protocol):
    """Anything with a first and a last name."""

    @property
    def first_name(self) -> str: ...

    @property
    def last_name(self) -> str: ...


@lru_cache(maxsize=4_096)  # names repeat near each other; more is memory for little
def folded(text: str) -> str:
    """Return the letters and digits of a text, without case and accents: O’Brien-Née and OBRIEN NEE are one."""
    if not text.isascii():
        text = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    return "".join(filter(str.isalnum, text.casefold()))


def full_name(who: Named) -> str:
    """Return what is compared of a whole name."""
    return f"{_plain(who.last_name)}, {_plain(who.first_name)}"


def _plain(text: str) -> str:
    """Return a folded name without what stands in brackets or quotation marks: Carol (CJ) and Carol are one."""
    return folded(_NICKNAME.sub(" ", text)) or folded(text)


def agree(one: Named, other: Named) -> bool:
    """Return whether two names may be one person's: the last names are equal, or the first words of the first."""
    if folded(one.last_name) == folded(other.last_name):
        return True
    first, second = first_word(one.first_name), first_word(other.first_name)
    return bool(first) and first == second


def first_word(text: str) -> str:
    """Return the first word of a first name as it is compared: Mary of Mary Ann."""
    return folded(text.split(maxsplit=1)[0]) if text.strip() else ""


def bare_number(number: str) -> str:
    """Return an employee number without what a spreadsheet may have taken: zeros in front, case, spaces."""
    upper = number.replace(" ", "").upper()
    return (number if number == upper else upper).lstrip("0")  # the same object where nothing is taken


def digits(phone: str) -> str:
    """Return the digits of a phone number without a leading 1 of eleven."""
    found = re.sub(r"\D", "", phone)
    return found[1:] if len(found) == 11 and found[0] == "1" else found
