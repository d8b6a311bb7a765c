"""Lasting deputies: who always stands in for somebody. One who does so for an absence is named and ends with it."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Max, Q

from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from imports.days import in_words
from staff.errors import StaffError
from staff.models import Deputy, Employment, Person
from staff.services.people import present_workplaces
from staff.services.standing_in import hands_on_decisions
from systems.policy import day_in


class DeputyRefused(StaffError):
    """Nobody can be named or ended like that; ``field`` says where."""


def name_deputy(*, scope: Scope, person: Person, deputy: Person, since: date, at: datetime) -> Deputy:
    """Record that somebody stands in for a person from a day on, until it is ended. Repeating it writes nothing.

    She hears what the person hears: at the first step while the person is away, else with the facility's
    administrators. Raises NotAllowed, and DeputyRefused for the person herself, somebody of another organization, who
    has left, who has no address, or who stands in already (``twice``).
    """
    authorize(scope, Action.NAME_DEPUTY, present_workplaces(person, day_in(at)), own=_own(scope, person))
    if deputy.pk == person.pk or deputy.organization_id != scope.organization.pk:
        raise DeputyRefused("Somebody else of your organization has to stand in.", field="deputy")
    with transaction.atomic():
        # In the order of keys: two people who name each other at the same moment must not wait for one another.
        both = Person.objects.filter(organization=scope.organization, pk__in=[person.pk, deputy.pk])
        people = {each.pk: each for each in both.select_for_update(no_key=True).order_by("pk")}
        known = Deputy.objects.known().filter(person=person, deputy=deputy, absence=None)
        other = known.filter(Q(valid_to=None) | Q(valid_to__gte=since)).order_by("valid_from").first()
        if other is not None and (other.valid_from, other.valid_to) == (since, None):
            return other
        if other is not None:
            raise _twice(other, field="deputy")
        _refuse_who_cannot(people[person.pk], people[deputy.pk], since)
        decides = hands_on_decisions(scope, person, people[deputy.pk])
        named = _write(scope, person, people[deputy.pk], since, None, at, decides=decides)
        _record(scope, named, "deputy.named", at)
    return named


def end_deputy(*, scope: Scope, deputy: Deputy, last_day_on: date, at: datetime) -> Deputy | None:
    """Record the last day of a lasting deputy; a day before the first one takes it back whole. Safe to repeat.

    Raises NotAllowed, and DeputyRefused when somebody corrected it meanwhile (``stale``), or for a day within another
    time of the same deputy (``twice``).
    """
    person = deputy.person
    authorize(scope, Action.NAME_DEPUTY, present_workplaces(person, day_in(at)), own=_own(scope, person))
    lasting = Deputy.objects.known().filter(organization=scope.organization, absence=None)
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(pk=person.pk, organization=scope.organization)
        current = lasting.filter(pk=deputy.pk).select_for_update().first()
        if current is None:
            return _ended_so(deputy, last_day_on)
        if current.valid_to == last_day_on:
            return current
        later = lasting.filter(person=person, deputy=deputy.deputy_id, valid_from__gt=current.valid_from)
        other = later.filter(valid_from__lte=last_day_on).order_by("valid_from").first()
        if other is not None:
            raise _twice(other, field="last_day_on")
        lasting.filter(pk=current.pk).update(voided_at=at)
        if last_day_on < current.valid_from:
            _record(scope, current, "deputy.voided", at)
            return None
        ended = _write(scope, person, current.deputy, current.valid_from, last_day_on, at, decides=current.decides)
        _record(scope, ended, "deputy.ended", at)
    return ended


def _ended_so(deputy: Deputy, last_day_on: date) -> Deputy | None:
    """Return what a button pressed twice has done already."""
    same = Deputy.objects.known().filter(person=deputy.person_id, deputy=deputy.deputy_id, absence=None)
    done = same.filter(valid_from=deputy.valid_from).first()
    if done.valid_to != last_day_on if done else last_day_on >= deputy.valid_from:
        raise DeputyRefused("Who stands in was corrected meanwhile. Load the page again.", code="stale")
    return done


def _twice(other: Deputy, *, field: str) -> DeputyRefused:
    until = f" until {in_words(other.valid_to)}" if other.valid_to else ""
    message = f"{other.deputy} stands in for {other.person} from {in_words(other.valid_from)}{until} already."
    return DeputyRefused(message, field=field, code="twice")


def _refuse_who_cannot(person: Person, deputy: Person, since: date) -> None:
    for each, field in ((person, ""), (deputy, "deputy")):
        left_on = _left_on(each, since)
        if left_on:
            raise DeputyRefused(f"{each} does not work here after {in_words(left_on)}.", field=field, code="left")
    if not deputy.email:
        message = f"{deputy} has no work e-mail, so no reminder would arrive. Add it on the person's page first."
        raise DeputyRefused(message, field="deputy", code="unreachable")


def _left_on(person: Person, on: date) -> date | None:
    """Return the last day worked of who will have left by a day; somebody without any employment has not."""
    worked = Employment.objects.known().filter(person=person)
    if worked.filter(Q(valid_to=None) | Q(valid_to__gte=on)).exists():
        return None
    last: date | None = worked.aggregate(last=Max("valid_to"))["last"]
    return last


def _own(scope: Scope, person: Person) -> bool:
    return scope.user_id is not None and person.user_id == scope.user_id


def _write(
    scope: Scope, person: Person, deputy: Person, since: date, until: date | None, at: datetime, *, decides: bool
) -> Deputy:
    return Deputy.objects.create(
        organization=scope.organization,
        person=person,
        deputy=deputy,
        valid_from=since,
        valid_to=until,
        decides=decides,
        recorded_at=at,
        recorded_by=scope.actor.label,
    )


def _record(scope: Scope, named: Deputy, action: str, at: datetime) -> None:
    record(
        chain=scope.organization.key,
        action=action,
        actor=scope.actor,
        subject=Ref(named.person.key, str(named.person)),
        at=at,
        payload={
            "deputy": named.key,
            "stands_in": named.deputy.key,
            "from": named.valid_from.isoformat(),
            "to": named.valid_to.isoformat() if named.valid_to else None,
        },
    )
