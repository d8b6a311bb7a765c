"""Step two for new access: which systems a facility's data go over today, and which have closed for it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from django.db.models import Q

from accounts.models import PortalAccount
from accounts.policy.request_guards import NEEDS_OPEN_SYSTEM
from accounts.policy.streams import Site, Ways, closed_systems, streams_of, systems_on
from accounts.selectors import stated_streams, systems_in_use
from accounts.services.requests.drafting import Ask
from accounts.words import listed
from facilities.access import Scope
from facilities.models import Facility
from staff.models import Employment, Person
from systems.models import Stream, System
from systems.provider_types import kind_of
from systems.selectors import stream_paths
from web.requests.reach import places_to_ask

LISTED_AT_MOST: Final = 60  # facilities to tick; further ones are named by CCN


@dataclass(slots=True)
class Choice:
    """One system to choose, with why it is offered."""

    system: System
    note: str = ""
    closed_at: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Closed:
    """A system that has closed for some of the facilities asked for, and what follows it."""

    system: System
    facilities: tuple[Facility, ...]
    successors: list[System]

    @property
    def places(self) -> str:
        """Their names."""
        return listed(place.name for place in self.facilities)


def facilities_offered(
    scope: Scope, person: Person, ticked: Collection[Facility], on: date
) -> tuple[list[Facility], list[Facility], bool]:
    """Return the facilities to tick, those where somebody works first; these alone; whether there are more."""
    able = places_to_ask(scope, person)
    own = workplaces(scope, person, on)
    others = list(able.exclude(pk__in=[place.pk for place in own])[: LISTED_AT_MOST + 1])
    many = len(others) > LISTED_AT_MOST
    first = [*own, *(place for place in ticked if place not in own)]
    return (first if many else [*own, *others]), own, many


def workplaces(scope: Scope, person: Person, on: date) -> list[Facility]:
    """Return where somebody works, or will, and the member may ask for her."""
    works = Employment.objects.known().filter(Q(valid_to=None) | Q(valid_to__gte=on), person=person)
    return list(places_to_ask(scope, person).filter(pk__in=works.values("facility"))[:LISTED_AT_MOST])


def systems_offered(person: Person, facilities: Sequence[Facility], on: date) -> tuple[list[Choice], list[Choice]]:
    """Return the systems that the facilities' data go over today, and all others. Seven queries."""
    every = {system.slug: system for system in System.objects.current().select_related("sign_in_via")}
    names = dict(Stream.objects.values_list("slug", "name"))
    ways = Ways(paths=tuple(stream_paths()), groups={})
    usual: dict[str, dict[str, None]] = {}
    closed: dict[str, list[str]] = {}
    for place, site in sites_of(facilities, on).items():
        for stream, (_, paths) in streams_of(site, ways).items():
            for slug in systems_on(paths, site, on):
                usual.setdefault(slug, {})[names.get(stream, stream)] = None
        for slug in closed_systems(site, ways, on):
            closed.setdefault(slug, []).append(place.name)
    held = set(PortalAccount.objects.open().filter(person=person).values_list("system__slug", flat=True))
    first = [Choice(every[slug], f"For {listed(sorted(streams))}.") for slug, streams in usual.items() if slug in every]
    for choice in list(first):
        via = choice.system.sign_in_via
        if via is not None and via.slug not in held and via.slug not in {each.system.slug for each in first}:
            first.append(Choice(via, f"Comes first: {choice.system.name} is signed in to with it."))
    known = {choice.system.slug for choice in first}
    rest = [Choice(system, closed_at=closed.get(slug, [])) for slug, system in every.items() if slug not in known]
    return sorted(first, key=_place_in_list), sorted(rest, key=_place_in_list)


def _place_in_list(choice: Choice) -> tuple[int, str]:
    return choice.system.position, choice.system.slug


def sites_of(facilities: Sequence[Facility], on: date) -> dict[Facility, Site]:
    """Return what is known of facilities on a day. Two queries."""
    keys = [place.pk for place in facilities]
    stated, still = stated_streams(keys, on), systems_in_use(keys)
    return {
        place: Site(
            kind=kind_of(place.provider_type, licensed_only=place.licensed_only).value,
            stated=stated[place.pk],
            still=frozenset(still[place.pk]),
        )
        for place in facilities
    }


def closed_among(asks: Sequence[Ask], on: date) -> Closed | None:
    """Return the first system that has closed where it is asked for, and what follows it there; None without one.

    Only for kinds that make or keep access usable.
    """
    wanted: dict[System, dict[Facility, None]] = {}
    for ask in asks:
        if ask.kind in NEEDS_OPEN_SYSTEM:
            wanted.setdefault(ask.system, {})[ask.facility] = None
    found = (closed_for(system, list(places), on) for system, places in wanted.items())
    return next((closed for closed in found if closed is not None), None)


def closed_for(system: System, facilities: Sequence[Facility], on: date) -> Closed | None:
    """Return where a system has closed and what follows it there; None where it is in use at all of them."""
    ways = Ways(paths=tuple(stream_paths()), groups={})
    places: list[Facility] = []
    followers: dict[str, None] = {}
    for place, site in sites_of(facilities, on).items():
        ended = closed_systems(site, ways, on).get(system.slug)
        if ended:
            places.append(place)
            followers |= dict.fromkeys(path.replaced_by for path in ended if path.replaced_by)
    if not places:
        return None
    successors = System.objects.current().filter(slug__in=followers).order_by("position")
    return Closed(system, tuple(places), list(successors))
