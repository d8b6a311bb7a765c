"""Deciding requests here: by a third person who may, singly or many at once, for the revision she saw."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Count, F, Q

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Approval, RequestNote, RequestStep
from accounts.models.requests import AccessRequestQuerySet
from accounts.policy.requesting import Approved, State
from accounts.services.requests.acts import lock_request, lock_requests, record_all
from accounts.services.requests.carrying import open_steps
from accounts.services.requests.dates import follow_dates
from accounts.services.requests.deciders import Reach, concerned, own_person, reach_of, somebody_decides
from accounts.services.requests.handing import What, hand_over
from accounts.services.requests.planning import DECISION
from accounts.services.requests.rights import is_own_request
from audit.bulk import among
from audit.services import Ref, record
from facilities.access import Action, NotAllowed, Scope, authorize
from systems.policy import EASTERN, day_in


def decide(
    *,
    scope: Scope,
    requests: Sequence[AccessRequest],
    approve: bool,
    reason: str = "",
    revisions: Mapping[int, int] | None = None,
    at: datetime,
) -> list[AccessRequest]:
    """Approve or reject submitted requests, all or none; one audit event with an item each.

    ``revisions``: key -> the revision that was seen; another one by now is refused (``stale``). Several at once, and
    a rejection, need a reason. Approved ones get their first step once enough people approved. Raises NotAllowed for
    who may not decide one of them, AccountRefused for ``own`` requests and those that wait for no decision (``state``).
    """
    reason = reason.strip()
    if not reason and (not approve or len(requests) > 1):
        field_said = "Say why it is rejected." if not approve else "Say why you approve them all at once."
        raise AccountRefused(field_said, field="reason", code="reason")
    on = day_in(at, EASTERN)
    reach = reach_of(scope, on)
    with transaction.atomic():
        held = lock_requests(scope, [request.pk for request in requests])
        rows = [
            _decision(scope, reach, row, approve, reason, revisions or {}, at) for row in _decidable(held, reach, on)
        ]
        Approval.objects.bulk_create(rows, batch_size=500)
        every = AccessRequest.objects.filter(pk__in=among(held))
        decided = _enough(every) if approve else every
        keys = list(decided.order_by("pk").values_list("pk", flat=True))
        _carry_over(keys, approve, reason, scope, at)
        record_all(scope, "request.approved" if approve else "request.rejected", held, at, reason)
    return list(AccessRequest.objects.filter(pk__in=among(held)).order_by("pk"))


def send_back(*, scope: Scope, request: AccessRequest, question: str, at: datetime) -> AccessRequest:
    """Send a submitted request back to who asked, with what is missing; it is a draft again. Raises as `decide`."""
    if not question.strip():
        raise AccountRefused("Say what is missing.", field="reason")
    on = day_in(at, EASTERN)
    reach = reach_of(scope, on)
    with transaction.atomic():
        held = lock_requests(scope, [request.pk])
        [(row, _seat)] = _decidable(held, reach, on)
        AccessRequest.objects.filter(pk=row.pk).update(
            state=State.DRAFT, revision=F("revision") + 1, version=F("version") + 1
        )
        Approval.objects.filter(request=row, voided_at=None).update(voided_at=at)
        RequestStep.objects.filter(request=row).update(state=RequestStep.State.WAITING, due_on=None, started_on=None)
        follow_dates([row.pk], at)
        note = _note(scope, row, RequestNote.Kind.SENT_BACK, question, at)
        hand_over([row.pk], What.SENT_BACK, scope=scope, note=note, at=at)
        record_all(scope, "request.sent-back", [row.pk], at, question.strip())
    request.refresh_from_db()
    return request


def comment(*, scope: Scope, request: AccessRequest, text: str, at: datetime) -> RequestNote:
    """Say something about a request that the member reads. Raises NotAllowed, AccountRefused without words."""
    if not text.strip():
        raise AccountRefused("Write what you want to say.", field="text")
    reading = AccessRequest.objects.visible_to(scope).filter(pk=request.pk).exists()
    if not reading:
        raise NotAllowed("This request is not among those that you read.")
    with transaction.atomic():
        held = lock_request(scope, request.pk)
        if not (reach_of(scope, day_in(at, EASTERN)).seat_for(held) or is_own_request(scope, held)):
            authorize(scope, Action.REQUEST_ACCESS, [held.facility_id])
        made = _note(scope, held, RequestNote.Kind.COMMENT, text, at)
        hand_over([held.pk], What.COMMENT, scope=scope, note=made, at=at)
        subject = Ref(held.key, str(held.beneficiary_person))
        record(chain=scope.organization.key, action="request.commented", actor=scope.actor, subject=subject, at=at)
    return made


def _decidable(held: Mapping[int, AccessRequest], reach: Reach, on: date) -> "list[tuple[AccessRequest, int | None]]":
    """Return each request with whom the member stands in for. Raises where she may not decide one of them."""
    if reach.person is None:
        raise NotAllowed("Only a confirmed member who still works here decides. An administrator confirms members.")
    needed = (
        set(AccessRequest.objects.filter(pk__in=among(held)).filter(somebody_decides(on)).values_list("pk", flat=True))
        if reach.outside
        else set(held)
    )
    used = _seats_used(held)
    found = []
    for row in held.values():
        if concerned(row, reach.person.pk, ""):
            raise AccountRefused("Somebody else decides what you asked for or would get.", code="own")
        if concerned(row, reach.person.pk, reach.person.email):
            raise AccountRefused(
                f"Who asked for it or gets it has your work e-mail {reach.person.email}: two records of one person, as"
                " it seems. Somebody else decides this; ask an administrator to put the double record right.",
                code="own",
            )
        if row.state != State.SUBMITTED or row.approval != Approved.NEEDED:
            raise AccountRefused("This request does not wait for a decision (any more).", code="state")
        if reach.person.pk in used[row.pk]:
            raise AccountRefused(
                "You approved this already, or your deputy did in your place; a second person has to.", code="decided"
            )
        seat = reach.seat_for(row, used[row.pk])
        if seat is None and row.pk in needed:
            _refuse_seatless(reach, row)
        found.append((row, seat.in_place_of if seat else None))
    return found


def _seats_used(held: Mapping[int, AccessRequest]) -> dict[int, set[int]]:
    """Return by request who has decided its present revision, and in whose place. One query."""
    used: dict[int, set[int]] = {key: set() for key in held}
    rows = Approval.objects.filter(request__in=among(held), voided_at=None, revision=F("request__revision"))
    for key, *people in rows.values_list("request_id", "approver_person_id", "in_place_of_id"):
        used[key].update(person for person in people if person is not None)
    return used


def _refuse_seatless(reach: Reach, row: AccessRequest) -> None:
    if reach.stands_in_at(row):
        raise AccountRefused(
            "You would decide in place of somebody who asked for it, gets it, or has decided already. Somebody else"
            " decides it.",
            code="own",
        )
    raise NotAllowed(
        f"You cannot decide requests at {row.facility}. Ask an approver or administrator of this facility."
        if not (row.role and row.role.privileged)
        else f"{row.role.name} can raise others’ rights: an administrator of {row.facility} decides it."
    )


def _decision(
    scope: Scope,
    reach: Reach,
    one: tuple[AccessRequest, int | None],
    approve: bool,
    reason: str,
    revisions: Mapping[int, int],
    at: datetime,
) -> Approval:
    row, in_place_of = one
    if revisions.get(row.pk, row.revision) != row.revision:
        raise AccountRefused("The request was changed meanwhile. Look at it again before you decide.", code="stale")
    assert reach.person is not None
    return Approval(
        organization=scope.organization,
        request=row,
        revision=row.revision,
        verdict=Approval.Verdict.APPROVE if approve else Approval.Verdict.REJECT,
        approver_person=reach.person,
        requester_person_id=row.requester_person_id,
        beneficiary_person_id=row.beneficiary_person_id,
        in_place_of_id=in_place_of,
        reason=reason,
        at=at,
    )


def _enough(requests: AccessRequestQuerySet) -> AccessRequestQuerySet:
    """Return those that as many people approved as it takes."""
    counts = Q(approvals__voided_at=None, approvals__verdict="approve", approvals__revision=F("revision"))
    return requests.annotate(given=Count("approvals", filter=counts)).filter(given__gte=F("approvers_needed"))


def _carry_over(keys: Sequence[int], approve: bool, reason: str, scope: Scope, at: datetime) -> None:
    """Let decided requests be approved or rejected, and their own step be through."""
    on = day_in(at, EASTERN)
    every = AccessRequest.objects.filter(pk__in=among(keys))
    if approve:
        every.update(state=State.APPROVED, decided_at=at, version=F("version") + 1)
    else:
        every.update(state=State.REJECTED, decided_at=at, closed_at=at, ended_reason=reason, version=F("version") + 1)
    RequestStep.objects.filter(request__in=among(keys), key_in_list=DECISION).update(
        state=RequestStep.State.DONE, done_on=on, done_at=at, done_by=scope.actor.label, note=reason
    )
    if approve:
        open_steps(keys, on=on, at=at, scope=scope)
    else:
        follow_dates(keys, at)
        hand_over(keys, What.REJECTED, scope=scope, at=at)


def _note(scope: Scope, request: AccessRequest, kind: str, text: str, at: datetime) -> RequestNote:
    return RequestNote.objects.create(
        organization=scope.organization,
        request=request,
        kind=kind,
        person=own_person(scope),
        by=scope.actor.label,
        text=text.strip(),
        at=at,
    )
