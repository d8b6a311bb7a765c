"""A request as a title and as sentences: what is asked for, where it stands and since when. Pure."""

from datetime import date, datetime
from typing import Final

from accounts.models import AccessRequest, RequestStep
from accounts.policy.requesting import Approved, Kind, State
from accounts.sentences import possessive
from accounts.words import day, day_short, in_days
from systems.policy import EASTERN, day_in
from systems.policy import Standing as Look

_SAID: Final[dict[str, str]] = {
    Kind.NEW_ACCOUNT: "New {system} account for {person} at {place}",
    Kind.ADDITIONAL_ROLE: "Additional {system} role for {person} at {place}",
    Kind.ROLE_CHANGE: "Another {system} role for {person} at {place}",
    Kind.REMOVAL: "Remove {system} access of {person} at {place}",
    Kind.REACTIVATION: "Get {system} access of {person} at {place} back",
    Kind.FORGOTTEN_ID: "Find the forgotten {system} user ID of {person} at {place}",
    Kind.CONTACT_CHANGE: "Change the {system} contact data of {person} at {place}",
    Kind.UNLOCK: "Unlock the {system} account of {person} at {place}",
    Kind.PROOFING: "Prove again on {system} who {person} is, for {place}",
    Kind.CERTIFICATION: "Certify the {system} role of {person} at {place} for another year",
}
_STANDS: Final[dict[str, str]] = {
    State.DRAFT: "A draft, not submitted yet, since",
    State.SUBMITTED: "Waits for a decision since",
    State.APPROVED: "Approved; its steps can begin, since",
    State.REJECTED: "Rejected on",
    State.WITHDRAWN: "Withdrawn on",
    State.IN_PROGRESS: "In progress since",
    State.DONE: "Done on",
    State.FAILED: "Did not work, on",
}


def asked(request: AccessRequest) -> str:
    """Return what is asked for: ``New iQIES account for Henry Test at Oak House: Provider Assessment Viewer``."""
    said = _SAID[request.kind].format(
        system=request.system.name, person=request.beneficiary_person, place=request.facility.name
    )
    return f"{said}: {request.role.name}" if request.role else said


def said(request: AccessRequest) -> str:
    """Return what a request (read with system, facility, role, grant and its role, beneficiary) asks for."""
    who, system, place = request.beneficiary_person, request.system.name, request.facility.name
    account = f"{possessive(str(who))} {system} account"
    role = request.role.name if request.role else ""
    held = request.grant.role.name if request.grant else ""
    to_go = f"{account}: {held} at {place}" if held else f"The whole of {account}"
    sentences = {
        Kind.NEW_ACCOUNT: f"A new {system} account for {who} at {place}, as {role}.",
        Kind.ADDITIONAL_ROLE: f"A further role on {account}: {role} at {place}.",
        Kind.ROLE_CHANGE: f"{account} at {place}: {role} instead of {held}.",
        Kind.REMOVAL: f"{to_go} is to be removed.",
        Kind.REACTIVATION: f"{account}: {held} at {place} is to come back." if held else f"{account} is to come back.",
        Kind.FORGOTTEN_ID: f"The forgotten user ID of {account}.",
        Kind.CONTACT_CHANGE: f"Changed contact data on {account}.",
        Kind.UNLOCK: f"{account} is to be unlocked.",
        Kind.PROOFING: f"Identity proofing again for {account}.",
        Kind.CERTIFICATION: f"{account}: {held} at {place} is to be certified for another year.",
    }
    return sentences[Kind(request.kind)]


def since(request: AccessRequest) -> date:
    """Return the day on which a request came to stand where it stands."""
    at: datetime | None = request.created_at
    if request.state in (State.REJECTED, State.WITHDRAWN, State.DONE, State.FAILED):
        at = request.closed_at
    elif request.state == State.SUBMITTED:
        at = request.submitted_at
    elif request.state in (State.APPROVED, State.IN_PROGRESS):
        at = request.decided_at or request.submitted_at
    return day_in(at or request.created_at, EASTERN)


def was_sent_back(request: AccessRequest) -> bool:
    """Return whether a request is a draft again because whoever decides asked something."""
    return request.state == State.DRAFT and request.submitted_at is not None


def stands(request: AccessRequest, on: date) -> str:
    """Return where a request stands: ``Waits for a decision since Fri 20 Nov.``; the year where it is another one."""
    from_day = since(request)
    told = day_short(from_day) if from_day.year == on.year else day(from_day)
    alone = " Nobody decided it: there is no second person." if request.approval == Approved.UNAPPROVED else ""
    how = "Sent back with a question; first asked for on" if was_sent_back(request) else _STANDS[request.state]
    return f"{how} {told}.{alone}"


def due_words(due_on: date | None, on: date) -> str:
    """Return by when: ``by Tue 24 Nov (in four days)``, or that the day has passed; nothing for None."""
    if due_on is None:
        return ""
    told = day_short(due_on) if due_on.year == on.year else day(due_on)
    return f"was due by {told} ({in_days(due_on, on)})" if due_on < on else f"by {told} ({in_days(due_on, on)})"


def step_words(step: RequestStep, on: date) -> str:
    """Return by when a step is through; how long it is said to take where no number was printed, which is no day."""
    return f"said to take {step.takes}" if step.takes else due_words(step.due_on, on)


def last_day(step: RequestStep | None) -> date | None:
    """Return by when an open step has to be through; None where the date only says when to ask how it stands."""
    return step.due_on if step is not None and not step.takes else None


def look_of(request: AccessRequest, due_on: date | None, on: date) -> Look:
    """Return how a request looks in a list: late, soon, or at rest."""
    if was_sent_back(request):
        return Look.SOON
    if due_on is not None:
        return Look.LATE if due_on < on else Look.SOON
    return {State.DONE: Look.FINE, State.FAILED: Look.LATE, State.SUBMITTED: Look.SOON}.get(
        State(request.state), Look.CLOSED
    )
