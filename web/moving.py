"""Moves of streams to other systems: how far each is, and how the facilities of one stand."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import Q
from django.http import QueryDict

from accounts.moving import Goal, Goals, states
from accounts.policy.moving import Readiness, State, gaps, readiness
from audit.bulk import among
from facilities.access import Scope
from facilities.models import Facility
from facilities.models.tenancy import FacilityQuerySet
from staff.models import Person
from web.forms.moves import MoveFilter
from web.lists import Listing
from web.move_deeds import Deed, Deeds
from web.searching.places import place_called

SIZE: Final = 50
BY_NAME: Final = ("name", "pk")


@dataclass(frozen=True, slots=True)
class Line:
    """One facility of a move: how it stands, what was counted, the names of officials, the next deed."""

    place: Facility
    state: State
    standing: Readiness
    officials: list[str]
    only: str  # who alone can send it
    deed: Deed


@dataclass(frozen=True, slots=True)
class Progress:
    """One move: at how many of the facilities that it concerns all is ready, and of how many nobody knows."""

    goal: Goal
    ready: int
    unknown: int
    facilities: int


def progress(scope: Scope, found: Goals) -> list[Progress]:
    """Return the moves that concern the member's facilities. Six queries."""
    concerned = found.concerning(Facility.objects.visible_to(scope).open())
    stands = states(scope.organization, found.all, concerned, found.on)
    told = []
    for goal in found.all:
        if of_move := stands.get(goal.move.key):
            so = Counter(readiness(gaps(state)) for state in of_move.values())
            told.append(Progress(goal, so[Readiness.READY], so[Readiness.UNKNOWN], len(of_move)))
    return told


def facilities_as_asked(scope: Scope, goal: Goal, found: Goals, asked: QueryDict) -> Listing[FacilityQuerySet]:
    """Return the member's facilities that the move concerns and that match the address. Three queries.

    Seven where only those are wanted that stand in a certain way: then all of them are looked at.
    """
    form = MoveFilter(asked, scope=scope)
    places = Facility.objects.visible_to(scope).open()
    if words := form.chosen.get("q"):
        places = places.filter(place_called(words) | Q(ccn__istartswith=words))
    if state := form.chosen.get("state"):
        places = places.filter(state=state)
    keys: Iterable[int] = found.concerning(places)[goal.move.key]
    if wanted := form.chosen.get("standing"):
        stands = states(scope.organization, [goal], {goal.move.key: set(keys)}, found.on).get(goal.move.key, {})
        keys = [key for key, state in stands.items() if readiness(gaps(state)) == wanted]
    return Listing(form, Facility.objects.visible_to(scope).filter(pk__in=among(keys)))


def lines(scope: Scope, goal: Goal, places: Sequence[Facility], on: date) -> list[Line]:
    """Return how these facilities stand, in their order. Seven queries at most."""
    stands = states(scope.organization, [goal], {goal.move.key: [place.pk for place in places]}, on)
    all_of = stands.get(goal.move.key, {})
    names = _names(scope, all_of.values())
    deeds = Deeds(scope, goal, list(all_of.values()), names, on)
    return [_line(place, all_of[place.pk], names, deeds) for place in places]


def _line(place: Facility, state: State, names: dict[int, str], deeds: Deeds) -> Line:
    only = next(iter(state.able)) if len(state.able) == 1 else None
    officials = sorted(names[person] for person in state.officials or ())
    missing = gaps(state)
    step = missing[0].step if missing else None
    return Line(place, state, readiness(missing), officials, names.get(only or 0, ""), deeds.next(place, state, step))


def _names(scope: Scope, stands: Iterable[State]) -> dict[int, str]:
    """Return the names of all who may be named. One query."""
    people: set[int] = set()
    for state in stands:
        people |= {*(each.person for each in state.holders), *(state.officials or ()), *state.able}
    found = Person.objects.filter(organization=scope.organization, pk__in=among(people))
    return {person.pk: str(person) for person in found}
