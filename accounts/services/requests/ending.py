"""How a request ends: done with proof and effect, failed, or taken up again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Finding, RequestFile, RequestStep, RoleGrant
from accounts.policy.requesting import State
from accounts.services.inventory import hold_accounts_of
from accounts.services.logins import EARLIEST
from accounts.services.requests.acts import label, lock_request, record_all
from accounts.services.requests.carrying import open_steps
from accounts.services.requests.cms_side import Said, settle
from accounts.services.requests.dates import follow_dates
from accounts.services.requests.effects import Ending, take_effect
from accounts.services.requests.evidence import Upload, drop, keep_file
from accounts.services.requests.handing import What, hand_over, hand_turns
from accounts.services.requests.pictures import Picture, Stood, picture_of, steps_left
from accounts.services.requests.rights import authorize_carrying, authorize_finishing, carries_own_removal
from audit.services import Ref, record
from facilities.access import Scope
from staff.models import Person
from systems.policy import EASTERN, day_in, eastern_day, latest_day

Proof = AccessRequest.Proof
Steps = RequestStep.State
_LONGEST_NOTE: Final = 500
# What inner services call the day, or the user ID; everything else they refuse is about the whole.
_DAYS: Final = frozenset({"on", "opened_on", "removed_on", "regained_on", "checked_on", "certified_on", "lasts_until"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves that a request was carried out: ``proof`` as `AccessRequest.Proof`."""

    proof: str
    text: str = ""
    seen_by: Person | None = None
    upload: Upload | None = None


def finish(
    *,
    scope: Scope,
    request: AccessRequest,
    effective_on: date,
    proof: str,
    proof_text: str = "",
    seen_by: Person | None = None,
    upload: Upload | None = None,
    user_id: str = "",
    factor: str = "",
    cms_side: Mapping[int, Said] | None = None,
    at: datetime,
) -> AccessRequest:
    """Record that a request was carried out: what it asked for holds from a day on, and something proves it.

    In one transaction: roles end and open, clocks start, what is left of the steps here is not needed, the act is
    recorded. ``cms_side``: what came of each step that is still open on CMS's side, by key (`cms_side`). The same again
    changes nothing. Raises NotAllowed, and AccountRefused for a request that is not being carried out (``state``),
    without proof, for an open step on CMS's side (``cms_open``), or for a day that cannot be; its ``field`` is one of
    the arguments, ``file``, or that of the step.
    """
    authorize_finishing(scope, request)
    evidence = Evidence(proof, proof_text.strip(), seen_by if proof == Proof.SEEN else None, upload)
    kept: list[RequestFile] = []
    try:
        with transaction.atomic():
            held = lock_request(scope, request.pk)
            if not _finished_alike(held, effective_on, evidence, at):
                _check(held, effective_on, evidence, at)
                if evidence.upload is not None and proof == Proof.FILE:
                    kept.append(keep_file(scope=scope, request=held, upload=evidence.upload, at=at))
                _refuse_unproved(scope, held, evidence)
                stood = steps_left(held)
                told = settle(scope, held, cms_side or {}, at)
                _finish(scope, held, eastern_day(effective_on, at), evidence, (user_id, factor), (stood, told), at)
    except BaseException:
        for file in kept:
            drop(file)
        raise
    request.refresh_from_db()
    return request


def fail(*, scope: Scope, request: AccessRequest, reason: str, at: datetime) -> AccessRequest:
    """Record that a request did not work out; its dates stop. Safe to repeat. Raises NotAllowed, AccountRefused."""
    authorize_carrying(scope, request)
    reason = needed_reason(reason, "Say why it did not work, so that the next person knows.")
    with transaction.atomic():
        held = lock_request(scope, request.pk)
        if held.state != State.FAILED:
            if held.state != State.IN_PROGRESS:
                raise AccountRefused(
                    "Only a request that is being carried out can fail. Withdraw it where nobody needs it any more.",
                    code="state",
                )
            AccessRequest.objects.filter(pk=held.pk).update(
                state=State.FAILED, closed_at=at, ended_reason=reason, version=F("version") + 1
            )
            follow_dates([held.pk], at)
            hand_over([held.pk], What.FAILED, scope=scope, at=at)
            record_all(scope, "request.failed", [held.pk], at, reason)
    request.refresh_from_db()
    return request


def retry(*, scope: Scope, request: AccessRequest, at: datetime) -> AccessRequest:
    """Take a failed request up again: the steps that did not work are to do. Safe to repeat. Raises as `fail`."""
    authorize_carrying(scope, request)
    with transaction.atomic():
        held = lock_request(scope, request.pk)
        if held.state != State.IN_PROGRESS:
            if held.state != State.FAILED:
                raise AccountRefused(
                    "Only a request that did not work can be tried again. Ask anew instead.", code="state"
                )
            AccessRequest.objects.filter(pk=held.pk).update(
                state=State.IN_PROGRESS, closed_at=None, ended_reason="", version=F("version") + 1
            )
            stayed = list(RequestStep.objects.filter(request=held, state=Steps.OPEN))
            RequestStep.objects.filter(request=held, state=Steps.FAILED).update(
                state=Steps.WAITING, started_on=None, due_on=None, done_on=None, done_at=None, done_by="", note=""
            )
            open_steps([held.pk], on=day_in(at, EASTERN), at=at, scope=scope)
            hand_turns(stayed, scope=scope, at=at)  # what was open before it failed is to do again
            record_all(scope, "request.retried", [held.pk], at)
    request.refresh_from_db()
    return request


def needed_reason(reason: str, otherwise: str) -> str:
    """Return a reason that was given. Raises AccountRefused with ``otherwise`` without one, or for a long one."""
    reason = reason.strip()
    if not reason:
        raise AccountRefused(otherwise, field="reason")
    if len(reason) > _LONGEST_NOTE:
        raise AccountRefused(f"Say it in {_LONGEST_NOTE} characters at most.", field="reason")
    return reason


def _finished_alike(held: AccessRequest, on: date, evidence: Evidence, at: datetime) -> bool:
    seen = evidence.seen_by.pk if evidence.seen_by else None
    said = (eastern_day(on, at), evidence.proof, evidence.text, seen)
    return held.state == State.DONE and said == (held.effective_on, held.proof, held.proof_text, held.seen_by_id)


def _check(held: AccessRequest, on: date, evidence: Evidence, at: datetime) -> None:
    if held.state == State.DONE:
        raise AccountRefused("It was finished already. If that was a mistake, undo it first.", code="state")
    if held.state == State.FAILED:
        raise AccountRefused("It is recorded as not having worked. Take it up again first.", code="state")
    if held.state not in (State.APPROVED, State.IN_PROGRESS):
        raise AccountRefused(
            "It is not being carried out: it has to be submitted, and decided where a decision is needed.", code="state"
        )
    if on > latest_day(at):
        raise AccountRefused("It cannot hold from a day in the future.", field="effective_on")
    if on < EARLIEST:
        raise AccountRefused("That day is before any of these systems existed.", field="effective_on")
    if len(evidence.text) > _LONGEST_NOTE:
        raise AccountRefused(f"Say it in {_LONGEST_NOTE} characters at most.", field="proof_text")


def _refuse_unproved(scope: Scope, held: AccessRequest, evidence: Evidence) -> None:
    if evidence.proof not in Proof.values:
        raise AccountRefused("Say how it is known: in words, by a file, or who saw it in the system.", field="proof")
    if evidence.proof == Proof.NOTE and not evidence.text:
        raise AccountRefused("Say in words how it is known.", field="proof_text")
    if evidence.proof == Proof.FILE and not RequestFile.objects.filter(request=held).exists():
        raise AccountRefused("Choose the file that proves it.", field="file")
    if evidence.proof == Proof.SEEN and (
        evidence.seen_by is None or evidence.seen_by.organization_id != scope.organization.pk
    ):
        raise AccountRefused("Say who of the organization saw it in the system.", field="seen_by")


def _finish(
    scope: Scope,
    held: AccessRequest,
    on: date,
    evidence: Evidence,
    signs_in: tuple[str, str],
    steps: tuple[Stood, dict[str, str]],
    at: datetime,
) -> None:
    """Let it take effect; ``steps``: how the open ones stood, and what was said of those on CMS's side."""
    if held.state == State.APPROVED:  # nobody ticked a step
        AccessRequest.objects.filter(pk=held.pk).update(state=State.IN_PROGRESS)
    hold_accounts_of(held.beneficiary_person)
    was = picture_of(held)
    inner = replace(scope, everything=True)  # `authorize_finishing` asked for the right to it; the same actor
    try:
        grant = take_effect(Ending(inner, held, on, signs_in[0], at, signs_in[1]))
    except AccountRefused as exc:
        field = "effective_on" if exc.field in _DAYS else exc.field
        raise AccountRefused(exc.message, field=field, code=exc.code) from exc
    became = picture_of(held)
    RequestStep.objects.filter(request=held, state__in=[Steps.OPEN, Steps.WAITING]).update(state=Steps.SKIPPED)
    AccessRequest.objects.filter(pk=held.pk).update(
        state=State.DONE, closed_at=at, effective_on=on, proof=evidence.proof, proof_text=evidence.text,
        seen_by=evidence.seen_by, opened_grant=_if_new(grant, was), ended_reason="", version=F("version") + 1,
        before=json.dumps({"was": was, "became": became, "steps": steps[0]}, separators=(",", ":")),
    )  # fmt: skip
    follow_dates([held.pk], at)
    hand_over([held.pk], What.DONE, scope=scope, at=at)
    mine = [held.key, *(step.key for step in RequestStep.objects.filter(request=held))]
    Finding.objects.open().filter(kind=Finding.Kind.ONE_OF_TWO_MAILS, subject_key__in=mine).update(closed_at=at)
    _record(scope, held, on, evidence, (was, became), steps[1], at)


def _if_new(grant: RoleGrant | None, was: Picture) -> RoleGrant | None:
    return grant if grant is not None and grant.pk not in was["grants"] else None


def _record(
    scope: Scope,
    held: AccessRequest,
    on: date,
    evidence: Evidence,
    pictures: tuple[Picture, Picture],
    told: dict[str, str],
    at: datetime,
) -> None:
    was, became = (set(picture["grants"]) for picture in pictures)
    files = RequestFile.objects.filter(request=held).order_by("pk") if evidence.proof == Proof.FILE else ()
    payload: dict[str, Any] = {
        "kind": held.kind,
        "person": held.beneficiary_person.key,
        "facility": held.facility.key,
        "effective_on": on.isoformat(),
        "proof": evidence.proof,
        "seen_by": evidence.seen_by.key if evidence.seen_by else None,
        "files": [file.sha256 for file in files],
        "cms_side": told,
        "own_removal": carries_own_removal(scope, held),
        "opened": [f"grant:{key}" for key in sorted(became - was)],
        "voided": [f"grant:{key}" for key in sorted(was - became)],
    }
    subject = Ref(held.key, label(held))
    chain = scope.organization.key
    record(
        chain=chain, action="request.done", actor=scope.actor, subject=subject, at=at, payload=payload,
        reason=evidence.text,
    )  # fmt: skip
