"""Facilities where a day has come since the last run: somebody starts, ends, goes on leave; a stream's way ends."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Deadline, FacilityStream, Finding, RecordKeeper, RoleGrant
from accounts.models.register import HouseRule
from accounts.policy.officials import NEAR_DAYS
from accounts.policy.people import LATE_MOVE_DAYS
from accounts.policy.submission import QUARTERLY, near_due
from accounts.services.rules.elsewhere import held_by
from accounts.services.rules.submitting import days_left_for
from facilities.models import Facility
from staff.models import Absence, Employment, Person
from systems.models import StreamPath, SystemRole
from systems.policy import EASTERN, day_in

# Days after an end on which a rule answers something else: access is a gap on the day after, worse a day later; after a
# move it is worse when the time for looking at it is over.
AFTER_END: Final = (1, 2, LATE_MOVE_DAYS + 1)


def _came(field: str, since: date, on: date, days: int = 0) -> Q:
    """Return the condition that so many days after a column's day lie after one day and not after another."""
    shift = timedelta(days=days)
    return Q(**{f"{field}__gt": since - shift, f"{field}__lte": on - shift})


def _begun_or_over(since: date, on: date) -> Q:
    found = _came("valid_from", since, on)
    for days in AFTER_END:
        found |= _came("valid_to", since, on, days)
    return found


def flipped(since: datetime, at: datetime) -> Iterator[tuple[int, int]]:
    """Yield (organization, facility) where something began or was over since the last run, by each facility's own day.

    Ranges on indexes of dates, per zone; between two runs of one day nothing comes up.
    """
    for zone in Facility.objects.order_by().values_list("zone", flat=True).distinct():
        last, on = day_in(since, zone), day_in(at, zone)
        if last >= on:
            continue
        when = _begun_or_over(last, on)
        dated: tuple[QuerySet, ...] = (
            Employment.objects.known(),
            RoleGrant.objects.known(),
            FacilityStream.objects.known(),
            RecordKeeper.objects.known(),
        )
        for rows in dated:
            there = rows.filter(when, facility__zone=zone).order_by()
            yield from there.values_list("organization_id", "facility_id").distinct()
        # A change of job is worse when the time for looking at the roles is over, whenever the job before ended.
        late = Employment.objects.known().filter(_came("valid_from", last, on, LATE_MOVE_DAYS + 1), facility__zone=zone)
        yield from late.order_by().values_list("organization_id", "facility_id").distinct()
        switched_on = HouseRule.objects.known().filter(_came("enabled_on", last, on)).values("organization")
        yield from (
            Facility.objects.filter(organization__in=switched_on, zone=zone)
            .order_by()
            .values_list("organization_id", "pk")
        )
        # Whom nobody employs here is listed nowhere when her contact data change; it stands in backup records.
        # Dated by the organization's clock, which may be a day behind this one.
        told = Person.objects.filter(contact_changed_on__range=(last - timedelta(days=1), on))
        strangers = told.filter(~Exists(Employment.objects.filter(person=OuterRef("pk"))))
        there = RoleGrant.objects.known().filter(account__person__in=strangers, facility__zone=zone).order_by()
        yield from there.values_list("organization_id", "facility_id").distinct()
        yield from _elsewhere(last, on, zone)
        yield from _of_other_zones(when, zone)


def _elsewhere(since: date, on: date, zone: str) -> Iterator[tuple[int, int]]:
    """Yield (organization, facility) of a zone at which people count whose work or absence began or was over.

    Work that begins or ends lists its own facility already; an absence has none.
    """
    when = _came("valid_from", since, on) | _came("valid_to", since, on, 1)
    away = Absence.objects.known().filter(when).values("person")
    moved = Employment.objects.known().filter(when).values("person")
    rows = [Employment.objects.known().filter(person__in=away).order_by(), *held_by(away), *held_by(moved)]
    for each in rows:
        yield from each.filter(facility__zone=zone).values_list("organization_id", "facility_id").distinct()


def _of_other_zones(when: Q, zone: str) -> Iterator[tuple[int, int]]:
    """Yield (organization, facility) of a zone where people work or hold access of whom that day came in another zone.

    They are looked at by the day that begins last (`own_days`), which may be this zone's.
    """
    worked = Employment.objects.known().filter(when).exclude(facility__zone=zone).order_by()
    held = RoleGrant.objects.known().filter(when).exclude(facility__zone=zone).order_by()
    for people in (worked.values("person"), held.values("account__person")):
        yield from _places_in(zone, people)


def _places_in(zone: str, people: Any) -> Iterator[tuple[int, int]]:
    work = Employment.objects.known().filter(person__in=people, facility__zone=zone).order_by()
    held = RoleGrant.objects.known().filter(account__person__in=people, facility__zone=zone).order_by()
    for rows in (work, held):
        yield from rows.values_list("organization_id", "facility_id").distinct()


def officials_near(since: datetime, at: datetime) -> Iterator[tuple[int, int]]:
    """Yield (organization, facility) where somebody privileged comes near the last safe day, or passed it.

    By the Eastern day, as these limits are counted. Only open clocks within two days of the index on (zone, due_on).
    """
    last, on = day_in(since, EASTERN), day_in(at, EASTERN)
    if last >= on:
        return
    came = _came("due_on", last, on, 1 - NEAR_DAYS) | _came("due_on", last, on, 1)
    clocks = Deadline.objects.open().filter(came, zone=EASTERN, kind=Deadline.Kind.INACTIVITY, policy__isnull=False)
    there = RoleGrant.objects.known().filter(role__privileged=True, account__in=clocks.values("account")).order_by()
    yield from there.values_list("organization_id", "facility_id").distinct()


def due_soon(since: datetime, at: datetime) -> Iterator[tuple[int, int]]:
    """Yield (organization, facility) where nobody can send what is due soon since the last run, or no longer (R-48)."""
    for stream, fact in QUARTERLY.items():
        days = days_left_for(fact)
        lacking = Finding.objects.open().filter(
            kind=Finding.Kind.NO_SUCCESSOR, subject_key__endswith=f"/stream:{stream}"
        )
        for zone in Facility.objects.order_by().values_list("zone", flat=True).distinct() if days else ():
            if near_due(day_in(since, zone), days or 0) != near_due(day_in(at, zone), days or 0):
                yield from lacking.filter(facility__zone=zone).values_list("organization_id", "facility_id")


def path_flips(since: datetime, at: datetime) -> bool:
    """Return whether a way of a stream or a role began or ended since the last run: then everything is looked at."""
    last, on = day_in(since, EASTERN), day_in(at, EASTERN)
    if last >= on:
        return False
    paths = _came("from_on", last, on) | _came("until_on", last, on, 1)
    roles = _came("usable_from", last, on) | _came("usable_until", last, on, 1)
    return StreamPath.objects.filter(paths).exists() or SystemRole.objects.filter(roles).exists()
