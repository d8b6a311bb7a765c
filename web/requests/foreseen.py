"""What can be said before a request is sent: what stands against it, what runs already, and who will decide."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import AccessRequest, PortalAccount
from accounts.policy.requesting import Approved
from accounts.services.requests.deciders import able_to
from accounts.services.requests.guards import Guard, guards_of, wish_of
from accounts.words import count_word, day, listed
from facilities.access import Action, Scope
from staff.models import Absence, Employment, Person
from systems.models import Prerequisite, System
from web.requests.kinds import ACCESS
from web.requests.reach import is_me
from web.requests.ways import Link, ask_url, removal_ways
from web.requests.words import said

# Guards about what has to be there first: not there at all, or nobody said yet how it stands.
_TO_BE_SAID: Final = frozenset({"second_factor", "second_factor_unknown", "proofing"})
_COMES_FIRST: Final = _TO_BE_SAID | {"prerequisite"}


@dataclass(frozen=True, slots=True)
class Line:
    """One request before it is sent."""

    request: AccessRequest
    sentence: str
    blocking: list[Guard]
    hints: list[Guard]
    running: list[dict[str, str]]  # the same thing, asked for already
    first: list[dict[str, str]]  # the ways to what comes before it


@dataclass(slots=True)
class Deciders:
    """Who will decide: names as far as the member reads them, in words; ``nobody`` where no one may."""

    words: str = ""
    nobody: bool = False
    outside: str = ""
    places: list[str] = field(default_factory=list)  # where nobody may
    privileged: bool = False  # an approver could not either: such a role takes an administrator


def lines_of(scope: Scope, requests: Sequence[AccessRequest], at: datetime) -> list[Line]:
    """Return each request with what stands against it. A fixed number of queries."""
    guards, running = guards_of(requests, at), _running(scope, requests)
    first = first_ways(scope, requests, guards)
    return [
        Line(
            request,
            said(request),
            blocking=[guard for guard in guards[request.pk] if guard.blocks],
            hints=[guard for guard in guards[request.pk] if not guard.blocks],
            running=running.get(request.pk, []),
            first=first.get(request.pk, []),
        )
        for request in requests
    ]


def first_ways(
    scope: Scope, requests: Sequence[AccessRequest], guards: Mapping[int, Sequence[Guard]]
) -> dict[int, list[dict[str, str]]]:
    """Return by request the ways to what its guards say comes first, or is done instead of it where somebody left.

    To ask for it, to add it, to say how it stands. Three queries where anything comes first.
    """
    found = {request.pk: ways for request in requests if (ways := removal_ways(scope, request, guards[request.pk]))}
    waiting = [request for request in requests if any(guard.code in _COMES_FIRST for guard in guards[request.pk])]
    if not waiting:
        return found
    systems = {request.system_id for request in waiting}
    needed = Prerequisite.objects.current().filter(system__in=systems, needs_system__isnull=False)
    rows = list(needed.select_related("needs_system").order_by("needs_system__position"))
    mine = PortalAccount.objects.visible_to(scope).open().filter(system__in={row.needs_system_id for row in rows})
    mine = mine.filter(person__in={request.beneficiary_person_id for request in waiting}).order_by("-pk")
    accounts = {(person, system): pk for person, system, pk in mine.values_list("person", "system", "pk")}
    people = addable(scope, waiting)
    for request in waiting:
        needs = dict.fromkeys(row.needs_system for row in rows if row.system_id == request.system_id)
        found[request.pk] = found.get(request.pk, []) + [
            way
            for need in needs
            if need is not None
            for guard in guards[request.pk]
            for way in _ways(scope, request, need, guard, accounts, people)
        ]
    return found


def addable(scope: Scope, requests: Sequence[AccessRequest]) -> set[int]:
    """Return the people to whom the member may add accounts that are there already. One query."""
    places = scope.acts_at(Action.EDIT_ACCOUNT)
    works = Employment.objects.known().filter(person__in={request.beneficiary_person_id for request in requests})
    if places is not None:
        works = works.filter(facility__in=places)
    return set(works.values_list("person_id", flat=True))


def ways_to_first(scope: Scope, request: AccessRequest, need: System, people: Collection[int]) -> list[Link]:
    """Return the ways to an account that has to be there first: to ask for it, to add it. ``people``: as `addable`."""
    who, place = request.beneficiary_person_id, request.facility_id
    url = ask_url(scope, person=who, kind=ACCESS, facility=place, system=need.slug)
    asks = scope.may(Action.REQUEST_ACCESS, [place], own=is_me(scope, request.beneficiary_person))
    ways = [{"label": f"Ask for {need.name} first", "url": url}] if asks else []
    if who in people:
        there = reverse("web:person-accounts-add", args=[scope.organization.slug, who])
        ways.append({"label": f"Add the {need.name} account that is there already", "url": there})
    return ways


def _ways(
    scope: Scope,
    request: AccessRequest,
    need: System,
    guard: Guard,
    accounts: Mapping[tuple[int, int], int],
    people: Collection[int],
) -> list[dict[str, str]]:
    """Return the ways to what one guard wants of a system that has to be there first.

    None where it is about another one, and none to a page that refuses the member. ``accounts``: by person and system;
    ``people``: as `addable`.
    """
    account = accounts.get((request.beneficiary_person_id, need.pk))
    if guard.code == "prerequisite" and f" {need.name} account" in guard.message:
        return ways_to_first(scope, request, need, people)
    own = is_me(scope, request.beneficiary_person)
    keeps = account is not None and scope.may(Action.KEEP_ACCOUNT, [request.facility_id], own=own)
    if guard.code in _TO_BE_SAID and keeps and f"the {need.name} account" in guard.cure:
        url = reverse("web:account-identity", args=[scope.organization.slug, account])
        url += f"?{urlencode({'then': _asked_at(scope, request)})}"
        return [{"label": f"Say how the {need.name} account stands", "url": url}]
    return []


def _asked_at(scope: Scope, request: AccessRequest) -> str:
    """Return the page on which a request stands, or is being asked for."""
    if request.pk > 0:  # what is not stored yet has a negative one
        return request.get_absolute_url()
    role = request.role.slug if request.role else ""
    return ask_url(
        scope,
        person=request.beneficiary_person_id,
        kind=ACCESS,
        system=request.system.slug,
        facility=request.facility_id,
        role=role,
    )


def _running(scope: Scope, requests: Sequence[AccessRequest]) -> dict[int, list[dict[str, str]]]:
    """Return by request those that ask for the same thing and have not ended, with their pages. One query."""
    people = {request.beneficiary_person_id for request in requests}
    sent = AccessRequest.objects.under_way().filter(organization=scope.organization)
    rows = sent.filter(beneficiary_person__in=people, system__in={request.system_id for request in requests})
    rows = rows.exclude(pk__in=[request.pk for request in requests])
    found: dict[tuple[object, ...], list[AccessRequest]] = {}
    for row in rows.order_by("pk"):
        found.setdefault(wish_of(row), []).append(row)
    return {
        request.pk: [
            {"label": row.get_state_display(), "url": reverse("web:request", args=[scope.organization.slug, row.pk])}
            for row in found.get(wish_of(request), [])
        ]
        for request in requests
    }


def deciders_of(scope: Scope, requests: Sequence[AccessRequest], on: date) -> Deciders:
    """Return who will decide: as `deciders.able_to`, for what need not be stored. Six queries at most."""
    needing = [request for request in requests if request.approval == Approved.NEEDED]
    if not needing:
        return Deciders()
    able = able_to(scope.organization, needing, on)
    everybody = {pk for each in able.values() for pk in each.people}
    alone = [request for request in needing if able[request.pk].nobody]
    if alone:
        places = list(dict.fromkeys(row.facility.name for row in alone))
        privileged = all(row.role is not None and row.role.privileged for row in alone)
        return Deciders(words=_names(scope, everybody, on), nobody=True, places=places, privileged=privileged)
    outside = {each.outside for each in able.values() if each.outside is not None}
    named = str(Person.objects.get(pk__in=outside)) if outside else ""
    return Deciders(words=_names(scope, everybody, on), outside=named)


def _names(scope: Scope, people: set[int], on: date) -> str:
    """Return the names that the member reads, who is away, and how many others there are. Two queries."""
    readable = Person.objects.visible_to(scope).filter(pk__in=people).order_by("last_name", "first_name", "pk")
    shown = list(readable[:4])
    away = dict(Absence.objects.in_force(on).filter(person__in=shown).values_list("person", "valid_to"))
    names = [f"{person}{_away(away[person.pk]) if person.pk in away else ''}" for person in shown]
    others = len(people) - len(names)
    if others:
        noun = "other" if names else "approver"
        names.append(f"{count_word(others)} {noun if others == 1 else noun + 's'}")
    return listed(names)


def _away(until: date | None) -> str:
    return f" (away until {day(until)})" if until else " (away)"
