"""Who says so: sources, and the columns every catalogue value carries."""

from typing import ClassVar

from django.db import models


class Confidence(models.TextChoices):
    """How far a value may be trusted; anything below `STATE` is shown as such, never as a CMS rule."""

    SEED = "seed", "CMS or state document we started from"
    OFFICIAL = "official", "official"
    STATE = "state", "state government page"
    SECONDARY = "secondary", "trade group, vendor or consultant"
    INFERENCE = "inference", "inferred, no source says it"
    NOT_FOUND = "not_found", "looked for, no source found"


class Source(models.Model):
    """A document the catalogue cites. `document_date` is as printed, `document_on` set where it is a full day."""

    key = models.CharField(max_length=16, unique=True)
    title = models.TextField()
    url = models.URLField(max_length=400, blank=True)
    document_date = models.CharField(max_length=120)
    document_on = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.title}"


class CatalogueQuerySet(models.QuerySet):
    """Rows that came from the catalogue files."""

    def current(self) -> "CatalogueQuerySet":
        """Rows that the catalogue still has; withdrawn ones stay only because accounts may point at them."""
        return self.filter(withdrawn=False)


class Sourced(models.Model):
    """Columns of a value that somebody must be able to trace: fact, source, confidence."""

    fact_id = models.CharField(max_length=24)
    see_also = models.CharField(max_length=200, blank=True)  # further fact IDs, comma-separated
    source = models.ForeignKey(Source, models.PROTECT, related_name="+")
    further_sources = models.CharField(max_length=200, blank=True)  # keys of sources, comma-separated
    confidence = models.CharField(max_length=9, choices=Confidence)
    withdrawn = models.BooleanField(default=False)  # gone from the catalogue files

    objects: ClassVar = CatalogueQuerySet.as_manager()

    class Meta:
        abstract = True
