"""The tables of the audit chain. Rows are only ever added, by ``audit.services``; see docs/flows/audit.md."""

from django.db import models

from audit.canonical import ITEMS_PER_EVENT

INSTALLATION = "installation"


class AuditEvent(models.Model):
    """One act. ``hash`` covers every other column, and through ``prev_hash`` all earlier acts of the chain."""

    chain = models.CharField(max_length=64)  # "installation" or "organization:<pk>"
    seq = models.BigIntegerField()  # 1, 2, 3 … without gaps within the chain
    actor_key = models.CharField(max_length=200)
    actor_label = models.TextField()
    action = models.CharField(max_length=100)
    subject_key = models.CharField(max_length=200)
    subject_label = models.TextField()
    reason = models.TextField()
    request_id = models.CharField(max_length=64)
    at = models.DateTimeField()
    item_count = models.BigIntegerField()  # rows the act touched
    items_digest = models.CharField(max_length=64)  # of the item hashes; of the keys where items_kept is false
    items_kept = models.BooleanField()  # false: a sweep's count and digest, without item rows
    prev_hash = models.CharField(max_length=64)  # "" for the first event of a chain
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="audit_event_chain_seq")]
        # "What happened to this?" within one tenant
        indexes = [models.Index(fields=["chain", "subject_key", "seq"], name="audit_event_subject")]


class AuditItemQuerySet(models.QuerySet["AuditItem"]):
    def of_event(self, event_id: int) -> "AuditItemQuerySet":
        """The items of one act in order; by range of the key, which is why event_id needs no index."""
        first = event_id * ITEMS_PER_EVENT
        return self.filter(pk__gte=first, pk__lt=first + ITEMS_PER_EVENT).order_by("pk")


class AuditItem(models.Model):
    """One row that an act touched. ``id`` is event_id × 2^24 + ordinal, so it can neither move nor be reused."""

    event_id = models.BigIntegerField()
    ordinal = models.BigIntegerField()  # 0, 1, 2 … within the event
    subject_key = models.CharField(max_length=200)
    payload = models.TextField()  # JSON as stored text; holds the subject key under "subject"
    item_hash = models.CharField(max_length=64)  # sha256 of payload

    objects = AuditItemQuerySet.as_manager()

    class Meta:
        # "Which acts touched this row?"
        indexes = [models.Index(fields=["subject_key"], name="audit_item_subject")]


class ChainHead(models.Model):
    """The last event of each chain; locked while the chain grows, and proof that its tail is still there."""

    chain = models.CharField(max_length=64, primary_key=True)
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    signature = models.CharField(max_length=64)  # HMAC with AUDIT_SIGNING_KEY; "" without a key
