"""Facilities by CCN, name or town, and systems of the catalogue by what they are called or for."""

import re
from collections.abc import Callable
from typing import Final

from django.db.models import Case, IntegerField, Q, Value, When
from django.urls import reverse

from accounts.words import day
from facilities.access import Scope
from facilities.ccn import read_ccn
from facilities.models import Facility
from staff.spelling import forgiven, mistakes, plain
from systems.models import System
from web.searching.hits import AT_MOST, Group, Hit, first_of, note

PLACES, SYSTEMS = "Facilities", "Systems"
_WORDS: Final = 6
_NAMES_COMPARED: Final = 10_000  # facilities whose names are compared letter by letter; no chain of today has as many


def places_found(scope: Scope, asked: str) -> Group:
    """Return the facilities with this CCN, also where its leading zero was lost, or this in name or town. One query."""
    number = re.sub(r"[\s\-]", "", asked).upper()
    reading = read_ccn(asked)
    meant = {*reading.readings, *([reading.number.ccn] if reading.number else [])}
    by_number = Q(ccn__in=meant) | (Q(ccn__startswith=number) if number else Q(pk__in=()))
    best_first = Case(
        When(by_number, then=Value(0)),
        When(name__istartswith=asked, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    found = (
        Facility.objects.visible_to(scope).filter(by_number | place_called(asked)).order_by(best_first, "name", "pk")
    )
    hits = [_place(scope, place) for place in found[: AT_MOST + 1]]
    return first_of(scope, "facilities", PLACES, hits, asked)


def place_called(asked: str) -> Q:
    """Return the condition that each word stands in the facility's name or town."""
    named = Q()
    for word in asked.split()[:_WORDS]:
        named &= Q(name__icontains=word) | Q(city__icontains=word)
    return named


def places_near(scope: Scope, asked: str) -> Group:
    """Return the facilities with nearly these words in their names. Two queries at most."""
    typed = [bare for word in asked.split()[:_WORDS] if (bare := plain(word))]
    readable = Facility.objects.visible_to(scope).order_by("name", "pk")
    names = list(readable.values_list("pk", "name")[: _NAMES_COMPARED + 1])
    nearly = _nearly(typed)
    close = [pk for pk, name in names[:_NAMES_COMPARED] if nearly(name)]
    found = readable.filter(pk__in=close[:AT_MOST]) if close else []
    group = Group("facilities", PLACES, [_place(scope, place) for place in found])
    if len(names) > _NAMES_COMPARED:
        group.looked_at = f"Among the first {_NAMES_COMPARED:,} facilities by name; there are more."
    return group


def _nearly(typed: list[str]) -> Callable[[str], bool]:
    """Return whether a name has a word near each typed one; names share their words, so each word is tried once."""
    tried: list[dict[str, bool]] = [{} for _ in typed]

    def near(word: str, number: int) -> bool:
        known = tried[number]
        if word not in known:
            known[word] = mistakes(typed[number], word, forgiven(typed[number])) is not None
        return known[word]

    def nearly(name: str) -> bool:
        words = plain(name).split()
        return bool(typed) and all(any(near(word, number) for word in words) for number in range(len(typed)))

    return nearly


def _place(scope: Scope, place: Facility) -> Hit:
    number = f"CCN {place.ccn}" if place.ccn else "Licensed only"
    where = ", ".join(filter(None, [place.city, place.state]))
    closed = f"Closed on {day(place.closed_on)}" if place.closed_on else ""
    url = reverse("web:facility", args=[scope.organization.slug, place.pk])
    return Hit(place.name, note(number, where, closed), url)


def systems_found(scope: Scope, asked: str, systems: list[System]) -> Group:
    """Return the systems called so, or with words of their purpose that begin so. No query."""
    wanted = asked.casefold()
    ranked = sorted((rank, n) for n, each in enumerate(systems) if (rank := _system_rank(each, wanted)) is not None)
    return first_of(scope, "systems", SYSTEMS, [_system(scope, systems[n]) for _, n in ranked[: AT_MOST + 1]], asked)


def systems_near(scope: Scope, asked: str, systems: list[System]) -> Group:
    """Return the systems whose names are spelled nearly so. No query."""
    typed = [bare for word in asked.split()[:_WORDS] if (bare := plain(word))]
    nearly = _nearly(typed)
    close = [each for each in systems if nearly(f"{each.name} {each.full_name}")]
    return Group("systems", SYSTEMS, [_system(scope, each) for each in close[:AT_MOST]])


def _system_rank(system: System, wanted: str) -> int | None:
    called = [system.slug, system.name.casefold(), system.full_name.casefold()]
    if any(text.startswith(wanted) for text in called):
        return 0
    begins = re.compile(rf"(?<!\w){re.escape(wanted)}")
    if any(begins.search(text) for text in called):
        return 1
    return 2 if begins.search(system.purpose.casefold()) else None


def _system(scope: Scope, system: System) -> Hit:
    full = system.full_name if system.full_name != system.name else ""
    return Hit(
        system.name,
        note(full, system.purpose),
        reverse("web:system", args=[scope.organization.slug, system.slug]),
    )
