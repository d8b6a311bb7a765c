"""How far facilities are with moves of streams to other systems: a fixed number of queries, however many they are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from accounts.models import PortalAccount, RoleGrant
from accounts.policy.cover import Held, Role, holding
from accounts.policy.moving import Holder, Move, State, concerns, moves, proposed, sends, serves
from accounts.policy.streams import Site, Ways
from accounts.selectors import stated_streams
from accounts.services.rules.catalogue_read import known
from audit.bulk import among
from facilities.models import Organization
from facilities.models.tenancy import FacilityQuerySet
from staff.models import Absence, Employment
from systems.models import System, SystemRole
from systems.provider_types import kind_of

_STATUS, _FACTOR = PortalAccount.Status, PortalAccount.Factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One move with the rows of the catalogue that it needs.

    ``serving`` and ``sending``: roles that do anything with the stream, and that send it; ``role``: the one to ask
    for, decided by holders of ``official`` (None: by nobody at a facility).
    """

    move: Move
    name: str
    origins: tuple[System, ...]
    to: System
    authority: System
    roles: Mapping[int, Role]
    serving: frozenset[int]
    sending: frozenset[int]
    role: SystemRole | None
    official: SystemRole | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Goals:
    """All moves of the catalogue as of a day."""

    all: tuple[Goal, ...]
    ways: Ways
    on: date

    def called(self, key: str) -> Goal | None:
        """Return the move with this key."""
        return next((goal for goal in self.all if goal.move.key == key), None)

    def concerning(self, places: FacilityQuerySet) -> dict[str, set[int]]:
        """Return by move which of these facilities it concerns. Two queries."""
        kinds = {
            key: kind_of(ccn_type, licensed_only=licensed).value
            for key, ccn_type, licensed in places.order_by().values_list("pk", "provider_type", "licensed_only")
        }
        stated = stated_streams(kinds.keys(), self.on)
        alike: dict[tuple[str, frozenset[tuple[str, str]]], set[int]] = defaultdict(set)  # thousands are
        for key, kind in kinds.items():
            alike[kind, frozenset(stated[key].items())].add(key)
        found: dict[str, set[int]] = {goal.move.key: set() for goal in self.all}
        for (kind, said), keys in alike.items():
            site = Site(kind=kind, stated=dict(said))
            for goal in self.all:
                if concerns(goal.move, site, self.ways):
                    found[goal.move.key] |= keys
        return found


def goals(on: date) -> Goals:
    """Return every move of the catalogue. Seven queries."""
    catalogue = known()
    systems = {system.slug: system for system in System.objects.select_related("sign_in_via")}
    roles = {role.pk: role for role in SystemRole.objects.current().select_related("approved_by")}
    found = []
    for move in moves(catalogue.ways):
        to, then = systems[move.to], move.looked_at_on(on)
        there = {key: role for key, role in catalogue.roles.items() if role.system == move.to}
        wanted = proposed({key: role for key, role in there.items() if key in roles}, move, then)
        role = roles[wanted] if wanted is not None else None
        found.append(
            Goal(
                move=move,
                name=catalogue.names[move.stream],
                origins=tuple(sorted((systems[slug] for slug in move.origins), key=lambda each: each.position)),
                to=to,
                authority=to.sign_in_via or to,
                roles=there,
                serving=frozenset(key for key, each in there.items() if serves(each, move, then)),
                sending=frozenset(key for key, each in there.items() if sends(each, move, then)),
                role=role,
                official=role.approved_by if role else None,
            )
        )
    return Goals(all=tuple(found), ways=catalogue.ways, on=on)


@dataclass(frozen=True, slots=True)
class _Grant:
    """A role as it is or was held, the tool that signs in with its account, and its days."""

    held: Held
    tool: str
    since: date
    until: date | None

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


def states(
    organization: Organization, wanted: Iterable[Goal], places: Mapping[str, Collection[int]], on: date
) -> dict[str, dict[int, State]]:
    """Return by move and facility how it stands. ``places``: facilities by move. Four queries, whatever is asked."""
    asked = [goal for goal in wanted if places.get(goal.move.key)]
    grants = _grants(organization, asked, {place for goal in asked for place in places[goal.move.key]}, on)
    people = {each.held.person for some in grants.values() for each in some}
    signs_in = _identities(organization, {goal.authority.pk for goal in asked}, people)
    return {
        goal.move.key: {
            place: _state(goal, grants.get(place, []), signs_in[goal.authority.pk], on)
            for place in places[goal.move.key]
        }
        for goal in asked
    }


def _grants(
    organization: Organization, asked: Collection[Goal], places: Collection[int], on: date
) -> dict[int, list[_Grant]]:
    """Return by facility the roles on old and new systems that count for these moves. Three queries."""
    origins = {system.pk for goal in asked for system in goal.origins}
    deciding = {goal.official.pk for goal in asked if goal.official}
    roles = deciding.union(*(goal.serving for goal in asked))
    latest = max((goal.move.looked_at_on(on) for goal in asked), default=on)
    earliest = min((_last_day(goal, on) for goal in asked), default=on)
    rows = RoleGrant.objects.known().filter(
        Q(valid_to=None) | Q(valid_to__gte=earliest),
        Q(account__system__in=origins) | Q(role__in=roles),
        organization=organization,
        facility__in=among(places),
        account__status__in=(_STATUS.ACTIVE, _STATUS.LOST),
        valid_from__lte=latest,
    )
    columns = (
        "facility_id", "account__person_id", "account_id", "account__system__slug", "role_id", "account__status",
        "account__used_by_tool", "valid_from", "valid_to",
    )  # fmt: skip
    told = list(rows.order_by("pk").values_list(*columns))
    people = among({person for _, person, *_ in told})
    working = Employment.objects.in_force(on).filter(person__in=people).order_by()
    employed = set(working.values_list("person_id", flat=True).distinct())
    gone = Absence.objects.in_force(on).filter(person__in=people).order_by()
    away = set(gone.values_list("person_id", flat=True))
    found: dict[int, list[_Grant]] = defaultdict(list)
    for facility, person, account, system, role, status, *rest in told:
        runs = status == _STATUS.ACTIVE
        held = Held(person, account, system, role, runs, person in employed, person in away)
        found[facility].append(_Grant(held, *rest))
    return found


def _identities(
    organization: Organization, authorities: Collection[int], people: Collection[int]
) -> dict[int, dict[int, tuple[int, bool | None]]]:
    """Return by sign-in authority and person her account there, and whether it has a second factor. One query."""
    found: dict[int, dict[int, tuple[int, bool | None]]] = defaultdict(dict)
    rows = PortalAccount.objects.running().filter(
        organization=organization, system__in=authorities, person__in=among(people)
    )
    for authority, person, account, factor in rows.order_by("pk").values_list(
        "system_id", "person_id", "pk", "second_factor"
    ):
        told = {_FACTOR.NONE.value: False, _FACTOR.UNKNOWN.value: None}.get(factor, True)
        best = found[authority].get(person)
        if best is None or (best[1] is not True and told is not None):  # of two accounts the one that is better known
            found[authority][person] = (account, told)
    return found


def _last_day(goal: Goal, on: date) -> date:
    return min(on, goal.move.last_on or on)


def _state(goal: Goal, grants: list[_Grant], signs_in: Mapping[int, tuple[int, bool | None]], on: date) -> State:
    move, then = goal.move, goal.move.looked_at_on(on)
    old = [each for each in grants if each.held.system in move.origins and _is_old(each, _last_day(goal, on), on)]
    new = [each.held for each in grants if each.held.system == move.to and each.holds(then)]
    served = holding(new, goal.serving, goal.roles, then)
    holders = []
    for person in sorted({each.held.person for each in old}):
        account, factor = signs_in.get(person, (None, None))
        holders.append(Holder(person=person, identity=account, factor=factor, role=person in served))
    officials = holding(new, {goal.official.pk}, goal.roles, then) if goal.official else None
    return State(
        holders=tuple(holders),
        officials=officials,
        able=holding([each for each in new if not each.away], goal.sending, goal.roles, then),
        tools=tuple(sorted({(each.held.account, each.tool) for each in old if each.tool})),
    )


def _is_old(grant: _Grant, last_on: date, on: date) -> bool:
    """Return whether somebody who works here holds it, or held it to the end of the old way and lost it since."""
    if not grant.held.employed:
        return False
    if grant.held.runs:
        return grant.holds(on)
    return grant.since <= on and (grant.until is None or grant.until >= last_on)
