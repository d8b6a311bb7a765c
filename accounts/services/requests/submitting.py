"""Submitting requests: guards, steps, whether somebody here decides; changing and withdrawing what was submitted."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Approval, Finding, RequestStep
from accounts.models.watch import Severity
from accounts.policy.requesting import Approved, State
from accounts.services.requests import drafting
from accounts.services.requests.acts import label, lock_request, lock_requests, record_all
from accounts.services.requests.carrying import open_steps
from accounts.services.requests.dates import follow_dates
from accounts.services.requests.deciders import able_to
from accounts.services.requests.drafting import Ask
from accounts.services.requests.guards import guards_of, wish_of
from accounts.services.requests.handing import What, hand_over
from accounts.services.requests.planning import plan_steps
from accounts.services.requests.rights import authorize_withdrawing
from audit.bulk import among
from facilities.access import Scope
from staff.models import Person
from systems.policy import EASTERN, day_in

_PLANNED: Final = (
    "position", "title", "text", "fact", "actor", "duration", "unit", "after", "together", "cure_for", "stage",
    "takes", "state", "started_on", "due_on", "done_on", "done_at", "done_by", "note",
)  # fmt: skip


def submit(
    *, scope: Scope, requests: Sequence[AccessRequest], at: datetime, unapproved_reason: str = ""
) -> list[AccessRequest]:
    """Submit drafts, all or none: they go to who decides, or straight to their steps where nobody has to.

    ``unapproved_reason``: why it goes on where nobody in the organization may decide and no outside deputy is named.
    Raises NotAllowed, and AccountRefused with code ``guard`` (what stands against it), ``nobody`` (nobody may decide
    and no reason is given), ``state``.
    """
    with transaction.atomic():
        held = lock_requests(scope, [request.pk for request in requests])
        for row in held.values():
            _check_mine(scope, row)
            if row.state != State.DRAFT:
                raise AccountRefused("It was submitted already.", code="state")
        _hold_people(held.values())
        _refuse_guarded(list(held.values()), at)
        alone = _alone(scope, held.values(), at)
        _refuse_alone(alone, unapproved_reason.strip())
        _submit(scope, list(held.values()), alone, unapproved_reason.strip(), at)
        record_all(scope, "request.submitted", held, at, unapproved_reason.strip() if alone else "")
    return list(AccessRequest.objects.filter(pk__in=among(held)).order_by("pk"))


def change(
    *, scope: Scope, request: AccessRequest, ask: Ask, version: int, at: datetime, unapproved_reason: str = ""
) -> AccessRequest:
    """Change what is asked for (`drafting.change`); what was submitted passes the guards again and is decided anew.

    Where nobody may decide it (any more), it goes on without a second person for ``unapproved_reason``, as in `submit`.
    """
    with transaction.atomic():
        changed = drafting.change(scope=scope, request=request, ask=ask, version=version, at=at)
        if changed.state == State.SUBMITTED:
            held = lock_requests(scope, [changed.pk])
            _hold_people(held.values())
            _refuse_guarded(list(held.values()), at)
            alone = _alone(scope, held.values(), at)
            _refuse_alone(alone, unapproved_reason.strip())
            if alone:
                _go_on(scope, held[changed.pk], unapproved_reason.strip(), at)
            else:
                _plan_anew(scope, list(held.values()), at)
    changed.refresh_from_db()
    return changed


def _go_on(scope: Scope, held: AccessRequest, reason: str, at: datetime) -> None:
    """Take a submitted request back and send it again, without a second person."""
    AccessRequest.objects.filter(pk=held.pk).update(state=State.DRAFT, revision=F("revision") + 1)
    Approval.objects.filter(request=held, voided_at=None).update(voided_at=at)
    _submit(scope, [held], {held.pk}, reason, at)
    record_all(scope, "request.submitted", [held.pk], at, reason)


def withdraw(*, scope: Scope, request: AccessRequest, reason: str, at: datetime) -> AccessRequest:
    """Withdraw a request that nobody needs any more. Safe to repeat.

    No reason is needed for a draft that was never sent, nor from who asked for one that was sent back to her. Raises
    NotAllowed, and AccountRefused for one that has ended, or without reason.
    """
    with transaction.atomic():
        held = lock_request(scope, request.pk)
        _check_mine(scope, held)
        if held.state == State.WITHDRAWN:
            return held
        if State(held.state) in (State.REJECTED, State.DONE):
            raise AccountRefused("It has ended; there is nothing to withdraw.", code="ended")
        in_silence = held.state == State.DRAFT and (held.submitted_at is None or _asked_by(scope, held))
        if not in_silence and not reason.strip():
            raise AccountRefused("Say why it is withdrawn.", field="reason")
        AccessRequest.objects.filter(pk=held.pk).update(
            state=State.WITHDRAWN, closed_at=at, ended_reason=reason.strip(), version=F("version") + 1
        )
        follow_dates([held.pk], at)
        if not in_silence:
            hand_over([held.pk], What.WITHDRAWN, scope=scope, at=at)
        record_all(scope, "request.withdrawn", [held.pk], at, reason.strip())
    request.refresh_from_db()
    return request


def _asked_by(scope: Scope, request: AccessRequest) -> bool:
    return scope.user_id is not None and request.requester_person.user_id == scope.user_id


def _check_mine(scope: Scope, request: AccessRequest) -> None:
    authorize_withdrawing(scope, request)


def _hold_people(requests: Iterable[AccessRequest]) -> None:
    """Lock the people it is for, so that a second click finds what the first one sent."""
    people = Person.objects.filter(pk__in=among({request.beneficiary_person_id for request in requests}))
    list(people.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _refuse_guarded(requests: Sequence[AccessRequest], at: datetime) -> None:
    found = guards_of(requests, at)
    twice = [wish for wish, number in Counter(wish_of(request) for request in requests).items() if number > 1]
    for request in requests:
        if wish_of(request) in twice:
            raise AccountRefused(
                f"{label(request)} at {request.facility.name} is asked for twice. Withdraw one of the two first.",
                code="guard",
            )
        blocking = [guard for guard in found[request.pk] if guard.blocks]
        if blocking:
            said = " ".join(f"{guard.message} {guard.cure}" for guard in blocking)
            place = f"{request.facility.name}: " if len(requests) > 1 else ""
            raise AccountRefused(f"{place}{said}", code="guard")


def _alone(scope: Scope, requests: Iterable[AccessRequest], at: datetime) -> set[int]:
    """Return the requests that need a decision for which too few people are left, with the outside deputy."""
    needing = [row for row in requests if row.approval == Approved.NEEDED]
    if not needing:
        return set()
    able = able_to(scope.organization, needing, day_in(at, EASTERN))
    return {row.pk for row in needing if able[row.pk].nobody}


def _refuse_alone(alone: set[int], unapproved_reason: str) -> None:
    if alone and not unapproved_reason:
        raise AccountRefused(
            "Nobody in the organization may decide this, or too few people: whoever could has asked for it, gets it or"
            " has decided it. Invite another approver, name an outside deputy under Settings, or say why it goes on"
            " without a second person.",
            code="nobody",
            field="unapproved_reason",
        )


def _submit(scope: Scope, requests: Sequence[AccessRequest], alone: set[int], reason: str, at: datetime) -> None:
    for row in requests:
        row.approval = Approved.UNAPPROVED if row.pk in alone else Approved(row.approval)
    every = AccessRequest.objects.filter(pk__in=among(row.pk for row in requests))
    if alone:
        every.filter(pk__in=among(alone)).update(approval=Approved.UNAPPROVED, unapproved_reason=reason)
        _tell_unapproved(scope, [row for row in requests if row.pk in alone], reason, at)
    every.update(state=State.SUBMITTED, submitted_at=at, version=F("version") + 1)
    every.exclude(approval=Approved.NEEDED).update(state=State.IN_PROGRESS)
    _plan_anew(scope, requests, at)


def _plan_anew(scope: Scope, requests: Sequence[AccessRequest], at: datetime) -> None:
    """Write the steps of requests; steps of an earlier submission are taken over or no longer needed."""
    today = day_in(at, EASTERN)
    keys = [row.pk for row in requests]
    known = {(step.request_id, step.key_in_list): step for step in RequestStep.objects.filter(request__in=among(keys))}
    planned = plan_steps(requests, today)
    for step in planned:
        old = known.pop((step.request_id, step.key_in_list), None)
        step.pk = old.pk if old else None
    RequestStep.objects.filter(pk__in=among(step.pk for step in known.values())).update(
        state=RequestStep.State.SKIPPED, cure_for=""
    )
    RequestStep.objects.bulk_update([step for step in planned if step.pk], _PLANNED, batch_size=200)
    RequestStep.objects.bulk_create([step for step in planned if not step.pk], batch_size=500)
    open_steps(keys, on=today, at=at, scope=scope)


def _tell_unapproved(scope: Scope, requests: Sequence[AccessRequest], reason: str, at: datetime) -> None:
    """Open the finding that stays in the evidence: nobody else has seen this request (design 9.11)."""
    Finding.objects.bulk_create(
        [
            Finding(
                organization=scope.organization,
                kind=Finding.Kind.UNAPPROVED_REQUEST,
                subject_key=row.key,
                facility_id=row.facility_id,
                person_id=row.beneficiary_person_id,
                facts=json.dumps(
                    {
                        "request": row.pk,
                        "reason": reason,
                        "system": row.system.slug,
                        "people": [row.requester_person_id],
                    }
                ),
                severity=Severity.MEDIUM,
                opened_on=day_in(at, EASTERN),
            )
            for row in requests
        ]
    )
