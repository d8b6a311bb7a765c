"""What people state about a facility: who submits which data, who keeps the backup record, what is still in use there.

Statements are voided and inserted, never edited; each act puts the facility into the list of the rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.errors import AccountsError
from accounts.models import FacilityStream, RecordKeeper
from accounts.models.register import SystemInUse
from accounts.selectors import closed_here
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.models import Facility
from facilities.services.rechecks import recheck
from staff.models import Employment, Person
from systems.models import Stream, System
from systems.policy import day_in

Through = FacilityStream.Through


class PlaceRefused(AccountsError):
    """A statement about a facility that cannot be stored as typed."""


@dataclass(frozen=True, slots=True)
class StreamStatement:
    """Who submits one stream. ``through`` empty: as usual for this kind; ``since`` None: as far back as known."""

    stream: Stream
    through: str
    through_name: str = ""
    since: date | None = None


def state_streams(*, scope: Scope, facility: Facility, statements: Sequence[StreamStatement], at: datetime) -> int:
    """Store who submits which stream. Returns how many statements are new; what is stated already writes nothing.

    A statement with a first day leaves what was stated before in force until the day before. Raises NotAllowed, and
    PlaceRefused for a third party without a name or a first day that lies before the statement it follows.
    """
    authorize(scope, Action.EDIT_FACILITY, [facility.pk])
    _own(scope, facility)
    with transaction.atomic():
        _hold(facility)
        changed = [told for each in statements if (told := _state(scope, facility, each, at)) is not None]
        if changed:
            recheck([facility.pk])
            _record(scope, facility, "facility.streams-stated", {"streams": changed}, at)
    return len(changed)


def _state(scope: Scope, facility: Facility, new: StreamStatement, at: datetime) -> dict[str, Any] | None:
    name = new.through_name.strip() if new.through in {Through.CORPORATE, Through.THIRD_PARTY} else ""
    if new.through == Through.THIRD_PARTY and not name:
        raise PlaceRefused(f"{new.stream.name}: say which third party submits it.", field="through_name")
    open_ones = FacilityStream.objects.known().filter(facility=facility, stream=new.stream, valid_to=None)
    current = open_ones.first()
    if current is None and not new.through:
        return None
    if current is not None:
        same = (current.through, current.through_name) == (new.through, name)
        if same and (new.since is None or new.since == current.valid_from):
            return None
        if not same and new.since and current.valid_from and new.since <= current.valid_from:
            raise PlaceRefused(
                f"{new.stream.name}: what was stated before holds since {current.valid_from}; give a later day,"
                " or none to correct it.",
                field="since",
            )
        open_ones.update(voided_at=at)
        if new.since and not same:
            _insert_stream(scope, facility, current, at, valid_to=new.since - timedelta(days=1))
    if new.through:
        stated = FacilityStream(stream=new.stream, through=new.through, through_name=name, valid_from=new.since)
        _insert_stream(scope, facility, stated, at)
    return {
        "stream": new.stream.slug,
        "through": new.through or "usual",
        "name": name,
        "since": new.since.isoformat() if new.since else None,
        "before": current.through if current else "usual",
    }


def _insert_stream(
    scope: Scope, facility: Facility, row: FacilityStream, at: datetime, valid_to: date | None = None
) -> None:
    FacilityStream.objects.create(
        organization=scope.organization,
        facility=facility,
        stream=row.stream,
        through=row.through,
        through_name=row.through_name,
        valid_from=row.valid_from,
        valid_to=valid_to,
        recorded_at=at,
        recorded_by=scope.actor.label,
    )


def name_keeper(*, scope: Scope, facility: Facility, person: Person, since: date, at: datetime) -> RecordKeeper:
    """Record that somebody keeps the backup record of all user data (QIES-QUO-9). Safe to repeat.

    Raises NotAllowed, and PlaceRefused for somebody who does not work for the organization that day.
    """
    authorize(scope, Action.EDIT_FACILITY, [facility.pk])
    _own(scope, facility)
    if person.organization_id != scope.organization.pk:
        raise PlaceRefused("That person does not belong to this organization.", field="person")
    with transaction.atomic():
        _hold(facility)
        open_ones = RecordKeeper.objects.known().filter(facility=facility, person=person, valid_to=None)
        current = open_ones.first()
        if current is not None:
            return current
        if not Employment.objects.in_force(since).filter(person=person).exists():
            raise PlaceRefused(f"{person} does not work here on that day.", field="person")
        keeper = RecordKeeper.objects.create(
            organization=scope.organization,
            facility=facility,
            person=person,
            valid_from=since,
            recorded_at=at,
            recorded_by=scope.actor.label,
        )
        recheck([facility.pk])
        _record(scope, facility, "facility.keeper-named", {"person": person.key, "since": since.isoformat()}, at)
    return keeper


def end_keeper(*, scope: Scope, keeper: RecordKeeper, last_on: date, at: datetime) -> RecordKeeper:
    """Record the last day on which somebody keeps the record. Raises NotAllowed, PlaceRefused."""
    authorize(scope, Action.EDIT_FACILITY, [keeper.facility_id])
    if last_on < keeper.valid_from:
        raise PlaceRefused(f"The last day cannot lie before the first one ({keeper.valid_from}).", field="last_on")
    with transaction.atomic():
        _hold(keeper.facility)
        known = RecordKeeper.objects.known().filter(pk=keeper.pk, organization=scope.organization)
        current = known.select_related("facility", "person").first()
        if current is None:
            raise PlaceRefused("This was corrected meanwhile. Load the page again.", code="stale")
        if current.valid_to == last_on:
            return current
        known.update(voided_at=at)
        ended = RecordKeeper.objects.create(
            organization=scope.organization,
            facility=current.facility,
            person=current.person,
            valid_from=current.valid_from,
            valid_to=last_on,
            recorded_at=at,
            recorded_by=scope.actor.label,
        )
        recheck([current.facility_id])
        payload = {"person": current.person.key, "last_on": last_on.isoformat()}
        _record(scope, current.facility, "facility.keeper-ended", payload, at)
    return ended


def keep_in_use(*, scope: Scope, facility: Facility, system: System, reason: str, at: datetime) -> SystemInUse:
    """State that a closed system is still in use at a facility; from then on it is treated as a live one (design 4).

    Raises NotAllowed, and PlaceRefused without a reason or where the system has not closed.
    """
    authorize(scope, Action.KEEP_IN_USE, [facility.pk])
    _own(scope, facility)
    if not reason.strip():
        raise PlaceRefused("Say why it is still in use.", field="reason")
    with transaction.atomic():
        _hold(facility)
        current = SystemInUse.objects.known().filter(facility=facility, system=system).first()
        if current is not None:
            return current
        if system.slug not in closed_here(facility, day_in(at, facility.zone)):
            raise PlaceRefused(f"{system.name} has not closed for {facility.name}; there is nothing to overrule.")
        stated = SystemInUse.objects.create(
            organization=scope.organization,
            facility=facility,
            system=system,
            reason=reason.strip(),
            recorded_at=at,
            recorded_by=scope.actor.label,
        )
        recheck([facility.pk])
        _record(scope, facility, "facility.system-in-use", {"system": system.slug}, at, reason=stated.reason)
    return stated


def end_in_use(*, scope: Scope, facility: Facility, system: System, at: datetime) -> bool:
    """Take back that a closed system is still in use. Returns whether it was stated. Raises NotAllowed."""
    authorize(scope, Action.KEEP_IN_USE, [facility.pk])
    _own(scope, facility)
    with transaction.atomic():
        stated = SystemInUse.objects.known().filter(facility=facility, system=system)
        if not stated.update(voided_at=at):
            return False
        recheck([facility.pk])
        _record(scope, facility, "facility.system-no-longer-in-use", {"system": system.slug}, at)
    return True


def _own(scope: Scope, facility: Facility) -> None:
    if facility.organization_id != scope.organization.pk:
        raise PlaceRefused("That facility does not belong to this organization.")


def _hold(facility: Facility) -> None:
    """Lock the facility, so that a second click finds what the first one stated."""
    Facility.objects.select_for_update(no_key=True).get(pk=facility.pk)


def _record(
    scope: Scope, facility: Facility, action: str, payload: dict[str, Any], at: datetime, reason: str = ""
) -> None:
    record(
        chain=scope.organization.key,
        action=action,
        actor=scope.actor,
        subject=Ref(facility.key, facility.label),
        at=at,
        reason=reason,
        payload=payload,
    )
