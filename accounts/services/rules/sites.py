"""What rules about facilities read of a slice, once for all of them: places, what is held there, what was stated."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Q

from accounts.models import FacilityStream, PortalAccount, RecordKeeper, RoleGrant
from accounts.policy.cover import Held
from accounts.policy.streams import SUBMITTED, Site, moved_from, streams_of, systems_on
from accounts.selectors import stated_streams, systems_in_use
from accounts.services.rules.catalogue_read import Known, known
from accounts.services.rules.found import Slice
from audit.bulk import among
from facilities.models import Facility
from staff.models import Absence, Employment
from systems.provider_types import kind_of

_STATUS = PortalAccount.Status


@dataclass(slots=True, kw_only=True)
class Place:
    """One facility in business. ``held``: roles on accounts that exist on their system; ``keepers``: employed ones."""

    key: int
    has_ccn: bool
    site: Site
    held: list[Held] = field(default_factory=list)
    keepers: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A stream that a facility sends by its own people on a day: over which systems, and which ones these replaced."""

    stream: str
    systems: frozenset[str]
    replaced: frozenset[str]


def places(part: Slice) -> tuple[Known, list[Place]]:
    """Return the catalogue and the slice's facilities in business. Thirteen queries for the first rule that asks."""
    if "places" not in part.read:
        part.read["catalogue"] = part.read.get("catalogue") or known()
        part.read["places"] = part.read["catalogue"], _places(part)
    found: tuple[Known, list[Place]] = part.read["places"]
    return found


def sendings(place: Place, catalogue: Known, part: Slice) -> Iterator[Sending]:
    """Yield the streams that the facility's own people have to submit that day (not a corporate office's)."""
    for stream, (through, paths) in streams_of(place.site, catalogue.ways).items():
        if through != FacilityStream.Through.OWN or catalogue.ways.groups.get(stream) not in SUBMITTED:
            continue
        systems = systems_on(paths, place.site, part.on)
        if systems:
            replaced = moved_from(stream, systems, place.site, catalogue.ways, part.on)
            yield Sending(stream=stream, systems=systems, replaced=replaced)


def _places(part: Slice) -> list[Place]:
    stated = stated_streams(part.facilities, part.on)
    still = systems_in_use(part.facilities)
    in_business = Q(closed_on=None) | Q(closed_on__gte=part.on)
    rows = Facility.objects.filter(in_business, pk__in=part.facilities).order_by("pk")
    found = {
        key: Place(
            key=key,
            has_ccn=ccn is not None,
            site=Site(
                kind=kind_of(ccn_type, licensed_only=licensed).value,
                stated=stated[key],
                still=frozenset(still[key]),
            ),
        )
        for key, ccn, ccn_type, licensed in rows.values_list("pk", "ccn", "provider_type", "licensed_only")
    }
    _put_in_who_holds_what(part, found)
    return list(found.values())


def there(part: Slice) -> tuple[set[int], set[int]]:
    """Return who of the slice's people is employed anywhere on its day, and who is away. Two queries, once."""
    if "there" not in part.read:
        part.read["there"] = _there(part)
    found: tuple[set[int], set[int]] = part.read["there"]
    return found


def _there(part: Slice) -> tuple[set[int], set[int]]:
    working = Employment.objects.in_force(part.on).filter(person__in=among(part.people)).order_by()
    employed = set(working.values_list("person_id", flat=True).distinct())
    away = set(
        Absence.objects.in_force(part.on)
        .filter(person__in=among(part.people))
        .order_by()
        .values_list("person_id", flat=True)
    )
    return employed, away


def _put_in_who_holds_what(part: Slice, found: dict[int, Place]) -> None:
    employed, away = there(part)
    on_system = Q(account__status=_STATUS.ACTIVE) | (
        Q(account__status=_STATUS.LOST) & ~Q(account__loss=PortalAccount.Loss.DELETED)
    )
    grants = RoleGrant.objects.in_force(part.on).filter(on_system, facility__in=found).order_by("facility_id", "pk")
    columns = ("facility_id", "account__person_id", "account_id", "account__system__slug", "role_id", "account__status")
    for facility, person, account, system, role, status in grants.values_list(*columns):
        runs = status == _STATUS.ACTIVE
        found[facility].held.append(Held(person, account, system, role, runs, person in employed, person in away))
    keepers = RecordKeeper.objects.in_force(part.on).filter(facility__in=found)
    kept = list(keepers.values_list("facility_id", "person_id"))
    working = employed | _employed_elsewhere({person for _, person in kept}, part)
    for facility, person in kept:
        if person in working:
            found[facility].keepers.add(person)


def _employed_elsewhere(people: set[int], part: Slice) -> set[int]:
    """Return who of these works for the organization, but neither works nor holds anything in the slice."""
    strangers = people.difference(part.people)
    if not strangers:
        return set()
    times = Employment.objects.in_force(part.on).filter(organization=part.organization, person__in=among(strangers))
    return set(times.order_by().values_list("person_id", flat=True).distinct())
