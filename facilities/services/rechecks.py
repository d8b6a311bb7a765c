"""Lists facilities whose rules must be looked at again; called by whatever changes what a rule reads (design 9.5)."""

from collections.abc import Iterable

from django.db import transaction

from audit.bulk import among
from facilities.models import Facility, Organization, Recheck


def being_rechecked(organization: Organization) -> bool:
    """Return whether something changed that the rules have not looked at yet. One query."""
    return Recheck.objects.filter(organization=organization).exists()


def recheck(facility_ids: Iterable[int]) -> None:
    """List facilities for the next sweep. Belongs inside the transaction of the act. At most two statements."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("recheck() belongs inside the transaction of the act that changed the facts")
    places = Facility.objects.filter(pk__in=among(facility_ids)).values_list("organization_id", "pk")
    Recheck.objects.bulk_create(
        [Recheck(organization_id=organization, facility_id=facility) for organization, facility in places],
        batch_size=500,
    )
