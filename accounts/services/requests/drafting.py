"""Drafts of requests: what is asked for, checked as far as it stands by itself. Guards come with the submission."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import F, Q

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Approval, PortalAccount, RequestBundle, RequestHouse, RoleGrant
from accounts.policy.offering import Surface, why_not
from accounts.policy.requesting import NEEDS_APPROVAL, Kind, State, approval_of, approvers_needed
from accounts.services.requests.acts import label, lock_request, record_all
from accounts.services.requests.deciders import own_person
from accounts.services.requests.offered import surfaces
from accounts.words import day
from audit.bulk import among
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.models import Facility
from staff.models import Person
from systems.models import System, SystemRole
from systems.policy import EASTERN, day_in

_WITH_GRANT = frozenset({Kind.ROLE_CHANGE, Kind.CERTIFICATION})
_WITH_ACCOUNT = frozenset({Kind.REACTIVATION, Kind.CONTACT_CHANGE, Kind.UNLOCK})


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing asked for: whom it is for, where, on which system. ``grant``: the role that is changed or removed."""

    kind: str
    system: System
    facility: Facility
    beneficiary: Person
    role: SystemRole | None = None
    grant: RoleGrant | None = None
    account: PortalAccount | None = None
    reason: str = ""
    still_needed_reason: str = ""
    wanted_on: date | None = None
    wanted_until: date | None = None


def draft(*, scope: Scope, asks: Sequence[Ask], at: datetime) -> list[AccessRequest]:
    """Keep what is asked for as drafts, all or none; several form a bundle. One audit event with an item each.

    Raises NotAllowed, and AccountRefused naming the field for what does not fit together.
    """
    if not asks:
        raise AccountRefused("Say what you ask for.", field="kind")
    me = own_person(scope)
    known = surfaces(ask.system.pk for ask in asks)
    for ask in asks:
        authorize(scope, Action.REQUEST_ACCESS, [ask.facility.pk], own=ask.beneficiary.user_id == scope.user_id)
        _check(scope, ask, at)
        _refuse_not_offered(ask, known[ask.system.pk])
    _refuse_beyond_reach(scope, asks)
    with transaction.atomic():
        bundle = None
        if len(asks) > 1:
            bundle = RequestBundle.objects.create(organization=scope.organization, requester_person=me, created_at=at)
        two = RequestHouse.objects.filter(organization=scope.organization, two_for_privileged=True).exists()
        made = AccessRequest.objects.bulk_create(
            [_row(scope, ask, me, bundle, two, at) for ask in asks], batch_size=500
        )
        record_all(scope, "request.drafted", [request.pk for request in made], at)
    return made


def change(*, scope: Scope, request: AccessRequest, ask: Ask, version: int, at: datetime) -> AccessRequest:
    """Change what is asked for. Once submitted, that is a new revision: earlier approvals are void, it is decided anew.

    Who asked for whom, and the kind, stay: another kind is another request. Raises NotAllowed, and AccountRefused for
    a request whose steps have begun and (code ``stale``) for one that somebody else saved meanwhile.
    """
    _check(scope, ask, at)
    with transaction.atomic():
        held = lock_request(scope, request.pk)
        if held.requester_person.user_id != scope.user_id:
            raise AccountRefused("Only who asked changes the request. Write a comment instead.", code="not_yours")
        authorize(scope, Action.REQUEST_ACCESS, [ask.facility.pk], own=ask.beneficiary.user_id == scope.user_id)
        if held.state not in (State.DRAFT, State.SUBMITTED, State.APPROVED):
            raise AccountRefused("It is being carried out or has ended. Withdraw it and ask anew.", code="begun")
        if held.version != version:
            raise AccountRefused("Somebody else saved this request meanwhile. Look at it and save again.", code="stale")
        if (held.kind, held.beneficiary_person_id) != (ask.kind, ask.beneficiary.pk):
            raise AccountRefused("For another person or another kind, make another request.", field="kind")
        fresh = held.state == State.DRAFT
        two = RequestHouse.objects.filter(organization=scope.organization, two_for_privileged=True).exists()
        privileged = ask.role is not None and ask.role.privileged
        needed = approvers_needed(privileged=privileged, two_for_privileged=two)
        state = State.DRAFT if fresh or ask.kind not in NEEDS_APPROVAL else State.SUBMITTED
        AccessRequest.objects.filter(pk=held.pk).update(
            system=ask.system, facility=ask.facility, role=ask.role, grant=ask.grant, account=ask.account,
            reason=ask.reason.strip(), still_needed_reason=ask.still_needed_reason.strip(), wanted_on=ask.wanted_on,
            wanted_until=ask.wanted_until, state=state, approvers_needed=needed,
            revision=F("revision") + (0 if fresh else 1), version=F("version") + 1,
        )  # fmt: skip
        Approval.objects.filter(request=held, voided_at=None).update(voided_at=at)
        record(
            chain=scope.organization.key,
            action="request.changed",
            actor=scope.actor,
            subject=Ref(held.key, label(held)),
            at=at,
            payload=_told(ask),
        )
    request.refresh_from_db()
    return request


def _check(scope: Scope, ask: Ask, at: datetime) -> None:
    if ask.kind not in set(Kind):
        raise AccountRefused("Say what you ask for.", field="kind")
    if {ask.facility.organization_id, ask.beneficiary.organization_id} != {scope.organization.pk}:
        raise AccountRefused("Person and facility must belong to this organization.")
    if ask.kind in NEEDS_APPROVAL and ask.role is None:
        raise AccountRefused("Choose the role that is wanted.", field="role")
    if ask.role is not None and ask.role.system_id != ask.system.pk:
        raise AccountRefused(f"{ask.role.name} is no role of {ask.system.name}.", field="role")
    if ask.wanted_on and ask.wanted_until and ask.wanted_until < ask.wanted_on:
        raise AccountRefused("The last day lies before the first.", field="wanted_until")
    if ask.wanted_until and ask.wanted_until < day_in(at, EASTERN):
        message = f"“Only until” is {day(ask.wanted_until)}, and that day has passed. Give a later day, or none."
        raise AccountRefused(message, field="wanted_until")
    _check_held(scope, ask)


def _refuse_not_offered(ask: Ask, surface: Surface) -> None:
    if reason := why_not(ask.kind, surface, privileged=ask.grant is not None and ask.grant.role.privileged):
        raise AccountRefused(reason, field="kind", code="not_offered")


def _check_held(scope: Scope, ask: Ask) -> None:
    """Refuse an account or role that is not the person's, or not there."""
    account, grant = ask.account, ask.grant
    if account is not None and (
        account.organization_id != scope.organization.pk
        or account.person_id != ask.beneficiary.pk
        or account.system_id != ask.system.pk
    ):
        raise AccountRefused(f"{ask.beneficiary} has no such account on {ask.system.name}.", field="account")
    if grant is not None and (account is None or grant.account_id != account.pk):
        raise AccountRefused("That role belongs to another account.", field="grant")
    if grant is not None and grant.facility_id != ask.facility.pk:
        raise AccountRefused("That role belongs to another facility.", field="grant")
    if ask.kind in _WITH_GRANT and grant is None:
        raise AccountRefused("Choose the role that is meant.", field="grant")
    if ask.kind in _WITH_ACCOUNT and account is None:
        raise AccountRefused("Choose the account that is meant.", field="account")
    role = ask.role or (ask.grant.role if ask.grant else None)
    if ask.kind == Kind.REACTIVATION and role is not None and not _lost_with_account(ask, role):
        message = (
            f"{ask.beneficiary} did not lose {role.name} at {ask.facility} when the account lapsed: it was never"
            " held, or taken away before. Ask for a new role instead."
        )
        raise AccountRefused(message, field="role")
    if ask.kind == Kind.REMOVAL and account is None:
        raise AccountRefused("Choose the account or role that is to be removed.", field="account")
    if ask.kind == Kind.ROLE_CHANGE and grant is not None and grant.role_id == (ask.role and ask.role.pk):
        raise AccountRefused("That is the role held already.", field="role")


def _refuse_beyond_reach(scope: Scope, asks: Sequence[Ask]) -> None:
    """Refuse to have an account removed as a whole by who may not ask wherever it has a role. One query."""
    whole = {ask.account.pk: ask for ask in asks if ask.kind == Kind.REMOVAL and ask.grant is None and ask.account}
    held = RoleGrant.objects.to_end().filter(account__in=among(whole))
    for account, place in held.values_list("account_id", "facility_id") if whole else ():
        authorize(scope, Action.REQUEST_ACCESS, [place], own=whole[account].beneficiary.user_id == scope.user_id)


def _lost_with_account(ask: Ask, role: SystemRole) -> bool:
    """Return whether the account had the role there when it lapsed: only that comes back without a decision."""
    here = RoleGrant.objects.known().filter(account=ask.account, facility=ask.facility, role=role)
    return here.filter(Q(valid_to=None) | Q(pk__in=here.lost_with_account().values("pk"))).exists()


def as_request(scope: Scope, ask: Ask, me: Person) -> AccessRequest:
    """Return what is asked for as a request that is not stored yet."""
    return AccessRequest(
        organization=scope.organization,
        kind=ask.kind,
        system=ask.system,
        facility=ask.facility,
        role=ask.role,
        grant=ask.grant,
        account=ask.account,
        requester_person=me,
        beneficiary_person=ask.beneficiary,
        approval=approval_of(ask.kind),
        reason=ask.reason.strip(),
        still_needed_reason=ask.still_needed_reason.strip(),
        wanted_on=ask.wanted_on,
        wanted_until=ask.wanted_until,
    )


def _row(scope: Scope, ask: Ask, me: Person, bundle: RequestBundle | None, two: bool, at: datetime) -> AccessRequest:
    row = as_request(scope, ask, me)
    privileged = ask.role is not None and ask.role.privileged
    row.approvers_needed = approvers_needed(privileged=privileged, two_for_privileged=two)
    row.bundle, row.created_at = bundle, at
    return row


def _told(ask: Ask) -> dict[str, object]:
    return {
        "kind": ask.kind,
        "system": ask.system.slug,
        "facility": ask.facility.key,
        "person": ask.beneficiary.key,
        "role": ask.role.slug if ask.role else None,
        "grant": ask.grant.key if ask.grant else None,
    }
