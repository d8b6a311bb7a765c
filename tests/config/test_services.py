"""The suite runs on the services it claims to run on."""

import os

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection


@pytest.mark.db_engines
@pytest.mark.django_db
def test_the_suite_runs_on_the_selected_engine():
    if os.environ.get("TEST_DB") == "sqlite":
        assert connection.vendor == "sqlite"
        with connection.cursor() as cursor:
            cursor.execute("SELECT sqlite_version()")
            version = tuple(int(part) for part in cursor.fetchone()[0].split("."))
        assert version >= (3, 35)  # RETURNING and the upsert we rely on
        assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    else:
        assert connection.vendor == "postgresql"
        assert connection.pg_version // 10_000 >= 15


def test_the_cache_is_a_real_redis():
    assert settings.CACHES["default"]["BACKEND"] == "django.core.cache.backends.redis.RedisCache"
    cache.set("services", "seen", 5)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert client.info("server")["redis_version"] >= "6.2"
        assert any(key.endswith(b":services") for key in client.scan_iter())
