"""Keepers say which state of the backup record they have in hands."""

from datetime import datetime

from django.db import transaction

from accounts.models import Finding, RecordCopy, RecordKeeper
from accounts.policy.records import digest
from accounts.services.backup_records import record_of
from accounts.services.places import PlaceRefused
from accounts.services.rules.records import KIND, subject
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.models import Facility
from facilities.services.rechecks import recheck
from staff.models import Person
from systems.policy import day_in


def confirm_copy(*, scope: Scope, facility: Facility, person: Person, shown: str, at: datetime) -> RecordCopy:
    """Record that a keeper has the record as it stands; what was found about her copy closes. Safe to repeat.

    ``shown``: digest of the record that was looked at or printed. The keeper says it herself, or somebody who may edit
    the facility says it for her. Raises NotAllowed, and PlaceRefused for somebody who is no keeper there or (code
    ``stale``) for a record that changed meanwhile.
    """
    own = scope.user_id is not None and person.user_id == scope.user_id
    if not own or (scope.reads is not None and facility.pk not in scope.reads):
        authorize(scope, Action.EDIT_FACILITY, [facility.pk])
    on = day_in(at, facility.zone)
    keeping = RecordKeeper.objects.in_force(on).filter(
        organization=scope.organization, facility=facility, person=person
    )
    if not keeping.exists():
        raise PlaceRefused(f"{person} does not keep the backup record of {facility.name}.", field="keeper")
    with transaction.atomic():
        Facility.objects.select_for_update(no_key=True).get(pk=facility.pk)
        if digest(record_of(facility, at)) != shown:
            raise PlaceRefused(
                "The record changed while you looked at it. Print it again, then say that you have it.", code="stale"
            )
        known = RecordCopy.objects.known().filter(facility=facility, person=person)
        current = known.first()
        if current is not None and current.digest == shown:
            return current
        known.update(voided_at=at)
        copy = RecordCopy.objects.create(
            organization=scope.organization,
            facility=facility,
            person=person,
            digest=shown,
            had_on=on,
            recorded_at=at,
            recorded_by=scope.actor.label,
        )
        Finding.objects.open().filter(kind=KIND, subject_key=subject(facility.pk, person.pk)).update(closed_at=at)
        recheck([facility.pk])
        record(
            chain=scope.organization.key,
            action="facility.record-copy-confirmed",
            actor=scope.actor,
            subject=Ref(facility.key, facility.label),
            at=at,
            payload={"person": person.key, "digest": shown},
        )
    return copy


def record_taken_along(*, scope: Scope, facility: Facility, lines: int, at: datetime) -> None:
    """Record in the audit chain who takes a facility's record along as a file."""
    with transaction.atomic():
        record(
            chain=scope.organization.key,
            action="facility.record-exported",
            actor=scope.actor,
            subject=Ref(facility.key, facility.label),
            at=at,
            payload={"count": lines},
        )
