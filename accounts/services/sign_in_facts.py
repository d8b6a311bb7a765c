"""How an account is signed in with: proofing, second factor, the tool that uses a person's ID. Never a secret."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import F

from accounts.errors import AccountRefused
from accounts.models import PortalAccount
from accounts.services.logins import is_own, places_of, record_act
from audit.secrets import found_secret
from facilities.access import Action, Scope, authorize
from systems.policy import eastern_day, latest_day

Factor = PortalAccount.Factor
TOOL_LENGTH = 80


def state_tool(*, scope: Scope, account: PortalAccount, version: int, tool: str, at: datetime) -> PortalAccount:
    """State which tool signs in with the account; empty = none. The same again changes nothing.

    Such tools break when the system moves (HARP-CRED-2). Raises NotAllowed, and AccountRefused for a text that is too
    long or looks like a secret (R-42), for a removed account, and (code ``stale``) for one saved meanwhile.
    """
    authorize(scope, Action.KEEP_ACCOUNT, places_of(account), own=is_own(scope, account))
    tool = " ".join(tool.split())
    if len(tool) > TOOL_LENGTH:
        raise AccountRefused(f"The name of the tool has at most {TOOL_LENGTH} characters.", field="tool")
    if kind := found_secret(tool):
        raise AccountRefused(f"This looks like {kind}, which is never kept. Give only the tool's name.", field="tool")
    return _state(scope, account, version, {"used_by_tool": tool}, "account.tool-stated", at)


def state_identity(
    *,
    scope: Scope,
    account: PortalAccount,
    version: int,
    proofing: str,
    factor: str,
    since: date | None,
    at: datetime,
) -> PortalAccount:
    """State how far identity proofing is at a sign-in authority, the kind of second factor, and since when it works.

    The same again changes nothing. Raises NotAllowed, and AccountRefused for an unknown word, an account that signs in
    through another one, a day in the future, a removed account, and (code ``stale``) for one saved meanwhile.
    """
    authorize(scope, Action.KEEP_ACCOUNT, places_of(account), own=is_own(scope, account))
    if proofing not in PortalAccount.Proofing.values:
        raise AccountRefused("Say how far the identity proofing is.", field="proofing")
    if factor not in Factor.values:
        raise AccountRefused("Say what kind of second factor it is.", field="factor")
    if account.system.sign_in_via_id is not None:
        raise AccountRefused(
            "Identity and second factor belong to the account that it signs in through.", code="surface"
        )
    if since is not None and since > latest_day(at):
        raise AccountRefused("It cannot have been set up in the future.", field="since")
    there = factor not in (Factor.NONE, Factor.UNKNOWN)
    on = eastern_day(since, at) if since is not None and there else None
    changes: dict[str, object] = {"proofing": str(proofing), "second_factor": str(factor), "second_factor_on": on}
    return _state(scope, account, version, changes, "account.identity-stated", at)


def _state(
    scope: Scope, account: PortalAccount, version: int, changes: dict[str, object], action: str, at: datetime
) -> PortalAccount:
    with transaction.atomic():
        mine = PortalAccount.objects.open().filter(pk=account.pk, organization=scope.organization)
        current = mine.select_for_update(no_key=True).first()
        if current is None:
            raise AccountRefused("This account was removed; nobody signs in with it any more.", code="removed")
        before = {name: getattr(current, name) for name in changes}
        if before != changes:
            if current.version != version:
                message = "Somebody else saved this account meanwhile. Look at it and save again."
                raise AccountRefused(message, code="stale")
            mine.update(**changes, version=F("version") + 1)
            told: dict[str, object] = {
                name: {"before": _plain(before[name]), "after": _plain(value)} for name, value in changes.items()
            }
            record_act(scope=scope, account=account, action=action, at=at, payload=told)
    account.refresh_from_db()
    return account


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
