"""PortalAccount and RoleGrant. Nothing here ever holds a password, seed, code or security answer."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Lower, Replace
from django.urls import reverse

from staff.beginnings import Folded
from systems.models import System

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

    def left_open(self, on: date) -> "PortalAccountQuerySet":
        """Accounts that stay open when their holder leaves on a day: each is a removal of its own (R-34).

        An identity that other systems sign in through, and that counts for them, stays with the person; one with a
        privileged role does not.
        """
        identity = System.objects.filter(sign_in_via=models.OuterRef("system"), counts_at_authority=True)
        privileged = RoleGrant.objects.in_force(on).filter(account=models.OuterRef("pk"), role__privileged=True)
        there = self.filter(status__in=(PortalAccount.Status.ACTIVE, PortalAccount.Status.LOST))
        return there.filter(~models.Exists(identity) | models.Exists(privileged))

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

    class Term(models.TextChoices):
        """How long it was meant to last (R-54)."""

        LASTING = "lasting", "Lasting"
        TEMPORARY = "temporary", "Temporary"
        EMERGENCY = "emergency", "Emergency"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    person = models.ForeignKey("staff.Person", models.PROTECT, related_name="accounts")
    system = models.ForeignKey("systems.System", models.PROTECT, related_name="accounts")
    identity = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="surfaces")
    user_id = models.CharField("user ID", max_length=80, null=True, blank=True)  # NULL = not known to us
    status = models.CharField(max_length=9, choices=Status, default=Status.ACTIVE)
    loss = models.CharField(max_length=16, choices=Loss, blank=True)
    # When the last loss was recorded. The roles that ended with it were recorded then or, corrected, later.
    lost_at = models.DateTimeField(null=True, blank=True)
    term = models.CharField(max_length=9, choices=Term, default=Term.LASTING, db_default="lasting")
    lasts_until = models.DateField(null=True, blank=True)  # last day of a temporary one; NULL: as long as is allowed
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
    used_by_tool = models.CharField(
        max_length=80, blank=True, default="", db_default=""
    )  # signs in with it (HARP-CRED-2)
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
            models.CheckConstraint(
                condition=Q(lasts_until=None) | Q(term="temporary"), name="accounts_only_temporary_ends"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "person"], name="accounts_of_person"),
            models.Index(fields=["organization", "lapses_on", "id"], name="accounts_by_lapse"),
            models.Index(fields=["system", "status"], name="accounts_of_system"),
            # who holds any account at all
            models.Index(
                fields=["organization", "person"], condition=Q(removed_on=None), name="accounts_open_of_person"
            ),
            # search by how a user ID begins
            models.Index(
                F("organization"),
                Folded(F("user_id")),
                condition=Q(user_id__isnull=False),
                name="accounts_id_begins",
            ),
            # the list narrowed down by system, by status or to unknown last logins, in its own order
            models.Index(fields=["organization", "system", "lapses_on", "id"], name="accounts_list_system"),
            models.Index(fields=["organization", "status", "lapses_on", "id"], name="accounts_list_status"),
            models.Index(
                fields=["organization", "lapses_on", "id"],
                condition=Q(login_state="unknown"),
                name="accounts_list_unknown",
            ),
            # one user ID with several holders, or passed on
            models.Index(
                F("organization"),
                F("system"),
                Lower(Replace("user_id", Value(" "))),
                condition=Q(user_id__isnull=False),
                name="accounts_by_user_id",
            ),
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

    def to_end(self) -> "RoleGrantQuerySet":
        """Known and not ended as far as anybody said: a role that was wanted until a day is still to be taken away."""
        return self.known().filter(Q(valid_to=None) | Q(temporary=True))

    def lost_with_account(self) -> "RoleGrantQuerySet":
        """Roles that ended because their account was lost; what was taken away before does not come back with it."""
        lost = self.known().filter(account__status=PortalAccount.Status.LOST, valid_to__isnull=False)
        return lost.filter(recorded_at__gte=F("account__lost_at"))

    def in_force(self, on: date) -> "RoleGrantQuerySet":
        """Grants that hold on the day ``on``."""
        return self.as_of(on)

    def placing(self, on: date) -> "RoleGrantQuerySet":
        """Grants that say at which facilities an account stands: those in force, else all that it ever had.

        So access that nobody took away, of whoever left say, stays with the facilities that gave it.
        """
        now = RoleGrant.objects.in_force(on).filter(account=models.OuterRef("account"))
        running = Q(Q(valid_to=None) | Q(valid_to__gte=on), valid_from__lte=on)
        return self.known().filter(running | ~Q(models.Exists(now)))

    def as_of(self, on: date, known_at: datetime | None = None) -> "RoleGrantQuerySet":
        """Grants that held on the day ``on`` by what was recorded before the instant ``known_at`` (None: by now)."""
        held = self.filter(Q(valid_to=None) | Q(valid_to__gte=on), valid_from__lte=on)
        if known_at is None:
            return held.filter(voided_at=None)
        return held.filter(Q(voided_at=None) | Q(voided_at__gte=known_at), recorded_at__lt=known_at)


class RoleGrant(models.Model):
    """One role of one account at one facility, from day to day. A correction voids and inserts."""

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    account = models.ForeignKey(PortalAccount, models.PROTECT, related_name="grants")
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="grants")
    role = models.ForeignKey("systems.SystemRole", models.PROTECT, related_name="grants")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    # wanted until ``valid_to`` only; nobody said yet that it was taken away
    temporary = models.BooleanField(default=False, db_default=False)
    evidence = models.CharField(max_length=200, blank=True)  # what says so, in words
    recorded_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)

    objects = RoleGrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="accounts_grant_forward"
            ),
            models.CheckConstraint(
                condition=Q(temporary=False) | Q(valid_to__isnull=False), name="accounts_temporary_grant_ends"
            ),
            models.UniqueConstraint(
                fields=["account", "facility", "role"],
                condition=Q(valid_to=None, voided_at=None),
                name="accounts_one_open_grant",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "facility", "account"], name="accounts_at_facility"),
            # grants that begin or end on a day: their facilities are looked at again
            models.Index(fields=["valid_from"], condition=Q(voided_at=None), name="accounts_grant_begins"),
            # the few that were wanted until a day, for their clocks
            models.Index(fields=["account"], condition=Q(temporary=True), name="accounts_grants_until"),
            models.Index(
                fields=["valid_to"], condition=Q(voided_at=None, valid_to__isnull=False), name="accounts_grant_ends"
            ),
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``grant:7``."""
        return f"grant:{self.pk}"
