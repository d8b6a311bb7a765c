"""When roles turn out to be gone, getting them back is drafted at once (design section 4, no false green)."""

from datetime import datetime

from accounts.models import AccessRequest, PortalAccount, RoleGrant
from accounts.policy.requesting import Kind
from accounts.services.logins import is_own
from accounts.services.requests.drafting import Ask, draft
from facilities.access import Action, Scope
from staff.models import Person

AT_MOST = 25  # roles of one account that are asked for in one go


def draft_reactivation(*, scope: Scope, account: PortalAccount, at: datetime) -> list[AccessRequest]:
    """Draft what brings back the roles that ended with the loss, one request for each role and facility.

    Nothing is drafted for who is nobody's person or may not ask there, nor where getting it back is asked for already.
    """
    if scope.user_id is None:
        return []
    me = Person.objects.filter(organization=scope.organization, user_id=scope.user_id)
    asked = AccessRequest.objects.pending().filter(account=account, kind=Kind.REACTIVATION)
    if not me.exists() or asked.exists():
        return []
    own = is_own(scope, account)
    ended = RoleGrant.objects.lost_with_account().filter(account=account)
    lost = ended.select_related("facility", "role").order_by("facility__name", "pk")
    asks = [
        Ask(
            kind=Kind.REACTIVATION,
            system=account.system,
            facility=grant.facility,
            beneficiary=account.person,
            role=grant.role,
            account=account,
            reason="The roles were gone when somebody looked.",
        )
        for grant in lost
        if scope.may(Action.REQUEST_ACCESS, [grant.facility_id], own=own)
    ]
    return draft(scope=scope, asks=asks[:AT_MOST], at=at) if asks else []
