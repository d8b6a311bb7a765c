"""The search itself: what is called so, and, where that is little, what is spelled nearly so."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from accounts.words import count_noun, count_word
from facilities.access import Scope
from systems.models import System
from web.searching.hits import AT_MOST, Group
from web.searching.people import accounts_found, people_found, people_near
from web.searching.places import places_found, places_near, systems_found, systems_near

SHORTEST: Final = 2  # letters
LONGEST: Final = 80
_ENOUGH: Final = 3  # hits; with so many nobody asks what else is spelled nearly so


@dataclass(frozen=True, slots=True)
class Found:
    """Groups that have hits: ``exact`` begin with what was asked for, ``near`` are spelled nearly so."""

    exact: list[Group] = field(default_factory=list)
    near: list[Group] = field(default_factory=list)


def told(found: Found, asked: str, first: int = AT_MOST) -> str:
    """Return how much was found, for those who do not see it appear; ``first``: so many of each group are shown."""
    groups = found.exact or found.near
    count = sum(len(group.hits) for group in groups)
    shown = sum(min(len(group.hits), first) for group in groups)
    if found.exact:
        more = " or more" if any(group.more_url for group in found.exact) else ""
        if shown < count:
            return f"The first {count_word(shown)} of {count_word(count)}{more} found."
        return f"{count_word(count)}{more} found.".capitalize()
    if shown < count:
        return f"Nothing is spelled like that; the first {count_word(shown)} of {count_word(count)} names close to it."
    if count:
        return f"Nothing is spelled like that; {count_noun(count, 'name is,names are')} close to it."
    return f"Nothing is called “{asked}”."


def search(scope: Scope, asked: str, on: date) -> Found:
    """Return what the member may read of what was asked for, at least `SHORTEST` letters."""
    systems = list(System.objects.current())
    people = people_found(scope, asked, on)
    exact = [people, places_found(scope, asked), accounts_found(scope, asked, on), systems_found(scope, asked, systems)]
    found = [group for group in exact if group.hits]
    if sum(len(group.hits) for group in found) >= _ENOUGH:
        return Found(found)
    near = [people_near(scope, asked, on, people)]
    if not found:  # somebody who typed a name rightly wants no other place
        near += [places_near(scope, asked), systems_near(scope, asked, systems)]
    return Found(found, [group for group in near if group.hits or group.looked_at])
