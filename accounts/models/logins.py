"""Evidence of logins, from what was seen in the system to what somebody typed for a colleague."""

from django.db import models
from django.db.models import F, Q


class LoginEventQuerySet(models.QuerySet["LoginEvent"]):
    """Evidence of logins."""

    def standing(self) -> "LoginEventQuerySet":
        """Not voided."""
        return self.filter(voided_at=None)

    def seen(self) -> "LoginEventQuerySet":
        """Seen in the system: between its day and the day on which it was seen, there was no other."""
        return self.standing().filter(seen_on__isnull=False)


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
        SEEN = "seen", "Seen in the system"
        AUTHORITY = "authority", "Counted from a system that signs in here"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    account = models.ForeignKey("accounts.PortalAccount", models.PROTECT, related_name="logins")
    happened_on = models.DateField()  # the day in US Eastern, in which CMS systems count
    grade = models.CharField(max_length=1, choices=Grade)
    source = models.CharField(max_length=9, choices=Source)
    via = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="counted_as")
    recorded_by = models.CharField(max_length=200)  # label, as in the audit chain
    recorded_at = models.DateTimeField()
    # grade A: the day on which somebody saw in the system that this was the last login
    seen_on = models.DateField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    # a login of grade A that shows this one not to have been; it is voided, and counts again when that is taken back
    contradicted_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="contradicts", db_index=False
    )

    objects = LoginEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "happened_on", "source"],
                condition=Q(voided_at=None),
                name="accounts_one_login_a_day",
            ),
            models.CheckConstraint(
                condition=Q(grade="A", seen_on__gte=F("happened_on")) | Q(seen_on=None),
                name="accounts_seen_after_login",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-happened_on"], name="accounts_login_history"),
            # Today: what a member recorded since midnight
            models.Index(fields=["organization", "recorded_at"], name="accounts_login_recorded"),
            models.Index(
                fields=["organization", "account"],
                condition=Q(voided_at=None, seen_on__isnull=False),
                name="accounts_login_seen",
            ),
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``login:7``."""
        return f"login:{self.pk}"
