"""Which account and which role a request means by now, and whether that account can be taken to be back."""

from datetime import date

from django.db.models import F

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Deadline, PortalAccount, RoleGrant
from accounts.words import day


def account_of(request: AccessRequest) -> PortalAccount | None:
    """Return the account that is meant: the one of the request, else the person's open one on the system."""
    mine = PortalAccount.objects.open().filter(
        organization=request.organization_id, person=request.beneficiary_person_id, system=request.system_id
    )
    mine = mine.select_related("person", "system", "identity").order_by("pk")
    return mine.filter(pk=request.account_id or 0).first() or mine.first()


def existing_account(request: AccessRequest) -> PortalAccount:
    """Return the account that is meant. Raises AccountRefused (``no_account``) where there is none any more."""
    account = account_of(request)
    if account is None:
        raise AccountRefused(
            f"{request.beneficiary_person} has no {request.system.name} account here any more. Add it on the person’s"
            " page first, or let this request fail.",
            code="no_account",
        )
    return account


def signing_account(request: AccessRequest) -> PortalAccount:
    """Return the account at the sign-in authority, where user ID, profile and proofing stand."""
    account = account_of(request)
    if account is not None:
        return account.identity or account
    authority = request.system.sign_in_via
    above = PortalAccount.objects.open().filter(
        organization=request.organization_id, person=request.beneficiary_person_id, system=authority
    )
    higher = above.select_related("person", "system").order_by("pk").first() if authority else None
    return higher or existing_account(request)


def role_of(request: AccessRequest) -> RoleGrant | None:
    """Return the open role that is meant: a correction since then has voided the row and inserted another."""
    named = request.grant
    if named is None:
        return None
    same = RoleGrant.objects.to_end().filter(account=named.account_id, facility=named.facility_id, role=named.role_id)
    return same.order_by("temporary", "-pk").first()


def refuse_before(account: PortalAccount, on: date) -> None:
    """Raise AccountRefused for a day before the account was opened."""
    if on < account.opened_on:
        raise AccountRefused(f"The account was opened on {day(account.opened_on)}, after that day.", field="on")


def restart(account: PortalAccount, on: date) -> None:
    """Let an account be back from a day on, as `inventory.regain_account` does: a new clock starts."""
    refuse_before(account, on)
    PortalAccount.objects.filter(pk=account.pk).update(
        status=PortalAccount.Status.ACTIVE, loss="", confirmed_on=on, history_from_on=on, version=F("version") + 1
    )
    account.refresh_from_db()


def presumed_lapsed(account: PortalAccount, on: date) -> bool:
    """Return whether the last safe day of an account's inactivity has passed."""
    clocks = Deadline.objects.open().filter(account=account, kind=Deadline.Kind.INACTIVITY)
    return clocks.filter(due_on__lt=on).exists()
