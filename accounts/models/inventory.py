"""PortalAccount, RoleGrant and LoginEvent. Nothing here ever holds a password, seed, code or security answer."""

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

if TYPE_CHECKING:
    from facilities.access import Scope


class PortalAccountQuerySet(models.QuerySet["PortalAccount"]):
    """Reading starts at `visible_to`."""

    def open(self) -> "PortalAccountQuerySet":
        """Accounts that exist or are to exist; removed ones left out."""
        return self.exclude(status=PortalAccount.Status.REMOVED)

    def running(self) -> "PortalAccountQuerySet":
        """Accounts whose clocks run: they exist on the system."""
        return self.filter(status=PortalAccount.Status.ACTIVE)

    def visible_to(self, scope: "Scope") -> "PortalAccountQuerySet":
        """Accounts with a grant at a facility the member reads, and the member's own."""
        mine = self.filter(organization=scope.organization)
        places = scope.reads
        if places is None:
            return mine
        granted = RoleGrant.objects.known().filter(facility__in=places, account=models.OuterRef("pk"))
        own = Q(person__user_id=scope.user_id) if scope.user_id is not None else Q(pk__in=())
        return mine.filter(Q(models.Exists(granted)) | own)


class PortalAccount(models.Model):
    """One person's account on one system. The user ID stands only at the authority (`identity` points there)."""

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        REQUESTED = "requested", "Requested"
        ACTIVE = "active", "Active"
        LOST = "lost", "Lost"
        REMOVED = "removed", "Removed"

    class Loss(models.TextChoices):
        """How an account was lost (design section 4, Words)."""

        INACTIVE = "inactive", "Inactive"
        DISABLED = "disabled", "Disabled"
        ROLES_REVOKED = "roles_revoked", "Roles revoked"
        PASSWORD_EXPIRED = "password_expired", "Password expired"  # noqa: S105
        LOCKED = "locked", "Locked"
        SUSPENDED = "suspended", "Suspended"
        DELETED = "deleted", "Deleted"

    class LoginState(models.TextChoices):
        KNOWN = "known", "Known"
        NEVER = "never", "Never signed in"
        UNKNOWN = "unknown", "Unknown"

    class Proofing(models.TextChoices):
        """Identity proofing at an authority: its state only, never an answer or a number."""

        NOT_STARTED = "not_started", "Not started"
        PENDING = "pending", "In progress"
        MANUAL = "manual", "Manual proofing"
        DONE = "done", "Done"
        UNKNOWN = "unknown", "Unknown"

    class Factor(models.TextChoices):
        """Kind of second factor at an authority, never a number, credential ID or seed."""

        NONE = "none", "None"
        SMS = "sms", "Text message"
        VOICE = "voice", "Voice call"
        APP = "app", "Authenticator app"
        KEY = "key", "Security key"
        EMAIL = "email", "E-mail"
        UNKNOWN = "unknown", "Unknown"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    person = models.ForeignKey("staff.Person", models.PROTECT, related_name="accounts")
    system = models.ForeignKey("systems.System", models.PROTECT, related_name="accounts")
    identity = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="surfaces")
    user_id = models.CharField("user ID", max_length=80, null=True, blank=True)  # NULL = not known to us
    status = models.CharField(max_length=9, choices=Status, default=Status.ACTIVE)
    loss = models.CharField(max_length=16, choices=Loss, blank=True)
    opened_on = models.DateField()  # granted or activated; where a never-used account's clocks start
    removed_on = models.DateField(null=True, blank=True)
    login_state = models.CharField(max_length=7, choices=LoginState, default=LoginState.UNKNOWN)
    last_login_on = models.DateField(null=True, blank=True)  # newest evidence, whether or not it cured a lapse
    counts_from_on = models.DateField(null=True, blank=True)  # the login that the inactivity clock runs from
    confirmed_on = models.DateField(null=True, blank=True)  # "still there" was answered about logins up to here
    # The day from which our login history is complete (recorded as never used, or given back); NULL = we know no start.
    history_from_on = models.DateField(null=True, blank=True)
    password_changed_on = models.DateField(null=True, blank=True)
    proofing = models.CharField(max_length=11, choices=Proofing, default=Proofing.UNKNOWN)
    second_factor = models.CharField(max_length=7, choices=Factor, default=Factor.UNKNOWN)
    second_factor_on = models.DateField(null=True, blank=True)
    lapses_on = models.DateField(null=True, blank=True, editable=False)  # copy of the inactivity deadline, for lists
    note = models.CharField(max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PortalAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "system", "user_id", "person"],
                condition=Q(removed_on=None, user_id__isnull=False),
                name="accounts_one_open_per_id",
                violation_error_message="This person already has an open account with this user ID.",
            ),
            models.CheckConstraint(
                condition=Q(login_state="known", last_login_on__isnull=False)
                | (~Q(login_state="known") & Q(last_login_on=None)),
                name="accounts_login_state_true",
            ),
            models.CheckConstraint(
                condition=Q(status="removed", removed_on__isnull=False) | (~Q(status="removed") & Q(removed_on=None)),
                name="accounts_removed_has_date",
            ),
            models.CheckConstraint(
                condition=(Q(status="lost") & ~Q(loss="")) | (~Q(status="lost") & Q(loss="")),
                name="accounts_lost_has_kind",
            ),
            models.CheckConstraint(condition=Q(identity=None) | Q(user_id=None), name="accounts_id_at_authority_only"),
        ]
        indexes = [
            models.Index(fields=["organization", "person"], name="accounts_of_person"),
            models.Index(fields=["organization", "lapses_on", "id"], name="accounts_by_lapse"),
            models.Index(fields=["system", "status"], name="accounts_of_system"),
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``account:42``."""
        return f"account:{self.pk}"

    def get_absolute_url(self) -> str:
        """The account's page."""
        return reverse("web:account", args=[self.organization.slug, self.pk])


class RoleGrantQuerySet(models.QuerySet["RoleGrant"]):
    """Two time axes, as employments."""

    def known(self) -> "RoleGrantQuerySet":
        """Not corrected away."""
        return self.filter(voided_at=None)

    def in_force(self, on: date) -> "RoleGrantQuerySet":
        """Grants that hold on the day ``on``."""
        return self.known().filter(Q(valid_to=None) | Q(valid_to__gte=on), valid_from__lte=on)


class RoleGrant(models.Model):
    """One role of one account at one facility, from day to day. A correction voids and inserts."""

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    account = models.ForeignKey(PortalAccount, models.PROTECT, related_name="grants")
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="grants")
    role = models.ForeignKey("systems.SystemRole", models.PROTECT, related_name="grants")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    evidence = models.CharField(max_length=200, blank=True)  # what says so, in words
    recorded_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)

    objects = RoleGrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="accounts_grant_forward"
            ),
            models.UniqueConstraint(
                fields=["account", "facility", "role"],
                condition=Q(valid_to=None, voided_at=None),
                name="accounts_one_open_grant",
            ),
        ]
        indexes = [models.Index(fields=["organization", "facility", "account"], name="accounts_at_facility")]

    @property
    def key(self) -> str:
        """Audit key, such as ``grant:7``."""
        return f"grant:{self.pk}"


class LoginEventQuerySet(models.QuerySet["LoginEvent"]):
    """Evidence of logins."""

    def standing(self) -> "LoginEventQuerySet":
        """Not voided."""
        return self.filter(voided_at=None)


class LoginEvent(models.Model):
    """Evidence that somebody signed in at a system on a day: source, grade, who said so."""

    class Grade(models.TextChoices):
        """How far we trust it (design sections 3 and 9.12)."""

        A = "A", "Seen in the system by a Security Official"
        B = "B", "Said by the person"
        C = "C", "Clicked in our mail"
        D = "D", "From a file or typed for somebody"

    class Source(models.TextChoices):
        SELF = "self", "The person"
        COLLEAGUE = "colleague", "A coordinator"
        MAIL_LINK = "mail_link", "Link in a mail"
        FILE = "file", "File import"
        AUTHORITY = "authority", "Counted from a system that signs in here"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    account = models.ForeignKey(PortalAccount, models.PROTECT, related_name="logins")
    happened_on = models.DateField()  # the day in US Eastern, in which CMS systems count
    grade = models.CharField(max_length=1, choices=Grade)
    source = models.CharField(max_length=9, choices=Source)
    via = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="counted_as")
    recorded_by = models.CharField(max_length=200)  # label, as in the audit chain
    recorded_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)

    objects = LoginEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "happened_on", "source"],
                condition=Q(voided_at=None),
                name="accounts_one_login_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-happened_on"], name="accounts_login_history"),
            # Today: what a member recorded since midnight
            models.Index(fields=["organization", "recorded_at"], name="accounts_login_recorded"),
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``login:7``."""
        return f"login:{self.pk}"
