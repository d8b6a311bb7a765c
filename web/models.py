"""The table behind Django's database cache, which serves where there is no Redis."""

from django.db import models


class CacheEntry(models.Model):
    """One cached value; columns as `django.core.cache.backends.db` wants them."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)
