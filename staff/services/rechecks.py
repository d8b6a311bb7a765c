"""Lists the facilities to be looked at again when somebody's work or absence changes (design 9.5).

Where she works is known here. Where she holds a role or keeps a record is known further up: that app tells it once, as
it starts (`also_at`), because imports point only down and the entry belongs to the transaction of the act.
"""

from collections.abc import Callable, Collection, Iterable

from audit.bulk import among
from facilities.services.rechecks import recheck
from staff.models import Employment

Places = Callable[[Collection[int]], Iterable[int]]
_further: list[Places] = []


def also_at(places: Places) -> None:
    """Let ``places`` say at which further facilities people count. Saying it again changes nothing."""
    if places not in _further:
        _further.append(places)


def recheck_people(people: Iterable[int]) -> None:
    """List where these people work or worked and wherever else they count. Belongs inside the act's transaction."""
    keys = list(people)
    worked = Employment.objects.filter(person__in=among(keys)).order_by()
    found = set(worked.values_list("facility_id", flat=True).distinct())
    recheck(found.union(further_places(keys)))


def further_places(people: Collection[int]) -> set[int]:
    """Return the facilities at which these people count without having to work there."""
    return {place for places in _further for place in places(people)} if people else set()
