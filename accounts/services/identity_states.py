"""How far an identity at a sign-in authority has come: proofing, and the kind of second factor with its day.

Never an answer, a number or a seed: see `audit.secrets`.
"""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.errors import AccountRefused
from accounts.models import PortalAccount
from accounts.services.logins import is_own, places_of, record_act
from facilities.access import Action, Scope, authorize
from facilities.services.rechecks import recheck
from systems.policy import eastern_day, latest_day


def state_identity(
    *,
    scope: Scope,
    account: PortalAccount,
    version: int,
    proofing: str,
    second_factor: str,
    second_factor_on: date | None,
    at: datetime,
) -> PortalAccount:
    """State proofing and second factor of an account at an authority. The same again changes nothing.

    ``second_factor_on``: since when it works, where known. Raises NotAllowed, and AccountRefused for an account below
    an authority, an unknown word, a day ahead, and (code ``stale``) for one that somebody else saved meanwhile.
    """
    authorize(scope, Action.KEEP_ACCOUNT, places_of(account), own=is_own(scope, account))
    if account.identity_id is not None:
        raise AccountRefused("Identity and second factor belong to the account that one signs in with.")
    if proofing not in PortalAccount.Proofing.values:
        raise AccountRefused("Say how far the identity proofing is.", field="proofing")
    if second_factor not in PortalAccount.Factor.values:
        raise AccountRefused("Say which second factor there is.", field="second_factor")
    if second_factor in (PortalAccount.Factor.NONE, PortalAccount.Factor.UNKNOWN):
        second_factor_on = None
    if second_factor_on is not None:
        if second_factor_on > latest_day(at):
            raise AccountRefused("A second factor cannot work from a day ahead.", field="second_factor_on")
        second_factor_on = eastern_day(second_factor_on, at)
    stated: dict[str, Any] = {
        "proofing": proofing,
        "second_factor": second_factor,
        "second_factor_on": second_factor_on,
    }
    with transaction.atomic():
        mine = PortalAccount.objects.open().filter(pk=account.pk, organization=scope.organization)
        current = mine.select_for_update(no_key=True).first()
        if current is None:
            raise AccountRefused("This account was removed.", code="removed")
        if any(getattr(current, name) != value for name, value in stated.items()):
            if current.version != version:
                message = "Somebody else saved this account meanwhile. Look at it and save again."
                raise AccountRefused(message, code="stale")
            mine.update(**stated, version=F("version") + 1)
            recheck(places_of(account))
            record_act(scope=scope, account=account, action="account.identity-stated", at=at, payload=stated)
    account.refresh_from_db()
    return account
