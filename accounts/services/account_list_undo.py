"""Takes an import of accounts back within 30 days: compensating facts dated now, nothing is deleted.

Logins and roles that the list told are voided, so clocks go back; what it ended or called lost counts again; accounts
that it opened are marked as removed. Whatever somebody has touched since stays as it is and is listed.
"""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

from django.db.models import F, Q, QuerySet

from accounts.models import Certification, LoginEvent, PortalAccount, RoleGrant
from accounts.services.account_granting import grant_again, parts, void_grants
from accounts.services.account_list_writing import look_again
from accounts.services.account_opening import hold_accounts
from accounts.services.login_feed import counting_above, follow_logins, void_logins
from accounts.services.missing import close_missing
from audit.bulk import update_rows
from facilities.access import Action, Scope
from imports.models import Import, ImportRow
from imports.undoing import Kind, Prospect, Undone, batches, may_undo, undo
from systems.policy import EASTERN, day_in
from systems.selectors import policy_chains

_ACCOUNTS: Final = Kind(Import.Kind.ACCOUNTS, "accounts", Action.IMPORT_ACCOUNTS, "accounts.import-undone")
Told = dict[str, Any]  # what `accounts.services.account_list_writing` kept of one row


def look_ahead(*, scope: Scope, source: Import, at: datetime) -> Prospect:
    """Return what `undo_import` would do now, in accounts; writes nothing. Raises as it does."""
    may_undo(_ACCOUNTS, scope, source, at)
    kept = _kept(source)
    prospect = Prospect()
    for batch in batches(source):
        for row in batch:
            account = int(row.subject_key.partition(":")[2])
            if account in kept:
                prospect.kept.append(account)
            else:
                prospect.kinds[row.kind] += 1
                prospect.kept += _kept_above([json.loads(row.change)], kept)
    return prospect


def undo_import(*, scope: Scope, source: Import, at: datetime) -> Undone:
    """Take an import of accounts back; nothing is undone where it raises.

    Raises NotAllowed; UndoRefused: ``too_late``, ``undone``, ``other``, ``stale`` (accounts were changed meanwhile).
    """

    def take_back(result: Undone) -> None:
        hold_accounts(json.loads(row.change)["account"] for batch in batches(source) for row in batch)
        kept = _kept(source)
        made: list[int] = []
        for batch in batches(source):
            made += _take_back_batch(batch, kept, at, result)
        _remove(made, at)
        close_missing(scope, source=source.pk, at=at)

    return undo(_ACCOUNTS, scope, source, at, take_back)


def _take_back_batch(batch: list[ImportRow], kept: set[int], at: datetime, result: Undone) -> list[int]:
    """Put one batch of accounts back, mark its rows and count them; return accounts that the import opened for it."""
    told = {row.pk: json.loads(row.change) for row in batch}
    done = [key for key, each in told.items() if each["account"] not in kept]
    mine = [told[key] for key in done]
    made = [key for key in _take_back(mine, at) if key not in kept]
    stays = [key for key in told if key not in set(done)]
    ImportRow.objects.filter(pk__in=stays).update(status=ImportRow.Status.KEPT)
    ImportRow.objects.filter(pk__in=done).update(status=ImportRow.Status.UNDONE)
    result.undone += len(done)
    result.kept += [told[key]["account"] for key in stays] + _kept_above(mine, kept)
    return made


def _kept(source: Import) -> set[int]:
    """Return the accounts that somebody touched since, and those that such accounts sign in through."""
    kept: set[int] = set()
    opened: dict[int, int | None] = {}  # account that the import opened -> the one it opened above it
    for batch in batches(source):
        told = [json.loads(row.change) for row in batch]
        kept |= _touched(told, source)
        opened |= {each["account"]: each.get("identity") for each in told if each.get("created")}
    for part in parts(opened):
        surfaces = PortalAccount.objects.open().filter(identity__in=part)
        kept |= {above for key, above in surfaces.values_list("pk", "identity_id") if key not in opened or key in kept}
    return kept


def _kept_above(mine: Iterable[Told], kept: set[int]) -> list[int]:
    """Return what stays of the accounts at sign-in authorities that were opened for surfaces now taken back."""
    return sorted({each["identity"] for each in mine if each.get("identity") in kept})


def _touched(told: list[Told], source: Import) -> set[int]:
    """Return the accounts that are not any more as the import left them. A later login alone moves no known account."""
    left = {each["account"]: each.get("version", 1) for each in told}
    above = {each["identity"] for each in told if each.get("identity")}  # opened for a surface, and untouched since
    left |= dict.fromkeys(above, 1)
    now = PortalAccount.objects.filter(pk__in=left).values_list("pk", "version")
    changed = {key for key, version in now if version != left[key]}
    later = Q(recorded_at__gt=source.applied_at) | Q(voided_at__gt=source.applied_at)
    granted = set(RoleGrant.objects.filter(later, account__in=left).values_list("account_id", flat=True))
    logins = [each["login"] for each in told if each.get("login")]
    gone = LoginEvent.objects.filter(pk__in=logins).exclude(voided_at=None)
    opened = above.union(each["account"] for each in told if each.get("created"))
    used = LoginEvent.objects.filter(later, account__in=opened)
    certified = Certification.objects.filter(later, grant__account__in=opened)
    return (
        changed
        | granted
        | set(gone.values_list("account_id", flat=True))
        | set(used.values_list("account_id", flat=True))
        | set(certified.values_list("grant__account_id", flat=True))
    )


def _take_back(mine: list[Told], at: datetime) -> list[int]:
    """Put one batch of accounts back, as sets; return the accounts that the import opened for them."""
    void_logins([each["login"] for each in mine if each.get("login")], at=at)
    certified = [key for each in mine for key in each.get("certified", ())]
    Certification.objects.known().filter(pk__in=certified).update(voided_at=at)
    void_grants([key for each in mine for key in (*each.get("grants", ()), *each.get("closed", ()))], at)
    grant_again([key for each in mine for key in each.get("ended", ())], at)
    states = PortalAccount.objects.filter(pk__in=[each["account"] for each in mine if each.get("lost")])
    _set_back(states, status=PortalAccount.Status.ACTIVE, loss="")
    for was in {each["was"] for each in mine if each.get("was")}:
        asked = [each["account"] for each in mine if each.get("was") == was]
        _set_back(PortalAccount.objects.filter(pk__in=asked), status=was)
    never = PortalAccount.objects.filter(pk__in=[each["account"] for each in mine if each.get("never")])
    _set_back(never, history_from_on=None)
    _forget_user_ids(mine)
    known = [each["account"] for each in mine if not each.get("created")]
    follow_logins(accounts=known, above=counting_above(known), at=at, chains=policy_chains())
    look_again(known)
    opened = [each["account"] for each in mine if each.get("created")]
    return opened + [each["identity"] for each in mine if each.get("identity")]


def _set_back(accounts: QuerySet[PortalAccount], **columns: Any) -> None:
    accounts.update(**columns, version=F("version") + 1)


def _forget_user_ids(mine: list[Told]) -> None:
    """Take told user IDs off known accounts, as long as they are still the ones that the list told."""
    told = {each["account"]: each["user_id"] for each in mine if each.get("user_id")}
    above = PortalAccount.objects.filter(pk__in=told).values_list("pk", "identity_id")
    rows = [[identity or key, told[key], None] for key, identity in above]
    also = "version = accounts_portalaccount.version + 1"
    update_rows(PortalAccount, ("id", "user_id"), ("user_id",), rows, also=also)


def _remove(made: Collection[int], at: datetime) -> None:
    """Mark accounts that the import opened as removed: surfaces first, then those that nothing signs in through.

    An account at an authority that somebody else's surface uses by now stays. Clocks follow.
    """
    on = day_in(at, EASTERN)
    for surfaces in (True, False):
        for part in parts(made):
            gone = PortalAccount.objects.running().filter(pk__in=part, identity__isnull=not surfaces)
            used = PortalAccount.objects.open().filter(identity__in=part).order_by()
            gone = gone.exclude(pk__in=used.values("identity_id"))
            keys = sorted(gone.values_list("pk", flat=True))
            void_grants(RoleGrant.objects.known().filter(account__in=keys).values_list("pk", flat=True), at)
            removed = PortalAccount.objects.filter(pk__in=keys)
            _set_back(removed, status=PortalAccount.Status.REMOVED, removed_on=on)
    follow_logins(accounts=made, above=counting_above(made), at=at, chains=policy_chains())
    look_again(made)
