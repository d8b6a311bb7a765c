"""What a facility owes by a day (R-56, R-58): counted from an event by the catalogue, or on a day that was typed."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import transaction

from accounts.errors import AccountRefused
from accounts.models import Deadline, Finding, Obligation
from accounts.policy.streams import GETS_REPORTS
from accounts.services.further_clocks import recompute_obligations
from accounts.services.logins import EARLIEST
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.models import Facility
from facilities.services.rechecks import recheck
from systems.policy import EASTERN, day_in, eastern_day, latest_day
from systems.provider_types import kind_of

COUNTED: Final = frozenset({Obligation.Kind.LTCMI.value, Obligation.Kind.MFT_FILE.value})


def kinds_at(facility: Facility) -> list[str]:
    """Return what a facility may owe: a Texan one by the LTCMI window, a hospital the picking up of its reports."""
    hospital = kind_of(facility.provider_type, licensed_only=facility.licensed_only) in GETS_REPORTS
    there = {Obligation.Kind.LTCMI: facility.state == "TX", Obligation.Kind.MFT_FILE: hospital}
    return [kind.value for kind in Obligation.Kind if there.get(kind, True)]


@dataclass(frozen=True, slots=True)
class Owed:
    """What a person typed: the event of a known kind, or a title and the last day."""

    kind: str
    event_on: date | None = None
    title: str = ""
    due_on: date | None = None


def add_obligation(*, scope: Scope, facility: Facility, owed: Owed, at: datetime) -> Obligation:
    """Store what a facility owes, with its deadline; the same thing again changes nothing.

    Raises NotAllowed, and AccountRefused where event or day are missing, before 2000, or the event lies in the future.
    """
    authorize(scope, Action.EDIT_FACILITY, [facility.pk])
    if facility.organization_id != scope.organization.pk:
        raise AccountRefused("The facility must belong to this organization.")
    counted = owed.kind in COUNTED
    _check(owed, facility, at)
    with transaction.atomic():
        Facility.objects.select_for_update(no_key=True).get(pk=facility.pk)
        made, created = Obligation.objects.get_or_create(
            organization=scope.organization,
            facility=facility,
            kind=owed.kind,
            title="" if counted else owed.title.strip(),
            event_on=eastern_day(owed.event_on, at) if counted and owed.event_on else None,
            typed_due_on=None if counted else owed.due_on,
            voided_at=None,
            defaults={"recorded_at": at, "recorded_by": scope.actor.label},
        )
        if created:
            recompute_obligations(obligations=[made.pk], at=at)
            recheck([facility.pk])
            _record(scope, "obligation.added", made, at)
    return made


def _check(owed: Owed, facility: Facility, at: datetime) -> None:
    if owed.kind not in Obligation.Kind.values:
        raise AccountRefused("Say what the facility owes.", field="kind")
    if owed.kind in COUNTED:
        _check_counted(owed, facility, at)
        return
    if not owed.title.strip():
        raise AccountRefused("Say in a few words what is owed.", field="title")
    if owed.due_on is None:
        raise AccountRefused("Say by which day it is owed.", field="due_on")
    if owed.due_on < EARLIEST:
        raise AccountRefused("That day is before any of these systems existed.", field="due_on")


def _check_counted(owed: Owed, facility: Facility, at: datetime) -> None:
    file = owed.kind == Obligation.Kind.MFT_FILE
    if owed.kind not in kinds_at(facility):
        where = (
            "Hospital-specific reports come to hospitals; this facility is none."
            if file
            else "The LTCMI window is a rule of Texas; this facility lies elsewhere."
        )
        raise AccountRefused(where, field="kind")
    if owed.event_on is None:
        what = "the report was delivered" if file else "the first LTCMI was accepted"
        raise AccountRefused(f"Say when {what}.", field="event_on")
    if owed.event_on > latest_day(at):
        what = "A report cannot have been delivered" if file else "An LTCMI cannot have been accepted"
        raise AccountRefused(f"{what} in the future.", field="event_on")
    if owed.event_on < EARLIEST:
        raise AccountRefused("That day is before any of these systems existed.", field="event_on")


def meet_obligation(*, scope: Scope, obligation: Obligation, met_on: date, at: datetime) -> None:
    """Record that what was owed has been done; its deadline closes. Safe to repeat.

    Raises NotAllowed, and AccountRefused for a day in the future.
    """
    authorize(scope, Action.EDIT_FACILITY, [obligation.facility_id])
    if met_on > latest_day(at):
        raise AccountRefused("It cannot have been done in the future.", field="met_on")
    if met_on < EARLIEST:
        raise AccountRefused("That day is before any of these systems existed.", field="met_on")
    _end(scope, obligation, "obligation.met", at, met_on=eastern_day(met_on, at))


def void_obligation(*, scope: Scope, obligation: Obligation, at: datetime) -> None:
    """Take back an obligation that was recorded by mistake; the row stays. Safe to repeat. Raises NotAllowed."""
    authorize(scope, Action.EDIT_FACILITY, [obligation.facility_id])
    _end(scope, obligation, "obligation.voided", at, voided_at=at)


def _end(scope: Scope, obligation: Obligation, action: str, at: datetime, **change: date) -> None:
    with transaction.atomic():
        owed = Obligation.objects.filter(pk=obligation.pk, organization=scope.organization, met_on=None, voided_at=None)
        if not owed.update(**change):
            return
        recompute_obligations(obligations=[obligation.pk], at=at)
        recheck([obligation.facility_id])
        closed = Deadline.objects.filter(obligation=obligation, closed_at__isnull=False)
        Finding.objects.open().filter(kind=Finding.Kind.LAPSE, deadline__in=closed).update(closed_at=at)
        _record(scope, action, obligation, at)


def _record(scope: Scope, action: str, obligation: Obligation, at: datetime) -> None:
    days = {"event_on": obligation.event_on, "due_on": obligation.typed_due_on, "said_on": day_in(at, EASTERN)}
    record(
        chain=scope.organization.key,
        action=action,
        actor=scope.actor,
        subject=Ref(f"obligation:{obligation.pk}", obligation.title or obligation.get_kind_display()),
        at=at,
        payload={"facility": obligation.facility.key}
        | {name: day.isoformat() for name, day in days.items() if day is not None},
    )
