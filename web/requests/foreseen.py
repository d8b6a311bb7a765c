"""What can be said before a request is sent: what stands against it, what runs already, and who will decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.urls import reverse

from accounts.models import AccessRequest
from accounts.policy.requesting import Approved
from accounts.services.requests.deciders import able_to
from accounts.services.requests.guards import Guard, guards_of
from accounts.words import count_word, listed
from facilities.access import Scope
from staff.models import Person
from systems.models import Prerequisite
from web.requests.kinds import ACCESS
from web.requests.saying import said
from web.requests.ways import ask_url


@dataclass(frozen=True, slots=True)
class Line:
    """One request before it is sent."""

    request: AccessRequest
    sentence: str
    blocking: list[Guard]
    hints: list[Guard]
    running: list[dict[str, str]]  # the same thing, asked for already
    first: list[dict[str, str]]  # what has to be asked for before


@dataclass(slots=True)
class Deciders:
    """Who will decide: names as far as the member reads them, in words; ``nobody`` where no one may."""

    words: str = ""
    nobody: bool = False
    outside: str = ""
    places: list[str] = field(default_factory=list)  # where nobody may


def lines_of(scope: Scope, requests: Sequence[AccessRequest], at: datetime) -> list[Line]:
    """Return each request with what stands against it. A fixed number of queries."""
    guards, running = guards_of(requests, at), _running(scope, requests)
    first = _first(scope, requests, guards)
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


def _first(
    scope: Scope, requests: Sequence[AccessRequest], guards: Mapping[int, Sequence[Guard]]
) -> dict[int, list[dict[str, str]]]:
    """Return by request the ways to ask for what its guards say comes first. One query where there is any."""
    said_first = {pk: [guard.message for guard in each if guard.code == "prerequisite"] for pk, each in guards.items()}
    waiting = [request for request in requests if said_first[request.pk]]
    if not waiting:
        return {}
    systems = {request.system_id for request in waiting}
    needed = Prerequisite.objects.current().filter(system__in=systems, needs_system__isnull=False)
    rows = list(needed.select_related("needs_system").order_by("needs_system__position"))
    found: dict[int, list[dict[str, str]]] = {}
    for request in waiting:
        needs = {row.needs_system for row in rows if row.system_id == request.system_id}
        named = [each for each in needs if any(f" {each.name} account" in text for text in said_first[request.pk])]
        more = {"person": request.beneficiary_person_id, "kind": ACCESS, "facility": request.facility_id}
        found[request.pk] = [
            {"label": f"Ask for {each.name} first", "url": ask_url(scope, **more, system=each.slug)} for each in named
        ]
    return found


def _running(scope: Scope, requests: Sequence[AccessRequest]) -> dict[int, list[dict[str, str]]]:
    """Return by request those that ask for the same thing and have not ended, with their pages. One query."""
    people = {request.beneficiary_person_id for request in requests}
    open_ones = AccessRequest.objects.filter(organization=scope.organization, closed_at=None)
    rows = open_ones.filter(beneficiary_person__in=people, system__in={request.system_id for request in requests})
    rows = rows.exclude(pk__in=[request.pk for request in requests])
    found: dict[tuple[object, ...], list[AccessRequest]] = {}
    for row in rows.order_by("pk"):
        found.setdefault(_same(row), []).append(row)
    return {
        request.pk: [
            {"label": row.get_state_display(), "url": reverse("web:request", args=[scope.organization.slug, row.pk])}
            for row in found.get(_same(request), [])
        ]
        for request in requests
    }


def _same(row: AccessRequest) -> tuple[object, ...]:
    what = (row.role_id, row.grant_id) if row.approval == Approved.NOT_NEEDED else (row.role_id,)
    return row.beneficiary_person_id, row.system_id, row.facility_id, row.kind, *what


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
        return Deciders(words=_names(scope, everybody), nobody=True, places=places)
    outside = {each.outside for each in able.values()} - {None}
    named = str(Person.objects.get(pk__in=outside)) if outside else ""
    return Deciders(words=_names(scope, everybody), outside=named)


def _names(scope: Scope, people: set[int]) -> str:
    """Return the names that the member reads, and how many others there are. One query."""
    readable = Person.objects.visible_to(scope).filter(pk__in=people).order_by("last_name", "first_name", "pk")
    names = [str(person) for person in readable[:4]]
    others = len(people) - len(names)
    if others:
        noun = "other" if names else "approver"
        names.append(f"{count_word(others)} {noun if others == 1 else noun + 's'}")
    return listed(names)
