"""Leaves: a person stays, but does not sign in for a while. Nobody signs in for her; her access may lapse meanwhile."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from imports.days import in_words
from staff.errors import StaffError
from staff.models import Absence, Deputy, Employment, Person
from staff.services.people import present_workplaces
from staff.services.rechecks import recheck_people
from staff.services.standing_in import hands_on_decisions
from systems.policy import day_in


class AbsenceRefused(StaffError):
    """The absence cannot be stored as typed; ``field`` says where."""


def record_absence(
    *,
    scope: Scope,
    person: Person,
    away_from_on: date,
    away_to_on: date | None,
    at: datetime,
    deputy: Person | None = None,
) -> Absence:
    """Record that somebody is away; ``away_to_on`` is the last day, None while it is not known.

    ``deputy``: who hears meanwhile what she would hear, so that cover is arranged; nobody signs in for her.
    Raises NotAllowed, and AbsenceRefused for an end before the start, a time that overlaps another absence, or a
    deputy who is the person herself, of another organization, or works nowhere of it on those days.
    """
    authorize(scope, Action.RECORD_ABSENCE, present_workplaces(person, day_in(at)), own=_own(scope, person))
    if away_to_on is not None and away_to_on < away_from_on:
        raise AbsenceRefused("The last day cannot lie before the first one.", field="away_to_on")
    if deputy is not None:
        _refuse_deputy(scope, person, deputy, away_from_on, away_to_on)
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(pk=person.pk, organization=scope.organization)
        known = Absence.objects.known().filter(person=person)
        starts_before = known.filter(valid_from__lte=away_to_on) if away_to_on else known
        other = starts_before.filter(Q(valid_to=None) | Q(valid_to__gte=away_from_on)).order_by("valid_from").first()
        if other is not None:
            message = f"An absence from {in_words(other.valid_from)} is recorded for that time already."
            raise AbsenceRefused(message, field="away_from_on")
        absence = _write(scope, person, away_from_on, away_to_on, at)
        _stand_in(scope, absence, {deputy.pk: hands_on_decisions(scope, person, deputy)} if deputy else {}, at)
        _record(scope, absence, "absence.recorded", at)
    return absence


def end_absence(*, scope: Scope, absence: Absence, last_day_on: date, at: datetime) -> Absence | None:
    """Record the last day away; a day before the first one takes the absence back whole. Safe to repeat.

    Raises NotAllowed, and AbsenceRefused when somebody corrected it meanwhile.
    """
    person = absence.person
    authorize(scope, Action.RECORD_ABSENCE, present_workplaces(person, day_in(at)), own=_own(scope, person))
    with transaction.atomic():
        known = Absence.objects.known().filter(pk=absence.pk, organization=scope.organization)
        current = known.select_for_update().first()
        if current is None:
            raise AbsenceRefused("This absence was corrected meanwhile. Load the page again.", code="stale")
        if current.valid_to == last_day_on:
            return current
        known.update(voided_at=at)
        standing_in = Deputy.objects.known().filter(absence=current)
        deputies = dict(standing_in.values_list("deputy", "decides"))
        standing_in.update(voided_at=at)
        if last_day_on < current.valid_from:
            _record(scope, current, "absence.voided", at)
            recheck_people([person.pk])
            return None
        ended = _write(scope, person, current.valid_from, last_day_on, at)
        _stand_in(scope, ended, deputies, at)
        _record(scope, ended, "absence.ended", at)
    return ended


def _refuse_deputy(scope: Scope, person: Person, deputy: Person, since: date, until: date | None) -> None:
    if deputy.pk == person.pk or deputy.organization_id != scope.organization.pk:
        raise AbsenceRefused("Somebody else of your organization has to stand in.", field="deputy")
    reason = _has_left(deputy, since, until)
    if reason:
        raise AbsenceRefused(f"{deputy} cannot stand in: {reason}.", field="deputy")


def _has_left(person: Person, since: date, until: date | None) -> str:
    """Return where and why somebody works nowhere on these days; empty where she does, or no work of hers is known."""
    known = Employment.objects.known().filter(person=person).select_related("facility")
    there = known.filter(Q(valid_to=None) | Q(valid_to__gte=since))
    if (there.filter(valid_from__lte=until) if until else there).exists():
        return ""
    last = known.filter(valid_to__lt=since).order_by("valid_to", "pk").last()
    if last is not None:
        return f"the last day at {last.facility.name} is {last.valid_to}, before the absence begins"
    first = known.order_by("valid_from", "pk").first()
    return f"the first day at {first.facility.name} is {first.valid_from}, after the absence ends" if first else ""


def _own(scope: Scope, person: Person) -> bool:
    return scope.user_id is not None and person.user_id == scope.user_id


def _write(scope: Scope, person: Person, since: date, until: date | None, at: datetime) -> Absence:
    recheck_people([person.pk])
    return Absence.objects.create(
        organization=scope.organization,
        person=person,
        valid_from=since,
        valid_to=until,
        recorded_at=at,
        recorded_by=scope.actor.label,
    )


def _stand_in(scope: Scope, absence: Absence, deputies: Mapping[int, bool], at: datetime) -> None:
    """Name deputies for as long as the absence lasts; each with whether she decides as well."""
    for deputy, decides in deputies.items():
        Deputy.objects.create(
            organization=scope.organization,
            person=absence.person,
            deputy_id=deputy,
            absence=absence,
            valid_from=absence.valid_from,
            valid_to=absence.valid_to,
            decides=decides,
            recorded_at=at,
            recorded_by=scope.actor.label,
        )


def _record(scope: Scope, absence: Absence, action: str, at: datetime) -> None:
    until = absence.valid_to.isoformat() if absence.valid_to else None
    deputies = Deputy.objects.known().filter(absence=absence)
    record(
        chain=scope.organization.key,
        action=action,
        actor=scope.actor,
        subject=Ref(absence.person.key, str(absence.person)),
        at=at,
        payload={
            "absence": absence.key,
            "from": absence.valid_from.isoformat(),
            "to": until,
            "deputies": [f"person:{deputy}" for deputy in deputies.values_list("deputy", flat=True)],
        },
    )
