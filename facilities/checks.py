"""Is this the facility it claims to be? The check behind CMSNet's registration: CCN, state and ZIP (CMSN-REG-2).

Format rules alone miss about half of the slips, so every number is also looked up in CMS's directory.
"""

from dataclasses import dataclass

from facilities.ccn import (
    Kind,
    Number,
    Reading,
    Zip,
    ZipKind,
    dataset_titles,
    expected_types,
    read_ccn,
    read_state,
    read_zip,
    state_names,
    state_of_zip,
    type_descriptions,
)
from facilities.models import Provider

CCN, STATE, ZIP = "ccn", "state", "zip"
_PROBLEM_OF_READING = {
    Kind.MISSING: "missing",
    Kind.NO_CCN: "licensed_only",
    Kind.REFUSED: "invalid",
    Kind.UNKNOWN_STATE: "invalid",
    Kind.PROPOSED: "restored",
    Kind.AMBIGUOUS: "ambiguous",
    Kind.CONTRADICTED: "state_conflict",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a person should look at; ``field`` is ccn, state or zip."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class FacilityCheck:
    """The answer. ``ok``: nothing is left for a person. Every problem may be overruled with a reason.

    ``normalized_ccn`` is also set when it is only proposed, ``name`` whenever the directory has the number.
    ``state`` (postal abbreviation) and ``zip_code`` (five digits) are as read, empty where unreadable.
    ``provider`` is the directory's row, also one that is no longer listed.
    """

    ok: bool
    normalized_ccn: str | None
    extension: str | None
    provider_type: str | None
    name: str | None
    problems: tuple[Problem, ...]
    state: str = ""
    zip_code: str = ""
    provider: Provider | None = None


def check_facility(*, ccn: str = "", state: str = "", zip_code: str = "", declared_type: str = "") -> FacilityCheck:
    """Compare what was typed with the rules of the number and with the directory; one query at most.

    ``declared_type`` is a type code the person chose, if the form asks; empty skips that comparison.
    """
    known_state = read_state(state) or ""
    reading = read_ccn(ccn, state=known_state)
    number = reading.number
    place = read_zip(zip_code, state=known_state or (number.state or "" if number else ""))
    provider = Provider.objects.filter(ccn=number.ccn).first() if number else None
    problems = [
        *_number_problems(reading),
        *_state_problems(state, known_state, number, place),
        *_directory_problems(number, provider),
        *_type_problems(number, provider, declared_type),
        *_zip_problems(known_state, number, place, provider),
    ]
    return FacilityCheck(
        ok=all(problem.code == "licensed_only" for problem in problems),
        normalized_ccn=number.ccn if number else None,
        extension=reading.extension or None,
        provider_type=number.type.code if number else None,
        name=(provider.name or None) if provider else None,
        problems=tuple(problems),
        state=known_state,
        zip_code=place.zip_code,
        provider=provider,
    )


def _number_problems(reading: Reading) -> list[Problem]:
    code = _PROBLEM_OF_READING.get(reading.kind)
    return [Problem(CCN, code, reading.why)] if code else []


def _state_problems(given: str, state: str, number: Number | None, place: Zip) -> list[Problem]:
    if not given.strip():
        return [Problem(STATE, "missing", "No state was given.")]
    if not state:
        return [Problem(STATE, "invalid", f"{given.strip()[:40]} is not a US state or territory.")]
    if number is None or number.state in (state, None):  # an unknown code is asked about as such
        return []
    names = state_names()
    zip_state = state_of_zip(place.zip_code) if place.zip_code else None
    says = f"The CCN begins with {number.state_code}, for {number.place}; the state given is {names[state]}"
    if zip_state == number.state:
        says += f"; ZIP {place.zip_code} agrees with the CCN"
    elif zip_state == state:
        says += f"; ZIP {place.zip_code} agrees with the state"
    elif zip_state:
        says += f", and ZIP {place.zip_code} is in {names[zip_state]}"
    return [Problem(STATE, "state_conflict", says + ".")]


def _directory_problems(number: Number | None, provider: Provider | None) -> list[Problem]:
    if number is None:
        return []
    if provider is None:
        hint = f" Its hospital would be {number.parent}." if number.parent else ""
        return [Problem(CCN, "not_listed", f"{number.ccn} is not in the CMS lists loaded here.{hint}")]
    if provider.unlisted_on:
        gone = f"{provider.unlisted_on:%Y-%m-%d}"
        return [Problem(CCN, "not_listed", f"CMS no longer lists {number.ccn} {provider.name} (noticed {gone}).")]
    return []


def _type_problems(number: Number | None, provider: Provider | None, declared: str) -> list[Problem]:
    if number is None:
        return []
    described = type_descriptions()
    says = f"By its digits {number.ccn} is: {number.type.description}"
    if declared and declared != number.type.code:
        return [Problem(CCN, "type_mismatch", f"{says}. You chose: {described.get(declared, declared)}.")]
    expected = expected_types().get(provider.dataset) if provider else None
    if provider and expected and number.type.code not in expected:
        title = dataset_titles()[provider.dataset]
        return [Problem(CCN, "type_mismatch", f"{says}. But CMS shows it in the list “{title}”.")]
    return []


def _zip_problems(state: str, number: Number | None, place: Zip, provider: Provider | None) -> list[Problem]:
    if place.kind in (ZipKind.MISSING, ZipKind.REFUSED):
        return [Problem(ZIP, place.kind.value, place.why)]
    problems = []
    names = state_names()
    wanted = state or (number.state or "" if number else "")
    found = state_of_zip(place.zip_code)
    if wanted and found != wanted:
        where = f"is in {names[found]}" if found else "is in no US state"
        problems.append(Problem(ZIP, "zip_state", f"ZIP {place.zip_code} {where}, not in {names[wanted]}."))
    if provider and provider.zip_code and provider.zip_code != place.zip_code:
        listed = f"CMS lists {provider.name or provider.ccn} at ZIP {provider.zip_code}, not {place.zip_code}."
        problems.append(Problem(ZIP, "zip_mismatch", listed))
    return problems
