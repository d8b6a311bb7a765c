"""Acts to record in tests, and a small table whose rows can be acted on."""

from datetime import UTC, datetime

from django.apps.registry import Apps
from django.db import connection, models

from audit.services import Ref, record, record_digest, record_many

AT = datetime(2026, 11, 22, 5, 0, 0, 123456, tzinfo=UTC)
JANE = Ref("user:1", "Jane Sample")
IMPORT = Ref("import:9", "roster.csv")


class Thing(models.Model):
    """Stands for any table of a higher app; not known to the project's own registry."""

    tenant = models.TextField(null=True)
    key = models.TextField()
    facts = models.TextField(null=True)

    class Meta:
        app_label = "things"
        apps = Apps()


def make_things(*rows):
    """Create the table inside the test's transaction, fill it with (chain, key, facts), and select the new rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS things_thing"
            " (id bigint PRIMARY KEY, tenant text, key text NOT NULL, facts text)"
        )
    first = Thing.objects.count() + 1
    Thing.objects.bulk_create(
        Thing(id=number, tenant=tenant, key=key, facts=facts)
        for number, (tenant, key, facts) in enumerate(rows, start=first)
    )
    named = {"chain": models.F("tenant"), "subject_key": models.F("key"), "payload": models.F("facts")}
    return Thing.objects.filter(id__gte=first).annotate(**named)


def one_act(chain="organization:1", subject="account:1", **options):
    """Record a login."""
    return record(
        chain=chain, action="login.recorded", actor=JANE, subject=Ref(subject, "iQIES, Jane"), at=AT, **options
    )


def some_history():
    """Two tenants with single acts, an act on many rows, and a sweep's digest; 9 events, 8 items, 3 chains."""
    one_act(reason="typed", payload={"on": AT.date(), "name": "Zoë"})
    one_act(chain="organization:2", payload={})
    rows = make_things(
        ("organization:1", "account:1", '{"login": "2026-11-01"}'),
        ("organization:1", "account:2", '{"login": "2026-11-02"}'),
        ("organization:2", "account:7", '{"login": "2026-11-03"}'),
        ("organization:1", "account:3", '{"login": "2026-11-04"}'),
        ("organization:2", "account:8", '{"login": "2026-11-05"}'),
    )
    record_many(action="logins.imported", actor=JANE, subject=IMPORT, at=AT, rows=rows)
    record_digest(action="lapses.found", actor=Ref("sweep:lapses", "sweep"), subject=IMPORT, at=AT, rows=rows)
    one_act(payload={"again": True})
