"""The table behind Django's database cache, and the views of lists that members keep."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from facilities.access import Scope


class CacheEntry(models.Model):
    """One cached value where there is no Redis; columns as `django.core.cache.backends.db` wants them."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Reading starts at `visible_to`."""

    def visible_to(self, scope: "Scope") -> "SavedViewQuerySet":
        """The member's own views and those shared with everybody of the organization."""
        return self.filter(Q(user=scope.user_id) | Q(user=None), organization=scope.organization)


class SavedView(models.Model):
    """The filters of one list under a name: a member's own, or (without user) everybody's of the organization."""

    class List(models.TextChoices):
        ACCOUNTS = "accounts", "Accounts"
        PEOPLE = "people", "People"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    list = models.CharField(max_length=8, choices=List)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=500, blank=True)  # as `web.forms.lists.ListFilter.query` writes it
    created_at = models.DateTimeField()

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user", "list", "name"],
                condition=Q(user__isnull=False),
                name="web_one_view_per_name",
            ),
            models.UniqueConstraint(
                fields=["organization", "list", "name"], condition=Q(user=None), name="web_one_shared_view"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """Audit key, such as ``view:7``."""
        return f"view:{self.pk}"
