"""One thing asked for about many people: what each would be, and who is left out and why. Nothing is stored here.

A change is about their accounts that were chosen, access that is not there yet about the people themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from accounts.models import AccessRequest, PortalAccount, RoleGrant
from accounts.models.inventory import PortalAccountQuerySet
from accounts.policy.offering import Surface, why_not
from accounts.policy.requesting import NEEDS_APPROVAL, Kind
from accounts.services.requests.drafting import Ask
from accounts.services.requests.guards import guards_of
from accounts.services.requests.offered import surfaces
from audit.bulk import among
from facilities.access import Scope
from facilities.models import Facility
from staff.models import Person, PersonQuerySet
from systems.models import System, SystemRole
from web.requests.asking import access_of, unsaved
from web.requests.kinds import ACCESS
from web.requests.picks import grants_within_reach, holds_on, late_to_get_back, options_of
from web.requests.reach import is_me, people_to_ask_for
from web.requests.wanting import Pick
from web.requests.ways import Link, removal_ways
from web.requests.words import said

MOST: Final = 500  # requests in one bundle
OF_ACCOUNTS: Final = (
    Kind.REMOVAL.value,
    Kind.REACTIVATION.value,
    Kind.ROLE_CHANGE.value,
    Kind.CERTIFICATION.value,
)
KINDS: Final = (ACCESS, *OF_ACCOUNTS)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted for all of them: ``old`` becomes ``new``; of access ``new`` is the role, on a system, at places.

    ``still``: a system that has closed there is needed all the same.
    """

    kind: str
    old: SystemRole | None = None
    new: SystemRole | None = None
    system: System | None = None
    facilities: tuple[Facility, ...] = ()
    still: bool = False


class LeftOut(NamedTuple):
    """What is left out of it, why, and the way to what is asked for instead."""

    name: str
    why: str
    ways: Sequence[Link] = ()


@dataclass(slots=True)
class Many:
    """What would be asked for, each as a sentence, and what is left out with its reason.

    ``closed``: something is left out because its system has closed there.
    """

    asks: list[Ask] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    left_out: list["LeftOut"] = field(default_factory=list)
    requests: list[AccessRequest] = field(default_factory=list)  # as `unsaved`
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom it is about: their accounts that were chosen, and the people themselves."""

    accounts: PortalAccountQuerySet
    people: PersonQuerySet


def many_of(
    scope: Scope, chosen: Chosen, wish: Wish, me: Person, typed: dict[str, Any], at: datetime, on: date
) -> Many:
    """Return what one wish for many would be. A fixed number of queries, however many they are.

    ``typed``: as `accounts.services.requests.drafting.Ask` names it.
    """
    found = Many()
    if wish.kind == ACCESS:
        candidates = _access(scope, chosen.people, wish, typed, on, found)
    else:
        candidates = _changes(scope, chosen.accounts, wish, typed, on, found)
    _leave_out_guarded(scope, candidates, me, at, found)
    return found


def _access(
    scope: Scope, people: PersonQuerySet, wish: Wish, typed: dict[str, Any], on: date, found: Many
) -> list[Ask]:
    assert wish.system is not None
    assert wish.new is not None
    every = list(people.select_related("organization").order_by("last_name", "first_name", "pk")[: MOST + 1])
    keys = among(person.pk for person in every)
    able = set(people_to_ask_for(scope).filter(pk__in=keys).values_list("pk", flat=True))
    mine = [person for person in every if person.pk in able or is_me(scope, person)]
    asked = access_of(mine, wish.system, wish.facilities, [wish.new], on, typed)
    candidates: list[Ask] = []
    for person in every:
        if person.pk not in asked:
            why = "Does not work where you may ask. An administrator of the organization asks for her."
            found.left_out.append(LeftOut(str(person), why))
            continue
        candidates += asked[person.pk].asks
        for held in asked[person.pk].left_out:
            why = f"Holds {held} already. Choose another role, or another facility."
            found.left_out.append(LeftOut(f"{person}, {wish.system.name}", why))
    return candidates


def _changes(
    scope: Scope, accounts: PortalAccountQuerySet, wish: Wish, typed: dict[str, Any], on: date, found: Many
) -> list[Ask]:
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
        asks = _asks(account, grants[account.pk], wish, typed, on, [each.pick for each in picks], whole=whole)
        candidates += asks
        if not asks:
            found.left_out.append(LeftOut(_name(account), _why_not(account, grants[account.pk], wish, surface)))
    return candidates


def _leave_out_guarded(scope: Scope, asks: list[Ask], me: Person, at: datetime, found: Many) -> None:
    requests = unsaved(scope, asks, me)
    guards = guards_of(requests, at)
    for ask, request in zip(asks, requests, strict=True):
        blocking = [guard for guard in guards[request.pk] if guard.blocks]
        if blocking:
            why = " ".join(f"{guard.message} {guard.cure}" for guard in blocking)
            found.left_out.append(LeftOut(_named(ask), why, removal_ways(scope, request, blocking)))
            found.closed |= any(guard.code == "closed" for guard in blocking)
        else:
            found.asks.append(ask)
            found.sentences.append(said(request))
            found.requests.append(request)


def _asks(
    account: PortalAccount,
    grants: list[RoleGrant],
    wish: Wish,
    typed: dict[str, Any],
    on: date,
    picks: list[Pick],
    *,
    whole: bool,
) -> list[Ask]:
    def ask(place: Facility, role: SystemRole | None, grant: RoleGrant | None) -> Ask:
        return Ask(wish.kind, account.system, place, account.person, role, grant, account, **typed)

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
    """Return why nothing is asked for about an account, and what to do instead."""
    if account.status == PortalAccount.Status.REMOVED:
        return "Was removed already. Ask for access where it is needed again."
    if not grants:
        return "Has no role at a facility where you may ask. An administrator of the place where it has one asks."
    if reason := why_not(wish.kind, surface):
        return reason
    if wish.kind == Kind.REACTIVATION:
        return "Nothing was lost that could come back. Ask for access where a role is missing."
    if wish.kind == Kind.ROLE_CHANGE:
        old, new = (role.name if role else "that role" for role in (wish.old, wish.new))
        return f"Does not hold {old}. Choose the role that is held, or ask for access as {new}."
    if wish.kind == Kind.CERTIFICATION:
        return (
            "Holds no role on an account that is in use. Ask for access, or get a lost role back, where one is needed."
        )
    return "Nothing is held any more, so there is nothing to remove."


def _name(account: PortalAccount) -> str:
    return f"{account.person}, {account.system.name}"


def _named(ask: Ask) -> str:
    where = f" at {ask.facility.name}" if ask.kind in NEEDS_APPROVAL else ""
    role = f", {ask.grant.role.name}" if ask.grant else where
    return f"{ask.beneficiary}, {ask.system.name}{role}"
