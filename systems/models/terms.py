"""Words that people stumble over, explained."""

from django.db import models
from django.db.models import Q

from systems.models.evidence import Confidence, Source, Sourced
from systems.models.surfaces import Stream, System


class Term(Sourced):
    """One word: cited like every catalogue value, or `ours`, which only this product calls so and no source explains.

    `aliases` are separated by semicolons; `see` holds the slugs of other terms, comma-separated.
    """

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    full_name = models.CharField(max_length=120, blank=True)
    spelled_by_us = models.BooleanField(default=False)  # no source prints the full name
    aliases = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    system = models.ForeignKey(System, models.SET_NULL, null=True, blank=True, related_name="terms")
    stream = models.ForeignKey(Stream, models.SET_NULL, null=True, blank=True, related_name="terms")
    see = models.CharField(max_length=200, blank=True)
    ours = models.BooleanField(default=False)
    fact_id = models.CharField(max_length=24, blank=True)
    # A word of ours has no source, the one kind of catalogue value without.
    source = models.ForeignKey(  # type: ignore[assignment]
        Source, models.PROTECT, null=True, blank=True, related_name="+"
    )
    confidence = models.CharField(max_length=9, choices=Confidence, blank=True)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ours=True, source=None, fact_id="")
                | (Q(ours=False, source__isnull=False) & ~Q(fact_id="")),
                name="systems_term_cited_or_ours",
            )
        ]

    def __str__(self) -> str:
        return self.name
