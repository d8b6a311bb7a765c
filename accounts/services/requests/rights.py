"""Who may end a request or take its end back: what roles allow, and what is the member's own affair."""

from collections.abc import Callable
from typing import Final

from accounts.models import AccessRequest
from accounts.policy.requesting import ABOUT_WHAT_IS_HELD, NEEDS_APPROVAL, Kind
from facilities.access import Action, NotAllowed, Scope, authorize

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


def authorize_carrying(scope: Scope, request: AccessRequest) -> None:
    """Raise NotAllowed unless the member may record how a request went on: its steps, or that it did not work.

    A removal of her own access is carried out by somebody else, also where she asked for it.
    """
    leaves = request.kind == Kind.REMOVAL and _is(scope, request.beneficiary_person.user_id)
    own = holds_in_hand(scope, request) and not leaves
    authorize(scope, Action.CARRY_OUT_REQUEST, [request.facility_id], own=own)


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
    kept = request.kind in ABOUT_WHAT_IS_HELD or request.kind == Kind.CERTIFICATION
    own = not kept and holds_in_hand(scope, request)
    authorize(scope, Action.CARRY_OUT_REQUEST, [request.facility_id], own=own)


def may(right: Callable[[Scope, AccessRequest], None], scope: Scope, request: AccessRequest) -> bool:
    """Return whether one of these would pass: for buttons."""
    try:
        right(scope, request)
    except NotAllowed:
        return False
    return True


def _is(scope: Scope, user_id: int | None) -> bool:
    return scope.user_id is not None and scope.user_id == user_id
