"""Reads backup records of facilities, set-wise: for the rule about outdated copies, and for the page of one."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from django.db.models import Prefetch, Q

from accounts.models import FacilityStream, PortalAccount, RecordKeeper, RoleGrant
from accounts.policy.cover import able_to_submit
from accounts.policy.people import last_day
from accounts.policy.records import Access, BackupRecord, HelpDesk, Submitting, desks_for
from accounts.policy.streams import SUBMITTED, streams_of, systems_on
from accounts.services.rules.catalogue_read import Known
from accounts.services.rules.found import Slice
from accounts.services.rules.leavers import times_of
from accounts.services.rules.sites import Place, places
from facilities.models import Facility
from systems.models import Contact, ContactPoint, System
from systems.policy import day_in

OWN: Final = FacilityStream.Through.OWN.value
_STATUS: Final = PortalAccount.Status
_COLUMNS: Final = (
    "facility_id", "account_id", "account__person_id", "account__person__last_name", "account__person__first_name",
    "account__person__email", "account__person__phone", "account__system__position", "account__system__slug",
    "account__user_id", "account__identity__user_id", "role__position", "role__name",
)  # fmt: skip


def record_of(facility: Facility, at: datetime) -> BackupRecord:
    """Return one facility's record on the day at its place; an empty one for a facility that has closed."""
    granted = RoleGrant.objects.filter(facility=facility).order_by().values_list("account__person_id", flat=True)
    part = Slice(
        facility.organization, (facility.pk,), tuple(sorted(set(granted.distinct()))), day_in(at, facility.zone), at
    )
    empty = BackupRecord(streams=(), access=(), desks=())
    return records(part, [facility.pk]).get(facility.pk, empty)


def records(part: Slice, wanted: Collection[int]) -> dict[int, BackupRecord]:
    """Return facility -> record for those of the slice that are wanted. Five queries beside what rules share."""
    catalogue, sites = places(part)
    chosen = [place for place in sites if place.key in wanted]
    held = _access([place.key for place in chosen], part)
    named = _through_names([place.key for place in chosen], part.on)
    desks = _desks()
    systems = System.objects.select_related("sign_in_via")
    above = {system.slug: system.sign_in_via.slug for system in systems if system.sign_in_via}
    found = {}
    for place in chosen:
        access = held[place.key]
        used = {each.system for each in access}
        found[place.key] = BackupRecord(
            streams=tuple(_streams(place, catalogue, named[place.key], part.on)),
            access=tuple(access),
            desks=desks_for(used, above, desks),
        )
    return found


def keepers_of(facility: Facility, on: date) -> list[RecordKeeper]:
    """Return who keeps the record on a day, by name, each with the person."""
    rows = RecordKeeper.objects.in_force(on).filter(facility=facility).select_related("person__organization")
    return list(rows.order_by("person__last_name", "person__first_name", "person_id"))


def _access(keys: Collection[int], part: Slice) -> dict[int, list[Access]]:
    times = times_of(part)
    on_system = Q(account__status=_STATUS.ACTIVE) | (
        Q(account__status=_STATUS.LOST) & ~Q(account__loss=PortalAccount.Loss.DELETED)
    )
    grants = RoleGrant.objects.in_force(part.on).filter(on_system, facility__in=keys).order_by()
    rows = sorted(grants.values_list(*_COLUMNS), key=_as_printed)
    found: dict[int, dict[int, Access]] = defaultdict(dict)
    for facility, account, person, last, first, email, phone, _, system, user_id, above, _, role in rows:
        if account in part.removed:
            continue
        there = found[facility]
        if account not in there:
            there[account] = Access(
                person=person,
                name=f"{first} {last}".strip(),
                email=email,
                phone=phone,
                left=last_day(times.get(person, ()), part.on) is not None,
                account=account,
                system=system,
                user_id=user_id or above or "",
                roles=(),
            )
        if role not in there[account].roles:
            there[account] = replace(there[account], roles=(*there[account].roles, role))
    return defaultdict(list, {facility: list(there.values()) for facility, there in found.items()})


def _as_printed(row: tuple[object, ...]) -> tuple[object, ...]:
    """By name, then as the catalogue orders systems and roles; engines order text differently."""
    _, account, person, last, first, _, _, system_position, system, _, _, role_position, role = row
    return last, first, person, system_position, system, account, role_position, role


def _through_names(keys: Collection[int], on: date) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    stated = FacilityStream.objects.in_force(on).filter(facility__in=keys).order_by("recorded_at", "pk")
    for facility, stream, name in stated.values_list("facility_id", "stream__slug", "through_name"):
        found[facility][stream] = name
    return found


def _streams(place: Place, catalogue: Known, named: dict[str, str], on: date) -> Iterable[Submitting]:
    # Who is away still has the access: a leave makes no new record.
    held = [replace(each, away=False) for each in place.held]
    for stream, (through, paths) in streams_of(place.site, catalogue.ways).items():
        if catalogue.ways.groups.get(stream) not in SUBMITTED:
            continue
        systems = systems_on(paths, place.site, on)
        able = able_to_submit(held, catalogue.roles, stream, systems, on) if through == OWN else frozenset()
        if systems or through != OWN:
            yield Submitting(
                stream=catalogue.names[stream],
                through=through,
                through_name=named.get(stream, ""),
                systems=tuple(sorted(systems)),
                people=tuple(sorted(able)),
            )


def _desks() -> list[HelpDesk]:
    points = ContactPoint.objects.current().filter(current=True).order_by("position", "pk")
    rows = Contact.objects.current().prefetch_related(Prefetch("points", points), "systems")
    return [
        HelpDesk(
            systems=tuple(sorted(system.slug for system in row.systems.all())),
            name=row.name,
            ways=tuple((point.kind, point.value, point.note) for point in row.points.all()),
        )
        for row in rows.order_by("position", "key")
    ]
