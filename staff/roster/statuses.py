"""What the words of a status column say about being at work. Pure.

On leave is at work. "Inactive" is what some programs call leave and others a leaver, so the column decides: where
another word of it says terminated, inactive is something else, and nobody leaves by it. Nobody leaves either by what is
yet to come ("resigned, 2 weeks' notice", "terminated 12/31"), taken back or in doubt: for that there is the end date.
"""

import re
from collections.abc import Iterable
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
    "retiree", "separated", "separation", "discharged", "dismissed", "quit", "former", "deceased", "ended", "exited",
    "layoff", "laidoff", "fired", "gone", "departed", "voluntarytermination", "involuntarytermination", "nolongerhere",
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
_IN_DOUBT: Final = re.compile(
    r"\d|not|pending|effective|upcoming|scheduled|planned|submitted|revers|rescind|cancel|appeal"
)
_EMPTY: Final = frozenset({"", "na", "none", "null"})


def read_statuses(words: Iterable[str]) -> tuple[dict[str, Status], list[str]]:
    """Return what each word of the column says, and notes for a person about words that are not plain."""
    keys = {word: re.sub(r"[^a-z0-9]", "", word.lower()) for word in words}
    meant = {word: Status.UNKNOWN if "?" in word else _meant(key) for word, key in keys.items()}
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


def _meant(key: str) -> Status:
    for status, keys in ((Status.LEFT, _LEFT), (Status.LEAVE, _LEAVE), (Status.ACTIVE, _ACTIVE)):
        if key in keys:
            return status
    # "Terminated - Voluntary", "Leave: FMLA", "Active Full Time": the first word that says something
    for start, status in (("terminat", Status.LEFT), ("resign", Status.LEFT), ("retire", Status.LEFT),
                          ("separat", Status.LEFT), ("leave", Status.LEAVE), ("loa", Status.LEAVE),
                          ("onleave", Status.LEAVE), ("active", Status.ACTIVE), ("fulltime", Status.ACTIVE),
                          ("parttime", Status.ACTIVE)):  # fmt: skip
        if key.startswith(start):
            if status is Status.LEFT and _IN_DOUBT.search(key):
                return Status.UNKNOWN
            return Status.LEAVE if status is Status.ACTIVE and ("leave" in key or "loa" in key) else status
    return Status.UNKNOWN
