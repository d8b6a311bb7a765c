"""CMS's public directory of certified providers: shared by all organizations, written only by imports."""

from django.db import models
from django.db.models import Q


class ProviderQuerySet(models.QuerySet["Provider"]):
    def listed(self) -> "ProviderQuerySet":
        """Providers that the newest complete list of their data set still shows."""
        return self.filter(unlisted_on=None)


class Provider(models.Model):
    """One certified provider as CMS publishes it; a row is never deleted, it ends with ``unlisted_on``.

    ``dataset`` and ``vintage`` name the list that gave the values, or ended the row. ``vintage`` is a day, month
    or year as far as the list tells it ("2026-07-31", "2026-07", "2026"), empty where it doesn't.
    """

    ccn = models.CharField(max_length=10, primary_key=True)
    name = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=2, blank=True)
    zip_code = models.CharField(max_length=5, blank=True)
    plus_four = models.CharField(max_length=4, blank=True)
    phone = models.CharField(max_length=10, blank=True)
    provider_type = models.CharField(max_length=12)  # from the number itself: facilities/data/ccn_types.csv
    subtype = models.CharField(max_length=80, blank=True)  # in the list's own words
    dataset = models.CharField(max_length=40)  # key of facilities/data/datasets.csv
    vintage = models.CharField(max_length=10, blank=True)
    first_seen_on = models.DateField()
    last_seen_on = models.DateField()
    unlisted_on = models.DateField(null=True, blank=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(ccn=""), name="facilities_provider_has_ccn"),
            models.CheckConstraint(
                condition=Q(last_seen_on__gte=models.F("first_seen_on")), name="facilities_provider_seen_order"
            ),
        ]
        # the form's suggestions and the completeness check of a data set
        indexes = [
            models.Index(fields=["state", "zip_code"], name="facilities_provider_place"),
            models.Index(fields=["dataset"], name="facilities_provider_list", condition=Q(unlisted_on=None)),
        ]

    def __str__(self) -> str:
        return f"{self.ccn} {self.name}".strip()

    @property
    def listed(self) -> bool:
        return self.unlisted_on is None


class DirectoryEdition(models.Model):
    """One shipped extract of the directory that was loaded, so that the next start can skip it."""

    sha256 = models.CharField(max_length=64, unique=True)
    loaded_at = models.DateTimeField()
    providers = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.sha256[:12]
