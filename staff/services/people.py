"""People and their time at facilities."""

from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import IntegrityError, transaction
from django.db.models import F, Q

from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.models import Facility
from facilities.services.rechecks import recheck
from staff.errors import StaffError
from staff.models import Employment, Person
from staff.services.rechecks import recheck_people
from systems.policy import day_in

_CONTACT = {"first_name", "last_name", "email", "phone"}  # what a profile on a CMS system repeats
LONGEST_ADDRESS = 254  # SQLite would keep a longer one, PostgreSQL breaks off


class PersonRefused(StaffError):
    """The person or employment cannot be stored as typed."""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What a person typed about somebody; an empty employee number means none."""

    first_name: str
    last_name: str
    email: str = ""
    phone: str = ""
    employee_number: str = ""
    affiliation: str = Person.Affiliation.EMPLOYEE

    def cleaned(self) -> dict[str, str | None]:
        """Return column values. Raises PersonRefused for a missing name or a malformed address."""
        first, last, email = self.first_name.strip(), self.last_name.strip(), self.email.strip().lower()
        if not last:
            raise PersonRefused("The last name is missing.", field="last_name")
        if email:
            try:
                validate_email(email)
                MaxLengthValidator(LONGEST_ADDRESS)(email)
            except ValidationError as exc:
                raise PersonRefused(f"{email!r} is not an e-mail address.", field="email") from exc
        if self.affiliation not in Person.Affiliation.values:
            raise PersonRefused(f"There is no affiliation {self.affiliation!r}.", field="affiliation")
        return {
            "first_name": first,
            "last_name": last,
            "email": email,
            "phone": self.phone.strip(),
            "employee_number": self.employee_number.strip() or None,
            "affiliation": self.affiliation,
        }


def add_person(
    *, scope: Scope, facility: Facility, facts: PersonFacts, job_title: str, starts_on: date, at: datetime
) -> Person:
    """Add somebody who works at the facility from ``starts_on``. Raises NotAllowed, PersonRefused."""
    authorize(scope, Action.EDIT_PERSON, [facility.pk])
    if facility.organization_id != scope.organization.pk:
        raise PersonRefused("That facility does not belong to this organization.", field="facility")
    columns = facts.cleaned()
    try:
        with transaction.atomic():
            person = Person.objects.create(organization=scope.organization, **columns)
            employment = _employ(person, facility, job_title, starts_on, at)
            recheck([facility.pk])
            record(
                chain=scope.organization.key,
                action="person.added",
                actor=scope.actor,
                subject=Ref(person.key, str(person)),
                at=at,
                payload={
                    "facility": facility.key,
                    "employment": employment.key,
                    "starts_on": starts_on.isoformat(),
                    "affiliation": person.affiliation,
                },
            )
    except IntegrityError as exc:
        raise PersonRefused(
            f"Another person has the employee number {columns['employee_number']}.", field="employee_number"
        ) from exc
    return person


def employ_person(
    *, scope: Scope, person: Person, facility: Facility, job_title: str, starts_on: date, at: datetime
) -> Employment:
    """Let a known person work at a further facility. Raises NotAllowed, PersonRefused when she already does."""
    authorize(scope, Action.EDIT_PERSON, [facility.pk])
    if {facility.organization_id, person.organization_id} != {scope.organization.pk}:
        raise PersonRefused("That facility does not belong to this organization.", field="facility")
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(pk=person.pk)  # a second click finds what the first one made
        # The new time has no end yet, so whatever ends on its first day or later would run beside it.
        overlapping = Employment.objects.known().filter(Q(valid_to=None) | Q(valid_to__gte=starts_on))
        if overlapping.filter(person=person, facility=facility).exists():
            raise PersonRefused(f"{person} already works at {facility.name} then.", field="starts_on")
        employment = _employ(person, facility, job_title, starts_on, at)
        recheck_people([person.pk])
        record(
            chain=scope.organization.key,
            action="employment.started",
            actor=scope.actor,
            subject=Ref(person.key, str(person)),
            at=at,
            payload={"employment": employment.key, "facility": facility.key, "starts_on": starts_on.isoformat()},
        )
    return employment


def _employ(person: Person, facility: Facility, job_title: str, starts_on: date, at: datetime) -> Employment:
    return Employment.objects.create(
        organization=person.organization,
        person=person,
        facility=facility,
        job_title=job_title.strip(),
        valid_from=starts_on,
        recorded_at=at,
    )


def correct_person(*, scope: Scope, person: Person, version: int, facts: PersonFacts, at: datetime) -> Person:
    """Change names and contact data; only where somebody works now, for her mails go where this says.

    Raises NotAllowed, PersonRefused (``stale`` when somebody saved meanwhile).
    """
    authorize(scope, Action.EDIT_PERSON, present_workplaces(person, day_in(at)))
    new = facts.cleaned()
    before = {key: getattr(person, key) for key in new}
    changed = {key: value for key, value in new.items() if before[key] != value}
    if not changed:
        return person
    try:
        with transaction.atomic():
            same = Person.objects.filter(pk=person.pk, organization=scope.organization, version=version)
            also = {"contact_changed_on": day_in(at, scope.organization.zone)} if _CONTACT & changed.keys() else {}
            if not same.update(**changed, **also, version=F("version") + 1):
                raise PersonRefused(
                    "Somebody else saved this person meanwhile. Look at both and save again.", code="stale"
                )
            recheck(workplaces(person))
            record(
                chain=scope.organization.key,
                action="person.corrected",
                actor=scope.actor,
                subject=Ref(person.key, str(person)),
                at=at,
                payload={
                    "changed": sorted(changed)
                },  # field names only: the chain outlives a person's right to be forgotten
            )
    except IntegrityError as exc:
        raise PersonRefused(
            f"Another person has the employee number {new['employee_number']}.", field="employee_number"
        ) from exc
    person.refresh_from_db()
    return person


def end_employment(*, scope: Scope, employment: Employment, last_day_on: date, at: datetime) -> Employment:
    """Record the last day somebody works (worked) at a facility. The person stays. Safe to repeat.

    Raises NotAllowed, and PersonRefused for a day before the start or an employment that was corrected away.
    """
    authorize(scope, Action.END_EMPLOYMENT, [employment.facility_id])
    if last_day_on < employment.valid_from:
        raise PersonRefused(f"The last day cannot lie before the start ({employment.valid_from}).", field="last_day_on")
    with transaction.atomic():
        known = Employment.objects.known().filter(pk=employment.pk, organization=scope.organization)
        current = known.select_for_update().first()
        if current is None:
            raise PersonRefused("This employment was corrected meanwhile. Load the page again.", code="stale")
        if current.valid_to == last_day_on:
            return current
        # A fact is never edited: the open-ended row is voided and the ended one inserted.
        known.update(voided_at=at)
        ended = Employment.objects.create(
            organization=current.organization,
            person=current.person,
            facility=current.facility,
            job_title=current.job_title,
            valid_from=current.valid_from,
            valid_to=last_day_on,
            recorded_at=at,
        )
        recheck_people([current.person_id])
        record(
            chain=scope.organization.key,
            action="employment.ended",
            actor=scope.actor,
            subject=Ref(current.person.key, str(current.person)),
            at=at,
            payload={"employment": ended.key, "replaces": current.key, "last_day_on": last_day_on.isoformat()},
        )
    return ended


def workplaces(person: Person) -> list[int]:
    """Return the keys of facilities where the person works or worked."""
    return list(Employment.objects.known().filter(person=person).values_list("facility_id", flat=True).distinct())


def present_workplaces(person: Person, on: date) -> list[int]:
    """Return the keys of facilities where the person works on a day or later; of who has left, where she worked.

    Where she worked before says nothing about what she holds now: nobody there decides who hears of it.
    """
    times = list(Employment.objects.known().filter(person=person).values_list("facility_id", "valid_to"))
    present = {place for place, until in times if until is None or until >= on}
    return sorted(present or {place for place, _ in times})
