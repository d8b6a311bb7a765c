"""What was imported: one row per run that changed something, one per row of the file that did."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

UNDO_WITHIN = timedelta(days=30)


class Import(models.Model):
    """One file whose changes were written in one transaction. The file itself is not kept, its hash is."""

    class Kind(models.TextChoices):
        STAFF = "staff", "People"
        ACCOUNTS = "accounts", "Accounts"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="imports")
    kind = models.CharField(max_length=10, choices=Kind)
    file_name = models.CharField(max_length=200)  # without folders
    sha256 = models.CharField(max_length=64)
    counts = models.JSONField(default=dict)  # rows, joiners, movers …, as the command answered
    columns = models.JSONField(default=dict)  # field -> title, confidence: how the header was understood
    applied_at = models.DateTimeField()
    applied_by = models.CharField(max_length=200)  # label, as in the audit chain
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=200, blank=True)
    emptied_at = models.DateTimeField(null=True, blank=True)  # cells and values before are gone: no undo any more

    class Meta:
        indexes = [models.Index(fields=["organization", "-applied_at"], name="imports_by_time")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def key(self) -> str:
        """Audit key, such as ``import:7``."""
        return f"import:{self.pk}"


class ImportRow(models.Model):
    """What one person's rows changed, or why a row was rejected. ``cells`` and ``change`` last as long as the undo."""

    class Status(models.TextChoices):
        APPLIED = "applied", "Applied"
        REJECTED = "rejected", "Rejected"
        UNDONE = "undone", "Undone"
        KEPT = "kept", "Not undone: changed since"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    source = models.ForeignKey(Import, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(null=True, blank=True)  # None: missing in the file
    kind = models.CharField(max_length=8)  # joiner, mover, leaver, updated; rejected
    status = models.CharField(max_length=8, choices=Status, default=Status.APPLIED)
    subject_key = models.CharField(max_length=40, blank=True)  # audit key of what it changed, such as person:7
    summary = models.CharField(max_length=500, blank=True)  # for the audit: keys, days, names of columns; no values
    reason = models.CharField(max_length=500, blank=True)
    cells = models.TextField(blank=True)  # JSON list of the row's cells
    change = models.TextField(blank=True)  # JSON: what undo needs

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="rejected", status="rejected") | (~Q(kind="rejected") & ~Q(status="rejected")),
                name="imports_rejected_is_status",
            ),
        ]
        indexes = [models.Index(fields=["organization", "subject_key"], name="imports_by_subject")]


class PendingImport(models.Model):
    """An upload that somebody is still looking at: nothing of it is written before the consent.

    What was read of the file lies below UPLOAD_ROOT until it is imported, discarded or expired.
    """

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")  # nobody else sees it
    kind = models.CharField(max_length=10, choices=Import.Kind)
    file_name = models.CharField(max_length=200)  # as it was called there, without folders
    sha256 = models.CharField(max_length=64)  # of the file as uploaded
    stored_as = models.CharField(max_length=64)  # random name in the organization's folder
    columns = models.JSONField(default=dict)  # field -> name of its column, where a person chose it
    system = models.CharField(max_length=40, blank=True)  # slug of what the whole list is about, where it was said
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    source = models.ForeignKey(Import, models.CASCADE, null=True, blank=True, related_name="+")  # set once written
    noted_at = models.DateTimeField(null=True, blank=True)  # consented to, and there was nothing to write but findings

    class Meta:
        indexes = [
            models.Index(fields=["organization", "user", "created_at"], name="imports_pending_of_user"),
            models.Index(fields=["expires_at"], name="imports_pending_expiry"),  # forget_uploads()
        ]

    def __str__(self) -> str:
        return self.file_name


class SavedMapping(models.Model):
    """How an organization's own list is to be read: which column means what, and which system it is about."""

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Import.Kind)
    name = models.CharField(max_length=60)
    columns = models.JSONField(default=dict)  # field -> name of its column (`imports.columns.column_names`)
    system = models.CharField(max_length=40, blank=True)  # slug, where no column says it
    header = models.JSONField(default=list)  # titles of the list it was saved from: one with the same is read so
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=200)  # label, as in the audit chain

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "name"], name="imports_one_mapping"),
        ]

    def __str__(self) -> str:
        return self.name
