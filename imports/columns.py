"""Guesses which column of a list means what, from the titles alone, and says how sure it is. Pure.

Titles only, on purpose: a column that merely holds e-mail addresses may be the supervisor's.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

CHOSEN: Final = 2.0  # a person said so
CERTAIN: Final = 1.0
LIKELY: Final = 0.7

# Words that make a title somebody else's or yesterday's: such a column is never taken on likeness.
_ELSE: Final = frozenset({
    "supervisor", "supervisors", "manager", "managers", "emergency", "personal", "home", "private", "spouse",
    "previous", "former", "prior", "old", "reports", "backup", "alternate", "secondary", "recruiter", "created",
    "updated", "modified", "entered", "next", "contact", "parent", "corporate",
})  # fmt: skip
_SECRET_KEYS: Final = (
    ("a Social Security number", ("ssn", "socialsecurity", "socialsec", "socsec", "taxpayerid", "itin")),
    ("a password", ("password", "passwd", "passcode", "passphrase", "kennwort", "pwd")),
    ("a date of birth", ("dateofbirth", "birthdate", "birthday", "bdate")),
    ("a security question or answer", ("securityquestion", "securityanswer", "secretanswer", "secretquestion",
                                       "challengeanswer", "challengequestion", "maidenname")),
    ("a one-time seed or code", ("totp", "otpauth", "securitycode", "verificationcode", "recoverycode", "backupcode",
                                 "mfaseed", "mfasecret", "mfacode", "2facode")),
)  # fmt: skip
_SECRET_WORDS: Final = {
    "pin": "a PIN", "pins": "a PIN", "pw": "a password", "otp": "a one-time seed or code", "tin": "a tax number",
    "birth": "a date of birth", "dob": "a date of birth", "born": "a date of birth", "ss": "a Social Security number",
}  # fmt: skip
# "Password changed on" is a fact about a password; without one of these words it is the password.
_ABOUT: Final = frozenset({
    "changed", "change", "expires", "expiry", "expired", "age", "reset", "set", "last", "due", "date", "on",
})  # fmt: skip

# As narrow columns are headed: "Hire Dt", "Term Dt", "Emp Nbr", "First Nm", "Ph".
_SHORT: Final = {"dt": "date", "nbr": "number", "nm": "name", "ph": "phone", "addr": "address", "fac": "facility"}


@dataclass(frozen=True, slots=True)
class Field:
    """What a column may mean. ``titles`` are certain, best first; ``likely`` are words that must all be in a title."""

    name: str
    titles: tuple[str, ...]
    likely: tuple[str, ...] = ()
    never: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Column:
    """A column that was understood; ``confidence`` is 1 for a known title, less for a likeness, 2 where chosen."""

    field: str
    position: int
    title: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Guess:
    """What a header means. ``secrets`` are (title, kind) of columns that must not be read at all."""

    columns: dict[str, Column] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()

    def has(self, *names: str) -> bool:
        """Return whether every one of the fields has a column."""
        return all(name in self.columns for name in names)


def title_words(title: str) -> list[str]:
    """Return the words of a title in lower case: ``Emp #`` and ``EmpNumber`` both give emp, number."""
    plain = unicodedata.normalize("NFKC", title).replace("#", " number ")
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)
    return [_SHORT.get(word, word) for word in re.findall(r"[a-z0-9]+", plain.lower().replace("'", ""))]


def column_names(header: Sequence[str]) -> list[str]:
    """Return names of the columns that differ: the title, "Date (2)" where it stands before, "Column 4" without one."""
    names: list[str] = []
    for position, title in enumerate(header, start=1):
        name, times = title or f"Column {position}", 1
        while name in names:
            times += 1
            name = f"{title or f'Column {position}'} ({times})"
        names.append(name)
    return names


def misnamed(header: Sequence[str], fields: Iterable[Field], chosen: Mapping[str, str]) -> str:
    """Return in words which choice names no field or no column, empty where all do."""
    names = {wanted.name for wanted in fields}
    for name, column in chosen.items():
        if name not in names:
            return f"There is no field “{name[:40]}”; there are: {', '.join(sorted(names))}."
        if column and column not in column_names(header):
            there = ", ".join(f"“{title[:40]}”" for title in column_names(header)[:20])
            return f"This list has no column “{column[:40]}”; it has: {there}."
    return ""


def guess_columns(header: Sequence[str], fields: Iterable[Field], chosen: Mapping[str, str] | None = None) -> Guess:
    """Return which column means what: each field and each column once, the surest pair first, then the leftmost.

    ``chosen``: field -> name of its column (see column_names), empty for "no column"; nothing is guessed for these.
    """
    chosen = chosen or {}
    names = column_names(header)
    columns = {
        name: Column(name, names.index(column), column, CHOSEN) for name, column in chosen.items() if column in names
    }
    words = [title_words(title) for title in header]
    offers = [
        (-confidence, rank, position, wanted.name)
        for wanted in fields
        if wanted.name not in chosen
        for position, spoken in enumerate(words)
        for confidence, rank in [_likeness(spoken, wanted)]
        if confidence
    ]
    taken = {column.position for column in columns.values()}
    for negative, _, position, name in sorted(offers):
        if name not in columns and position not in taken:
            columns[name] = Column(name, position, header[position], -negative)
            taken.add(position)
    secrets = tuple((title, kind) for title in header if (kind := secret_title(title)))
    unknown = tuple(title for position, title in enumerate(header) if title and position not in taken)
    return Guess(columns, unknown, secrets)


def _likeness(words: list[str], wanted: Field) -> tuple[float, int]:
    key = "".join(words)
    if not key:
        return 0, 0
    if key in wanted.titles:
        return CERTAIN, wanted.titles.index(key)
    if not wanted.never.isdisjoint(words) or not _ELSE.isdisjoint(words):
        return 0, 0
    for rank, phrase in enumerate(wanted.likely):
        if set(phrase.split()) <= set(words):
            return LIKELY, rank
    return 0, 0


def secret_title(title: str) -> str | None:
    """Return what kind of secret a column with this title would hold (R-42), or None."""
    words = title_words(title)
    key = "".join(words)
    for kind, parts in _SECRET_KEYS:
        if any(part in key for part in parts):
            return None if kind == "a password" and not _ABOUT.isdisjoint(words) else kind
    kind_of_word = next((_SECRET_WORDS[word] for word in words if word in _SECRET_WORDS), None)
    if kind_of_word == "a password" and not _ABOUT.isdisjoint(words):
        return None
    return kind_of_word
