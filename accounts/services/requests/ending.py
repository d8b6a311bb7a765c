"""How a request ends: done with proof and effect, failed, or taken up again."""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Finding, RequestFile, RequestStep, RoleGrant
from accounts.policy.requesting import State
from accounts.services.inventory import hold_accounts_of
from accounts.services.requests.acts import READ_WITH, how_it_is, label, lock_request, record_all
from accounts.services.requests.carrying import open_steps
from accounts.services.requests.cms_side import Said, settle
from accounts.services.requests.dates import follow_dates
from accounts.services.requests.effects import Ending, take_effect
from accounts.services.requests.evidence import Upload, drop, keep_file
from accounts.services.requests.handing import What, hand_over, hand_turns
from accounts.services.requests.pictures import Picture, picture_of, steps_left
from accounts.services.requests.proving import (
    LONGEST_NOTE,
    Evidence,
    Proof,
    finished_alike,
    refuse_not_running,
    refuse_said,
    refuse_unproved,
)
from accounts.services.requests.rights import authorize_carrying, authorize_finishing, carries_own_removal
from audit.bulk import among, among_texts
from audit.services import Ref, record
from facilities.access import Scope
from staff.models import Person
from systems.policy import EASTERN, day_in, eastern_day

Steps = RequestStep.State
# What inner services call the day, or the user ID; everything else they refuse is about the whole.
_DAYS: Final = frozenset({"on", "opened_on", "removed_on", "regained_on", "checked_on", "certified_on", "lasts_until"})


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
            if not finished_alike(held, effective_on, evidence, at):
                refuse_not_running(held)
                refuse_said(effective_on, evidence, at)
                if evidence.upload is not None and proof == Proof.FILE:
                    kept.append(keep_file(scope=scope, request=held, upload=evidence.upload, at=at))
                refuse_unproved(scope, held, evidence)
                on = eastern_day(effective_on, at)
                payload = let_hold(scope, held, on, evidence, (user_id, factor), at, cms_side or {})
                close_out(scope, [held], at)
                record(
                    chain=scope.organization.key, action="request.done", actor=scope.actor,
                    subject=Ref(held.key, label(held)), at=at, payload=payload, reason=evidence.text,
                )  # fmt: skip
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
            _record_turn(scope, "request.failed", held.pk, at, reason)
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
            _record_turn(scope, "request.retried", held.pk, at)
    request.refresh_from_db()
    return request


def _record_turn(scope: Scope, action: str, key: int, at: datetime, reason: str = "") -> None:
    """Record that a request failed or is tried again, also whether somebody does so about her own removal."""
    now = AccessRequest.objects.select_related(*READ_WITH).get(pk=key)
    told = how_it_is(now) | {"own_removal": carries_own_removal(scope, now)}
    record_all(scope, action, [key], at, reason, told={key: told})


def needed_reason(reason: str, otherwise: str) -> str:
    """Return a reason that was given. Raises AccountRefused with ``otherwise`` without one, or for a long one."""
    reason = reason.strip()
    if not reason:
        raise AccountRefused(otherwise, field="reason")
    if len(reason) > LONGEST_NOTE:
        raise AccountRefused(f"Say it in {LONGEST_NOTE} characters at most.", field="reason")
    return reason


def let_hold(
    scope: Scope, held: AccessRequest, on: date, evidence: Evidence, signs_in: tuple[str, str], at: datetime,
    cms_side: Mapping[int, Said],
) -> dict[str, Any]:  # fmt: skip
    """Let a locked request take effect; return what the audit chain says of it. `close_out` follows.

    ``signs_in``: the user ID and the kind of the second factor, empty where nobody said.
    """
    stood = steps_left(held)
    told = settle(scope, held, cms_side, at)
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
        before=json.dumps({"was": was, "became": became, "steps": stood}, separators=(",", ":")),
    )  # fmt: skip
    return _told(scope, held, on, evidence, (was, became)) | {"cms_side": told}


def close_out(scope: Scope, requests: Collection[AccessRequest], at: datetime) -> None:
    """Stop the dates of finished requests, tell whom it concerns, close what was found about their mails."""
    keys = [held.pk for held in requests]
    follow_dates(keys, at)
    hand_over(keys, What.DONE, scope=scope, at=at)
    steps = RequestStep.objects.filter(request__in=among(keys))
    mine = [*(held.key for held in requests), *(step.key for step in steps)]
    Finding.objects.open().filter(kind=Finding.Kind.ONE_OF_TWO_MAILS, subject_key__in=among_texts(mine)).update(
        closed_at=at
    )


def _if_new(grant: RoleGrant | None, was: Picture) -> RoleGrant | None:
    return grant if grant is not None and grant.pk not in was["grants"] else None


def _told(
    scope: Scope, held: AccessRequest, on: date, evidence: Evidence, pictures: tuple[Picture, Picture]
) -> dict[str, Any]:
    was, became = (set(picture["grants"]) for picture in pictures)
    files = RequestFile.objects.filter(request=held).order_by("pk") if evidence.proof == Proof.FILE else ()
    return {
        "kind": held.kind,
        "person": held.beneficiary_person.key,
        "facility": held.facility.key,
        "effective_on": on.isoformat(),
        "proof": evidence.proof,
        "seen_by": evidence.seen_by.key if evidence.seen_by else None,
        "files": [file.sha256 for file in files],
        "own_removal": carries_own_removal(scope, held),
        "opened": [f"grant:{key}" for key in sorted(became - was)],
        "voided": [f"grant:{key}" for key in sorted(was - became)],
    }
