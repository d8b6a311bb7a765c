"""What a request would change: the roles somebody holds at its facility, and who can submit which data there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from accounts.models import AccessRequest, PortalAccount, RoleGrant
from accounts.policy.cover import Held, able_to_submit
from accounts.policy.requesting import Kind
from accounts.services.rules.found import Slice
from accounts.services.rules.sites import places, sendings, there
from accounts.services.rules.sweep import people_at
from systems.models import SystemRole
from systems.policy import day_in

_ADDS: Final = frozenset({Kind.NEW_ACCOUNT, Kind.ADDITIONAL_ROLE, Kind.ROLE_CHANGE, Kind.REACTIVATION})
_TAKES: Final = frozenset({Kind.ROLE_CHANGE, Kind.REMOVAL})


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles that the person holds on the system at the facility, before and after; ``taken``: keys of grants."""

    before: tuple[SystemRole, ...]
    after: tuple[SystemRole, ...]
    taken: frozenset[int]


@dataclass(frozen=True, slots=True)
class StreamCover:
    """Who can submit one stream at the facility, before and after: keys of people."""

    stream: str
    before: frozenset[int]
    after: frozenset[int]


def changes_roles(kind: str) -> bool:
    """Return whether a kind of request gives or takes a role."""
    return kind in _ADDS or kind in _TAKES


def roles_then(request: AccessRequest, on: date) -> Roles:
    """Return what the beneficiary holds now and would hold then (request read with its role). One query."""
    held = RoleGrant.objects.in_force(on).filter(
        account__person=request.beneficiary_person_id,
        account__system=request.system_id,
        account__status=PortalAccount.Status.ACTIVE,
        facility=request.facility_id,
    )
    grants = list(held.select_related("role").order_by("role__position", "role_id", "pk"))
    taken = frozenset(grant.pk for grant in grants if _is_taken(request, grant))
    before = tuple({grant.role_id: grant.role for grant in grants}.values())
    after = {grant.role_id: grant.role for grant in grants if grant.pk not in taken}
    if request.kind in _ADDS and request.role is not None:
        after.setdefault(request.role.pk, request.role)
    return Roles(before, tuple(after.values()), taken)


def _is_taken(request: AccessRequest, grant: RoleGrant) -> bool:
    if request.kind not in _TAKES:
        return False
    return request.grant_id == grant.pk if request.grant_id else request.account_id == grant.account_id


def cover_then(request: AccessRequest, roles: Roles, at: datetime, part: Slice | None = None) -> list[StreamCover]:
    """Return who could submit each stream that the facility sends by its own people, where the request touches it.

    The rules' own reading of the facility (`rules.sites`), as it is and as it would be. Read the request with its
    facility, organization and system. ``part``: as `guards.slice_of`, taken where its day is the facility's as well.
    """
    on = day_in(at, request.facility.zone)
    if part is None or part.on != on:
        people = tuple(sorted({*people_at([request.facility_id]), request.beneficiary_person_id}))
        part = Slice(request.organization, (request.facility_id,), people, on, at)
    catalogue, sites = places(part)
    found = []
    for site in sites:
        then = list(_held_then(request, roles, site.held, part))
        for sending in sendings(site, catalogue, part):
            before, after = (
                able_to_submit(held, catalogue.roles, sending.stream, sending.systems, on) for held in (site.held, then)
            )
            if before != after or request.system.slug in sending.systems:
                found.append(StreamCover(catalogue.names[sending.stream], before, after))
    return found


def _held_then(request: AccessRequest, roles: Roles, held: Iterable[Held], part: Slice) -> Iterable[Held]:
    person, slug = request.beneficiary_person_id, request.system.slug
    kept = {role.pk for role in roles.after}
    now = {role.pk for role in roles.before}
    for each in held:
        if not (each.person == person and each.system == slug and each.runs and each.role not in kept):
            yield each
    if kept - now:
        employed, away = there(part)
        for role in sorted(kept - now):
            yield Held(person, 0, slug, role, runs=True, employed=person in employed, away=person in away)
