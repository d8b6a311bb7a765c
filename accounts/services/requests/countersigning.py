"""A third person looks at what went on without one: the finding closes, what was found stays in the chain."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import BigIntegerField, QuerySet
from django.db.models.functions import Cast, Substr

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Finding
from accounts.models.watch import FindingQuerySet
from accounts.policy.requesting import Approved
from accounts.services.requests.acts import READ_WITH, label, lock_request
from accounts.services.requests.deciders import Reach, about, concerned, reach_of, records_of, somebody_decides
from audit.services import Ref, record
from facilities.access import NotAllowed, Scope
from systems.policy import EASTERN, day_in


def may_countersign(scope: Scope, request: AccessRequest, at: datetime) -> bool:
    """Return whether the member could countersign a request (read with its role) that still waits for it."""
    if request.approval != Approved.UNAPPROVED or not _waiting(request).exists():
        return False
    try:
        refuse_countersigning(scope, request, at)
    except (NotAllowed, AccountRefused):
        return False
    return True


def to_countersign(scope: Scope, key: int, at: datetime) -> AccessRequest | None:
    """Return the request of this key if the member could countersign it, also where she does not read it otherwise."""
    every = AccessRequest.objects.filter(organization=scope.organization, approval=Approved.UNAPPROVED)
    found = every.select_related(*READ_WITH).filter(pk=key).first()
    return found if found is not None and may_countersign(scope, found, at) else None


def to_look_at(scope: Scope, reach: Reach, on: date) -> QuerySet[AccessRequest]:
    """Return what went on without a second person and waits for the outside deputy, where nobody else may decide."""
    every = AccessRequest.objects.filter(organization=scope.organization, approval=Approved.UNAPPROVED)
    me = reach.person
    if me is None or not reach.outside:
        return every.none()
    # from the findings that are open, which are few: of the requests each would be asked
    found = Finding.objects.open().filter(kind=Finding.Kind.UNAPPROVED_REQUEST, organization=scope.organization)
    keys = found.annotate(of=Cast(Substr("subject_key", len("request:") + 1), BigIntegerField())).values("of")
    unseen = every.filter(pk__in=keys).exclude(about(records_of(scope.organization, {me.pk: me.email})[me.pk]))
    return unseen.exclude(somebody_decides(on))


def _waiting(request: AccessRequest) -> FindingQuerySet:
    return Finding.objects.open().filter(kind=Finding.Kind.UNAPPROVED_REQUEST, subject_key=request.key)


def countersign(*, scope: Scope, request: AccessRequest, note: str = "", at: datetime) -> AccessRequest:
    """Say that a request without a second person was looked at and is right; its finding closes. Safe to repeat.

    Raises NotAllowed for who may not decide there, and AccountRefused for ``own`` requests and those that needed no
    second person (``state``). Whoever finds it wrong asks for the removal instead.
    """
    with transaction.atomic():
        held = lock_request(scope, request.pk)
        refuse_countersigning(scope, held, at)
        if _waiting(held).update(closed_at=at):
            record(
                chain=scope.organization.key,
                action="request.countersigned",
                actor=scope.actor,
                subject=Ref(held.key, label(held)),
                at=at,
                reason=note.strip(),
                payload={"state": held.state, "person": held.beneficiary_person.key},
            )
    return held


def refuse_countersigning(scope: Scope, request: AccessRequest, at: datetime) -> None:
    """Raise as `countersign` does, for a request read with its role."""
    if request.approval != Approved.UNAPPROVED:
        raise AccountRefused("A second person was not missing here; there is nothing to countersign.", code="state")
    on = day_in(at, EASTERN)
    reach = reach_of(scope, on)
    if reach.person is None:
        raise NotAllowed("Only a confirmed member who still works here countersigns.")
    if concerned(request, reach.person.pk, reach.person.email):
        raise AccountRefused("Somebody else looks at what you asked for or got.", code="own")
    alone = not AccessRequest.objects.filter(pk=request.pk).filter(somebody_decides(on)).exists()
    if reach.seat_for(request) is None and not (reach.outside and alone):
        raise NotAllowed(f"You do not decide at {request.facility}. Ask an administrator of this facility to look.")
