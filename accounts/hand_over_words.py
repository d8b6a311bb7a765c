"""What a mail says about what was handed over in a request. Pure: values in, words out."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from accounts.sentences import possessive, short_day

COLLEAGUE: Final = "a colleague"
_LONGEST: Final = 300  # characters of somebody's words in a mail; the page has the rest
_RECORD: Final = "Record on the request what came of it, also when it did not work."
_TURN: Final = {
    "official": "Whoever decides on CMS’s side has",
    "cms": "CMS has",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What the sentences need, about one hand-over for one reader.

    ``asks`` and ``gets``: the reader asked, it is for her. ``takes``: the step is hers. ``by``: whose act it was,
    empty for nobody's; she, ``asker`` and ``turn`` are `COLLEAGUE` where the reader may not know them. ``act``: what
    brought a turn. ``words``: what was written, or why it ended, empty where she may not read it. ``left``: who asked
    has left; ``once``: it was taken over before.
    """

    what: str
    request: str
    system: str
    facility: str
    person: str
    asker: str
    on: date
    since_on: date
    asks: bool = False
    gets: bool = False
    takes: bool = False
    left: bool = False
    once: bool = False
    step: str = ""
    actor: str = ""
    turn: str = ""  # who has the turn, where the reader has not
    by: str = ""
    act: str = ""  # "approved", "sent" or "recorded"; empty for what was taken up again, and the passing of a day
    words: str = ""
    effective_on: date | None = None

    @property
    def named(self) -> str:
        """Return ``Henry Test’s request (New account, iQIES at Oak House)``, or whose else it is for the reader."""
        what = f"({self.request}, {self.system} at {self.facility})"
        if self.gets:
            return f"Your request {what}" if self.asks else f"The request for you {what}"
        return f"{possessive(self.person)} request {what}"


def sentence(handed: Handed) -> str:
    """Return what happened, or what is to do."""
    if handed.what == "turn":
        if handed.gets:
            return f"{handed.step} ({handed.request}, {handed.system} at {handed.facility})."
        return f"{handed.step}: {handed.named}."
    named = handed.named[0].lower() + handed.named[1:] if handed.gets else handed.named
    if handed.what == "left":
        if handed.once:
            return f"See {named} through, or withdraw it and ask anew."
        return f"Take over {named}, or withdraw it."
    if handed.what == "comment":
        return f"{_begin(handed.by or 'somebody')} wrote about {named}."
    ends = {
        "sent-back": "was sent back to you: something is missing" if handed.asks else "was sent back",
        "rejected": "was rejected",
        "withdrawn": "was withdrawn",
        "done": "was carried out",
        "failed": "did not work out",
        "undone": "is being carried out again: that it was done was taken back",
    }
    return f"{handed.named} {ends[handed.what]}."


def detail(handed: Handed) -> str:
    """Return the line below: why, by whom, and what comes next."""
    asker = _begin(handed.asker)
    gone = f"{asker}, who asked, no longer works here." if handed.left else ""
    if handed.what == "left":
        gone = gone or f"{asker}, who asked, can no longer sign in here."
        return f"{gone} It was taken over once already." if handed.once else gone
    if handed.what == "turn":
        return " ".join(filter(None, [gone, _passed(handed), _turn(handed), _RECORD]))
    said = _said(handed)
    after = {
        "sent-back": "It is decided once it has been completed and sent again.",
        "done": f"It holds from {short_day(handed.effective_on, handed.on)}." if handed.effective_on else "",
        "failed": "It can be tried again on the request.",
    }
    return " ".join(filter(None, [gone, said, after.get(handed.what, "")]))


def _passed(handed: Handed) -> str:
    when = short_day(handed.since_on, handed.on)
    did = {"approved": "approved it", "sent": "sent it", "recorded": "recorded the step before"}.get(handed.act)
    if did and handed.by:
        return f"{_begin(handed.by)} {did} on {when}."
    return f"It was approved on {when}." if handed.act == "approved" else f"It is to do since {when}."


def _turn(handed: Handed) -> str:
    if handed.takes:
        return "It is your turn now."
    return f"{_TURN.get(handed.actor) or f'{_begin(handed.turn)} has'} the turn now."


def _said(handed: Handed) -> str:
    words = handed.words if len(handed.words) <= _LONGEST else f"{handed.words[:_LONGEST].rstrip()}…"
    if handed.what == "comment":
        return f"“{words}”" if words else ""
    when = short_day(handed.since_on, handed.on)
    who = f"{_begin(handed.by)}, {when}" if handed.by else f"On {when}"
    return f"{who}: “{words}”" if words else f"{who}."


def _begin(words: str) -> str:
    """Return words as they begin a sentence."""
    return words[:1].upper() + words[1:]
