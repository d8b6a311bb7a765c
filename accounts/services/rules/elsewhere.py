"""Facilities at which people count without having to work there: they hold a role or keep the backup record.

Whether somebody works for the organization, and is not away, decides there who can submit, approve or keep records; so
these facilities are looked at whenever one of the two changes, as the ones are where she works (design 9.5).
"""

from collections.abc import Collection, Iterator
from typing import Any

from django.db.models import QuerySet

from accounts.models import RecordKeeper, RoleGrant
from audit.bulk import among


def held_by(people: Any) -> tuple[QuerySet, ...]:
    """Return the roles and the keeperships of these people (keys, or a query of them) that were not corrected away."""
    return (
        RoleGrant.objects.known().filter(account__person__in=people).order_by(),
        RecordKeeper.objects.known().filter(person__in=people).order_by(),
    )


def places_of(people: Collection[int]) -> Iterator[int]:
    """Yield the facilities at which these people hold a role or keep the record. Two queries."""
    for rows in held_by(among(people)):
        yield from rows.values_list("facility_id", flat=True).distinct()
