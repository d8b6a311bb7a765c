"""What a person needs in hand: steps, contacts, milestones, exact phrases, documents to sign."""

from django.db import models
from django.db.models import Q

from systems.models.evidence import Sourced
from systems.models.surfaces import Stream, System
from systems.provider_types import ProviderType


class RequestKind(models.TextChoices):
    REGISTER = "register", "register"
    ADDITIONAL_ROLE = "additional-role", "ask for a further role"
    CHANGE = "change", "change contact data"
    ROLE_CHANGE = "role-change", "change a role"
    REMOVE = "remove", "remove access"
    REACTIVATE = "reactivate", "reactivate"
    FORGOTTEN_ID = "forgotten-id", "forgotten user ID"
    UNLOCK = "unlock", "unlock"
    PROOFING = "proofing", "try identity proofing again"
    CERTIFY = "certify", "certify roles"


class Step(Sourced):
    """One step of a request, in order. `duration` counts in `unit`; NULL = no time known.

    `after`: the key of the step whose day the duration counts from (empty: the step before). `together`: steps of one
    name are expected side by side, such as two e-mails. `cure_for`: the name or key of what this step mends; it is
    asked for only when that failed or is overdue. `stage`: the word that the system's own page shows meanwhile.
    `takes`: how long it takes in the words of a source that prints no number, such as "several weeks".
    """

    class Unit(models.TextChoices):
        MINUTES = "minutes", "minutes"
        HOURS = "hours", "hours"
        CALENDAR_DAYS = "calendar_days", "calendar days"
        BUSINESS_DAYS = "business_days", "business days"

    class Actor(models.TextChoices):
        HOLDER = "holder", "the person"
        OFFICIAL = "official", "Security Official or approver on CMS's side"
        FACILITY = "facility", "the facility"
        HELP_DESK = "help-desk", "help desk"
        CMS = "cms", "CMS"

    class OnlyIf(models.TextChoices):
        """What must be true at the facility for the step to be asked for at all."""

        NO_OFFICIAL = "no-official", "nobody there is a Security Official yet"
        FIRST_OFFICIAL = "first-official", "the first Security Official is asked for"
        SOLE_OFFICIAL = "sole-official", "the only Security Official is the person it is for"
        OFFICIAL_THERE = "official-there", "a Security Official is there who can decide"
        ROLE_GONE = "role-gone", "the role itself was taken away, not only the way in"
        ROLE_UNSURE = "role-unsure", "no certification in time is known here, so that the role may be gone"
        ROLE_THERE = "role-there", "the way in was lost"

    system = models.ForeignKey(System, models.CASCADE, related_name="steps")
    request_kind = models.CharField(max_length=16, choices=RequestKind)
    key = models.CharField(max_length=32)
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120)
    text = models.TextField()
    actor = models.CharField(max_length=10, choices=Actor, default=Actor.HOLDER)
    duration = models.PositiveSmallIntegerField(null=True, blank=True)
    unit = models.CharField(max_length=13, choices=Unit, blank=True)
    after = models.CharField(max_length=32, blank=True)
    together = models.CharField(max_length=32, blank=True)
    cure_for = models.CharField(max_length=32, blank=True)
    stage = models.CharField(max_length=60, blank=True)
    takes = models.CharField(max_length=40, blank=True)
    only_if = models.CharField(max_length=16, choices=OnlyIf, blank=True)
    provider_type = models.CharField(max_length=16, choices=ProviderType, blank=True)  # empty: whatever the facility is
    effective_from = models.DateField(null=True, blank=True)
    effective_to = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["system", "request_kind", "position"]
        constraints = [
            models.UniqueConstraint(fields=["system", "request_kind", "key"], name="systems_step_once"),
            models.CheckConstraint(
                condition=Q(duration=None, unit="") | (Q(duration__isnull=False) & ~Q(unit="")),
                name="systems_step_duration_has_unit",
            ),
            models.CheckConstraint(condition=Q(takes="") | Q(duration=None), name="systems_step_takes_one_way"),
        ]


class Contact(Sourced):
    """A help desk. Hours are local times in `zone`; `weekdays` are ISO numbers such as `12345`."""

    key = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=160)
    helps_with = models.CharField(max_length=300)
    systems = models.ManyToManyField(System, related_name="contacts", blank=True)
    weekdays = models.CharField(max_length=7, blank=True)  # empty = hours not known
    opens = models.TimeField(null=True, blank=True)
    closes = models.TimeField(null=True, blank=True)
    zone = models.CharField(max_length=40, blank=True)
    hours_note = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "key"]
        constraints = [
            models.CheckConstraint(
                condition=Q(weekdays="", opens=None, closes=None, zone="")
                | (~Q(weekdays="") & ~Q(zone="") & Q(opens__isnull=False, closes__isnull=False)),
                name="systems_contact_hours_whole",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ContactPoint(Sourced):
    """One number or address of a help desk."""

    class Kind(models.TextChoices):
        PHONE = "phone", "phone"
        RELAY = "relay", "TTY or relay"
        FAX = "fax", "fax"
        EMAIL = "email", "e-mail"
        WEB = "web", "web"

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="points")
    kind = models.CharField(max_length=5, choices=Kind)
    value = models.CharField(max_length=120)
    note = models.CharField(max_length=120, blank=True)
    current = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["contact", "position"]
        constraints = [models.UniqueConstraint(fields=["contact", "kind", "value"], name="systems_point_once")]


class Milestone(Sourced):
    """A day on which a system or stream changed. Where only the month is known `on` is its first day."""

    class Precision(models.TextChoices):
        DAY = "day", "day"
        MONTH = "month", "month"
        UNKNOWN = "unknown", "not found"

    key = models.CharField(max_length=24, unique=True)
    on = models.DateField(null=True, blank=True)
    precision = models.CharField(max_length=7, choices=Precision)
    time_note = models.CharField(max_length=40, blank=True)  # clock time as printed, US Eastern
    text = models.TextField()
    systems = models.ManyToManyField(System, related_name="milestones", blank=True)
    stream = models.ForeignKey(Stream, models.SET_NULL, null=True, blank=True, related_name="milestones")

    class Meta:
        ordering = ["on", "key"]
        constraints = [
            models.CheckConstraint(
                condition=Q(on=None, precision="unknown") | (Q(on__isnull=False) & ~Q(precision="unknown")),
                name="systems_milestone_day_or_unknown",
            )
        ]


class FormPhrase(Sourced):
    """Words that a form or screen wants exactly; `[provider name]` stands for what the person fills in."""

    key = models.CharField(max_length=24, unique=True)
    system = models.ForeignKey(System, models.CASCADE, related_name="phrases")
    form = models.CharField(max_length=160)
    field = models.CharField(max_length=120)
    text = models.TextField()
    use_when = models.CharField(max_length=300)

    class Meta:
        ordering = ["system", "key"]


class Document(Sourced):
    """A version of rules that people acknowledge, such as the HHS Rules of Behavior."""

    class Kind(models.TextChoices):
        RULES = "rules", "rules of behavior"
        PRIVILEGED = "privileged", "addendum for privileged users"

    slug = models.SlugField(max_length=40)
    version = models.CharField(max_length=20)
    kind = models.CharField(max_length=10, choices=Kind)
    title = models.CharField(max_length=160)
    in_force_from = models.DateField()  # the first of the month where only the month is printed
    date_note = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["slug", "in_force_from"]
        constraints = [models.UniqueConstraint(fields=["slug", "version"], name="systems_document_once")]

    def __str__(self) -> str:
        return f"{self.title} {self.version}"


class Note(Sourced):
    """Something worth knowing about a system, or about all of them (`system` NULL), that sets no date by itself."""

    class Topic(models.TextChoices):
        """In the order of a guide: who needs it, what to have ready, then life with the account, then background."""

        WHO = "who", "Who needs it"
        CREDENTIALS = "credentials", "User ID and sharing"
        PROOFING = "proofing", "Proving who you are"
        SECOND_FACTOR = "second-factor", "Second factor"
        PASSWORD = "password", "Password"
        ROLES = "roles", "Roles and who decides"
        REQUESTS = "requests", "Requests"
        LEAVING = "leaving", "When somebody leaves"
        FORMS = "forms", "Forms"
        USE = "use", "Using it"
        LISTS = "lists", "Lists of users"
        CONDUCT = "conduct", "Rules of behavior"
        BASELINE = "baseline", "Security baseline"
        HISTORY = "history", "History"

    system = models.ForeignKey(System, models.CASCADE, null=True, blank=True, related_name="notes")
    topic = models.CharField(max_length=16, choices=Topic)
    key = models.CharField(max_length=24)
    text = models.TextField()
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["system", "position", "key"]
        constraints = [
            models.UniqueConstraint(fields=["system", "topic", "key"], name="systems_note_once"),
            models.UniqueConstraint(
                fields=["topic", "key"], condition=Q(system=None), name="systems_note_no_system_once"
            ),
        ]
