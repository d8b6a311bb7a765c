"""Security Officials: none (R-16), only one (R-17). How many are needed on which system says the catalogue."""

from collections.abc import Iterator

from accounts.models import Finding
from accounts.models.watch import Severity
from accounts.policy.cover import holding
from accounts.policy.streams import streams_of, systems_on
from accounts.services.rules.catalogue_read import Known
from accounts.services.rules.found import Found, Rule, Slice
from accounts.services.rules.sites import Place, places

_NONE, _ONE = Finding.Kind.NO_OFFICIAL.value, Finding.Kind.ONE_OFFICIAL.value


def find(part: Slice) -> Iterator[Found]:
    """Yield one finding per CCN and system in use that has no official, or only one where two are advised."""
    catalogue, sites = places(part)
    for place in sites:
        if not place.has_ccn:
            continue
        used = used_systems(place, catalogue, part)
        for wanted in catalogue.officials:
            if wanted.system not in used:
                continue
            people = holding(place.held, wanted.roles, catalogue.roles, part.on)
            missing = not people and not wanted.advised
            if missing or (wanted.advised and 0 < len(people) < wanted.least):
                yield Found(
                    kind=_NONE if missing else _ONE,
                    subject_key=f"facility:{place.key}/system:{wanted.system}",
                    severity=(Severity.CRITICAL if missing else Severity.HIGH).value,
                    facts={"system": wanted.system, "people": sorted(people), "fact": wanted.fact},
                    facility=place.key,
                )


def used_systems(place: Place, catalogue: Known, part: Slice) -> set[str]:
    """Return the systems that the facility's data go over, whoever sends them, or that its people work on."""
    used = {each.system for each in place.held if each.counts}
    for _, paths in streams_of(place.site, catalogue.ways).values():
        used |= systems_on(paths, place.site, part.on)
    return used


RULE = Rule("officials", "Security Officials", (_NONE, _ONE), "facility", find)
