"""What would be wrong if somebody left today: the rules about facilities, asked of the facts without this person.

No rule is written again here. `without` takes the person out of what the rules read, as her last day yesterday and the
removal of her accounts would; then the same rules say what is wrong.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

from accounts.finding_words import SEVERITIES
from accounts.policy.cover import able_to_submit
from accounts.policy.people import Time, last_day
from accounts.services.rules.catalogue import RULES
from accounts.services.rules.found import Found, Rule, Slice
from accounts.services.rules.leavers import left_with_access, times_of
from accounts.services.rules.sites import Place, places, sendings
from accounts.services.rules.sweep import people_at
from facilities.models import Facility, Organization
from systems.policy import EASTERN, day_in

_RULES: Final[tuple[Rule, ...]] = tuple(rule for rule in RULES if rule.about == "facility")
_Key = tuple[str, str]  # kind and subject


@dataclass(frozen=True, slots=True)
class Submits:
    """A stream that the person can submit now, and who could when she is gone."""

    stream: str
    people: frozenset[int]


@dataclass(slots=True)
class Loss:
    """What one facility would lose. ``opened``: wrong then and not now; ``worse``: wrong now, and graver then.

    ``closed``: kinds that would be wrong no more, as where too many hold an account.
    """

    opened: list[Found] = field(default_factory=list)
    worse: list[Found] = field(default_factory=list)
    closed: list[Found] = field(default_factory=list)
    streams: list[Submits] = field(default_factory=list)


@dataclass(slots=True)
class Leaving:
    """The accounts that would have to be removed, as the rule about leavers finds them, and the losses by facility.

    ``left_on``: the last day of somebody who has left already, everywhere.
    """

    left_on: date | None = None
    accounts: list[Found] = field(default_factory=list)
    losses: dict[int, Loss] = field(default_factory=dict)


def if_left(*, organization: Organization, person: int, facilities: Collection[int], at: datetime) -> Leaving:
    """Return what would follow at these facilities if the person were gone since this morning.

    The same number of queries for one facility and for many, as long as their day is the same one. Where there is
    none, only the accounts: they are open whether or not a role hangs on them.
    """
    found = Leaving()
    by_day: dict[date, list[int]] = defaultdict(list)
    for key, zone in Facility.objects.filter(pk__in=facilities).order_by("pk").values_list("pk", "zone"):
        by_day[day_in(at, zone)].append(key)
    if not by_day:
        alone = Slice(organization, (), (person,), day_in(at, EASTERN), at)
        found.left_on, found.accounts = last_day(times_of(alone).get(person, ()), alone.on), _gone(alone, person)[1]
    for on, keys in by_day.items():
        people = tuple(sorted({*people_at(keys), person}))
        now = Slice(organization, tuple(keys), people, on, at)
        then, left = without(now, person)
        found.left_on, found.accounts = last_day(times_of(now).get(person, ()), on), left
        found.losses |= _losses(now, then, person)
    return found


def without(part: Slice, person: int) -> tuple[Slice, list[Found]]:
    """Return the slice as it would read without the person, and her accounts that would have been removed by then.

    An identity that other systems sign in through stays with the person (`leavers`); it counts for nothing there.
    """
    catalogue, sites = places(part)
    times, gone = _gone(part, person)
    removed = frozenset(found.account for found in gone if found.account is not None)
    rest = [_place_without(place, person, removed) for place in sites]
    return replace(part, removed=removed, read={"places": (catalogue, rest), "times": times}), gone


def _gone(part: Slice, person: int) -> tuple[dict[int, list[Time]], list[Found]]:
    """Return the times of everybody with her last day no later than yesterday, and what she would still hold then."""
    ended = part.on - timedelta(days=1)
    times = dict(times_of(part))
    known = [time for time in times.get(person, ()) if time.until is not None and time.until < part.on]
    times[person] = [*known, Time(part.facilities[0] if part.facilities else 0, ended, ended, "")]
    return times, list(left_with_access(replace(part, people=(person,), read={"times": times})))


def _place_without(place: Place, person: int, removed: Collection[int]) -> Place:
    held = [
        replace(each, employed=False) if each.person == person else each
        for each in place.held
        if each.account not in removed
    ]
    return replace(place, held=held, keepers=place.keepers - {person})


def _losses(now: Slice, then: Slice, person: int) -> dict[int, Loss]:
    found: dict[int, Loss] = {key: Loss() for key in now.facilities}
    before, after = _wrong(now), _wrong(then)
    for key, each in after.items():
        was = before.get(key)
        if each.facility is None:
            continue
        if was is None:
            found[each.facility].opened.append(each)
        elif SEVERITIES.index(each.severity) < SEVERITIES.index(was.severity):
            found[each.facility].worse.append(each)
    for key, each in before.items():
        if key not in after and each.facility is not None:
            found[each.facility].closed.append(each)
    for place, streams in _streams(now, then, person).items():
        found[place].streams = streams
    return found


def _wrong(part: Slice) -> dict[_Key, Found]:
    """Return what the rules about facilities find, by kind and subject."""
    return {(found.kind, found.subject_key): found for rule in _RULES for found in rule.find(part)}


def _streams(now: Slice, then: Slice, person: int) -> dict[int, list[Submits]]:
    catalogue, sites = places(now)
    rest = {place.key: place for place in places(then)[1]}
    found: dict[int, list[Submits]] = defaultdict(list)
    for place in sites:
        for sending in sendings(place, catalogue, now):
            able, left = (
                able_to_submit(each.held, catalogue.roles, sending.stream, sending.systems, now.on)
                for each in (place, rest[place.key])
            )
            if person in able:
                found[place.key].append(Submits(catalogue.names[sending.stream], left))
    return found
