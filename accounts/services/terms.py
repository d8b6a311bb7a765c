"""How long an account was meant to last (R-54): lasting, temporary until a day, or for an emergency."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import F

from accounts.errors import AccountRefused
from accounts.models import PortalAccount
from accounts.services.clocks import close_cured_findings, temporary
from accounts.services.logins import is_own, places_of, record_act, refresh_clocks
from accounts.words import day
from facilities.access import Action, Scope, authorize
from systems.policy import EASTERN, day_in
from systems.selectors import policy_chains

Term = PortalAccount.Term


def state_term(
    *, scope: Scope, account: PortalAccount, version: int, term: str, lasts_until: date | None, at: datetime
) -> PortalAccount:
    """State how long an account lasts; its date follows. The same again changes nothing.

    ``lasts_until``: last day of a temporary account; None: as long as the rule allows (ARS-TEMP-1). Raises NotAllowed,
    and AccountRefused for a day before the opening or beyond what is allowed, for one's own account that would last
    longer (code ``own``), for one that is removed, and (code ``stale``) for one that somebody else saved meanwhile.
    """
    authorize(scope, Action.EDIT_ACCOUNT, places_of(account))
    if term not in Term.values:
        raise AccountRefused("Say how long the account is to last.", field="term")
    lasts_until = lasts_until if term == Term.TEMPORARY else None
    if lasts_until is not None:
        _check(account.opened_on, lasts_until)
    with transaction.atomic():
        mine = PortalAccount.objects.open().filter(pk=account.pk, organization=scope.organization)
        current = mine.select_for_update(no_key=True).first()
        if current is None:
            raise AccountRefused("This account was removed; it does not last any more.", code="removed")
        if (current.term, current.lasts_until) != (term, lasts_until):
            if current.version != version:
                message = "Somebody else saved this account meanwhile. Look at it and save again."
                raise AccountRefused(message, code="stale")
            if is_own(scope, account) and _end(current, term, lasts_until) > _end(
                current, current.term, current.lasts_until
            ):
                raise AccountRefused("Somebody else has to say that your own account lasts longer.", code="own")
            mine.update(term=term, lasts_until=lasts_until, version=F("version") + 1)
            refresh_clocks([account.pk], at=at)
            close_cured_findings(accounts=mine, at=at, on=day_in(at, EASTERN))
            until = lasts_until.isoformat() if lasts_until else None
            told: dict[str, object] = {"term": term, "lasts_until": until, "before": current.term}
            record_act(scope=scope, account=account, action="account.term-stated", at=at, payload=told)
    account.refresh_from_db()
    return account


def longest_until(opened_on: date, term: str) -> date | None:
    """Return the last day that the rule allows an account opened on a day; None where it sets none. Two queries."""
    found = temporary(policy_chains(), 1 if term == Term.EMERGENCY else 0, opened_on)
    return found.due_on if found else None


def _end(account: PortalAccount, term: str, lasts_until: date | None) -> date:
    """Return the last day of an account under a term; a lasting one has none that comes."""
    if term == Term.LASTING:
        return date.max
    return lasts_until or longest_until(account.opened_on, term) or date.max


def _check(opened_on: date, lasts_until: date) -> None:
    if lasts_until < opened_on:
        raise AccountRefused(f"It was opened on {day(opened_on)}; that day lies before it.", field="lasts_until")
    longest = longest_until(opened_on, Term.TEMPORARY)
    if longest is not None and lasts_until > longest:
        raise AccountRefused(
            f"Opened on {day(opened_on)}, it may last until {day(longest)}. Give that day or an earlier one, or make it"
            " a lasting account.",
            field="lasts_until",
        )
