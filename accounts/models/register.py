"""What the organization tells us beside accounts: the inputs of rules. All of it typed by people, dated, never erased.

Rows carry the day they are about and the instant they were recorded; a correction voids and inserts.
"""

from datetime import date
from typing import TypeVar

from django.db import models
from django.db.models import F, Q

from systems.models import Stream

M = TypeVar("M", bound=models.Model)


class StatedQuerySet(models.QuerySet[M]):
    """Rows that somebody stated and may take back."""

    def known(self) -> "StatedQuerySet[M]":
        """Not corrected away."""
        return self.filter(voided_at=None)

    def in_force(self, on: date) -> "StatedQuerySet[M]":
        """Stated to hold on a day; only for models with `valid_from` and `valid_to`."""
        begun = Q(valid_from=None) | Q(valid_from__lte=on)
        return self.known().filter(begun, Q(valid_to=None) | Q(valid_to__gte=on))


class Stated(models.Model):
    """What somebody stated to an organization: who, when, and until when it counts."""

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=200)
    voided_at = models.DateTimeField(null=True, blank=True)

    objects = StatedQuerySet.as_manager()

    class Meta:
        abstract = True


class FacilityStream(Stated):
    """Whether a facility sends a stream, and who submits it. Without a row the provider type decides (PATH facts)."""

    class Through(models.TextChoices):
        OWN = "own", "Our own people submit"
        CORPORATE = "corporate", "A corporate office submits"
        THIRD_PARTY = "third-party", "A third party submits"
        NONE = "none", "Not sent by this facility"

    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="streams")
    stream = models.ForeignKey(Stream, models.PROTECT, related_name="+")
    through = models.CharField(max_length=11, choices=Through, default=Through.OWN)
    through_name = models.CharField(max_length=120, blank=True)  # which office or third party
    valid_from = models.DateField(null=True, blank=True)  # NULL: ever since
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "stream"], condition=Q(valid_to=None, voided_at=None), name="accounts_one_stream"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="accounts_stream_forward",
            ),
        ]


class RecordKeeper(Stated):
    """Somebody who keeps the backup record of all user data of a facility (QIES-QUO-9)."""

    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="keepers")
    person = models.ForeignKey("staff.Person", models.PROTECT, related_name="keeps")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "person"], condition=Q(valid_to=None, voided_at=None), name="accounts_one_keeper"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="accounts_keeper_forward"
            ),
        ]


class RecordCopy(Stated):
    """Which state of a facility's backup record a keeper last had in hands: the digest of its content, and the day.

    A newer copy voids it.
    """

    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="+")
    person = models.ForeignKey("staff.Person", models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)  # SHA-256, `accounts.policy.records.digest`
    had_on = models.DateField()

    class Meta:
        verbose_name_plural = "record copies"
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "person"], condition=Q(voided_at=None), name="accounts_one_copy"
            ),
        ]
        # whose record has to be looked at when somebody who stands in it changes
        indexes = [
            models.Index(fields=["organization", "facility"], condition=Q(voided_at=None), name="accounts_copies")
        ]


class Obligation(Stated):
    """Something a facility owes by a date: counted from an event by a policy (R-56, R-58), or a typed day."""

    class Kind(models.TextChoices):
        LTCMI = "ltcmi", "Texas LTCMI window"
        MFT_FILE = "mft-file", "Report in Managed File Transfer, to be picked up"
        OTHER = "other", "Other"

    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="obligations")
    kind = models.CharField(max_length=8, choices=Kind)
    title = models.CharField(max_length=120, blank=True)  # what is owed, where the kind does not say it
    event_on = models.DateField(null=True, blank=True)  # what a policy counts from
    typed_due_on = models.DateField(null=True, blank=True)
    met_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(event_on__isnull=False, typed_due_on=None) | Q(event_on=None, typed_due_on__isnull=False),
                name="accounts_obligation_one_day",
            ),
            models.CheckConstraint(
                condition=~Q(kind="other") | (~Q(title="") & Q(typed_due_on__isnull=False)),
                name="accounts_obligation_titled",
            ),
        ]


class Acknowledgement(Stated):
    """Somebody acknowledged a document: rules of behavior, or the addendum for privileged users."""

    class Document(models.TextChoices):
        RULES = "rules", "Rules of behavior"
        ADDENDUM = "addendum", "Addendum for privileged users"

    person = models.ForeignKey("staff.Person", models.PROTECT, related_name="acknowledgements")
    document = models.CharField(max_length=8, choices=Document)
    version = models.CharField(max_length=60, blank=True)  # as the document calls itself
    acknowledged_on = models.DateField()
    void_reason = models.CharField(max_length=300, blank=True, default="", db_default="")  # why it was taken back

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "document", "acknowledged_on"],
                condition=Q(voided_at=None),
                name="accounts_one_acknowledgement",
            ),
        ]


class Certification(Stated):
    """The approver on CMS's side certified a role for another year (R-12)."""

    grant = models.ForeignKey("accounts.RoleGrant", models.PROTECT, related_name="certifications")
    certified_on = models.DateField()
    certified_by = models.CharField(max_length=120, blank=True)  # as told to us
    void_reason = models.CharField(max_length=300, blank=True, default="", db_default="")  # why it was taken back

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["grant", "certified_on"], condition=Q(voided_at=None), name="accounts_one_certification"
            ),
        ]


class RoleNeed(Stated):
    """Why somebody needs a privileged role at a facility (R-15). Said anew, it voids what was said before.

    It hangs on account, facility and role, not on a grant: a correction or a loss writes the grant anew.
    """

    account = models.ForeignKey("accounts.PortalAccount", models.PROTECT, related_name="needs")
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="+")
    role = models.ForeignKey("systems.SystemRole", models.PROTECT, related_name="+")
    need = models.CharField(max_length=300)
    void_reason = models.CharField(max_length=300, blank=True, default="", db_default="")  # why it was taken back

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "facility", "role"], condition=Q(voided_at=None), name="accounts_one_need"
            ),
            models.CheckConstraint(condition=~Q(need=""), name="accounts_need_is_said"),
        ]


class ProfileCheck(Stated):
    """Somebody looked at the profile on the system itself and found name, phone and e-mail right (R-43)."""

    account = models.ForeignKey("accounts.PortalAccount", models.PROTECT, related_name="profile_checks")
    checked_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "checked_on"], condition=Q(voided_at=None), name="accounts_one_profile_check"
            ),
        ]


class AccessLook(Stated):
    """Somebody looked at what a person may do at a facility after a change of job, and kept what stayed (R-38)."""

    person = models.ForeignKey("staff.Person", models.PROTECT, related_name="access_looks")
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="+")
    looked_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "facility", "looked_on"], condition=Q(voided_at=None), name="accounts_one_look"
            ),
        ]


class AccessReview(Stated):
    """Somebody looked at all accounts of a facility, or at its privileged roles, and kept what is needed (R-52)."""

    class Extent(models.TextChoices):
        ACCOUNTS = "accounts", "All accounts"
        PRIVILEGES = "privileges", "Privileged roles"

    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="access_reviews")
    extent = models.CharField(max_length=10, choices=Extent)
    reviewed_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "extent", "reviewed_on"],
                condition=Q(voided_at=None),
                name="accounts_one_access_review",
            ),
        ]


class SystemInUse(Stated):
    """An administrator says that a closed system is still in use at a facility; then it is treated as a live one."""

    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="+")
    system = models.ForeignKey("systems.System", models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "system"], condition=Q(voided_at=None), name="accounts_in_use_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="accounts_in_use_has_reason"),
        ]


class HouseRule(Stated):
    """A rule that counts only from the day an organization switched it on (design section 4, no flood on day one).

    Voided: switched off.
    """

    class Rule(models.TextChoices):
        RULES = "R-13", "Rules of behavior are acknowledged every year"
        ADDENDUM = "R-14", "Privileged users acknowledge the addendum"
        PRIVILEGED = "R-15", "The list of privileged users is current"
        KEEPERS = "R-27", "Two people keep the backup record"
        PROFILES = "R-43", "Contact data on the systems follow changes here"
        REVIEW = "R-52", "Access is reviewed"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="house_rules")
    rule = models.CharField(max_length=4, choices=Rule)
    enabled_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "rule"], condition=Q(voided_at=None), name="accounts_one_house_rule"
            ),
        ]
