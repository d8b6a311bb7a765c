"""What is known of facilities for the rules about them, as plain values: for many at once, and for the pages of one."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import CharField, Exists, F, OuterRef, Value
from django.db.models.functions import Cast, Concat

from accounts.models import FacilityStream, Finding, RoleGrant
from accounts.models.inventory import PortalAccountQuerySet
from accounts.models.register import SystemInUse
from accounts.policy.streams import OWN, Site, Ways, closed_systems, systems_on
from audit.bulk import among
from facilities.models import Facility
from systems.models import Stream, System
from systems.paths import Path
from systems.provider_types import kind_of
from systems.selectors import stream_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHere:
    """One stream for the page of a facility. ``usual``: its kind sends it; ``over``: systems it goes over now."""

    stream: Stream
    usual: bool
    stated: FacilityStream | None
    through: str
    over: tuple[str, ...]


def stated_streams(facilities: Collection[int], on: date) -> dict[int, dict[str, str]]:
    """Return facility -> stream -> through whom, as stated for the day; the newest statement wins. One query."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    rows = FacilityStream.objects.in_force(on).filter(facility__in=among(facilities)).order_by("recorded_at", "pk")
    for facility, stream, through in rows.values_list("facility_id", "stream__slug", "through"):
        found[facility][stream] = through
    return found


def systems_in_use(facilities: Collection[int]) -> dict[int, set[str]]:
    """Return facility -> closed systems that an administrator says are still in use there. One query."""
    found: dict[int, set[str]] = defaultdict(set)
    rows = SystemInUse.objects.known().filter(facility__in=facilities)
    for facility, system in rows.values_list("facility_id", "system__slug"):
        found[facility].add(system)
    return found


def needed_somewhere(accounts: PortalAccountQuerySet, on: date) -> PortalAccountQuerySet:
    """Return the accounts without those whose system has closed at each facility where a role is held (R-47).

    These are to be closed, not asked about; `accounts.services.rules.muting` keeps their dates quiet in the same way.
    """
    closed = Finding.objects.open().filter(kind=Finding.Kind.CLOSED_SYSTEM, subject_key=OuterRef("place_key"))
    held = RoleGrant.objects.in_force(on).filter(account=OuterRef("pk"))
    place = Concat(
        Value("facility:"),
        Cast("facility_id", CharField()),
        Value("/system:"),
        F("account__system__slug"),
        output_field=CharField(),
    )
    return accounts.filter(Exists(held.annotate(place_key=place).filter(~Exists(closed))) | ~Exists(held))


def site_of(facility: Facility, on: date) -> Site:
    """Return what is known of one facility on a day. Two queries."""
    return Site(
        kind=kind_of(facility.provider_type, licensed_only=facility.licensed_only).value,
        stated=stated_streams([facility.pk], on)[facility.pk],
        still=frozenset(systems_in_use([facility.pk])[facility.pk]),
    )


def closed_here(facility: Facility, on: date) -> frozenset[str]:
    """Return the systems that have closed for the facility, those said to be still in use left out. Three queries."""
    return _closed(site_of(facility, on), stream_paths(), on)


def _closed(site: Site, paths: Sequence[Path], on: date) -> frozenset[str]:
    return frozenset(closed_systems(site, Ways(paths=tuple(paths), groups={}), on))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHere:
    """What a facility sends, and the slugs of systems that have closed for it or are said to be still in use."""

    streams: Sequence[StreamHere]
    closed: frozenset[str]
    still: frozenset[str]


def place_here(facility: Facility, on: date) -> PlaceHere:
    """Return every stream of the catalogue as it stands at the facility, usual and stated ones first. Six queries."""
    site = site_of(facility, on)
    paths = stream_paths()
    names = dict(System.objects.values_list("slug", "name"))
    rows = FacilityStream.objects.in_force(on).filter(facility=facility).order_by("recorded_at", "pk")
    stated = {row.stream_id: row for row in rows}
    found = []
    for stream in Stream.objects.current().order_by("position", "slug"):
        ways = [path for path in paths if path.stream == stream.slug]
        usual = [path for path in ways if path.provider_type == site.kind]
        here = stated.get(stream.pk)
        found.append(
            StreamHere(
                stream=stream,
                usual=bool(usual),
                stated=here,
                through=here.through if here else (OWN if usual else ""),
                over=tuple(sorted(names[slug] for slug in systems_on(usual or ways, site, on))),
            )
        )
    ordered = sorted(found, key=lambda each: not (each.usual or each.stated))
    return PlaceHere(streams=ordered, closed=_closed(site, paths, on), still=site.still)
