"""Sign-in surfaces, their addresses and roles, and the data streams that run over them."""

from django.db import models
from django.db.models import F, Q

from systems.models.evidence import Sourced
from systems.provider_types import ProviderType


class System(Sourced):
    """One sign-in surface with its own clock. Without `sign_in_via` it is itself a sign-in authority."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    full_name = models.CharField(max_length=200, blank=True)
    operator = models.CharField(max_length=120)
    purpose = models.TextField(blank=True)
    sign_in_via = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="surfaces")
    # Whether a login here also counts at the authority. No source says so: an inference, shown as such.
    counts_at_authority = models.BooleanField(default=False)
    successor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="predecessors")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=Q(counts_at_authority=False) | Q(sign_in_via__isnull=False),
                name="systems_counts_needs_authority",
            ),
            models.CheckConstraint(condition=~Q(sign_in_via=F("id")), name="systems_not_own_authority"),
        ]

    def __str__(self) -> str:
        return self.name


class AddressStatus(models.TextChoices):
    CURRENT = "current", "current"
    HISTORIC = "historic", "historic, no longer to be used"


class SystemAddress(Sourced):
    """A web address of a system; a historic one is shown as text, never as a link."""

    system = models.ForeignKey(System, models.CASCADE, related_name="addresses")
    url = models.URLField(max_length=200)
    status = models.CharField(max_length=8, choices=AddressStatus)
    note = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["system", "position"]
        constraints = [models.UniqueConstraint(fields=["system", "url"], name="systems_address_once")]


class Stream(Sourced):
    """A kind of data that facilities send or read: MDS, PBJ, OASIS…"""

    class Group(models.TextChoices):
        ASSESSMENT = "assessment", "assessments"
        STAFFING = "staffing", "staffing"
        SURVEY = "survey", "survey and certification"
        QUALITY = "quality", "quality reporting"
        COST = "cost", "cost reports"
        ENROLLMENT = "enrollment", "enrollment"
        SURVEILLANCE = "surveillance", "infection surveillance"

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    group = models.CharField(max_length=12, choices=Group)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.name


class StreamPath(Sourced):
    """Over which system a provider type sends a stream, from when until when (PATH and LIFE facts).

    `from_on` and `until_on` are the first and last day in US Eastern, NULL where not known. A path whose end is
    unknown but which names `replaced_by` counts as ended: see `systems.paths`.
    """

    key = models.SlugField(max_length=60, unique=True)
    stream = models.ForeignKey(Stream, models.CASCADE, related_name="paths")
    provider_type = models.CharField(max_length=16, choices=ProviderType)
    system = models.ForeignKey(System, models.CASCADE, related_name="paths")
    from_on = models.DateField(null=True, blank=True)
    until_on = models.DateField(null=True, blank=True)
    new_records_until_on = models.DateField(null=True, blank=True)  # afterwards corrections only
    until_note = models.CharField(max_length=120, blank=True)
    replaced_by = models.ForeignKey(System, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["stream", "provider_type", "system"]
        constraints = [
            models.UniqueConstraint(fields=["stream", "provider_type", "system"], name="systems_path_once"),
            models.CheckConstraint(
                condition=Q(from_on=None) | Q(until_on=None) | Q(from_on__lte=F("until_on")),
                name="systems_path_runs_forward",
            ),
        ]


class SystemRole(Sourced):
    """A role that a system grants to a person for a facility."""

    system = models.ForeignKey(System, models.CASCADE, related_name="roles")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    privileged = models.BooleanField(default=False)  # can raise others' rights (ROB-PRIV-5)
    # Who decides a request for it: a role of the same system, or in words where it is nobody here.
    approved_by = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="approves")
    approval_note = models.CharField(max_length=300, blank=True)
    vendor_allowed = models.BooleanField(default=True)
    vendor_only = models.BooleanField(default=False)
    requestable_from = models.DateField(null=True, blank=True)
    usable_from = models.DateField(null=True, blank=True)
    usable_until = models.DateField(null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["system", "position", "slug"]
        constraints = [models.UniqueConstraint(fields=["system", "slug"], name="systems_role_once")]

    def __str__(self) -> str:
        return self.name


class Ability(models.TextChoices):
    """What a role may do; the rows of the capability matrix in section 6.2 of the fact file."""

    UPLOAD = "upload", "upload files"
    SUBMIT = "submit", "create and submit on screen"
    MODIFY = "modify", "modify or inactivate"
    PROFILES = "profiles", "create and manage patient profiles"
    EDIT = "edit", "edit data"
    VIEW = "view", "view data"
    REPORTS = "reports", "run reports"
    PLAN_OF_CORRECTION = "plan-of-correction", "write plans of correction"
    APPROVE = "approve", "approve access of others"


class RoleAbility(Sourced):
    """Whether a role may do something for one stream (NULL: whatever the stream). No row = not stated."""

    role = models.ForeignKey(SystemRole, models.CASCADE, related_name="abilities")
    stream = models.ForeignKey(Stream, models.CASCADE, null=True, blank=True, related_name="abilities")
    ability = models.CharField(max_length=20, choices=Ability)
    allowed = models.BooleanField()

    class Meta:
        ordering = ["role", "stream", "ability"]
        constraints = [
            models.UniqueConstraint(fields=["role", "stream", "ability"], name="systems_ability_once"),
            models.UniqueConstraint(
                fields=["role", "ability"], condition=Q(stream=None), name="systems_ability_any_stream_once"
            ),
        ]
