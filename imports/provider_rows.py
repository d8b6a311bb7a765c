"""One row of a provider list to one listing, with what has to be said about it. Pure: no database."""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from facilities.ccn import Kind, ZipKind, read_ccn, read_state, read_zip, state_names, state_of_zip
from facilities.directory import Listing, misplaced
from imports.provider_columns import Columns, dataset_of, dataset_of_row, vintage_of_file

# What CMS writes where it has no value.
_NO_VALUE: Final = {"-", "--", "N/A", "NA", "NOT AVAILABLE", "NOT APPLICABLE", "LEGAL BUSINESS NAME NOT AVAILABLE"}
_WIDTHS: Final = {"name": 200, "address": 200, "city": 80, "subtype": 80}


@dataclass(frozen=True, slots=True)
class Warning:
    """A doubt about a row that is imported nevertheless; ``field`` is ccn, state, zip, address or name."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RowResult:
    """Either a listing, perhaps with warnings and a repaired CCN (``given`` is what stood there), or a rejection.

    ``against_state``: the number has another state than the row says; None where one of them is unknown.
    """

    listing: Listing | None = None
    warnings: tuple[Warning, ...] = ()
    given: str = ""
    rejected: str = ""
    against_state: bool | None = None


@dataclass(slots=True)
class RowReader:
    """Reads the rows of one table; ``vintage`` is the file's, a row's own processing date wins."""

    columns: Columns
    dataset: str
    vintage: str
    _doubts: list[Warning] = field(default_factory=list)

    def read(self, cells: list[str]) -> RowResult:
        """Return what one row gives; never raises."""
        self._doubts = []
        given_state = self._text(cells, "state")
        state = self._state(given_state)
        if differing := self._differing_numbers(cells):
            return RowResult(rejected=differing)
        given = self._raw(cells, "ccn")
        reading = read_ccn(given, state=state)
        number = reading.number
        if number is None or (reading.kind is Kind.PROPOSED and not state):
            reason = reading.why if number is None else f"{reading.why[:-1]} by a state; the row has none."
            against = True if reading.kind is Kind.CONTRADICTED else None
            return RowResult(rejected=f"{_shown(given)}: {reason}" if given.strip() else reason, against_state=against)
        if reading.kind is Kind.UNKNOWN_STATE:
            self._doubt("ccn", "unknown_state_code", reading.why)
        against = number.state != state if state and number.state else None
        if against:
            message = f"{number.ccn} begins with {number.state_code} for {number.place}; the row says {state}."
            self._doubt("state", "state_conflict", message)
        zip_code, plus_four = self._zip(cells, state or number.state or "", said=bool(state))
        if against and number.state == state_of_zip(zip_code):
            state = number.state or ""  # of number, state and ZIP the two that agree; all three were told
        dataset, vintage = self._source(cells)
        if misplaced(number.type.code, dataset):
            message = f"{number.ccn} is by its digits: {number.type.description}. That doesn't belong in this list."
            self._doubt("ccn", "type_mismatch", message)
        address = " ".join(filter(None, (self._text(cells, part) for part in ("address", "address_2", "address_3"))))
        listing = Listing(
            ccn=number.ccn,
            name=self._cut(cells, "name"),
            address=address[: _WIDTHS["address"]],
            city=self._cut(cells, "city"),
            state=state,
            zip_code=zip_code,
            plus_four=plus_four,
            phone=_phone(self._text(cells, "phone")),
            provider_type=number.type.code,
            subtype=self._cut(cells, "subtype"),
            dataset=dataset,
            vintage=_iso_day(self._text(cells, "vintage")) or vintage,
            gives_way=bool(against),
        )
        repaired = reading.kind is Kind.PROPOSED
        return RowResult(listing, tuple(self._doubts), given if repaired else "", against_state=against)

    def _differing_numbers(self, cells: list[str]) -> str:
        """Say so where a header has the CCN's title twice and the row has two numbers; else empty."""
        found = self.columns.positions.get("ccn", ())
        if len(found) < 2:
            return ""
        numbers = {cells[place].strip() for place in found}
        title = self.columns.title("ccn")
        return f"The file has {len(found)} columns {title}, and they differ in this row." if len(numbers) > 1 else ""

    def _source(self, cells: list[str]) -> tuple[str, str]:
        """Return data set and vintage of a row; a collection of several lists names each row's own."""
        if source := self._raw(cells, "source"):
            return dataset_of([], source), vintage_of_file(source) or self.vintage
        said = f"{self._raw(cells, 'location_type')} {self._raw(cells, 'row_type')}".strip()
        return dataset_of_row(self.dataset, said), self.vintage

    def _doubt(self, name: str, code: str, message: str) -> None:
        self._doubts.append(Warning(name, code, message))

    def _raw(self, cells: list[str], name: str) -> str:
        found = self.columns.positions.get(name)
        return cells[found[0]] if found else ""

    def _text(self, cells: list[str], name: str) -> str:
        for position in self.columns.positions.get(name, ()):
            text = " ".join(cells[position].split())
            if text and text.upper() not in _NO_VALUE:
                return text
        return ""

    def _cut(self, cells: list[str], name: str) -> str:
        return self._text(cells, name)[: _WIDTHS[name]]

    def _state(self, given: str) -> str:
        if not given:
            if "state" in self.columns.positions:
                self._doubt("state", "missing", "The row has no state.")
            return ""
        state = read_state(given) or ""
        if not state:
            self._doubt("state", "invalid", f"{_shown(given)} is not a US state or territory.")
        return state

    def _zip(self, cells: list[str], state: str, *, said: bool) -> tuple[str, str]:
        if "zip_code" not in self.columns.positions:
            return "", ""
        read = read_zip(self._text(cells, "zip_code"), state=state)
        if read.kind is not ZipKind.ACCEPTED:
            self._doubt("zip", read.kind.value, read.why)
        found = state_of_zip(read.zip_code) if read.zip_code else None
        if read.zip_code and said and found != state:
            where = f"is in {state_names()[found]}" if found else "is in no US state"
            self._doubt("zip", "zip_state", f"ZIP {read.zip_code} {where}; the row says {state}.")
        return read.zip_code, read.plus_four


def _shown(text: str) -> str:
    """Return a cell short enough for a report line."""
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."


def _phone(text: str) -> str:
    """Return ten digits of a US telephone number, or nothing where there are fewer."""
    digits = re.sub(r"[^0-9]", "", text)
    if len(digits) > 10 and digits.startswith("1"):
        digits = digits[1:]
    return digits[:10] if len(digits) >= 10 else ""


def _iso_day(text: str) -> str:
    """Return a date as ISO text: CMS writes 2021-08-01, 04/07/2022, 7/9/2009 and 02/25/1999 12:00:00 AM."""
    if match := re.match(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text):
        year, month, day = match.groups()
    elif match := re.match(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", text):
        month, day, year = match.groups()
    else:
        return ""
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""
