"""Organization (tenant), Facility (one CCN or licensed-only place), Membership (who may do what where)."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

if TYPE_CHECKING:
    from facilities.access import Scope


class Organization(models.Model):
    """A tenant. Every row of it carries its key, every address its slug."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=150)
    zone = models.CharField(max_length=40, default="America/New_York")  # IANA; the hour of mails
    reminders_started_at = models.DateTimeField(null=True, blank=True)  # no mail before an administrator says so
    is_demo = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """Audit key and name of the organization's chain."""
        return f"organization:{self.pk}"

    def get_absolute_url(self) -> str:
        """Today, where signing in lands."""
        return reverse("web:today", args=[self.slug])


class FacilityQuerySet(models.QuerySet["Facility"]):
    """Reading starts at `visible_to`."""

    def open(self) -> "FacilityQuerySet":
        """Facilities in business."""
        return self.filter(closed_on=None)

    def visible_to(self, scope: "Scope") -> "FacilityQuerySet":
        """Facilities of the scope's organization that its member may read."""
        mine = self.filter(organization=scope.organization)
        ids = scope.reads
        return mine if ids is None else mine.filter(pk__in=ids)


class Facility(models.Model):
    """One place: a CCN, or licensed by its state only (then without CCN)."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="facilities")
    name = models.CharField(max_length=200)
    ccn = models.CharField("CCN", max_length=10, null=True, blank=True)
    extension = models.CharField(max_length=3, blank=True)  # what stood behind the CCN in a PECOS list
    licensed_only = models.BooleanField(default=False)
    provider_type = models.CharField(max_length=16, blank=True)  # code of the CCN range table (ccn.md section 3)
    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=2)
    zip_code = models.CharField("ZIP Code", max_length=5)
    zone = models.CharField(max_length=40)  # IANA; shown beside Eastern dates
    override_reason = models.CharField(max_length=300, blank=True)  # why the directory check was overruled
    closed_on = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FacilityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "facilities"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "ccn"],
                condition=Q(ccn__isnull=False),
                name="facilities_one_per_ccn",
                violation_error_message="This CCN is already registered in your organization.",
            ),
            models.CheckConstraint(
                condition=Q(ccn__isnull=False, licensed_only=False) | Q(ccn__isnull=True, licensed_only=True),
                name="facilities_ccn_or_licensed",
            ),
        ]
        indexes = [models.Index(fields=["organization", "name"], name="facilities_by_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """Audit key, such as ``facility:7``."""
        return f"facility:{self.pk}"

    @property
    def label(self) -> str:
        """Name and CCN as one line."""
        return f"{self.name} ({self.ccn or 'licensed only'})"

    def get_absolute_url(self) -> str:
        """The facility's page."""
        return reverse("web:facility", args=[self.organization.slug, self.pk])


class Role(models.TextChoices):
    """What a member may do (design section 7). Approver is ours; a Security Official is CMS's."""

    HOLDER = "holder", "Account holder"
    COORDINATOR = "coordinator", "Coordinator"
    APPROVER = "approver", "Approver"
    ADMINISTRATOR = "administrator", "Administrator"
    AUDITOR = "auditor", "Auditor"


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Memberships in force."""

    def open(self) -> "MembershipQuerySet":
        """Not ended."""
        return self.filter(ended_at=None)


class Membership(models.Model):
    """One role of one user in one organization, at one facility or (without facility) at all of them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="memberships")
    facility = models.ForeignKey(Facility, models.PROTECT, null=True, blank=True, related_name="memberships")
    role = models.CharField(max_length=13, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user", "role", "facility"],
                condition=Q(ended_at=None, facility__isnull=False),
                name="facilities_one_role_at_place",
            ),
            models.UniqueConstraint(
                fields=["organization", "user", "role"],
                condition=Q(ended_at=None, facility__isnull=True),
                name="facilities_one_role_at_large",
            ),
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``membership:7``."""
        return f"membership:{self.pk}"


class Invitation(models.Model):
    """A single-use door into an organization. Only the token's hash is kept."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="invitations")
    facility = models.ForeignKey(Facility, models.PROTECT, null=True, blank=True, related_name="+")
    email = models.EmailField()
    role = models.CharField(max_length=13, choices=Role)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.CharField(max_length=200)  # label, as in the audit chain
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "email"], name="facilities_invited")]

    @property
    def key(self) -> str:
        """Audit key, such as ``invitation:7``."""
        return f"invitation:{self.pk}"
