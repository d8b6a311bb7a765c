"""Reads what the guards of requests ask for, for all of them at once: see `accounts.policy.request_guards`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, cast

from django.db.models import Q, QuerySet
from django.utils.functional import SimpleLazyObject

from accounts.models import AccessRequest, PortalAccount, RoleGrant
from accounts.policy.cover import two_people_missing
from accounts.policy.people import Time, last_day, moved_on
from accounts.policy.quotas import Limit
from accounts.policy.request_guards import PERSONAL_DOMAINS, Authority, Guard, Wanted, guards
from accounts.policy.requesting import NEEDS_APPROVAL, Kind, State
from accounts.policy.streams import closed_systems
from accounts.services.rules.catalogue_read import Known
from accounts.services.rules.found import Slice
from accounts.services.rules.leavers import times_among
from accounts.services.rules.sites import Place, places
from accounts.services.rules.sweep import people_at
from accounts.services.temporary_roles import until_when_back
from audit.bulk import among
from facilities.models import Facility, Organization
from staff.models import Person
from systems.models import Ability, Prerequisite, System
from systems.policy import EASTERN, day_in

_FACTORS: Final = {PortalAccount.Factor.UNKNOWN.value: None, PortalAccount.Factor.NONE.value: False}
_PROOFED: Final = {PortalAccount.Proofing.UNKNOWN.value: None, PortalAccount.Proofing.DONE.value: True}
_NEEDS = Prerequisite.Needs
Wish = tuple[int, int, int, str, int | None, int | None, int | None]

# Who gives up what by a removal that is asked for together: person, system; facility and role, None for all of them.
Going = tuple[int, int, int | None, int | None]


@dataclass(slots=True)
class Facts:
    """What is known about the requests' people, places and systems."""

    on: date
    catalogue: Known
    places: dict[int, Place]
    accounts: dict[tuple[int, str], PortalAccount]  # person, system
    held: set[tuple[int, int, int]]  # person, facility, role
    running: set[Wish]
    needs: dict[int, list[Prerequisite]]  # system
    names: Mapping[str, str]  # of systems; read where one is needed
    times: Mapping[int, list[Time]]  # by person
    providers: int = 1
    own_domain: bool = True
    asked: dict[int, list[AccessRequest]] = field(default_factory=dict)  # by request: those that count before it
    going: list[Going] = field(default_factory=list)
    over: dict[int, date] = field(default_factory=dict)  # by request: until when its role was wanted, where that passed


def wish_of(request: AccessRequest) -> Wish:
    """Return what a request asks for: two with the same ask for one thing twice.

    What is not there yet is told by its role; all else by the account and the role that is there.
    """
    there = (None, None) if request.kind in NEEDS_APPROVAL else (request.grant_id, request.account_id)
    person, place = request.beneficiary_person_id, request.facility_id
    return person, request.system_id, place, request.kind, request.role_id, *there


def guards_of(requests: Sequence[AccessRequest], at: datetime, part: Slice | None = None) -> dict[int, list[Guard]]:
    """Return by key what stands against each request of one organization (read with system, facility, role, people).

    ``part``: as `slice_of`, for who reads more of it. About twenty queries, however many requests.
    """
    if not requests:
        return {}
    facts = _facts(requests, part or slice_of(requests, at))
    return {request.pk: guards(_wanted(request, facts), facts.on) for request in requests}


def slice_of(requests: Sequence[AccessRequest], at: datetime) -> Slice:
    """Return the places of requests with everybody there and who gets it, on the day in US Eastern. Two queries."""
    people = {request.beneficiary_person_id for request in requests}
    here = {request.facility_id for request in requests}
    everybody = tuple(sorted(people | people_at(here)))
    return Slice(requests[0].organization, tuple(sorted(here)), everybody, day_in(at, EASTERN), at)


def _facts(requests: Sequence[AccessRequest], part: Slice) -> Facts:
    organization, on = part.organization, part.on
    people = {request.beneficiary_person_id for request in requests}
    catalogue, sites = places(part)
    accounts = PortalAccount.objects.open().filter(person__in=among(people)).select_related("system").order_by("-pk")
    grants = RoleGrant.objects.known().filter(account__person__in=among(people), valid_to=None)
    others = AccessRequest.objects.under_way().exclude(pk__in=among(request.pk for request in requests))
    same = others.filter(beneficiary_person__in=among(people))
    needs: dict[int, list[Prerequisite]] = defaultdict(list)
    systems = {request.system_id for request in requests}
    for row in Prerequisite.objects.current().filter(system__in=systems).select_related("needs_system"):
        needs[row.system_id].append(row)
    return Facts(
        on=on,
        catalogue=catalogue,
        places={place.key: place for place in sites},
        accounts={(account.person_id, account.system.slug): account for account in accounts},
        held=set(grants.values_list("account__person_id", "facility_id", "role_id")),
        running={wish_of(row) for row in same},
        needs=needs,
        names=cast(Mapping[str, str], SimpleLazyObject(_names_of_systems)),
        times=times_among(people),
        asked=_asked_before(requests, others, {limit.system for limit in catalogue.limits}),
        going=_going(requests),
        over=_over(requests, on),
        **(_mail(organization, requests) if any(request.system.slug == "harp" for request in requests) else {}),
    )


def _asked_before(
    requests: Sequence[AccessRequest], others: QuerySet[AccessRequest], limited: set[str]
) -> dict[int, list[AccessRequest]]:
    """Return by request what is asked for at the same facility and system and comes before it. One query at most.

    That is what others sent (before it, once it was sent itself) and what stands before it in the same bundle.
    """
    counted = [each for each in requests if each.kind in NEEDS_APPROVAL and each.system.slug in limited]
    if not counted:
        return {}
    kinds = [kind.value for kind in NEEDS_APPROVAL]
    running = others.filter(kind__in=kinds, facility__in=among({each.facility_id for each in counted}))
    sent = list(running.filter(system__in=among({each.system_id for each in counted})))
    return {
        request.pk: [
            each
            for each in [*(row for row in sent if _sent_before(row, request)), *counted[:number]]
            if (each.facility_id, each.system_id) == (request.facility_id, request.system_id)
        ]
        for number, request in enumerate(counted)
    }


def _going(requests: Sequence[AccessRequest]) -> list[Going]:
    """Return what goes by removals among these, or of the same bundles. Two queries at most."""
    if not any(request.kind in NEEDS_APPROVAL for request in requests):
        return []
    removals = [request for request in requests if request.kind == Kind.REMOVAL]
    bundles = {request.bundle_id for request in requests if request.bundle_id is not None}
    if bundles:
        beside = AccessRequest.objects.filter(bundle__in=among(bundles), kind=Kind.REMOVAL, closed_at=None)
        removals += beside.exclude(pk__in=among(request.pk for request in requests))
    grants = RoleGrant.objects.filter(pk__in=among(row.grant_id for row in removals if row.grant_id is not None))
    roles = dict(grants.values_list("pk", "role_id")) if removals else {}
    return [
        (row.beneficiary_person_id, row.system_id, row.facility_id, roles.get(row.grant_id))
        if row.grant_id is not None
        else (row.beneficiary_person_id, row.system_id, None, None)
        for row in removals
    ]


def _over(requests: Sequence[AccessRequest], on: date) -> dict[int, date]:
    """Return by request until when the role was wanted that is to come back, where that has passed (R-54)."""
    back = {
        request.pk: (request.account_id, request.facility_id, role.pk)
        for request in requests
        if request.kind == Kind.REACTIVATION and request.account_id is not None
        if (role := request.role or (request.grant.role if request.grant else None)) is not None
    }
    until = until_when_back(set(back.values()))
    return {pk: until[each] for pk, each in back.items() if each in until and until[each] < on}


def _sent_before(row: AccessRequest, request: AccessRequest) -> bool:
    if request.state == State.DRAFT or request.submitted_at is None or row.submitted_at is None:
        return True
    return (row.submitted_at, row.pk) < (request.submitted_at, request.pk)


def _names_of_systems() -> dict[str, str]:
    return dict(System.objects.current().values_list("slug", "name"))


def _mail(organization: Organization, requests: Sequence[AccessRequest]) -> dict[str, Any]:
    """Return what bears on personal addresses at HARP. Two queries."""
    providers = Facility.objects.filter(organization=organization, ccn__isnull=False, closed_on=None).count()
    return {"providers": providers, "own_domain": _own_domain(requests)}


def _own_domain(requests: Sequence[AccessRequest]) -> bool:
    """Return whether anybody of the organization has an address that is no personal one."""
    personal = Q(email="")
    for domain in PERSONAL_DOMAINS:
        personal |= Q(email__iendswith=f"@{domain}")
    return Person.objects.filter(organization=requests[0].organization_id).exclude(personal).exists()


def _wanted(request: AccessRequest, facts: Facts) -> Wanted:
    person, role, system = request.beneficiary_person, request.role, request.system
    place = facts.places.get(request.facility_id)
    closed = closed_systems(place.site, facts.catalogue.ways, facts.on).get(system.slug) if place else None
    followers = sorted({path.replaced_by for path in closed or () if path.replaced_by})
    needs = facts.needs[system.pk]
    ccn = next((row for row in needs if row.needs == _NEEDS.CCN), None)
    mine = facts.accounts.get((person.pk, system.slug))
    decides = role is not None and role.approved_by_id == role.pk
    officials, times = _officials(request, place), facts.times.get(person.pk, [])
    return Wanted(
        kind=request.kind,
        person=person.pk,
        name=str(person),
        email=person.email,
        vendor=person.affiliation == Person.Affiliation.VENDOR,
        left_on=last_day(times, facts.on),
        wanted_until=request.wanted_until,
        moved_on=moved_on(times, request.facility_id, facts.on),
        facility=request.facility.name,
        licensed_only=request.facility.licensed_only,
        needs_ccn=ccn.fact_id if ccn else "",
        without_ccn=ccn.exception if ccn else "",
        system=system.slug,
        system_name=system.name,
        closed=bool(closed),
        successors=tuple(facts.names.get(slug, slug) for slug in followers),
        still_needed=bool(request.still_needed_reason),
        role=role.pk if role else None,
        role_name=role.name if role else "",
        role_fact=role.fact_id if role else "",
        vendor_allowed=role.vendor_allowed if role else True,
        vendor_only=role.vendor_only if role else False,
        decides=decides,
        has_official=role is None or role.approved_by_id is None or bool(officials - {person.pk}),
        is_official=person.pk in officials,
        usable_from=role.usable_from if role else None,
        usable_until=role.usable_until if role else None,
        requestable_from=role.requestable_from if role else None,
        holds=role is not None and (person.pk, request.facility_id, role.pk) in facts.held,
        has_account=mine is not None and mine.status == PortalAccount.Status.ACTIVE,
        running=wish_of(request) in facts.running,
        limits=tuple(_limits(request, facts, place)),
        needs=tuple(_authorities(person, needs, facts)),
        needs_factor=any(row.needs == _NEEDS.SECOND_FACTOR for row in needs),
        idm_user_id=(person.pk, "idm") in facts.accounts,
        providers=facts.providers,
        own_domain=facts.own_domain,
        other_side=_other_side(request, facts, place),
        over_since=facts.over.get(request.pk),
    )


def _officials(request: AccessRequest, place: Place | None) -> set[int]:
    """Return the people who decide about the wanted role on CMS's side."""
    deciding = request.role.approved_by_id if request.role else None
    return {held.person for held in place.held if held.role == deciding and held.counts} if place else set()


def _limits(
    request: AccessRequest, facts: Facts, place: Place | None
) -> Iterable[tuple[Limit, frozenset[int], frozenset[int], frozenset[int]]]:
    """Yield the limits that the request would count for.

    Each with who holds, who is to hold, and who gives up what it counts there.
    """
    if place is None or request.kind not in NEEDS_APPROVAL:
        return
    special = any(
        limit.system == request.system.slug and limit.kind == place.site.kind for limit in facts.catalogue.limits
    )
    for limit in facts.catalogue.limits:
        if limit.system != request.system.slug or limit.kind not in ("", place.site.kind):
            continue
        if special and not limit.kind and limit.stream is None:
            continue
        if limit.role not in (None, request.role_id):
            continue
        counted = [each for each in place.held if each.system == limit.system and limit.role in (None, each.role)]
        people = {each.person for each in counted}
        stays = {each.person for each in counted if not _goes(each.person, each.role, request, facts)}
        asked = [row for row in facts.asked.get(request.pk, ()) if limit.role in (None, row.role_id)]
        waiting = frozenset(row.beneficiary_person_id for row in asked)
        yield limit, frozenset(people), waiting, frozenset(people - stays)


def _goes(person: int, role: int, request: AccessRequest, facts: Facts) -> bool:
    """Return whether somebody gives up a role where a request is, by a removal asked for together with it."""
    here = (request.facility_id, role)
    return any(
        (person, request.system_id) == (who, system) and (place, gone) in ((None, None), here)
        for who, system, place, gone in facts.going
    )


def _authorities(person: Person, needs: Sequence[Prerequisite], facts: Facts) -> Iterable[Authority]:
    for row in needs:
        if row.needs != _NEEDS.ACCOUNT or row.needs_system is None:
            continue
        account = facts.accounts.get((person.pk, row.needs_system.slug))
        there = account is not None and account.status == PortalAccount.Status.ACTIVE
        yield Authority(
            name=row.needs_system.name,
            slug=row.needs_system.slug,
            fact=row.fact_id,
            until_on=row.until_on,
            there=there,
            factor=_FACTORS.get(account.second_factor, True) if account else None,
            proofed=_PROOFED.get(account.proofing, False) if account else None,
        )


def _other_side(request: AccessRequest, facts: Facts, place: Place | None) -> str:
    """Return the role that the person holds and that would leave one person on both sides (R-51), else empty."""
    if place is None or request.role is None or request.system.slug != "psr":
        return ""
    roles = {key: role for key, role in facts.catalogue.roles.items() if role.system == "psr"}
    officials, users = set(), set()
    asked = (request.beneficiary_person_id, request.role.pk)
    for person, key in [*((each.person, each.role) for each in place.held if each.counts), asked]:
        role = roles.get(key)
        if role is None:
            continue
        if role.official or role.privileged:
            officials.add(person)
        if any(ability == Ability.REPORTS for ability, _ in role.abilities):
            users.add(person)
    me = request.beneficiary_person_id
    if me in officials and me in users and two_people_missing(frozenset(officials), frozenset(users)):
        return "user" if roles[request.role.pk].privileged else "Security Official"
    return ""
