"""The ledger: planned reminders, the digests they are sent in, every delivery, and the runs that did it; feeds."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.watch import exactly_one_of


class Reminder(models.Model):
    """One message planned for one recipient at one rung; never sent by itself, always inside a digest."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        SKIPPED = "skipped", "Skipped for a later step"
        IN_DIGEST = "in_digest", "In a digest"
        SUPERSEDED = "superseded", "No longer true"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    deadline = models.ForeignKey("accounts.Deadline", models.PROTECT, null=True, related_name="reminders")
    finding = models.ForeignKey("accounts.Finding", models.PROTECT, null=True, related_name="reminders")
    # Its unique constraint is an index of the few rows that have one; a second over all of them would be none of use.
    hand_over = models.ForeignKey(
        "accounts.HandOver", models.PROTECT, null=True, related_name="reminders", db_index=False
    )
    cycle = models.PositiveIntegerField()
    step = models.SmallIntegerField()  # days left at which it is due; −1 is the day after; 0 for a hand-over
    recipient = models.ForeignKey("staff.Person", models.PROTECT, related_name="reminders")
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    planned_at = models.DateTimeField()
    digest = models.ForeignKey("reminders.Digest", models.PROTECT, null=True, related_name="reminders")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=exactly_one_of(("deadline", "finding", "hand_over")), name="reminders_one_subject"
            ),
            models.UniqueConstraint(
                fields=["deadline", "cycle", "step", "recipient"],
                condition=Q(deadline__isnull=False),
                name="reminders_once_per_deadline",
            ),
            models.UniqueConstraint(
                fields=["finding", "cycle", "step", "recipient"],
                condition=Q(finding__isnull=False),
                name="reminders_once_per_finding",
            ),
            models.UniqueConstraint(
                fields=["hand_over", "recipient"],
                condition=Q(hand_over__isnull=False),
                name="reminders_once_per_hand_over",
            ),
        ]
        indexes = [
            # plan -> digest: the reminders that wait for their recipient's morning
            models.Index(fields=["recipient"], condition=Q(state="planned"), name="reminders_waiting"),
            models.Index(fields=["digest"], name="reminders_of_digest"),
        ]


class Digest(models.Model):
    """One mail per person and local day. Its text is stored before sending, with a Message-ID that never changes."""

    class State(models.TextChoices):
        READY = "ready", "Ready"
        SENT = "sent", "Sent"
        FAILED = "failed", "Set aside after failures"
        WITHDRAWN = "withdrawn", "Nothing left to say, or a newer one says it"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    person = models.ForeignKey("staff.Person", models.PROTECT, related_name="digests")
    local_on = models.DateField()
    address = models.EmailField()
    subject = models.CharField(max_length=200)
    message = models.TextField()  # MIME as sent; emptied after 30 days, the hash stays
    message_sha256 = models.CharField(max_length=64)
    message_id = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=9, choices=State, default=State.READY)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.CharField(max_length=32, blank=True)  # token of the run that is sending it
    leased_until = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "local_on"], name="reminders_one_digest_a_day"),
            models.CheckConstraint(
                condition=Q(lease="", leased_until=None) | (~Q(lease="") & Q(leased_until__isnull=False)),
                name="reminders_lease_has_end",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="ready"), name="reminders_outbox"),
            models.Index(fields=["created_at"], condition=~Q(message=""), name="reminders_with_text"),  # forget_mails()
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``digest:7``."""
        return f"digest:{self.pk}"


class Delivery(models.Model):
    """One attempt to hand one digest to a channel, and what came of it."""

    class Outcome(models.TextChoices):
        SENT = "sent", "Accepted by the mail server"
        REFUSED = "refused", "Refused for good"
        DEFERRED = "deferred", "To be tried again"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    digest = models.ForeignKey(Digest, models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=12, default="email")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=Outcome)
    detail = models.CharField(max_length=300, blank=True)


class TrialMail(models.Model):
    """A test digest that a member asked for: to her own address, apart from the ledger and from any day's digest.

    Sent once, at once; one that did not leave is not tried again, because its asker is told and can ask again.
    """

    class State(models.TextChoices):
        READY = "ready", "Ready"
        SENT = "sent", "Sent"
        FAILED = "failed", "Did not leave"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    # Whose administrator asked; none where she administers the organization and so reads of all of them.
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, null=True, related_name="+")
    user = models.ForeignKey("users.User", models.PROTECT, related_name="+")
    address = models.EmailField()
    subject = models.CharField(max_length=200)
    message = models.TextField()  # MIME as sent; emptied after 30 days, the hash stays
    message_sha256 = models.CharField(max_length=64)
    message_id = models.CharField(max_length=120, unique=True)
    sample = models.BooleanField()  # nothing was due: it showed made-up rows
    state = models.CharField(max_length=6, choices=State, default=State.READY)
    detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "facility"], name="reminders_trials")]

    @property
    def key(self) -> str:
        """Audit key, such as ``trial-mail:7``."""
        return f"trial-mail:{self.pk}"


class SweepRun(models.Model):
    """One row per tick: the only row that a repeated tick writes."""

    at = models.DateTimeField()  # the instant the run was for
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    sweeps = models.TextField(default="{}")  # JSON: counts per sweep
    error = models.CharField(max_length=300, blank=True)
    catalogue_revision = models.PositiveIntegerField(default=0)  # up to which all deadlines have been recomputed
    looked_at_all = models.BooleanField(default=False)  # the rules were held against every facility

    class Meta:
        indexes = [models.Index(fields=["-at"], name="reminders_last_run")]


class MailHold(models.Model):
    """While a row without release exists, no mail leaves: a restored ledger has forgotten what was sent."""

    reason = models.CharField(max_length=200)
    held_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=200, blank=True)


class MailPreference(models.Model):
    """When a person wants the digest: not before this local hour; never while snoozed."""

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    person = models.OneToOneField("staff.Person", models.PROTECT, related_name="mail_preference")
    hour = models.PositiveSmallIntegerField(default=6)
    zone = models.CharField(max_length=40)
    snoozed_until_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(hour__lte=23), name="reminders_hour_of_day")]


class CalendarFeed(models.Model):
    """A secret address from which a member's calendar reads her dates; only the hash of its token is kept.

    It answers while ``user`` is a member and ``person`` is hers and has not left (`reminders.services.calendar_feeds`).
    ``facilities``: also what is due at the facilities she looks after.
    """

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    person = models.ForeignKey("staff.Person", models.PROTECT, related_name="calendar_feeds")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    facilities = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(ended_at=None), name="reminders_one_feed"),
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``calendar-feed:7``."""
        return f"calendar-feed:{self.pk}"
