"""What the words of a status column say about being at work. Pure.

On leave is at work. "Inactive" is what some programs call leave and others a leaver, so the column decides: where
another word of it says terminated, inactive is something else, and nobody leaves by it. Nobody leaves either by what is
yet to come ("resigned, 2 weeks' notice", "terminated 12/31"), under way ("resigning", "resignation received"), taken
back or in doubt: for that there is the end date. A day that has passed is no doubt, nor is "not eligible for rehire".
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from enum import Enum
from typing import Final


class Status(Enum):
    """What a word says. UNKNOWN words change nothing and are told."""

    ACTIVE = "active"
    LEAVE = "on leave"
    LEFT = "left"
    UNKNOWN = "unknown"


_LEFT: Final = frozenset({
    "t", "term", "termed", "terminated", "termination", "terminate", "left", "resigned", "resignation", "retired",
    "retiree", "separated", "separation", "retirement", "discharged", "dismissed", "quit", "former", "deceased",
    "ended", "exited", "layoff", "laidoff", "fired", "gone", "departed", "voluntarytermination",
    "involuntarytermination", "nolongerhere",
    "exemployee", "withdrawn", "termd", "nolongeremployed",
})  # fmt: skip
_ACTIVE: Final = frozenset({
    "a", "active", "current", "employed", "fulltime", "parttime", "ft", "pt", "prn", "perdiem", "regular", "temporary",
    "temp", "seasonal", "hired", "newhire", "new", "rehired", "rehire", "working", "yes", "y", "true", "1", "1active",
    "prehire", "pending", "pendinghire", "contract", "contractor", "agency", "probation", "probationary", "casual",
    "oncall", "activeemployee",
})  # fmt: skip
_LEAVE: Final = frozenset({
    "l", "leave", "loa", "fmla", "onleave", "leaveofabsence", "paidleave", "unpaidleave", "maternity", "parental",
    "maternityleave", "parentalleave", "medicalleave", "militaryleave", "disability", "std", "ltd", "suspended",
    "suspension", "furlough", "furloughed", "workerscomp", "sick", "sickleave", "activeonleave", "leavewithpay",
    "leavewithoutpay", "personalleave", "sabbatical",
})  # fmt: skip
_INACTIVE: Final = frozenset({"i", "inactive", "notactive", "no", "n", "false", "0", "disabled"})
# What has happened, whatever stands behind it ("Terminated - Voluntary"); what only happens ("terminating") has not.
_GONE: Final = re.compile(
    r"(?:(?:in)?voluntar(?:y|ily) )?"
    r"(?:terminated|termed|resigned|retired|retiree|separated|discharged|dismissed|fired|laid off|deceased)\b"
)
# The name of the event counts as far as it only says of which kind it was.
_EVENT: Final = re.compile(
    r"(?:termination|resignation|retirement|separation) "
    r"(?:voluntary|involuntary|(?:for|with|without) cause|(?:code|reason|type)(?: \w+)?)"
)
_IN_DOUBT: Final = re.compile(
    r"\b(?:pending|upcoming|scheduled|planned|submitted|received|requested|tentative|anticipated|expected|future|next|"
    r"tomorrow|notice|process|progress|will|to be|revers\w*|rescind\w*|cancel\w*|withdr[ae]wn?|appeal\w*|void\w*|"
    r"reinstated|rehired|returned|unconfirmed|"
    r"not (?:yet|terminated|resigned|retired|separated)|"
    r"not (?:final|processed|completed?|confirmed|effective|approved|accepted)|"
    r"(?:\d+|one|two|three|four|six|thirty|sixty|ninety) ?(?:days?|weeks?|wks?|months?)|"
    r"jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|january|february|march|april|june|july|august|september|october|"
    r"november|december)\b|^\w+ (?:no|n|false)$"
)
_NO_NOTICE: Final = re.compile(r"\b(?:no|without|w o|did not give|failed to give|gave no)(?: \w+)? notice\b")
_NEEDS_DAY: Final = re.compile(r"\b(?:effective|eff|last day|as of|until)\b")  # plain where a day behind it has passed
_DAY: Final = re.compile(
    r"(?<![\d/.-])(?:(?P<iso>\d{4}[-/.]\d{1,2}[-/.]\d{1,2})|(?P<day>\d{1,2}[-/.]\d{1,2}(?:[-/.]\d{2,4})?)|"
    r"(?P<run>\d{6}|\d{8})|(?:\d{1,2}[-/.])?(?P<year>(?:19|20)\d\d))(?![\d/.-])"
)
_EMPTY: Final = frozenset({"", "na", "none", "null"})


def read_statuses(words: Iterable[str], *, on: date) -> tuple[dict[str, Status], list[str]]:
    """Return what each word of the column says on ``on``, and notes for a person about words that are not plain."""
    keys = {word: re.sub(r"[^a-z0-9]", "", word.lower()) for word in words}
    meant = {word: Status.UNKNOWN if "?" in word else _meant(word, key, on) for word, key in keys.items()}
    inactive = [word for word, key in keys.items() if key in _INACTIVE]
    someone_left = any(status is Status.LEFT for status in meant.values())
    notes = []
    for word in inactive:
        meant[word] = Status.LEAVE if someone_left else Status.LEFT
    if inactive and someone_left:
        notes.append(f"The status “{inactive[0]}” stands beside words for leaving, so nobody left by it.")
    elif inactive:
        notes.append(f"The status “{inactive[0]}” was read as: no longer employed.")
    unknown = sorted(word for word, status in meant.items() if status is Status.UNKNOWN and keys[word] not in _EMPTY)
    if unknown:
        shown = ", ".join(f"“{word[:30]}”" for word in unknown[:5])
        notes.append(f"These words in the status column were not understood and changed nothing: {shown}.")
    return meant, notes


def _meant(word: str, key: str, on: date) -> Status:
    for status, keys in ((Status.LEFT, _LEFT), (Status.LEAVE, _LEAVE), (Status.ACTIVE, _ACTIVE)):
        if key in keys:
            return status
    # "Leave: FMLA", "Active Full Time": the first word that says something
    starts = (
        ("leave", Status.LEAVE), ("loa", Status.LEAVE), ("onleave", Status.LEAVE),
        ("active", Status.ACTIVE), ("fulltime", Status.ACTIVE), ("parttime", Status.ACTIVE),
    )  # fmt: skip
    for start, status in starts:
        if key.startswith(start):
            return Status.LEAVE if status is Status.ACTIVE and ("leave" in key or "loa" in key) else status
    return Status.LEFT if _has_left(word, on) else Status.UNKNOWN


def _has_left(word: str, on: date) -> bool:
    """Return whether words say that somebody is gone, without a doubt whether that is so and so already."""
    lower = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word).lower()
    days = list(_last_days(lower))
    text = _plain(_DAY.sub(" ", lower))
    if not (_GONE.match(text) or _EVENT.fullmatch(text)):
        return False
    if _IN_DOUBT.search(_NO_NOTICE.sub(" ", text)) or (_NEEDS_DAY.search(text) and not days):
        return False
    return all(day is not None and day < on for day in days)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text))


def _last_days(text: str) -> Iterator[date | None]:
    """Yield of each day in a text the last one that it may mean; None where nobody can tell, as without a year."""
    for found in _DAY.finditer(text):
        if found["year"]:
            yield date(int(found["year"]), 12, 31)
            continue
        run = found["run"] or ""
        parts = re.split(r"[-/.]", found["iso"] or found["day"] or "")
        orders = [parts] if found["iso"] else []
        if found["day"] and len(parts) == 3:
            orders = [[parts[2], parts[0], parts[1]], [parts[2], parts[1], parts[0]]]
        if len(run) == 8:
            orders = [[run[:4], run[4:6], run[6:]], [run[4:], run[:2], run[2:4]]]
        yield max(filter(None, (_day(*each) for each in orders)), default=None)


def _day(year: str, month: str, day: str) -> date | None:
    try:
        found = date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None
    return found if found.year > 1900 else None
