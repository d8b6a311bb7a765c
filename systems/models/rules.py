"""Rules with a number in them: policies as dated versions, quotas, prerequisites."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from systems.models.evidence import Confidence, Sourced
from systems.models.guides import RequestKind
from systems.models.surfaces import Stream, System, SystemRole
from systems.provider_types import ProviderType

EASTERN = "America/New_York"


class PolicyKind(models.TextChoices):
    INACTIVITY = "inactivity", "inactivity"
    DELETION = "deletion", "deletion"
    PASSWORD = "password", "password age"
    CERTIFICATION = "certification", "annual certification"
    ACKNOWLEDGEMENT = "acknowledgement", "rules-of-behavior acknowledgement"
    ADDENDUM = "addendum", "acknowledgement of the addendum for privileged users"
    REVIEW = "review", "account review"
    PRIVILEGE_REVIEW = "privilege-review", "review of privileges"
    WINDOW = "window", "time window"
    TEMPORARY = "temporary", "temporary account"
    EMERGENCY = "emergency", "emergency account"
    OBLIGATION = "obligation", "day by which data are due"
    TERMINATION = "termination", "notice that somebody left"
    TRANSFER = "transfer", "change of duties"
    RISK = "risk", "leaving at once, for cause"
    REUSE = "reuse", "reuse of a user ID"
    ADVICE = "advice", "advice without consequence"
    LOCKOUT = "lockout", "lock-out after wrong passwords"
    SESSION = "session", "session time-out"


class Boundary(models.TextChoices):
    """How the wording of a limit reads: see `systems.policy`."""

    MORE_THAN = "gt", "more than (the day of the limit is still safe)"
    OR_MORE = "ge", "or more (the day of the limit is too late)"


class Consequence(models.TextChoices):
    NONE = "none", "nothing by itself"
    INACTIVE = "inactive", "account inactive"
    DISABLED = "disabled", "account disabled"
    DEACTIVATED = "deactivated", "account deactivated"
    ROLES_REVOKED = "roles_revoked", "all roles revoked"
    ROLE_REMOVED = "role_removed", "role removed"
    PASSWORD_EXPIRED = "password_expired", "password expired"
    PASSWORD_CHANGE = "password_change", "password must be changed"
    DELETED = "deleted", "account deleted"
    LOCKED = "locked", "account locked"
    SIGNED_OUT = "signed_out", "signed out"
    ACCESS_LOST = "access_lost", "access not allowed"
    WINDOW_CLOSED = "window_closed", "too late, start again"


class Policy(Sourced):
    """One dated version of one rule of one system; `key` is the fact ID of its limit.

    `effective_from` NULL = in force since ever, `effective_to` NULL = still in force (both days inclusive, counted in
    `zone`). No limit at all = looked for and not found. Only rows with `applied` make up a chain: figures of single
    states that CMS contradicts stay as reading matter (C-1 of the fact file).
    """

    class Basis(models.TextChoices):
        LOGIN = "login", "last login, else grant or activation"
        PASSWORD = "password", "last password change"
        CERTIFICATION = "certification", "last certification, else grant"
        ACKNOWLEDGEMENT = "acknowledgement", "last acknowledgement"
        REVIEW = "review", "last review"
        INVITATION = "invitation", "invitation or delivery"
        CREATION = "creation", "creation of the account"
        EVENT = "event", "the event that the rule names"
        ATTEMPTS = "attempts", "wrong attempts"
        IDLE = "idle", "idle time in a session"

    system = models.ForeignKey(System, models.CASCADE, null=True, blank=True, related_name="policies")
    kind = models.CharField(max_length=16, choices=PolicyKind)
    key = models.CharField(max_length=24)
    basis = models.CharField(max_length=16, choices=Basis)
    limit_days = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    limit_hours = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    limit_minutes = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    limit_years = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    limit_tries = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    boundary = models.CharField(max_length=2, choices=Boundary, default=Boundary.MORE_THAN)
    zone = models.CharField(max_length=40, default=EASTERN)
    consequence = models.CharField(max_length=16, choices=Consequence)
    consequence_text = models.TextField()
    cure_text = models.TextField(blank=True)
    warning_days = models.CharField(max_length=60, blank=True)  # days after the basis on which CMS itself writes
    effective_from = models.DateField(null=True, blank=True)
    effective_to = models.DateField(null=True, blank=True)
    start_note = models.CharField(max_length=200, blank=True)  # how the source words the start
    start_confidence = models.CharField(max_length=9, choices=Confidence)  # the start may be weaker than the limit
    applies_to = models.CharField(max_length=200, blank=True)  # empty = everybody on the system
    applied = models.BooleanField(default=True)
    revision = models.PositiveIntegerField(db_index=True)

    class Meta:
        ordering = ["system", "kind", F("effective_from").asc(nulls_first=True), "key"]
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(fields=["system", "kind", "key"], name="systems_policy_once"),
            models.UniqueConstraint(
                fields=["kind", "key"], condition=Q(system=None), name="systems_policy_no_system_once"
            ),
            models.CheckConstraint(
                condition=Q(effective_from=None) | Q(effective_to=None) | Q(effective_from__lte=F("effective_to")),
                name="systems_policy_runs_forward",
            ),
            # One length of time at most; a row without any says "not found" and never sets a clock.
            models.CheckConstraint(
                condition=Q(limit_days=None, limit_years=None, limit_hours=None)
                | Q(limit_days__isnull=False, limit_years=None, limit_hours=None)
                | Q(limit_days=None, limit_years__isnull=False, limit_hours=None)
                | Q(limit_days=None, limit_years=None, limit_hours__isnull=False),
                name="systems_policy_one_limit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.kind})"


class Quota(Sourced):
    """How many people may or should hold something per facility."""

    system = models.ForeignKey(System, models.CASCADE, related_name="quotas")
    key = models.CharField(max_length=24)
    role = models.ForeignKey(SystemRole, models.CASCADE, null=True, blank=True, related_name="quotas")
    stream = models.ForeignKey(Stream, models.CASCADE, null=True, blank=True, related_name="+")
    provider_type = models.CharField(max_length=16, choices=ProviderType, blank=True)  # empty = every kind
    counts = models.CharField(max_length=120)  # what is counted, in words
    least = models.PositiveSmallIntegerField(null=True, blank=True)
    most = models.PositiveSmallIntegerField(null=True, blank=True)
    recommended = models.BooleanField(default=False)  # advised, not demanded
    note = models.CharField(max_length=300, blank=True)
    cure = models.CharField(max_length=300, blank=True)  # what to do where all of `most` are taken

    class Meta:
        ordering = ["system", "key"]
        constraints = [
            models.UniqueConstraint(fields=["system", "key"], name="systems_quota_once"),
            models.CheckConstraint(
                condition=Q(least=None) | Q(most=None) | Q(least__lte=F("most")), name="systems_quota_in_order"
            ),
        ]


class Prerequisite(Sourced):
    """What must be there before a request makes sense."""

    class Needs(models.TextChoices):
        CCN = "ccn", "the facility's CCN"
        ACCOUNT = "account", "an account on another system"
        SECOND_FACTOR = "second_factor", "a working second factor"
        OFFICIAL = "official", "an approved Security Official"
        DATA = "data", "facts at hand"
        OTHER = "other", "other"

    system = models.ForeignKey(System, models.CASCADE, related_name="prerequisites")
    request_kind = models.CharField(max_length=16, choices=RequestKind, default=RequestKind.REGISTER)
    key = models.CharField(max_length=24)
    needs = models.CharField(max_length=16, choices=Needs)
    needs_system = models.ForeignKey(System, models.CASCADE, null=True, blank=True, related_name="+")
    text = models.TextField()
    exception = models.TextField(blank=True)
    until_on = models.DateField(null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["system", "position", "key"]
        constraints = [
            models.UniqueConstraint(fields=["system", "request_kind", "key"], name="systems_prerequisite_once"),
            models.CheckConstraint(
                condition=~Q(needs="account") | Q(needs_system__isnull=False), name="systems_prerequisite_system"
            ),
        ]
