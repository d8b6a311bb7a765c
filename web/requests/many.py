"""One change asked for on many accounts: what each would be, and which are left out and why. Nothing is stored here."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from accounts.models import AccessRequest, PortalAccount, RoleGrant
from accounts.models.inventory import PortalAccountQuerySet
from accounts.policy.offering import Surface, why_not
from accounts.policy.requesting import Kind
from accounts.services.requests.drafting import Ask
from accounts.services.requests.guards import guards_of
from accounts.services.requests.offered import surfaces
from facilities.access import Scope
from facilities.models import Facility
from staff.models import Person
from systems.models import SystemRole
from web.requests.asking import unsaved
from web.requests.picks import grants_within_reach, holds_on, late_to_get_back, options_of
from web.requests.wanting import Pick
from web.requests.words import said

MOST: Final = 500  # requests in one bundle
KINDS: Final = (Kind.REMOVAL.value, Kind.REACTIVATION.value, Kind.ROLE_CHANGE.value)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted for all of them; ``old`` and ``new`` are the roles of a role change."""

    kind: str
    old: SystemRole | None = None
    new: SystemRole | None = None


@dataclass(slots=True)
class Many:
    """What would be asked for, each as a sentence, and what is left out with its reason."""

    asks: list[Ask] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    requests: list[AccessRequest] = field(default_factory=list)  # as `unsaved`


def many_of(
    scope: Scope, accounts: PortalAccountQuerySet, wish: Wish, me: Person, reason: str, at: datetime, on: date
) -> Many:
    """Return what one change on accounts would be. A fixed number of queries, however many accounts."""
    found = Many()
    rows = accounts.select_related("system", "person__organization", "organization")
    held = list(rows.order_by("person__last_name", "person__first_name", "pk")[: MOST + 1])
    grants, elsewhere = grants_within_reach(scope, held, on)
    candidates: list[Ask] = []
    known = surfaces(account.system_id for account in held)
    late = late_to_get_back(grants.values(), wish.kind, on)
    for account in held:
        surface = known[account.system_id]
        whole = account.pk not in elsewhere
        picks = options_of(account, grants[account.pk], wish.kind, on, surface, whole=whole, late=late)
        asks = _asks(account, grants[account.pk], wish, reason, on, [each.pick for each in picks], whole=whole)
        candidates += asks
        if not asks:
            found.left_out.append((_name(account), _why_not(account, grants[account.pk], wish, surface)))
    _leave_out_guarded(scope, candidates, me, at, found)
    return found


def _leave_out_guarded(scope: Scope, asks: list[Ask], me: Person, at: datetime, found: Many) -> None:
    requests = unsaved(scope, asks, me)
    guards = guards_of(requests, at)
    for ask, request in zip(asks, requests, strict=True):
        blocking = [f"{guard.message} {guard.cure}" for guard in guards[request.pk] if guard.blocks]
        if blocking:
            found.left_out.append((_named(ask), " ".join(blocking)))
        else:
            found.asks.append(ask)
            found.sentences.append(said(request))
            found.requests.append(request)


def _asks(
    account: PortalAccount,
    grants: list[RoleGrant],
    wish: Wish,
    reason: str,
    on: date,
    picks: list[Pick],
    *,
    whole: bool,
) -> list[Ask]:
    def ask(place: Facility, role: SystemRole | None, grant: RoleGrant | None) -> Ask:
        return Ask(wish.kind, account.system, place, account.person, role, grant, account, reason)

    if not grants or account.status == PortalAccount.Status.REMOVED:
        return []
    if wish.kind == Kind.ROLE_CHANGE:
        return [
            ask(grant.facility, wish.new, grant)
            for grant in [pick.grant for pick in picks if pick.grant]
            if wish.old is not None and grant.role_id == wish.old.pk
        ]
    if wish.kind == Kind.REMOVAL and whole and picks and picks[0].grant is None:
        picks = picks[:1]  # the whole account: its roles go with it
    now = [grant for grant in grants if holds_on(grant, on)] or grants
    return [
        ask(
            pick.grant.facility if pick.grant else now[0].facility,
            pick.grant.role if pick.grant and wish.kind == Kind.REACTIVATION else None,
            pick.grant,
        )
        for pick in picks
    ]


def _why_not(account: PortalAccount, grants: list[RoleGrant], wish: Wish, surface: Surface) -> str:
    if account.status == PortalAccount.Status.REMOVED:
        return "removed already"
    if not grants:
        return "no role at a facility where you may ask"
    if reason := why_not(wish.kind, surface):
        return reason
    if wish.kind == Kind.REACTIVATION:
        return "nothing was lost that could come back"
    if wish.kind == Kind.ROLE_CHANGE:
        return f"does not hold {wish.old.name if wish.old else 'that role'}"
    return "nothing is held any more"


def _name(account: PortalAccount) -> str:
    return f"{account.person}, {account.system.name}"


def _named(ask: Ask) -> str:
    role = f", {ask.grant.role.name}" if ask.grant else ""
    return f"{ask.beneficiary}, {ask.system.name}{role}"
