"""What the product says about findings: by kind what is wrong, why it matters and what clears it. Pure: values in,
words out. A sentence names the subject and says the deed where there is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from accounts.person_sentences import SENTENCES as _OF_PEOPLE
from accounts.place_sentences import SENTENCES as _AT_PLACES
from accounts.words import count_noun, day, listed


@dataclass(frozen=True, slots=True)
class KindWords:
    """Words of one kind: heading, why it matters, what clears it, and the rules and facts behind it."""

    heading: str
    meaning: str
    clears: str
    rules: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a sentence names; empty where the finding is not about one. ``others``: further names, in order."""

    person: str = ""
    facility: str = ""
    system: str = ""
    others: tuple[str, ...] = ()
    on: date
    opened_on: date | None = None


WORDS: Final[dict[str, KindWords]] = {
    "lapse": KindWords(
        "A last safe day has passed",
        "The system may have acted already. Nobody knows until somebody looks.",
        "A login on or before the last safe day that is told late, or the answer whether the access is still there.",
        "R-01 to R-09",
    ),
    "leaver-access": KindWords(
        "Left and still has access",
        "Whoever left must not be able to sign in any more; the gap grows by the day.",
        "The account's removal, recorded here once it is done on the system.",
        "R-33, R-34",
    ),
    "moved-access": KindWords(
        "Access at a facility where they no longer work",
        "Access belongs to the job at one facility. Who moved keeps what the new job needs.",
        "The end of the role at the old facility, or work there again.",
        "R-38",
    ),
    "job-change": KindWords(
        "Changed jobs, access not looked at since",
        "A new job needs other roles. Old ones are kept only where somebody decided so.",
        "Somebody looks at the roles and says so.",
        "R-38",
    ),
    "absence-lapse": KindWords(
        "Will lapse during an absence",
        "Nobody signs in for somebody else. The access will be gone when the person comes back.",
        "An earlier return, or cover by somebody else and a plan for the way back.",
        "R-40",
    ),
    "shared-id": KindWords(
        "One user ID, several people",
        "A user ID belongs to one person. Shared ones are taken away, with everything they hold.",
        "Each person gets an own account, and the records say whose the ID is.",
        "R-41",
    ),
    "id-reuse": KindWords(
        "A user ID passed on to somebody else",
        "A user ID must not be given to another person for years; the system's log would blame the wrong one.",
        "A new ID for the new holder.",
        "R-53",
    ),
    "two-accounts": KindWords(
        "Two accounts of one person on one system",
        "One of them is usually forgotten, and lapses or stays open unseen.",
        "The removal of the one that is not needed.",
    ),
    "stale-profile": KindWords(
        "Contact data changed since the profile was checked",
        "Codes and warnings go to the phone and the address that the system knows.",
        "Somebody looks at the profile on the system and records the day.",
        "R-43",
    ),
    "privileged-open": KindWords(
        "Privileged without an addendum or a stated need",
        "Who can raise the rights of others signs an addendum first, and somebody says what the role is needed for."
        " This is your organization's rule.",
        "The acknowledgement, recorded on the person's page; why the role is needed, said on the account's page.",
        "R-15",
    ),
    "unknown-logins": KindWords(
        "Last login unknown",
        "Without a day there is no date to warn of. Unknown is never fine.",
        "Ask them, and record the day.",
    ),
    "no-official": KindWords(
        "No Security Official",
        "Nobody can approve or keep the access of anybody else there.",
        "An approved Security Official for the facility.",
        "R-16",
    ),
    "one-official": KindWords(
        "Only one Security Official",
        "When this one leaves or lapses, nobody can approve anything.",
        "A second Security Official.",
        "R-17",
    ),
    "officials-lapse": KindWords(
        "All Security Officials about to lapse",
        "When all of them lose their roles, nobody is left who could give them back.",
        "A login of one of them, recorded here.",
        "R-18",
    ),
    "quota": KindWords(
        "More accounts than the system allows",
        "The next request will be refused, and extra accounts may be taken away.",
        "The removal of those that are not needed, or a request for additional users.",
        "R-23, R-24",
    ),
    "no-account": KindWords(
        "Nobody can submit",
        "Nobody at the facility has the access to send this data.",
        "An account with a role that submits.",
        "R-25",
    ),
    "no-backup": KindWords(
        "Only one person can submit",
        "When this person is away or leaves, nothing is sent.",
        "A second person with a role that submits.",
        "R-26",
    ),
    "few-keepers": KindWords(
        "Too few keep the backup record",
        "More than one person should keep the record of all user data. This is your organization's rule.",
        "A second keeper, named on the facility's page.",
        "R-27",
    ),
    "stale-record": KindWords(
        "A keeper has an old backup record",
        "The copy in the drawer is needed on the day when nothing else is at hand. An old one names the wrong people.",
        "The keeper prints the record again and says so on its page.",
        "R-27",
    ),
    "closed-system": KindWords(
        "Open accounts on a closed system",
        "The facility's data go elsewhere now. Old accounts only wait to be misused.",
        "Their removal, or the note that the system is still in use there.",
        "R-47",
    ),
    "no-successor": KindWords(
        "Nobody has access to the system that took over",
        "The data go to another system now, and nobody at the facility can send them there.",
        "An account with a role that submits on the new system.",
        "R-48",
    ),
    "no-epoc-administrator": KindWords(
        "Nobody receives deficiency statements",
        "Statements of deficiencies arrive in ePOC. Who does not answer in time risks penalties.",
        "An ePOC administrator for the facility.",
        "R-49",
    ),
    "psr-two-people": KindWords(
        "PS&R needs two people",
        "The Security Official and the user of PS&R are to be two different people.",
        "A second person.",
        "R-51",
    ),
    "no-file-pickup": KindWords(
        "Nobody can pick up reports from Managed File Transfer",
        "Hospital-specific reports come only to who holds “Auto-Route (IQR)”, and stay for 30 days.",
        "Somebody with that permission, which the hospital's Security Official assigns.",
        "R-58",
    ),
    "one-of-two-mails": KindWords(
        "Only one of two e-mails came",
        "User ID and password come in an e-mail each. With one of them nobody can sign in.",
        "The second e-mail, recorded as a step of the request.",
        "R-29",
    ),
    "missing-in-file": KindWords(
        "Missing in the system's own list",
        "We have the account as open, the list does not show it. One of the two is wrong.",
        "A list that shows it, or its removal here.",
    ),
    "many-typed": KindWords(
        "Many logins typed for others",
        "A login is worth what somebody saw. Many at once may be guesses.",
        "It closes by itself; ask the member what the logins rest on.",
    ),
    "unapproved-request": KindWords(
        "Asked for without a second person",
        "Nobody but who asked for it or gets it has seen it. That is what an auditor looks at first.",
        "Somebody else who may decide there looks at it and says so.",
        "R-39",
    ),
}
SEVERITIES: Final = ("critical", "high", "medium", "low", "info")


def sentence(kind: str, facts: Mapping[str, Any], about: About) -> str:
    """Return what is wrong, as one sentence that can be read aloud."""
    said = _SENTENCES.get(kind)
    if said is not None:
        return said(facts, about)
    subject = listed(filter(None, [about.person, about.system, about.facility]))
    return f"{subject}: {WORDS[kind].heading[0].lower()}{WORDS[kind].heading[1:]}."


def _unknown(facts: Mapping[str, Any], about: About) -> str:
    people = count_noun(facts["count"], "account,accounts")
    return f"Ask at {about.facility}: the last login to {about.system} is not known for {people}."


def _two(facts: Mapping[str, Any], about: About) -> str:
    return f"{about.person} has {count_noun(len(facts['accounts']), 'account,accounts')} on {about.system}."


_SENTENCES = {"unknown-logins": _unknown, "two-accounts": _two, **_AT_PLACES, **_OF_PEOPLE}


def since(opened_on: date, on: date) -> str:
    """Return since when it has been wrong, as far as we know."""
    return "Since today." if opened_on == on else f"Since {day(opened_on)}."
