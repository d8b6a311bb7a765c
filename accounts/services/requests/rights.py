"""Who may carry a request out, end it or take its end back: what roles allow, and what is the member's own affair.

A removal of her own access is carried out by somebody else, also where she asked for it and whatever her roles are.
"""

from collections.abc import Callable
from typing import Final

from django.db.models import Q, QuerySet

from accounts.models import AccessRequest, RequestStep
from accounts.policy.requesting import ABOUT_WHAT_IS_HELD, NEEDS_APPROVAL, Kind
from facilities.access import Action, NotAllowed, Scope, authorize
from facilities.models import Membership
from facilities.models.tenancy import Role
from staff.models import Person

# What nobody decided is finished by whoever could record the same on the account's page.
_DIRECTLY: Final[dict[str, Action]] = {
    Kind.REMOVAL: Action.EDIT_ACCOUNT,
    Kind.REACTIVATION: Action.REPORT_LOSS,
    Kind.UNLOCK: Action.REPORT_LOSS,
    Kind.FORGOTTEN_ID: Action.KEEP_ACCOUNT,
    Kind.CONTACT_CHANGE: Action.KEEP_ACCOUNT,
    Kind.PROOFING: Action.KEEP_ACCOUNT,
    Kind.CERTIFICATION: Action.KEEP_ACCOUNT,
}


def is_own_request(scope: Scope, request: AccessRequest) -> bool:
    """Return whether a request (read with its people) is by or for the acting member."""
    people = (request.requester_person, request.beneficiary_person)
    return scope.user_id is not None and any(person.user_id == scope.user_id for person in people)


def holds_in_hand(scope: Scope, request: AccessRequest) -> bool:
    """Return whether ending a request (read with its people) is the member's own affair, whatever her roles are.

    It is for who asked, and for whom it is; not where access of hers goes or changes because somebody else asked: she
    would stop, claim or reverse what is done about her.
    """
    if request.kind in ABOUT_WHAT_IS_HELD and not _is(scope, request.requester_person.user_id):
        return False
    return is_own_request(scope, request)


def authorize_withdrawing(scope: Scope, request: AccessRequest) -> None:
    """Raise NotAllowed unless the member may withdraw a request: not somebody else's for the removal of her access."""
    own = holds_in_hand(scope, request)
    if not own:
        _refuse_own_removal(scope, request)
    authorize(scope, Action.REQUEST_ACCESS, [request.facility_id], own=own)


def authorize_step(scope: Scope, request: AccessRequest, actor: str) -> None:
    """Raise NotAllowed unless the member may record what came of a step that ``actor`` takes.

    The holder's own steps are recorded by her, also where somebody else asked for the change of her role; but for
    those of a removal, which are never hers.
    """
    _refuse_own_removal(scope, request)
    own = holds_in_hand(scope, request) or (actor == RequestStep.Actor.HOLDER and is_own_request(scope, request))
    authorize(scope, Action.CARRY_OUT_REQUEST, [request.facility_id], own=own)


def authorize_carrying(scope: Scope, request: AccessRequest) -> None:
    """Raise NotAllowed unless the member may record how a request went on: that it worked, or that it did not."""
    _refuse_own_removal(scope, request)
    authorize(scope, Action.CARRY_OUT_REQUEST, [request.facility_id], own=holds_in_hand(scope, request))


def authorize_finishing(scope: Scope, request: AccessRequest) -> None:
    """Raise NotAllowed unless the member may record that a request was carried out, with all that follows.

    What was decided here is finished by whoever may carry it out. What nobody decided takes the right to do the same
    without a request: asking first must not lift anybody's rights. Nobody certifies her own role.
    """
    authorize_carrying(scope, request)
    if request.kind in NEEDS_APPROVAL:
        return
    hers = _is(scope, request.beneficiary_person.user_id)
    if request.kind == Kind.CERTIFICATION and hers:
        raise NotAllowed("Somebody else records that your role was certified: ask a coordinator of this facility.")
    authorize(scope, _DIRECTLY[request.kind], [request.facility_id], own=hers)


def authorize_undoing(scope: Scope, request: AccessRequest) -> None:
    """Raise NotAllowed unless the member may take back that a request was finished.

    By herself nobody opens a role again that ended, nor takes a certification back.
    """
    _refuse_own_removal(scope, request)
    kept = request.kind in ABOUT_WHAT_IS_HELD or request.kind == Kind.CERTIFICATION
    own = not kept and holds_in_hand(scope, request)
    authorize(scope, Action.CARRY_OUT_REQUEST, [request.facility_id], own=own)


def carries_own_removal(scope: Scope, request: AccessRequest) -> bool:
    """Return whether the member carries out the removal of her own access, as nobody else could: for the audit chain.

    Asked once one of the rights above has passed.
    """
    return request.kind == Kind.REMOVAL and _is_about(scope, request)


def _refuse_own_removal(scope: Scope, request: AccessRequest) -> None:
    """Raise NotAllowed where the member would carry out a removal of her own access, whatever her roles.

    Somebody else says that it is gone, so that it is gone: an administrator there, or of the whole organization. Where
    there is no other one the member does it as the only administrator.
    """
    if request.kind != Kind.REMOVAL or not _is_about(scope, request):
        return
    leads = any(role == Role.ADMINISTRATOR and place in (None, request.facility_id) for role, place in scope.roles)
    if not leads or other_administrators(request).exists():
        raise NotAllowed(
            "Somebody else records how the removal of your own access goes on. Ask an administrator of this facility."
        )


def other_administrators(request: AccessRequest) -> QuerySet[Membership]:
    """Return the administrators in force for a request's facility, without the person that it is for."""
    email = request.beneficiary_person.email
    seats = Membership.objects.open().filter(
        Q(facility=None) | Q(facility=request.facility_id),
        organization=request.organization_id,
        role=Role.ADMINISTRATOR,
        user__is_active=True,
    )
    hers = Person.objects.filter(organization=request.organization_id, user__isnull=False)
    hers = hers.filter(Q(pk=request.beneficiary_person_id) | (Q(email__iexact=email) & ~Q(email="")))
    return seats.exclude(user__in=hers.values("user"))


def _is_about(scope: Scope, request: AccessRequest) -> bool:
    """Return whether a request is for the member, be it by a second record with her e-mail. One query at most."""
    if scope.user_id is None:
        return False
    if _is(scope, request.beneficiary_person.user_id):
        return True
    email = request.beneficiary_person.email
    mine = Person.objects.filter(organization=request.organization_id, user=scope.user_id)
    return bool(email) and mine.filter(email__iexact=email).exists()


def may(right: Callable[[Scope, AccessRequest], None], scope: Scope, request: AccessRequest) -> bool:
    """Return whether one of these would pass: for buttons."""
    try:
        right(scope, request)
    except NotAllowed:
        return False
    return True


def _is(scope: Scope, user_id: int | None) -> bool:
    return scope.user_id is not None and scope.user_id == user_id
