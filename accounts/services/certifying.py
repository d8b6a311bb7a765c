"""Yearly certification of roles on CMS's side (R-12): what was told to us, and taking it back."""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from accounts.errors import AccountRefused
from accounts.models import Certification, PortalAccount, RoleGrant
from accounts.services.clocks import close_cured_findings, recompute
from accounts.words import day as in_words
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from systems.policy import EASTERN, day_in, eastern_day, latest_day


def record_certification(
    *, scope: Scope, grant: RoleGrant, certified_on: date, certified_by: str = "", at: datetime
) -> Certification:
    """Record that the approver certified a role for another year. The same day again changes nothing.

    Raises NotAllowed, and AccountRefused for a role that has ended, a day in the future or before the grant, and
    another name for a day that is recorded already.
    """
    authorize(scope, Action.KEEP_ACCOUNT, [grant.facility_id])
    if certified_on > latest_day(at):
        raise AccountRefused("A certification cannot lie in the future.", field="certified_on")
    certified_on = eastern_day(certified_on, at)
    with transaction.atomic():
        PortalAccount.objects.select_for_update(no_key=True).get(pk=grant.account_id)
        current = RoleGrant.objects.to_end().filter(pk=grant.pk, organization=scope.organization).first()
        if current is None:
            raise AccountRefused("This role has ended; there is nothing to certify.", code="ended")
        if certified_on < current.valid_from:
            raise AccountRefused(f"The role was granted on {in_words(current.valid_from)}.", field="certified_on")
        made, created = _kept(scope, current, certified_on, certified_by.strip(), at)
        if created:
            _follow(current, at)
            _record(scope, "role.certified", made, at)
        elif certified_by.strip() not in ("", made.certified_by):
            by = f"by {made.certified_by}" if made.certified_by else "without a name"
            message = f"That day is recorded already, {by}. Take that back first if it is wrong."
            raise AccountRefused(message, field="certified_by", code="recorded")
    return made


def void_certification(*, scope: Scope, certification: Certification, reason: str, at: datetime) -> None:
    """Take a certification back that was recorded by mistake; the row stays, with the reason. Safe to repeat.

    The one before it counts again, or the grant. Raises NotAllowed, and AccountRefused without a reason.
    """
    grant = certification.grant
    authorize(scope, Action.KEEP_ACCOUNT, [grant.facility_id])
    reason = reason.strip()
    if not reason:
        raise AccountRefused("Say why it is taken back.", field="reason")
    with transaction.atomic():
        known = Certification.objects.filter(pk=certification.pk, organization=scope.organization, voided_at=None)
        if known.update(voided_at=at, void_reason=reason):
            _follow(grant, at)
            _record(scope, "role.certification-voided", certification, at, reason)


def _kept(scope: Scope, grant: RoleGrant, day: date, by: str, at: datetime) -> tuple[Certification, bool]:
    same = Certification.objects.filter(grant=grant, certified_on=day, voided_at=None)
    try:
        with transaction.atomic():
            return same.get_or_create(
                grant=grant,
                certified_on=day,
                voided_at=None,
                defaults={
                    "organization_id": grant.organization_id,
                    "certified_by": by,
                    "recorded_at": at,
                    "recorded_by": scope.actor.label,
                },
            )
    except IntegrityError:  # told twice at the same moment
        return same.get(), False


def _follow(grant: RoleGrant, at: datetime) -> None:
    accounts = PortalAccount.objects.filter(pk=grant.account_id)
    recompute(accounts=accounts, at=at)
    close_cured_findings(accounts=accounts, at=at, on=day_in(at, EASTERN))


def _record(scope: Scope, action: str, certification: Certification, at: datetime, reason: str = "") -> None:
    grant = certification.grant
    record(
        chain=scope.organization.key,
        action=action,
        actor=scope.actor,
        subject=Ref(grant.key, f"{grant.account.person}, {grant.role.name}"),
        at=at,
        reason=reason,
        payload={"certified_on": certification.certified_on.isoformat(), "by": certification.certified_by},
    )
