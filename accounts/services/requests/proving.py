"""What proves that a request was carried out, and what it takes to say so."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, RequestFile
from accounts.policy.requesting import State
from accounts.services.logins import EARLIEST
from accounts.services.requests.evidence import Upload
from facilities.access import Scope
from staff.models import Person
from systems.policy import eastern_day, latest_day

Proof = AccessRequest.Proof
LONGEST_NOTE: Final = 500


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves that a request was carried out: ``proof`` as `AccessRequest.Proof`."""

    proof: str
    text: str = ""
    seen_by: Person | None = None
    upload: Upload | None = None


def finished_alike(held: AccessRequest, on: date, evidence: Evidence, at: datetime) -> bool:
    """Return whether a request was finished by these very words already."""
    seen = evidence.seen_by.pk if evidence.seen_by else None
    said = (eastern_day(on, at), evidence.proof, evidence.text, seen)
    return held.state == State.DONE and said == (held.effective_on, held.proof, held.proof_text, held.seen_by_id)


def refuse_not_running(held: AccessRequest) -> None:
    """Raise AccountRefused for a request that is not being carried out."""
    if held.state == State.DONE:
        raise AccountRefused("It was finished already. If that was a mistake, undo it first.", code="state")
    if held.state == State.FAILED:
        raise AccountRefused("It is recorded as not having worked. Take it up again first.", code="state")
    if held.state not in (State.APPROVED, State.IN_PROGRESS):
        raise AccountRefused(
            "It is not being carried out: it has to be submitted, and decided where a decision is needed.", code="state"
        )


def refuse_said(on: date, evidence: Evidence, at: datetime) -> None:
    """Raise AccountRefused for a day from which nothing can hold, and for too many words."""
    if on > latest_day(at):
        raise AccountRefused("It cannot hold from a day in the future.", field="effective_on")
    if on < EARLIEST:
        raise AccountRefused("That day is before any of these systems existed.", field="effective_on")
    if len(evidence.text) > LONGEST_NOTE:
        raise AccountRefused(f"Say it in {LONGEST_NOTE} characters at most.", field="proof_text")


def refuse_unproved(scope: Scope, held: AccessRequest | None, evidence: Evidence) -> None:
    """Raise AccountRefused without a proof. ``held``: whose files count, None where one proof is for many."""
    if evidence.proof not in Proof.values:
        raise AccountRefused("Say how it is known: in words, by a file, or who saw it in the system.", field="proof")
    if evidence.proof == Proof.NOTE and not evidence.text:
        raise AccountRefused("Say in words how it is known.", field="proof_text")
    if evidence.proof == Proof.FILE:
        if held is None:
            raise AccountRefused("A file belongs to one request: finish that one on its own page.", field="proof")
        if not RequestFile.objects.filter(request=held).exists():
            raise AccountRefused("Choose the file that proves it.", field="file")
    if evidence.proof == Proof.SEEN and (
        evidence.seen_by is None or evidence.seen_by.organization_id != scope.organization.pk
    ):
        raise AccountRefused("Say who of the organization saw it in the system.", field="seen_by")
