"""By which day rules about people look at somebody who works or holds access in several zones: the last one to begin.

A day's work is over when it is over everywhere. Which facility made the sweep look at her must not matter: otherwise
what the day already is in New York would be found there, and taken back by a run that begins in Honolulu.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from django.db.models import QuerySet

from accounts.models import RoleGrant
from accounts.services.rules.found import Slice
from audit.bulk import among
from facilities.models import Facility, Organization
from staff.models import Employment
from systems.policy import day_in


def days_of(organization: Organization, at: datetime) -> dict[str, date]:
    """Return the day in each zone in which the organization has facilities. One query."""
    zones = Facility.objects.filter(organization=organization).order_by().values_list("zone", flat=True).distinct()
    return {zone: day_in(at, zone) for zone in zones}


def by_own_day(part: Slice, days: Mapping[str, date]) -> list[Slice]:
    """Return the slice, or its people in several, each with the day of the zone in which it begins last.

    The slice itself while it is the same day everywhere: most hours of the mainland. Else two queries.
    """
    if len(set(days.values())) == 1:
        return [part]
    own = dict.fromkeys(part.people, date.max)
    for rows, column in _places(part):
        for person, zone in rows.values_list(column, "facility__zone").distinct():
            own[person] = min(own[person], days[zone])
    people: dict[date, list[int]] = defaultdict(list)
    for person, on in own.items():
        people[part.on if on == date.max else on].append(person)
    return [replace(part, people=tuple(each), on=on, read={}) for on, each in sorted(people.items())]


def _places(part: Slice) -> tuple[tuple[QuerySet, str], ...]:
    people = among(part.people)
    return (
        (Employment.objects.known().filter(person__in=people).order_by(), "person_id"),
        (RoleGrant.objects.known().filter(account__person__in=people).order_by(), "account__person_id"),
    )
