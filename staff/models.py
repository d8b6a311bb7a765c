"""People of the HR record. They hold accounts elsewhere; whether they also sign in to us is another matter."""

from datetime import date
from typing import TYPE_CHECKING, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from staff.beginnings import Folded

if TYPE_CHECKING:
    from facilities.access import Scope


Timed = TypeVar("Timed", bound=models.Model)  # holds from a day to a day, and was known from an instant to an instant


class PersonQuerySet(models.QuerySet["Person"]):
    """Reading starts at `visible_to`."""

    def visible_to(self, scope: "Scope") -> "PersonQuerySet":
        """People who work or worked at facilities the member reads, and the member's own person."""
        mine = self.filter(organization=scope.organization)
        places = scope.reads
        if places is None:
            return mine
        worked = Employment.objects.filter(voided_at=None, facility__in=places, person=models.OuterRef("pk"))
        own = Q(user_id=scope.user_id) if scope.user_id is not None else Q(pk__in=())
        return mine.filter(Q(models.Exists(worked)) | own)

    def employed_on(self, on: date) -> "PersonQuerySet":
        """People with an employment in force on ``on``."""
        return self.filter(models.Exists(Employment.objects.in_force(on).filter(person=models.OuterRef("pk"))))


class Person(models.Model):
    """A human being who works for, or on behalf of, the organization. Never deleted; pseudonymised at the end."""

    class Affiliation(models.TextChoices):
        EMPLOYEE = "employee", "Employee"
        VENDOR = "vendor", "Vendor or contractor"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="people")
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80)
    email = models.EmailField("work e-mail", blank=True)
    phone = models.CharField(max_length=30, blank=True)
    employee_number = models.CharField(max_length=40, null=True, blank=True)
    affiliation = models.CharField(max_length=8, choices=Affiliation, default=Affiliation.EMPLOYEE)
    contact_changed_on = models.DateField(null=True, blank=True)  # name, phone or e-mail; NULL: not since they came
    # The member of ours who is this person: linked by verified work e-mail, confirmed by an administrator.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="people")
    user_confirmed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "people"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "employee_number"],
                condition=Q(employee_number__isnull=False),
                name="staff_one_per_number",
                violation_error_message="Another person has this employee number.",
            ),
            models.UniqueConstraint(
                fields=["organization", "user"], condition=Q(user__isnull=False), name="staff_one_person_per_user"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "last_name", "first_name"], name="staff_by_name"),
            # search by how a name begins
            models.Index(F("organization"), Folded(F("last_name")), name="staff_last_begins"),
            models.Index(F("organization"), Folded(F("first_name")), name="staff_first_begins"),
            models.Index(
                F("organization"),
                Folded(F("employee_number")),
                condition=Q(employee_number__isnull=False),
                name="staff_number_begins",
            ),
            models.Index(F("organization"), Folded(F("email")), name="staff_email_begins"),
            # the few whose contact data changed since the last run
            models.Index(
                fields=["contact_changed_on"],
                condition=Q(contact_changed_on__isnull=False),
                name="staff_contact_changed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def key(self) -> str:
        """Audit key, such as ``person:7``."""
        return f"person:{self.pk}"

    def get_absolute_url(self) -> str:
        """The person's page."""
        return reverse("web:person", args=[self.organization.slug, self.pk])


class EmploymentQuerySet(models.QuerySet[Timed]):
    """Two time axes: valid_from/valid_to say when it held, recorded_at/voided_at when we knew."""

    def known(self) -> "EmploymentQuerySet[Timed]":
        """Not corrected away."""
        return self.filter(voided_at=None)

    def in_force(self, on: date) -> "EmploymentQuerySet[Timed]":
        """Employments that hold on the day ``on``."""
        return self.going_on(on).filter(valid_from__lte=on)

    def going_on(self, on: date) -> "EmploymentQuerySet[Timed]":
        """Employments that have not ended by the day ``on``; those that are still to begin among them."""
        return self.known().filter(Q(valid_to=None) | Q(valid_to__gte=on))


class Employment(models.Model):
    """A person's time at a facility; ``valid_to`` is the last day worked. A correction voids and inserts."""

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, related_name="employments")
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="employments")
    job_title = models.CharField(max_length=80, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)
    # The import that wrote this; None: a person typed it, and no roster that lags behind overrules that.
    source = models.ForeignKey("imports.Import", models.PROTECT, null=True, blank=True, related_name="+")

    objects = EmploymentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="staff_employment_forward"
            ),
            models.UniqueConstraint(
                fields=["person", "facility", "valid_from"], condition=Q(voided_at=None), name="staff_one_start"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "facility", "person"], name="staff_at_facility"),
            # times that begin or end on a day: their facilities are looked at again
            models.Index(fields=["valid_from"], condition=Q(voided_at=None), name="staff_time_begins"),
            models.Index(
                fields=["valid_to"], condition=Q(voided_at=None, valid_to__isnull=False), name="staff_time_ends"
            ),
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``employment:7``."""
        return f"employment:{self.pk}"


class Absence(models.Model):
    """A leave: the person stays, but does not sign in. ``valid_to`` is the last day away, NULL while not known."""

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, related_name="absences")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=200)
    voided_at = models.DateTimeField(null=True, blank=True)

    objects = EmploymentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="staff_absence_forward"
            ),
            models.UniqueConstraint(
                fields=["person", "valid_from"], condition=Q(voided_at=None), name="staff_one_absence"
            ),
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``absence:7``."""
        return f"absence:{self.pk}"


class Deputy(models.Model):
    """Who stands in for a person: hears what she hears while she is away.

    ``decides``: she decides requests where the person would, too, because that person or an administrator of the whole
    organization named her; whoever keeps absences cannot hand out rights that way.
    """

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, related_name="deputies")
    deputy = models.ForeignKey(Person, models.PROTECT, related_name="stands_in_for")
    decides = models.BooleanField(default=False)
    # The absence for which she was named, and with which it ends; NULL: named for good.
    absence = models.ForeignKey(Absence, models.PROTECT, null=True, blank=True, related_name="deputies")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=200)
    voided_at = models.DateTimeField(null=True, blank=True)

    objects = EmploymentQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deputies"
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="staff_deputy_forward"
            ),
            models.CheckConstraint(condition=~Q(person=F("deputy")), name="staff_deputy_is_another"),
            models.UniqueConstraint(
                fields=["person", "deputy"],
                condition=Q(valid_to=None, voided_at=None, absence=None),
                name="staff_one_deputy",
            ),
            models.UniqueConstraint(
                fields=["absence", "deputy"], condition=Q(voided_at=None), name="staff_one_deputy_of_absence"
            ),
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``deputy:7``."""
        return f"deputy:{self.pk}"
