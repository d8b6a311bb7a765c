"""What the product says about dates that hang on a role, a person or a facility. Pure: values in, words out."""

from dataclasses import dataclass
from datetime import date

from accounts.sentences import after_day, by_day, possessive, short_day
from accounts.words import in_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What a sentence needs. ``about``: the role, the document or what is owed; ``last_on``: done last, if ever.

    ``since_on``: the day the date counts from; ``own``: the reader is the person it is about.
    """

    about: str
    due_on: date
    on: date
    person: str = ""
    own: bool = False
    facility: str = ""
    system: str = ""
    last_on: date | None = None
    since_on: date | None = None
    cure: str = ""
    request: str = ""  # the kind of request that a step belongs to
    actor: str = ""  # who carries the step out
    left_on: date | None = None  # of who has left, where the reader is told so
    takes: str = ""  # how long it takes in words, where no last day is known: then the date says when to ask

    @property
    def passed(self) -> bool:
        return self.due_on < self.on

    @property
    def until(self) -> str:
        """Return ``Thu 3 Dec (two days ago)`` of a day that has passed."""
        return f"{short_day(self.due_on, self.on)} ({in_days(self.due_on, self.on)})"


def certification_due(duty: Duty) -> str:
    """Return by when a role has to be certified on CMS's side, or that it is presumed removed."""
    whose = "Your" if duty.own else possessive(duty.person)
    role = f"{whose} {duty.system} role {duty.about} at {duty.facility}"
    if duty.left_on and not duty.own:
        gone = f"{duty.person} left on {short_day(duty.left_on, duty.on)} ({in_days(duty.left_on, duty.on)})"
        role = f"the {duty.system} role {duty.about} at {duty.facility}"
        if duty.passed:
            return f"{gone}: {role} is presumed removed, as nobody certified it by {duty.until}."
        return f"{gone}: have {role} removed, not certified again."
    if duty.passed:
        return f"{role} is presumed removed: it had to be certified by {duty.until}."
    if duty.last_on:
        known = f"last certified {in_days(duty.last_on, duty.on)}"
    else:
        known = f"no certification is known since it was granted on {short_day(duty.since_on or duty.due_on, duty.on)}"
    return f"{role} has to be certified {by_day(duty.due_on, duty.on)}: {known}."


def after_certification(duty: Duty) -> str:
    """Return what follows: who certifies, or the way back."""
    if duty.passed and duty.left_on and not duty.own:
        return f"Look on {duty.system} whether it is still there. If so, have it removed."
    if duty.passed:
        return f"Look on {duty.system} whether it is still there. If not: {duty.cure}".strip()
    if duty.left_on and not duty.own:
        return f"Where nobody certifies it, the role is removed {after_day(duty.due_on, duty.on)}."
    return f"The approver on CMS’s side certifies it; the role is removed {after_day(duty.due_on, duty.on)}."


def acknowledgement_due(duty: Duty) -> str:
    """Return by when a document has to be acknowledged, addressed to the person or to whoever looks after her."""
    known = f"last acknowledged {in_days(duty.last_on, duty.on)}" if duty.last_on else "not acknowledged yet"
    if duty.passed:
        late = f"was due by {duty.until}: {known}"
        whose = "Your" if duty.own else possessive(duty.person)
        return f"{whose} acknowledgement of {duty.about} {late}."
    if duty.own:
        return f"Acknowledge {duty.about} {by_day(duty.due_on, duty.on)}: {known}."
    return f"Remind {duty.person} to acknowledge {duty.about} {by_day(duty.due_on, duty.on)}: {known}."


def obligation_due(duty: Duty) -> str:
    """Return what a facility owes by when."""
    if duty.passed:
        return f"{duty.facility} owed by {duty.until}: {duty.about}."
    return f"{duty.facility} owes {by_day(duty.due_on, duty.on)}: {duty.about}."


def after_obligation(duty: Duty) -> str:
    """Return what the day counts from, and what to do."""
    if duty.since_on is None:
        return "The day was typed in; record it as done on the page of the facility."
    return f"Counted from {short_day(duty.since_on, duty.on)}. {duty.cure}".strip()


def review_due(duty: Duty) -> str:
    """Return by when access at a facility has to be looked at."""
    if duty.passed:
        return f"The review of {duty.about} at {duty.facility} was due by {duty.until}."
    return f"Review {duty.about} at {duty.facility} {by_day(duty.due_on, duty.on)}."


def after_review(duty: Duty) -> str:
    """Return what the day counts from, and what to do."""
    since = (
        f"Counted from {short_day(duty.since_on, duty.on)}, the last review or the start of the rule. "
        if duty.since_on
        else ""
    )
    return f"{since}Have removed what nobody needs, then record the review on the page of the facility."


_TURN = {
    "official": "The Security Official or approver on CMS’s side",
    "facility": "The facility",
    "help-desk": "The help desk",
    "cms": "CMS",
}


def step_due(duty: Duty) -> str:
    """Return which step of a request is to be through by when, addressed to whose turn it is."""
    whose = "your" if duty.own else possessive(duty.person)
    request = f"{duty.request}, {duty.system} at {duty.facility}"
    if duty.actor == "approver":
        what = f"Decide about {possessive(duty.person)} request ({request})"
    elif duty.own:
        what = f"{duty.about} ({request})"
    else:
        what = f"{duty.about}: {whose} request ({request})"
    if duty.takes:
        ask = f"time to ask since {duty.until}" if duty.passed else f"ask on {duty.until}"
        return f"{what}: said to take {duty.takes}, {ask} how it stands."
    if duty.passed:
        return f"{what}: this was due by {duty.until}."
    return f"{what}, due {by_day(duty.due_on, duty.on)}."


def after_step(duty: Duty) -> str:
    """Return who acts and since when, or what to do about a step that is late."""
    since = f" since {short_day(duty.since_on, duty.on)}" if duty.since_on and duty.since_on < duty.on else ""
    if duty.actor == "approver":
        return f"It has been waiting for a decision{since}." if since else "It waits for a decision."
    who = "You" if duty.own else _TURN.get(duty.actor, duty.person)
    turn = f"{who} {'have' if duty.own else 'has'} had the turn{since}." if since else ""
    return f"{turn} Record on the request what came of it, also when it did not work.".strip()


def role_ends(duty: Duty) -> str:
    """Return until when a role was wanted on an account that lasts."""
    whose = "Your" if duty.own else possessive(duty.person)
    role = f"{whose} {duty.system} role {duty.about} at {duty.facility}"
    if duty.passed:
        return f"{role} was wanted until {duty.until}: have it removed, or ask for it anew."
    return f"{role} is wanted until {duty.until}; then it has to be removed."


def after_role_ends(duty: Duty) -> str:
    """Return what settles it: on the day its removal is asked for, later it should be gone and nobody has said so."""
    asks = "ask for its removal, and finish that once it is gone."
    if duty.passed:
        return f"Nobody has said yet that {duty.system} took it away: {asks}"
    return f"Where it is needed for longer, ask for that before; else {asks}"


def temporary_due(*, person: str, own: bool, system: str, due_on: date, on: date) -> str:
    """Return until when an account may live that was not meant to last."""
    whose = f"Your {system}" if own else f"{possessive(person)} {system}"
    if due_on < on:
        passed = f"{short_day(due_on, on)} ({in_days(due_on, on)})"
        return f"{whose} account was to last until {passed}: make it a lasting one, or have it removed."
    return f"{whose} account lasts until {short_day(due_on, on)} ({in_days(due_on, on)}); then it has to be removed."
