"""Policies in words: the limit, its boundary, what follows, the way back, from when until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from accounts.words import count_noun, count_word, day
from systems.models import Boundary, Confidence, Policy, PolicyKind
from systems.policy import in_force
from systems.selectors import version_of
from web.guides.citing import Bibliography, Cite, weakness

TITLES: Final = {
    PolicyKind.INACTIVITY: "Signing in",
    PolicyKind.DELETION: "Deletion",
    PolicyKind.PASSWORD: "Password",
    PolicyKind.CERTIFICATION: "Yearly certification of roles",
    PolicyKind.ACKNOWLEDGEMENT: "Rules of behavior",
    PolicyKind.ADDENDUM: "Addendum for privileged users",
    PolicyKind.REVIEW: "Review of accounts",
    PolicyKind.PRIVILEGE_REVIEW: "Review of privileges",
    PolicyKind.WINDOW: "Time windows",
    PolicyKind.TERMINATION: "When somebody leaves",
    PolicyKind.TRANSFER: "When duties change",
    PolicyKind.RISK: "Leaving at once",
    PolicyKind.LOCKOUT: "Wrong passwords",
    PolicyKind.SESSION: "Idle in a session",
    PolicyKind.OBLIGATION: "Data are due",
}
_RULES: Final = {
    PolicyKind.INACTIVITY: "Sign in at least every {limit}.",
    PolicyKind.PASSWORD: "Change the password at least every {limit}.",
    PolicyKind.CERTIFICATION: "Roles are certified again within {limit}.",
    PolicyKind.ADVICE: "Advised: sign in at least every {limit}.",
    PolicyKind.SESSION: "After {limit} without a click the session ends.",
    PolicyKind.REVIEW: "Accounts are looked through at least every {limit}.",
    PolicyKind.PRIVILEGE_REVIEW: "Privileges are looked through at least every {limit}.",
    PolicyKind.ACKNOWLEDGEMENT: "Read and signed again within {limit}.",
    PolicyKind.ADDENDUM: "Read and signed again within {limit}.",
    PolicyKind.OBLIGATION: "Due within {limit}.",
    PolicyKind.TERMINATION: "Told within {limit}.",
    PolicyKind.TRANSFER: "Settled within {limit}.",
    PolicyKind.RISK: "Access ends within {limit}.",
    PolicyKind.REUSE: "Given to nobody else for {limit}.",
    PolicyKind.TEMPORARY: "Lives for {limit} at most.",
    PolicyKind.EMERGENCY: "Lives for {limit} at most.",
}
# Rules that count from one deed to the next, so that a last safe day can be told.
_BOUNDED: Final = {
    PolicyKind.INACTIVITY,
    PolicyKind.DELETION,
    PolicyKind.PASSWORD,
    PolicyKind.CERTIFICATION,
    PolicyKind.ACKNOWLEDGEMENT,
    PolicyKind.ADDENDUM,
    PolicyKind.REVIEW,
    PolicyKind.PRIVILEGE_REVIEW,
    PolicyKind.WINDOW,
    PolicyKind.OBLIGATION,
}


@dataclass(frozen=True, slots=True)
class Limit:
    """One version of one rule as the guide prints it."""

    rule: str
    tail: str  # for whom, and which day is still safe
    consequence: str
    cure: str
    when: str
    aside: str  # why it sets no date, nothing for an applied rule
    warning: str
    current: bool
    found: bool
    cite: Cite


def title_of(kind: str) -> str:
    """Return the heading under which rules of a kind stand."""
    label = PolicyKind(kind).label
    return TITLES.get(PolicyKind(kind)) or label[0].upper() + label[1:]


def limits(policies: Sequence[Policy], bibliography: Bibliography, on: date) -> list[dict[str, Any]]:
    """Return the rules by kind in the order of `PolicyKind`: those in force on the day, then the others."""
    groups = []
    for kind in PolicyKind:
        rows = [row for row in policies if row.kind == kind]
        if not rows:
            continue
        told = [limit_of_guide(row, bibliography, on) for row in rows]
        groups.append(
            {
                "kind": kind.value,
                "title": title_of(kind),
                "now": [each for each in told if each.current],
                "other": [each for each in reversed(told) if not each.current],
            }
        )
    return groups


def limit_of_guide(row: Policy, bibliography: Bibliography, on: date) -> Limit:
    """Return a version in words; the row has to be read with its source."""
    found = row.confidence != Confidence.NOT_FOUND
    reading_matter = not row.applied and _counted(row)
    for_whom = f"For {row.applies_to}." if row.applies_to and not reading_matter else ""
    return Limit(
        rule=rule_words(row),
        tail=" ".join(filter(None, [for_whom, boundary_words(row)])),
        consequence=row.consequence_text,
        cure=row.cure_text,
        when=_when(row, on) if found else "",
        aside=_aside(row, on),
        warning=f"CMS itself writes on day {row.warning_days.replace(',', ', ')}." if row.warning_days else "",
        current=not reading_matter and _runs(row, on),
        found=found,
        cite=bibliography.cite(row),
    )


def today_of(policies: Sequence[Policy], kind: str, on: date) -> Policy | None:
    """Return the version of a clock that is in force on a day."""
    chain = [row for row in policies if row.kind == kind and row.applied and (row.limit_days or row.limit_years)]
    version = in_force([version_of(row) for row in chain], on)
    return next((row for row in chain if version and row.pk == version.policy_id), None)


def rule_words(row: Policy) -> str:
    """Return the limit as one sentence, e.g. ``Sign in at least every 60 days.``; words too where none was found."""
    limit = length_words(row)
    more = row.boundary == Boundary.MORE_THAN
    if row.kind == PolicyKind.LOCKOUT and row.confidence != Confidence.NOT_FOUND:
        return _lockout(row)
    if not limit:
        return "No limit was published." if row.kind == PolicyKind.INACTIVITY else "No figure was published."
    if row.kind == PolicyKind.DELETION:
        words = f"{'more than ' if more else ''}{limit} without a login mean deletion."
    elif row.kind == PolicyKind.INACTIVITY and not more:
        words = f"sign in before {limit} have passed."
    else:
        since = row.get_basis_display().removeprefix("the ")
        words = _RULES.get(PolicyKind(row.kind), "{limit}, counted from the {since}.").format(limit=limit, since=since)
    return words[0].upper() + words[1:]


def _lockout(row: Policy) -> str:
    tries = f"{count_word(row.limit_tries)} wrong passwords" if row.limit_tries else "Too many wrong passwords"
    wait = length_words(row)
    return f"{tries} lock the account{f' for {wait}' if wait else ''}.".capitalize()


def length_words(row: Policy) -> str:
    """Return the length of time of a rule: ``60 days``, ``one year``, ``15 minutes``; nothing where there is none."""
    for value, nouns in (
        (row.limit_days, "day,days"),
        (row.limit_years, "year,years"),
        (row.limit_hours, "hour,hours"),
        (row.limit_minutes, "minute,minutes"),
    ):
        if value:
            return count_noun(value, nouns)
    return ""


def boundary_words(row: Policy) -> str:
    """Return which day is still safe and which is too late, for rules that set a date."""
    more = row.boundary == Boundary.MORE_THAN
    if row.kind not in _BOUNDED or not (row.limit_days or row.limit_years):
        return ""
    if row.limit_years:
        return "The anniversary is still safe." if more else "The last safe day is the one before the anniversary."
    days = row.limit_days or 0
    safe = days if more else days - 1
    return f"Day {safe} is still safe, day {safe + 1} is too late."


def span_words(row: Policy, on: date) -> str:
    """Return from when until when a version is in force."""
    start, end = row.effective_from, row.effective_to
    if start and end:
        return f"From {day(start)} until {day(end)}."
    if start:
        return f"In force since {day(start)}." if start <= on else f"In force from {day(start)}."
    if end:
        return f"{'Until' if end >= on else 'No longer in force: ended on'} {day(end)}."
    return "In force; when it began was not printed." if _counted(row) else ""


def _when(row: Policy, on: date) -> str:
    """Return the days in force, how the source words the start, and how weak it is where weaker than the limit."""
    worded = f"Worded: {row.start_note}." if row.start_note else ""
    weak = weakness(row.start_confidence) if row.effective_from and row.start_confidence != row.confidence else ""
    return " ".join(filter(None, [span_words(row, on), worded, f"This day is {weak}." if weak else ""]))


def _aside(row: Policy, on: date) -> str:
    """Return why a rule with a figure sets no date here."""
    if row.applied or not _counted(row):
        return ""
    if row.applies_to:
        return f"Reading matter, not applied: {row.applies_to}."
    if row.effective_to and row.effective_to < on:
        return "Reading matter: no longer in force."
    return "Reading matter, not applied."


def _counted(row: Policy) -> bool:
    return bool(length_words(row) or row.limit_tries)


def _runs(row: Policy, on: date) -> bool:
    return (row.effective_from or date.min) <= on <= (row.effective_to or date.max)
