"""Copies of the backup record that are out of date, and keepers who have none (R-27)."""

from collections.abc import Collection, Iterator
from typing import Final

from accounts.models import Finding, RecordCopy, RoleGrant
from accounts.models.register import HouseRule
from accounts.models.watch import Severity
from accounts.policy.records import digest
from accounts.services.backup_records import records
from accounts.services.rules.found import Found, Rule, Slice
from accounts.services.rules.sites import places
from facilities.models import Organization
from staff.models import Employment

_AT_ONCE: Final = 250
KIND = Finding.Kind.STALE_RECORD.value


def subject(facility: int, person: int) -> str:
    """Return the subject key of what is found about one keeper's copy."""
    return f"facility:{facility}/keeper:{person}"


def outdated_copies(part: Slice) -> Iterator[Found]:
    """Yield one finding per keeper whose copy says something else than the record does now.

    A keeper without any copy counts where the organization wants keepers at all (the house rule). Records are read
    only of facilities where somebody has a copy.
    """
    kept = {place.key: place.keepers for place in places(part)[1] if place.keepers}
    if not kept:
        return
    rows = (
        RecordCopy.objects.known().filter(facility__in=kept).values_list("facility_id", "person_id", "digest", "had_on")
    )
    copies = {(facility, person): (had, on) for facility, person, had, on in rows}
    copied = {facility for facility, _ in copies}
    now = {key: digest(record) for key, record in records(part, copied).items()} if copied else {}
    wanted = HouseRule.objects.known().filter(
        organization=part.organization, rule=HouseRule.Rule.KEEPERS, enabled_on__lte=part.on
    )
    all_need_one = wanted.exists()
    for facility, keepers in kept.items():
        for person in sorted(keepers):
            had, on = copies.get((facility, person), ("", None))
            if had == now.get(facility) or (not had and not all_need_one):
                continue
            severity = Severity.MEDIUM if had else Severity.LOW
            facts = {"people": [person], "had_on": on.isoformat() if on else None}
            yield Found(KIND, subject(facility, person), severity.value, facts, facility=facility)


def copied_elsewhere(organization: Organization, facilities: Collection[int]) -> set[int]:
    """Return further facilities with a copied record in which people of these facilities stand.

    A phone number or user ID is corrected where somebody works, and stands in the record of every place where she
    holds a role. Two queries for some hundred facilities; they begin at what is listed.
    """
    copies = RecordCopy.objects.known().filter(organization=organization)
    if set(copies.values_list("facility_id", flat=True)) <= set(facilities):
        return set()
    found: set[int] = set()
    listed = sorted(facilities)
    roles = (
        RoleGrant.objects.known().filter(organization=organization, facility__in=copies.values("facility")).order_by()
    )
    for start in range(0, len(listed), _AT_ONCE):
        some = listed[start : start + _AT_ONCE]
        working = Employment.objects.filter(organization=organization, facility__in=some).values("person")
        holding = RoleGrant.objects.filter(organization=organization, facility__in=some).values("account__person")
        for there in (roles.filter(account__person__in=working), roles.filter(account__person__in=holding)):
            found |= set(there.values_list("facility_id", flat=True).distinct())
    return found - set(facilities)


RULE = Rule("record-copies", "Copies of the backup record", (KIND,), "facility", outdated_copies)
