"""One row of text becomes one record, or a rejection that names the column and never repeats more than it must."""

import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from imports.columns import Guess, title_words
from imports.days import NoDay, Style, read_day
from staff.full_names import no_name, remark_in, split_name, without_remark
from staff.policy import Record, Rejection
from staff.roster.places import Places
from staff.roster.statuses import Status

LONGEST: Final = {
    "first_name": 80,
    "last_name": 80,
    "job_title": 80,
    "phone": 30,
    "employee_number": 40,
    "email": 254,
    "user_id": 80,
    "role": 400,
    "approver": 120,
}
_NOTHING: Final = frozenset({
    "-", "--", "n/a", "na", "n.a.", "none", "null", "nil", "tbd", "unknown", "#n/a", ".", "?", "??", "???", "pending",
    "not assigned", "not available", "not applicable", "(blank)", "blank",
})  # fmt: skip
_ERROR: Final = re.compile(r"#(?!N/A)[A-Z][A-Z0-9_/]*[!?]|#(BUSY|GETTING_DATA|SPILL|CALC)|Err:\d{3}", re.IGNORECASE)
# A person reads these with the eyes on the row above; which cell is meant nobody else can tell.
_ELSEWHERE: Final = frozenset({
    "same as above", "see above", "as above", "same above", "ditto", "same", '"', "''", "”", "“", "″", "〃", "^", "↑",
})  # fmt: skip
_NAMES: Final = frozenset({"first_name", "last_name", "full_name"})
_INVISIBLE: Final = re.compile("[\ufeff\u200b-\u200f\u2060\u00ad\u202a-\u202e]")
_WRAPPED: Final = re.compile(r'="([^"]*)"')
_FLOAT: Final = re.compile(r"(\d+)\.0+")
_ROUNDED: Final = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?")
_PLAIN_EMAIL: Final = re.compile(r"[a-z0-9_+'-]+(\.[a-z0-9_+'-]+)*@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}")


class Wrong(Exception):  # noqa: N818  (a verdict on a cell)
    """The cell of this column cannot be taken."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Words:
    """How the file writes days and statuses."""

    styles: Mapping[str, Style]
    statuses: Mapping[str, Status]


class Cleaner:
    """Makes records; remembers days, addresses and places, of which a file has few different ones."""

    def __init__(self, guess: Guess, places: Places, words: Words, *, on: date) -> None:
        self.at = {name: column.position for name, column in guess.columns.items()}
        self._places = places
        self._words = words
        self._on = on
        self._days: dict[tuple[str, str], date | None | NoDay] = {}
        self._words_seen: dict[str, str] = {}  # one copy of what thousands of rows repeat
        self.restored: list[tuple[int, str, str]] = []
        whole = guess.columns.get("full_name")
        spoken = title_words(whole.title) if whole else []
        self._last_first = "last" in spoken and "first" in spoken and spoken.index("last") < spoken.index("first")

    def clean(self, line: int, cells: list[str]) -> Record | Rejection:
        """Return the row as a record or as a rejection."""
        said = self.said(cells)
        first, last, number, email, facility = "", "", "", "", None
        try:
            self.refuse_errors(said)
            number = self.number(said)
            email = email_of(said)
            first, last = self.name(said)
            facility = self.facility(line, said)
            starts_on, ends_on = self.day(said, "start_date"), self.day(said, "end_date")
            left = self._left(said, starts_on, ends_on)
            phone, job = phone_of(said), short(said, "job_title")
        except Wrong as wrong:
            if not last:
                first, last = self.name_if_any(said)
            facility = facility or self._facility_if_any(said)
            return Rejection(line, wrong.column, wrong.reason, number, email, first, last, facility)
        first, job = self._words_seen.setdefault(first, first), self._words_seen.setdefault(job, job)
        return Record(line, facility, first, last, number, email, phone, job, starts_on, ends_on, left)

    def said(self, cells: list[str]) -> dict[str, str]:
        """Return the tidied cells of the columns that were understood, empty ones left out."""
        return {name: tidy(cells[position]) for name, position in self.at.items() if cells[position]}

    def facility(self, line: int, said: dict[str, str]) -> int:
        """Return the key of the facility that the row means; a restored CCN is noted. Raises Wrong."""
        place = self._places.find(said.get("ccn", ""), said.get("facility", ""))
        if place.facility is None:
            raise Wrong(place.column, place.reason)
        if place.restored:
            self.restored.append((line, said.get("ccn") or said.get("facility", ""), place.restored))
        return place.facility

    def refuse_errors(self, said: dict[str, str]) -> None:
        """Raise Wrong for a cell that holds a spreadsheet's error, or says that it means the same as another one."""
        for name, text in said.items():
            if text[:1] in "#Ee" and _ERROR.fullmatch(text):
                raise Wrong(name, f"the cell holds the spreadsheet error {text[:10]}")
            if len(text) < 16 and text.lower() in _ELSEWHERE and name not in ("first_name", "last_name"):
                raise Wrong(name, f"“{text}” refers to another row: write it out")

    def number(self, said: dict[str, str]) -> str:
        """Return the employee number, empty without one."""
        return key_of(said, "employee_number")

    def name(self, said: dict[str, str]) -> tuple[str, str]:
        """Return (first, last). Raises Wrong where they are missing or cannot be told apart."""
        if "full_name" in self.at:
            text = said.get("full_name", "")
            if remark := remark_in(text):
                raise Wrong("full_name", remark)
            found = split_name(text, last_first=self._last_first)
            if found is None:
                reason = "first and last name cannot be told apart" if text else "the name is missing"
                raise Wrong("full_name", reason)
            first, last = found
        else:
            first, last = said.get("first_name", ""), said.get("last_name", "")
            for column, name in (("last_name", last), ("first_name", first)):
                if not any(map(str.isalpha, name)):
                    raise Wrong(column, f"the {column.replace('_', ' ')} is missing")
        if reason := no_name(first, last):
            raise Wrong("full_name" if "full_name" in self.at else "last_name", reason)
        for column, name in (("last_name", last), ("first_name", first)):
            if len(name) > LONGEST[column]:
                raise Wrong(column, f"the {column.replace('_', ' ')} has more than {LONGEST[column]} characters")
            if "full_name" in self.at and not any(map(str.isalpha, name)):
                raise Wrong(column, "this is no name")
        return first, last

    def name_if_any(self, said: dict[str, str]) -> tuple[str, str]:
        """Return (first, last), without a remark in it, empty where they cannot be told."""
        for each in (said, said | {name: without_remark(said[name]) for name in _NAMES & said.keys()}):
            with suppress(Wrong):
                return self.name(each)
        return "", ""

    def _facility_if_any(self, said: dict[str, str]) -> int | None:
        return self._places.find(said.get("ccn", ""), said.get("facility", "")).facility

    def day(self, said: dict[str, str], column: str) -> date | None:
        """Return the day of a column, None without one. Raises Wrong."""
        text = said.get(column)
        if not text:
            return None
        found = self._days.get((column, text), self)
        if found is self:
            try:
                found = read_day(text, self._words.styles[column], on=self._on)
            except NoDay as exc:
                found = exc
            self._days[column, text] = found
        if isinstance(found, NoDay):
            raise Wrong(column, f"“{text[:30]}”: {found}")
        assert found is None or isinstance(found, date)
        return found

    def _left(self, said: dict[str, str], starts_on: date | None, ends_on: date | None) -> bool:
        status = self._words.statuses.get(said.get("status", ""), Status.UNKNOWN)
        if starts_on and ends_on and ends_on < starts_on:
            raise Wrong("end_date", "the end lies before the start")
        if ends_on and ends_on < self._on and status in (Status.ACTIVE, Status.LEAVE):
            raise Wrong("status", f"the status says {status.value}, but the end lies in the past")
        return status is Status.LEFT


def tidy(text: str) -> str:
    """Return a cell without what only a program sees: stray spaces, invisible marks, ="..." and leading quotes."""
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    text = " ".join(text.split())
    if text[:1] in ("=", "'"):
        wrapped = _WRAPPED.fullmatch(text)
        text = wrapped[1].strip() if wrapped else text.lstrip("'").strip()
    return text


def short(said: dict[str, str], column: str) -> str:
    """Return a cell, empty where it says that there is nothing. Raises Wrong for one that is too long to store."""
    text = said.get(column, "")
    if not text or text.lower() in _NOTHING:
        return ""
    if len(text) > LONGEST[column]:
        raise Wrong(column, f"more than {LONGEST[column]} characters")
    return text


def phone_of(said: dict[str, str]) -> str:
    """Return the phone, empty without one. Raises Wrong for an e-mail address: two columns changed places."""
    text = short(said, "phone")
    if "@" in text:
        raise Wrong("phone", "this is an e-mail address")
    return text


def key_of(said: dict[str, str], column: str) -> str:
    """Return a number or an ID as it was before a spreadsheet took it for a number, empty without one.

    Raises Wrong where the spreadsheet lost a part of it.
    """
    text = short(said, column)
    if _ROUNDED.fullmatch(text):
        raise Wrong(column, "a spreadsheet rounded this number")
    if _DAY.fullmatch(text):
        raise Wrong(column, "a spreadsheet made a day of this")
    whole = _FLOAT.fullmatch(text)
    return whole[1] if whole else text


def email_of(said: dict[str, str]) -> str:
    """Return the work e-mail in lower case, empty without one. Raises Wrong."""
    text = short(said, "email").lower().removeprefix("mailto:")
    if not text or _PLAIN_EMAIL.fullmatch(text):
        return text
    try:
        validate_email(text)
    except ValidationError:
        raise Wrong("email", "this is no e-mail address") from None
    return text
