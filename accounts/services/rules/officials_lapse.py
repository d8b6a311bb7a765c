"""All Security Officials of a facility about to lapse together (R-18): then nobody is left who could approve them."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Final

from accounts.models import Deadline, Finding
from accounts.policy.cover import Held
from accounts.policy.officials import all_lapsing
from accounts.policy.streams import closed_systems
from accounts.services.rules.catalogue_read import Known, OfficialsWanted
from accounts.services.rules.found import Found, Rule, Slice
from accounts.services.rules.officials import used_systems
from accounts.services.rules.sites import Place, places
from audit.bulk import among
from systems.policy import EASTERN, day_in

_KIND: Final = Finding.Kind.OFFICIALS_LAPSE.value
Days = dict[int, date]


def find(part: Slice) -> Iterator[Found]:
    """Yield one finding per CCN and system in use whose officials all lapse soon, or have lapsed. One query.

    Only limits that CMS publishes count, by the Eastern day as they do.
    """
    catalogue, sites = places(part)
    wanted = {
        (place.key, each.system): officials
        for place in sites
        if place.has_ccn
        for each in catalogue.officials
        if each.system not in closed_systems(place.site, catalogue.ways, part.on)
        if (officials := _officials(place, each, catalogue, part.on))
        and each.system in used_systems(place, catalogue, part)
    }
    days = _last_safe_days({each.account for officials in wanted.values() for each in officials})
    on = day_in(part.at, EASTERN)
    for (facility, system), officials in wanted.items():
        last = _by_person(officials, days)
        severity = all_lapsing(last.values(), on)
        if severity:
            people = sorted(last, key=lambda person: (last[person] or date.max, person))
            facts = {
                "system": system,
                "people": people,
                "lapse_on": [day.isoformat() if (day := last[person]) else None for person in people],
            }
            yield Found(_KIND, f"facility:{facility}/system:{system}", severity, facts, facility=facility)


def _officials(place: Place, wanted: OfficialsWanted, catalogue: Known, on: date) -> list[Held]:
    return [
        each
        for each in place.held
        if each.counts and each.role in wanted.roles and catalogue.roles[each.role].usable(on)
    ]


def _last_safe_days(accounts: set[int]) -> Days:
    clocks = Deadline.objects.open().filter(
        account__in=among(accounts), kind=Deadline.Kind.INACTIVITY, policy__isnull=False
    )
    return {account: day for account, day in clocks.values_list("account_id", "due_on") if account is not None}


def _by_person(officials: list[Held], days: Days) -> dict[int, date | None]:
    """Return each official's last safe day; of two accounts of one person the one that lasts longer."""
    found: dict[int, list[date]] = defaultdict(list)
    for each in officials:
        found[each.person] += [days[each.account]] if each.account in days else []
    return {person: max(these, default=None) for person, these in found.items()}


RULE: Final = Rule("officials-lapse", "Security Officials about to lapse", (_KIND,), "facility", find)
