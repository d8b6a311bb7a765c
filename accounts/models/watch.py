"""Deadline: what goes wrong by a date. Finding: what is wrong now. HouseWindow: an organization's stricter rule."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts.models.inventory import PortalAccount, RoleGrant
from accounts.models.requests import AccessRequest
from staff.models import Person

if TYPE_CHECKING:
    from facilities.access import Scope

_SUBJECTS = ("account", "grant", "person", "facility", "obligation", "request_step")


def exactly_one_of(names: tuple[str, ...]) -> Q:
    """Return the condition that exactly one of the nullable columns is set."""
    return Q(
        *[Q(**{f"{name}__isnull": name != chosen for name in names}) for chosen in names],
        _connector=Q.OR,
    )


class DeadlineQuerySet(models.QuerySet["Deadline"]):
    """The partial index (zone, due_on) serves every reader of open deadlines."""

    def open(self) -> "DeadlineQuerySet":
        """Still running."""
        return self.filter(closed_at=None)

    def visible_to(self, scope: "Scope") -> "DeadlineQuerySet":
        """Deadlines of accounts, people and facilities the member reads."""
        mine = self.filter(organization=scope.organization)
        places = scope.reads
        if places is None:
            return mine
        accounts = PortalAccount.objects.visible_to(scope)
        return mine.filter(
            Q(account__in=accounts)
            | Q(grant__in=RoleGrant.objects.filter(account__in=accounts))
            | Q(person__in=Person.objects.visible_to(scope))
            | Q(facility__in=places)
            | Q(obligation__facility__in=places)
            | Q(request_step__request__in=AccessRequest.objects.visible_to(scope))
        )


class Deadline(models.Model):
    """One row for life per (kind, subject), updated in place. ``due_on`` is the last safe day in ``zone``.

    ``cycle`` rises whenever ``due_on`` changes, and that alone re-arms reminders. ``target_on`` is an
    organization's stricter day (never later than ``due_on``). ``check_on`` is set while somebody has to answer
    whether roles are still there, because a login came after the last safe day.
    """

    class Kind(models.TextChoices):
        INACTIVITY = "inactivity", "Inactivity"
        DELETION = "deletion", "Deletion"
        PASSWORD = "password", "Password age"  # noqa: S105
        CERTIFICATION = "certification", "Annual certification"
        ACKNOWLEDGEMENT = "acknowledgement", "Acknowledgement"
        OBLIGATION = "obligation", "Obligation"
        REQUEST_STEP = "request-step", "Step of a request"
        REMOVAL = "removal", "Removal"
        REVIEW = "review", "Review"
        OFFICIALS = "officials", "Security Officials"
        TEMPORARY = "temporary", "Temporary account"
        WINDOW = "window", "Window"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=15, choices=Kind)
    subject_key = models.CharField(max_length=60)
    account = models.ForeignKey("accounts.PortalAccount", models.PROTECT, null=True, related_name="deadlines")
    grant = models.ForeignKey("accounts.RoleGrant", models.PROTECT, null=True, related_name="deadlines")
    person = models.ForeignKey("staff.Person", models.PROTECT, null=True, related_name="deadlines")
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, null=True, related_name="deadlines")
    obligation = models.ForeignKey("accounts.Obligation", models.PROTECT, null=True, related_name="deadlines")
    request_step = models.ForeignKey(
        "accounts.RequestStep", models.PROTECT, null=True, related_name="deadlines", db_index=False
    )
    zone = models.CharField(max_length=40)
    basis_on = models.DateField()
    policy = models.ForeignKey("systems.Policy", models.PROTECT, null=True, related_name="deadlines")
    revision = models.PositiveIntegerField(default=0)  # of the policy chain it was computed with; 0 = house rule
    due_on = models.DateField()
    due_at = models.DateTimeField(null=True, blank=True)  # only where the limit is in hours
    target_on = models.DateField(null=True, blank=True)
    check_on = models.DateField(null=True, blank=True)
    muted = models.BooleanField(default=False, db_default=False)  # the system has closed wherever the account is held
    cycle = models.PositiveIntegerField(default=1)
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=30, blank=True)

    objects = DeadlineQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject_key"], name="accounts_one_deadline"),
            models.CheckConstraint(condition=exactly_one_of(_SUBJECTS), name="accounts_deadline_subject"),
            models.CheckConstraint(
                condition=Q(target_on=None) | Q(target_on__lte=models.F("due_on")), name="accounts_target_not_later"
            ),
        ]
        indexes = [
            models.Index(fields=["zone", "due_on"], condition=Q(closed_at=None), name="accounts_due_sweep"),
            # the few deadlines with a stricter day of the organization's own, for the ladder
            models.Index(
                fields=["zone", "target_on"],
                condition=Q(closed_at=None, target_on__isnull=False),
                name="accounts_target_sweep",
            ),
            # what hangs on no account, for ladders that begin early
            models.Index(
                fields=["zone", "due_on"], condition=Q(closed_at=None, account=None), name="accounts_due_others"
            ),
            models.Index(
                fields=["organization", "due_on", "id"], condition=Q(closed_at=None), name="accounts_due_list"
            ),
            models.Index(fields=["policy", "revision"], condition=Q(closed_at=None), name="accounts_due_revision"),
            # the few that hang on a step of a request
            models.Index(fields=["request_step"], condition=Q(request_step__isnull=False), name="accounts_due_of_step"),
            # the few where somebody has to look at the roles, for the list of accounts
            models.Index(
                fields=["account"], condition=Q(closed_at=None, check_on__isnull=False), name="accounts_to_check"
            ),
            # those that only inform, which that list leaves out: without them PostgreSQL looks through every deadline
            models.Index(fields=["account"], condition=Q(closed_at=None, muted=True), name="accounts_due_muted"),
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``deadline:7``."""
        return f"deadline:{self.pk}"


class Severity(models.TextChoices):
    """Critical and high look late, medium soon, low and info quiet."""

    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"
    INFO = "info", "Info"


class FindingQuerySet(models.QuerySet["Finding"]):
    """Findings in force."""

    def open(self) -> "FindingQuerySet":
        """Not closed."""
        return self.filter(closed_at=None)

    def visible_to(self, scope: "Scope") -> "FindingQuerySet":
        """Findings about facilities, accounts and people the member reads; a holder's own accounts."""
        mine = self.filter(organization=scope.organization)
        places = scope.reads
        if places is None:
            return mine
        about_people = Q(facility=None, account=None, person__in=Person.objects.visible_to(scope))
        about_accounts = Q(facility=None, account__in=PortalAccount.objects.visible_to(scope))
        return mine.filter(Q(facility__in=places) | about_accounts | about_people)


class Finding(models.Model):
    """Something wrong now: kind, subject, since when. *Approaching* is never a row; it is a deadline in its ladder."""

    class Kind(models.TextChoices):
        LAPSE = "lapse", "A deadline has passed"
        # people and their accounts
        LEAVER_ACCESS = "leaver-access", "Left and still has access"
        MOVED_ACCESS = "moved-access", "Access at a facility where they no longer work"
        JOB_CHANGE = "job-change", "Changed jobs; access not looked at since"
        ABSENCE_LAPSE = "absence-lapse", "Will lapse during an absence"
        SHARED_ID = "shared-id", "One user ID, several people"
        ID_REUSE = "id-reuse", "A user ID passed on to somebody else"
        TWO_ACCOUNTS = "two-accounts", "Two accounts of one person on one system"
        STALE_PROFILE = "stale-profile", "Contact data changed since the profile was checked"
        PRIVILEGED_OPEN = "privileged-open", "Privileged without addendum or stated need"
        # facilities
        UNKNOWN_LOGINS = "unknown-logins", "Last login unknown"
        NO_OFFICIAL = "no-official", "No Security Official"
        ONE_OFFICIAL = "one-official", "Only one Security Official"
        OFFICIALS_LAPSE = "officials-lapse", "All Security Officials about to lapse"
        QUOTA = "quota", "More accounts than the system allows"
        NO_ACCOUNT = "no-account", "Nobody can submit"
        NO_BACKUP = "no-backup", "Only one person can submit"
        FEW_KEEPERS = "few-keepers", "Too few keep the backup record"
        STALE_RECORD = "stale-record", "A keeper has an old backup record"
        CLOSED_SYSTEM = "closed-system", "Open accounts on a closed system"
        NO_SUCCESSOR = "no-successor", "Nobody has access to the system that took over"
        NO_EPOC_ADMINISTRATOR = "no-epoc-administrator", "Nobody receives deficiency statements"
        PSR_TWO_PEOPLE = "psr-two-people", "PS&R needs two people"
        NO_FILE_PICKUP = "no-file-pickup", "Nobody can pick up reports from Managed File Transfer"
        # what files and people told us
        MISSING_IN_FILE = "missing-in-file", "Missing in the system's own list"
        MANY_TYPED = "many-typed", "Many logins typed for others"
        # requests
        UNAPPROVED_REQUEST = "unapproved-request", "Asked for without a second person"
        ONE_OF_TWO_MAILS = "one-of-two-mails", "Only one of two e-mails came"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=24, choices=Kind)
    subject_key = models.CharField(max_length=80)
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, null=True, related_name="findings")
    person = models.ForeignKey("staff.Person", models.PROTECT, null=True, related_name="findings")
    account = models.ForeignKey("accounts.PortalAccount", models.PROTECT, null=True, related_name="findings")
    deadline = models.ForeignKey(Deadline, models.PROTECT, null=True, related_name="findings")
    facts = models.TextField(default="{}")  # JSON as written
    severity = models.CharField(max_length=8, choices=Severity)
    opened_on = models.DateField()
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_key"], condition=Q(closed_at=None), name="accounts_one_open_finding"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "severity"], condition=Q(closed_at=None), name="accounts_finding_list"
            ),
            models.Index(fields=["deadline"], condition=Q(closed_at=None), name="accounts_finding_of_due"),
            models.Index(fields=["facility", "kind"], condition=Q(closed_at=None), name="accounts_finding_at_place"),
            models.Index(fields=["person", "kind"], condition=Q(closed_at=None), name="accounts_finding_of_person"),
        ]


class HouseWindow(models.Model):
    """An organization's own inactivity window for one system: stricter than CMS, or where CMS publishes none.

    ``counts_from_on``: the day on which it was made shorter. Whoever was idle for longer by then is too late from that
    day on, never before it (see `systems.policy.target_on`); NULL: it never became shorter than what held before.
    """

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="house_windows")
    system = models.ForeignKey("systems.System", models.PROTECT, related_name="+")
    mention_days = models.PositiveIntegerField(default=60)
    flag_days = models.PositiveIntegerField(default=90)
    enabled = models.BooleanField(default=True)
    counts_from_on = models.DateField(null=True, blank=True)
    set_at = models.DateTimeField(null=True, blank=True)
    set_by = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "system"], name="accounts_one_house_window"),
            models.CheckConstraint(
                condition=Q(mention_days__gt=0, flag_days__gt=0, mention_days__lte=models.F("flag_days")),
                name="accounts_house_window_sane",
            ),
        ]
