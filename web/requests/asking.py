"""From what is wanted to what is asked for: one request for each role and facility, or for each account and role."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, PortalAccount, RoleGrant
from accounts.policy.requesting import Approved, Kind
from accounts.services.requests.drafting import Ask, as_request
from audit.bulk import among
from facilities.access import Scope
from facilities.models import Facility
from staff.models import Person
from systems.models import System, SystemRole
from web.requests.picks import accounts_on, holds_on, is_there
from web.requests.places import workplaces
from web.requests.reach import places_to_ask
from web.requests.successors import taken_over
from web.requests.wanting import Wanting

# What is typed about access that is wanted, and says nothing of a removal beside it.
_OF_ACCESS = frozenset({"still_needed_reason", "wanted_until"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, and in words what is left out because it is there already."""

    asks: list[Ask]
    left_out: list[str]


def asks_of(scope: Scope, wanting: Wanting, on: date, typed: dict[str, Any]) -> Asked:
    """Return what a complete wish asks for. ``typed``: reason, still_needed_reason, wanted_on, wanted_until.

    With who takes over, or is taken over from, on the same form (R-37). Raises AccountRefused where no facility can be
    named at which the member may ask.
    """
    goes = {name: value for name, value in typed.items() if name not in _OF_ACCESS}
    asked = _alone(scope, wanting, on, typed if wanting.kind != Kind.REMOVAL else goes)
    if wanting.successor is not None:
        came = [_access(each, on, typed) for each in taken_over(scope, wanting.successor, asked.asks, on)]
        asks = dict.fromkeys(ask for each in came for ask in each.asks)
        return Asked([*asked.asks, *asks], [held for each in came for held in each.left_out])
    people = {pick.account.person for pick in wanting.leaving}
    for person in sorted(people, key=lambda each: each.pk):
        picks = tuple(pick for pick in wanting.leaving if pick.account.person_id == person.pk)
        gone = _alone(scope, Wanting(person=person, kind=Kind.REMOVAL.value, picks=picks), on, goes)
        asked.asks.extend(gone.asks)
    return asked


def _alone(scope: Scope, wanting: Wanting, on: date, typed: dict[str, Any]) -> Asked:
    assert wanting.person is not None
    if wanting.is_access:
        return _access(wanting, on, typed)
    if not wanting.picks:
        assert wanting.system is not None
        places = wanting.facilities or tuple(workplaces(scope, wanting.person, on)[:1])
        if not places:
            raise AccountRefused("Say at which facility.", field="facility")
        one = Ask(wanting.kind, wanting.system, places[0], wanting.person, **typed)
        return Asked([one], [])
    places_of = facilities_of(scope, wanting.person, [pick.account for pick in wanting.picks if not pick.grant], on)
    asks = []
    for pick in wanting.picks:
        place = pick.grant.facility if pick.grant else places_of.get(pick.account.pk)
        if place is None:
            raise AccountRefused(f"{pick.account.system.name}: no facility of yours is recorded with it.")
        asks.append(
            Ask(
                wanting.kind,
                pick.account.system,
                place,
                wanting.person,
                role=role_wanted(wanting, pick.grant),
                grant=pick.grant,
                account=pick.account,
                **typed,
            )
        )
    return Asked(asks, [])


def role_wanted(wanting: Wanting, grant: RoleGrant | None) -> Any:
    """Return the role of a request about something that is there: the new one, or the one that comes back."""
    if wanting.kind == Kind.ROLE_CHANGE:
        return wanting.roles[0]
    return grant.role if grant is not None and wanting.kind == Kind.REACTIVATION else None


def _access(wanting: Wanting, on: date, typed: dict[str, Any]) -> Asked:
    assert wanting.person is not None
    assert wanting.system is not None
    people, given = [wanting.person], (wanting.facilities, wanting.roles)
    return access_of(people, wanting.system, *given, on, typed)[wanting.person.pk]


def access_of(
    people: Sequence[Person],
    system: System,
    facilities: Sequence[Facility],
    roles: Sequence[SystemRole],
    on: date,
    typed: dict[str, Any],
) -> dict[int, Asked]:
    """Return by person what is asked for where each is to have roles at facilities. Two queries, however many."""
    accounts = accounts_on(people, system)
    mine = RoleGrant.objects.in_force(on).filter(account__system=system, temporary=False)
    of_them = mine.filter(account__person__in=among(person.pk for person in people))
    held = set(of_them.values_list("account__person_id", "facility_id", "role_id"))
    found = {}
    for person in people:
        account = accounts.get(person.pk)
        existing = account is not None and is_there(account)
        kind = Kind.ADDITIONAL_ROLE if existing else Kind.NEW_ACCOUNT
        asked = Asked([], [])
        for place, role in product(facilities, roles):
            if existing and (person.pk, place.pk, role.pk) in held:
                asked.left_out.append(f"{role.name} at {place.name}")
            else:
                asked.asks.append(Ask(kind, system, place, person, role=role, account=account, **typed))
        found[person.pk] = asked
    return found


def facilities_of(scope: Scope, person: Person, accounts: Sequence[PortalAccount], on: date) -> dict[int, Facility]:
    """Return for accounts of somebody the facility at which they are asked about: where a role is held, else was."""
    found = first_places(accounts, places_to_ask(scope, person).order_by().values("pk"), on)
    missing = [account for account in accounts if account.pk not in found]
    at_work = workplaces(scope, person, on)[:1] if missing else []
    return found | {account.pk: place for account in missing for place in at_work}


def first_places(accounts: Collection[PortalAccount], places: Any, on: date) -> dict[int, Facility]:
    """Return by account the facility of a role in force, else of the newest that ended. One query."""
    grants: dict[int, list[RoleGrant]] = defaultdict(list)
    known = RoleGrant.objects.known().filter(account__in=accounts, facility__in=places).select_related("facility")
    for grant in known.order_by("-pk"):
        grants[grant.account_id].append(grant)
    return {account: min(mine, key=lambda grant: not holds_on(grant, on)).facility for account, mine in grants.items()}


def unsaved(scope: Scope, asks: Sequence[Ask], me: Person) -> list[AccessRequest]:
    """Return what is asked for as requests that are stored nowhere, with keys below zero: to be looked at only."""
    found = [as_request(scope, ask, me) for ask in asks]
    for number, request in enumerate(found, start=1):
        request.pk = -number
    return found


def needs_decision(requests: Sequence[AccessRequest]) -> bool:
    """Return whether any of these has to be decided here."""
    return any(request.approval == Approved.NEEDED for request in requests)
