"""Which facility a row means: by CCN, by name, by both where they agree. Reads the organization's facilities once."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from facilities.ccn import read_ccn
from facilities.ccn.normalize import Kind
from facilities.models import Facility, Organization
from staff.policy.names import folded

_CCN_LABEL: Final = re.compile(r"\s*ccn[\s:#.]*", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]+(-[0-9]+|\.0+)?")  # 01-5009, as CMS wrote it; 45280.0, what a spreadsheet left
_CCN_INSIDE: Final = re.compile(r"[0-9A-Z][0-9][0-9A-Z]{4,8}")


@dataclass(frozen=True, slots=True)
class Place:
    """A facility, or why none: ``column`` is ccn or facility. ``restored``: the CCN that a repaired number gave."""

    facility: int | None = None
    column: str = ""
    reason: str = ""
    restored: str = ""


class Places:
    """The facilities of one organization by everything that may name them; answers are remembered."""

    def __init__(self, organization: Organization, *, on: date) -> None:
        self._on = on
        self._by_ccn: dict[str, Facility] = {}
        self._by_name: dict[str, list[Facility]] = {}
        self._answers: dict[tuple[str, str], Place] = {}
        for facility in Facility.objects.filter(organization=organization).order_by("pk"):
            if facility.ccn:
                self._by_ccn[facility.ccn] = facility
            self._by_name.setdefault(folded(facility.name), []).append(facility)

    def find(self, ccn: str, name: str) -> Place:
        """Return the facility that the two cells mean."""
        answer = self._answers.get((ccn, name))
        if answer is None:
            answer = self._answers[ccn, name] = self._find(ccn, name)
        return answer

    def _find(self, ccn: str, name: str) -> Place:
        if not ccn and not name:
            return Place(column="facility", reason="the row names no facility")
        by_ccn, restored, trouble = self._of_ccn(ccn) if ccn else (None, "", "")
        if trouble:
            return Place(column="ccn", reason=trouble)
        by_name, why = self._of_name(name) if name else ([], "")
        if by_ccn is None:
            if len(by_name) != 1:
                return Place(column="facility" if name else "ccn", reason=why or "the row names no facility")
            return self._open(by_name[0], "facility", "")
        if by_name and by_ccn not in by_name:
            other = by_name[0].name
            return Place(column="facility", reason=f"the CCN is that of {by_ccn.name}, the name that of {other}")
        return self._open(by_ccn, "ccn", restored)

    def _open(self, facility: Facility, column: str, restored: str) -> Place:
        if facility.closed_on is not None and facility.closed_on < self._on:
            return Place(column=column, reason=f"{facility.name} closed on {facility.closed_on.isoformat()}")
        return Place(facility.pk, restored=restored)

    def _of_ccn(self, text: str) -> tuple[Facility | None, str, str]:
        """Return (facility, restored CCN, trouble); a repaired number counts where it is one of ours."""
        reading = read_ccn(_CCN_LABEL.sub("", text, count=1) if _CCN_LABEL.match(text) else text)
        if reading.kind in (Kind.MISSING, Kind.NO_CCN):
            return None, "", ""
        if reading.number is not None and reading.kind is not Kind.PROPOSED:
            found = self._by_ccn.get(reading.number.ccn)
            return (found, "", "") if found else (None, "", f"no facility here has the CCN {reading.number.ccn}")
        ours = [self._by_ccn[number] for number in reading.readings if number in self._by_ccn]
        if len(ours) == 1:
            return ours[0], ours[0].ccn or "", ""
        return None, "", f"no facility here has the CCN “{text[:20]}”"

    def _of_name(self, text: str) -> tuple[list[Facility], str]:
        found = self._by_name.get(folded(text), [])
        if not found:
            numbers = {number for number in _CCN_INSIDE.findall(text.upper()) if number in self._by_ccn}
            restored = self._of_ccn(text)[0] if _NUMBER.fullmatch(text) else None
            found = [self._by_ccn[number] for number in numbers] or ([restored] if restored else [])
        if len(found) > 1:
            return found, f"several facilities here are called “{text[:60]}”: give the CCN"
        return found, "" if found else f"no facility here is called “{text[:60]}”"
