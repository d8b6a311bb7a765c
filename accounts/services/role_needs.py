"""Why somebody needs a privileged role (R-15): stated, said anew, taken back. Rows are voided, never edited."""

from datetime import datetime

from django.db import transaction

from accounts.errors import AccountRefused
from accounts.models import PortalAccount, RoleGrant, RoleNeed
from accounts.services.logins import record_act
from audit.secrets import found_secret
from facilities.access import Action, Scope, authorize
from facilities.services.rechecks import recheck
from systems.policy import day_in


def state_need(*, scope: Scope, grant: RoleGrant, need: str, at: datetime) -> RoleNeed:
    """State why a privileged role is needed. Other words void those before; the same again changes nothing.

    Raises NotAllowed, and AccountRefused without words, for what looks like a secret, for a role that is not
    privileged, and (code ``ended``) for one that is not in force any more.
    """
    authorize(scope, Action.KEEP_ACCOUNT, [grant.facility_id])
    need = need.strip()
    if not need:
        raise AccountRefused("Say why the role is needed.", field="need")
    if len(need) > 300:
        raise AccountRefused("Say it in at most 300 characters.", field="need")
    kind = found_secret(need)
    if kind:
        raise AccountRefused(f"This looks like {kind}. Portalkeeper never keeps one.", field="need", code="secret")
    if not grant.role.privileged:
        raise AccountRefused("Only of privileged roles it is asked why they are needed.", code="not_privileged")
    same = {"account": grant.account_id, "facility": grant.facility_id, "role": grant.role_id}
    with transaction.atomic():
        # Two who state it at once come one after the other.
        PortalAccount.objects.select_for_update(no_key=True).get(pk=grant.account_id, organization=scope.organization)
        if not RoleGrant.objects.in_force(day_in(at, grant.facility.zone)).filter(**same).exists():
            raise AccountRefused("This role has ended; there is nothing to state.", code="ended")
        known = RoleNeed.objects.known().filter(**same)
        before = known.first()
        if before is not None and before.need == need:
            return before
        known.update(voided_at=at)
        told = RoleNeed.objects.create(
            organization=scope.organization,
            account_id=grant.account_id,
            facility_id=grant.facility_id,
            role_id=grant.role_id,
            need=need,
            recorded_at=at,
            recorded_by=scope.actor.label,
        )
        recheck([grant.facility_id])
        _record(scope, "role.need-stated", told, at)
    return told


def void_need(*, scope: Scope, need: RoleNeed, reason: str, at: datetime) -> None:
    """Take back why a role is needed; the row stays, with the reason, and the need is asked again. Safe to repeat.

    Raises NotAllowed, and AccountRefused without a reason.
    """
    authorize(scope, Action.KEEP_ACCOUNT, [need.facility_id])
    reason = reason.strip()
    if not reason:
        raise AccountRefused("Say why it is taken back.", field="reason")
    with transaction.atomic():
        known = RoleNeed.objects.known().filter(pk=need.pk, organization=scope.organization)
        if known.update(voided_at=at, void_reason=reason):
            recheck([need.facility_id])
            _record(scope, "role.need-voided", need, at, reason)


def _record(scope: Scope, action: str, told: RoleNeed, at: datetime, reason: str = "") -> None:
    payload: dict[str, object] = {"need": told.need, "facility": told.facility.key, "role": told.role.slug}
    record_act(scope=scope, account=told.account, action=action, at=at, payload=payload, reason=reason)
