"""What a finished request changes in the register, by kind. Inside the transaction of `ending.finish`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import F

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, LoginEvent, PortalAccount, RequestStep, RoleGrant
from accounts.policy.requesting import Kind
from accounts.services.certifying import record_certification
from accounts.services.checks import check_profile
from accounts.services.inventory import (
    AccountFacts,
    add_accounts,
    correct_account,
    grant_role,
    regain_account,
    remove_account,
)
from accounts.services.logins import end_grants, places_of, refresh_clocks
from accounts.services.requests.meant import (
    account_of,
    existing_account,
    presumed_lapsed,
    refuse_before,
    restart,
    role_of,
    signing_account,
)
from accounts.services.requests.offered import late_certifications
from accounts.services.sign_in_facts import state_identity
from accounts.services.temporary_roles import end_before, grant_until, until_when_back
from accounts.services.terms import longest_until, state_term
from accounts.words import day
from facilities.access import Scope
from facilities.services.rechecks import recheck
from systems.models import SystemRole

Status = PortalAccount.Status
_PROOFING: Final = "proofing"  # the key of the step by which identity is proved, in the catalogue
# Keys of the steps, in the catalogue, by which a role that was gone is asked for again.
_ASKED_AGAIN: Final = ("request-again", "ask-again")
_BEFORE_WORKING: Final = frozenset({Status.PLANNED, Status.REQUESTED})


@dataclass(frozen=True, slots=True)
class Ending:
    """A request that is finished: from which day it holds, in US Eastern, and what it says as evidence.

    ``scope`` reaches everything in the organization: who may finish the request may do what it was asked for.
    """

    scope: Scope
    request: AccessRequest
    on: date
    user_id: str
    at: datetime
    factor: str = ""  # kind of the second factor, where the account is the one that is signed in with

    @property
    def evidence(self) -> str:
        """What stands beside a role that came of it."""
        return f"Request {self.request.pk}"


def take_effect(ending: Ending) -> RoleGrant | None:
    """Change accounts and roles to what was asked for; return the role that is held by it now, if one is.

    Raises AccountRefused where what is to change is not there any more, or did not exist on that day.
    """
    return _BY_KIND[Kind(ending.request.kind)](ending)


def _give(ending: Ending) -> RoleGrant | None:
    """Open the account where there is none, and the role."""
    request = ending.request
    assert request.role is not None  # a check of the table
    _refuse_over(ending)
    account = account_of(request)
    if account is None:
        facts = AccountFacts(
            request.system, [request.role], ending.on, "never", ending.user_id, evidence=ending.evidence
        )
        made = add_accounts(
            scope=ending.scope, person=request.beneficiary_person, facility=request.facility, accounts=[facts],
            at=ending.at,
        )  # fmt: skip
        account = next(each for each in made if each.system_id == request.system_id)
        _limit(ending, account)
        _say_how_signed_in(ending, account)
        return account.grants.known().get(facility=request.facility, role=request.role, valid_to=None)
    fresh = account.status in _BEFORE_WORKING
    _wake(account, ending)
    if fresh:
        _limit(ending, account)
        meant = RoleGrant.objects.known().filter(
            account=account, facility=request.facility, role=request.role, valid_to=None
        )
        meant.exclude(valid_from=ending.on).update(voided_at=ending.at)  # what was planned begins today
    grant = _grant(account, ending, until=None if fresh else request.wanted_until)
    _name(ending)
    _say_how_signed_in(ending, account)
    _follow(account, ending)
    return grant


def _change(ending: Ending) -> RoleGrant | None:
    """End the old role the day before and open the new one."""
    request = ending.request
    assert request.role is not None  # a check of the table
    _refuse_over(ending)
    account, old = existing_account(request), role_of(request)
    if old is None:
        raise AccountRefused(
            "The role that was to change has ended meanwhile. If the account is back, record that on its page first;"
            " else let this request fail and ask for the new role.",
            code="ended",
        )
    if ending.on <= old.valid_from:
        raise AccountRefused(
            f"The role that it replaces began on {day(old.valid_from)}; the new one can begin on a later day only.",
            field="effective_on",
        )
    _wake(account, ending)
    end_grants(account=account, on=ending.on - timedelta(days=1), at=ending.at, only=old)
    grant = _grant(account, ending, until=request.wanted_until)
    _follow(account, ending)
    return grant


def _refuse_over(ending: Ending) -> None:
    """Refuse a role that would begin after the day until which it was wanted."""
    until = ending.request.wanted_until
    if until and until < ending.on:
        raise AccountRefused(
            f"It was wanted until {day(until)}; that day lies before. Give an earlier day, or let the request fail and"
            " ask anew.",
            field="effective_on",
        )


def _grant(account: PortalAccount, ending: Ending, *, until: date | None) -> RoleGrant:
    """Open the role, also until a day only (R-54); one that was to end sooner goes on in it."""
    request = ending.request
    assert request.role is not None  # a check of the table
    same = RoleGrant.objects.known().filter(account=account, facility=request.facility, role=request.role)
    for short in same.filter(temporary=True).select_related("account"):
        assert short.valid_to is not None  # a check of the table
        if until is not None and short.valid_from <= ending.on and until <= short.valid_to:
            return short  # what is held for longer is not shortened by asking for it again
        until = None if until is None else max(until, short.valid_to)
        end_before(short, ending.on, ending.at)
    if until is None or same.filter(valid_to=None).exists():  # nor what lasts
        return grant_role(account, request.facility, request.role, ending.on, ending.at, ending.evidence)
    return grant_until(account, request.facility, request.role, (ending.on, until), ending.at, ending.evidence)


def _remove(ending: Ending) -> RoleGrant | None:
    """End the role; with the last one the account goes, unless other accounts sign in through it."""
    request = ending.request
    account = request.account
    assert account is not None  # a draft without one is refused
    if request.grant_id is not None:
        grant = role_of(request)
        if grant is not None and ending.on < grant.valid_from:
            raise AccountRefused(f"The role began on {day(grant.valid_from)}, after that day.", field="effective_on")
        if grant is not None:
            end_grants(account=account, on=ending.on, at=ending.at, only=grant)
            _follow(account, ending)
        held = RoleGrant.objects.to_end().filter(account=account).exists()
        if held or PortalAccount.objects.open().filter(identity=account).exists():
            return None
    remove_account(scope=ending.scope, account=account, removed_on=ending.on, at=ending.at)
    return None


def _give_back(ending: Ending) -> RoleGrant | None:
    """Bring a lost account back: with the role that was asked for, else with all that ended with the loss.

    What was wanted until a day comes back until then; for longer it takes a decision.
    """
    request, account = ending.request, existing_account(ending.request)
    role = request.role or (request.grant.role if request.grant else None)
    if role is None:
        if account.status == Status.LOST:
            return _regain(ending, account)
        if presumed_lapsed(account, ending.on):
            restart(account, ending.on)
        _follow(account, ending)
        return None
    until = _until_then(ending, account, role)
    if account.status != Status.ACTIVE:
        _wake(account, ending)
    elif presumed_lapsed(account, ending.on):
        restart(account, ending.on)
    _count_anew(ending)
    if until is None:
        grant = grant_role(account, request.facility, role, ending.on, ending.at, ending.evidence)
    else:
        grant = grant_until(account, request.facility, role, (ending.on, until), ending.at, ending.evidence)
    _follow(account, ending)
    return grant


def _count_anew(ending: Ending) -> None:
    """Let the year of a role that was not certified in time count from the day on which it was given again.

    Only where somebody said that it was gone and asked for again: that nobody told us of a certification says nothing
    of CMS's side.
    """
    asked = RequestStep.objects.filter(
        request=ending.request, key_in_list__in=_ASKED_AGAIN, state=RequestStep.State.DONE
    )
    held = role_of(ending.request)
    if held is not None and asked.exists() and late_certifications([held.pk], ending.on):
        record_certification(
            scope=ending.scope, grant=held, certified_on=ending.on, certified_by="Given again", at=ending.at
        )


def _until_then(ending: Ending, account: PortalAccount, role: SystemRole) -> date | None:
    """Return until when the role that comes back was wanted, None for a lasting one. Raises where that has passed."""
    wanted = (account.pk, ending.request.facility_id, role.pk)
    until = until_when_back([wanted]).get(wanted)
    if until is not None and until < ending.on:
        raise AccountRefused(
            f"The role was wanted until {day(until)} only; that day has passed. Let this request fail and ask for the"
            " role anew, so that somebody decides about it.",
            field="effective_on",
            code="over",
        )
    return until


def _unlock(ending: Ending) -> RoleGrant | None:
    account = existing_account(ending.request)
    return _regain(ending, account) if account.status == Status.LOST else None


def _regain(ending: Ending, account: PortalAccount) -> RoleGrant | None:
    regain_account(scope=ending.scope, account=account, regained_on=ending.on, at=ending.at, evidence=ending.evidence)
    back = RoleGrant.objects.to_end().filter(account=account, facility=ending.request.facility)
    return back.order_by("pk").first()


def _name(ending: Ending) -> RoleGrant | None:
    """Keep the user ID that was asked for, where the account signs in."""
    if not ending.user_id.strip():
        return None
    account = signing_account(ending.request)
    correct_account(
        scope=ending.scope, account=account, version=account.version, user_id=ending.user_id,
        password_changed_on=account.password_changed_on, note=account.note, at=ending.at,
    )  # fmt: skip
    return None


def _say_how_signed_in(ending: Ending, account: PortalAccount) -> None:
    """Take over what the steps and the finish said of proofing and second factor: what comes next asks for them."""
    account.refresh_from_db()
    if account.system.sign_in_via_id is not None:
        return
    proofed = RequestStep.objects.filter(
        request=ending.request, key_in_list=_PROOFING, state=RequestStep.State.DONE
    ).exists()
    state_identity(
        scope=ending.scope, account=account, version=account.version,
        proofing=PortalAccount.Proofing.DONE if proofed else account.proofing,
        factor=ending.factor or account.second_factor,
        since=ending.on if ending.factor else account.second_factor_on, at=ending.at,
    )  # fmt: skip


def _look(ending: Ending) -> RoleGrant | None:
    account = signing_account(ending.request)
    check_profile(scope=ending.scope, account=account, checked_on=ending.on, at=ending.at)
    return None


def _prove(ending: Ending) -> RoleGrant | None:
    account = signing_account(ending.request)
    PortalAccount.objects.filter(pk=account.pk).exclude(proofing=PortalAccount.Proofing.DONE).update(
        proofing=PortalAccount.Proofing.DONE, version=F("version") + 1
    )
    _follow(account, ending)
    return None


def _certify(ending: Ending) -> RoleGrant | None:
    grant = role_of(ending.request)
    if grant is None:
        raise AccountRefused(
            "The role has ended meanwhile; there is nothing to certify. Let this request fail, and say so.",
            code="ended",
        )
    record_certification(scope=ending.scope, grant=grant, certified_on=ending.on, at=ending.at)
    return grant


_BY_KIND: Final[dict[Kind, Callable[[Ending], RoleGrant | None]]] = {
    Kind.NEW_ACCOUNT: _give,
    Kind.ADDITIONAL_ROLE: _give,
    Kind.ROLE_CHANGE: _change,
    Kind.REMOVAL: _remove,
    Kind.REACTIVATION: _give_back,
    Kind.FORGOTTEN_ID: _name,
    Kind.CONTACT_CHANGE: _look,
    Kind.UNLOCK: _unlock,
    Kind.PROOFING: _prove,
    Kind.CERTIFICATION: _certify,
}


def _wake(account: PortalAccount, ending: Ending) -> None:
    """Let an account work from a day that was planned, asked for or lost; planned, also where it signs in."""
    if account.status == Status.ACTIVE:
        refuse_before(account, ending.on)
        return
    if account.status == Status.LOST:
        restart(account, ending.on)
        return
    identity = account.identity
    for each in (account, identity):
        if each is None or each.status not in _BEFORE_WORKING:
            continue
        used = LoginEvent.objects.standing().filter(account=each).exists()
        PortalAccount.objects.filter(pk=each.pk).update(
            status=Status.ACTIVE, opened_on=ending.on, history_from_on=None if used else ending.on,
            version=F("version") + 1,
        )  # fmt: skip
        each.refresh_from_db()


def _limit(ending: Ending, account: PortalAccount) -> None:
    """Let an account that this request opened end on the day until which it was wanted, or when it has to (R-54)."""
    until = ending.request.wanted_until
    if until is None:
        return
    longest = longest_until(account.opened_on, PortalAccount.Term.TEMPORARY)
    state_term(
        scope=ending.scope, account=account, version=account.version, term=PortalAccount.Term.TEMPORARY,
        lasts_until=min(until, longest) if longest else until, at=ending.at,
    )  # fmt: skip


def _follow(account: PortalAccount, ending: Ending) -> None:
    refresh_clocks([key for key in (account.pk, account.identity_id) if key is not None], at=ending.at)
    recheck(places_of(account))
