"""What a watcher is told, and who may ask."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from audit.triggers import install_triggers
from reminders.models import Digest, MailHold, SweepRun

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
NOON = datetime(2026, 11, 22, 17, tzinfo=UTC)
PROXY = {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "localhost"})


@pytest.fixture
def append_only() -> None:
    install_triggers()  # inside the test's transaction; rolled back with it


def sweep_ended(ago: timedelta, **values) -> SweepRun:
    return SweepRun.objects.create(at=NOON - ago, started_at=NOON - ago, ended_at=NOON - ago, **values)


def test_the_process_answers_without_touching_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert client.post("/healthz").status_code == 405


def test_ready_means_database_broker_recent_sweep_and_audit_triggers(client, append_only):
    sweep_ended(timedelta(hours=25, minutes=59))
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert {name: check["ok"] for name, check in answer.json()["checks"].items()} == {
        "database": True,
        "broker": True,
        "sweep": True,
        "audit": True,
    }


def test_not_ready_when_the_newest_sweep_is_26_hours_old(client, append_only):
    sweep_ended(timedelta(hours=26))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["sweep"]["ok"] is False
    assert answer.json()["checks"]["audit"]["ok"] is True


def test_not_ready_before_the_first_sweep_has_ended(client, append_only):
    SweepRun.objects.create(at=NOON, started_at=NOON)
    assert client.get("/readyz").json()["checks"]["sweep"] == {"ok": False, "detail": "none has finished yet"}


def test_not_ready_without_the_audit_triggers(client):
    sweep_ended(timedelta(0))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["audit"]["detail"].startswith("missing: ")


def test_not_ready_without_its_broker_but_ready_where_none_is_configured(client, append_only, settings):
    sweep_ended(timedelta(0))
    settings.REDIS_URL = "unix:///nowhere/redis.sock?db=0"
    assert client.get("/readyz").json()["checks"]["broker"] == {"ok": False, "detail": "does not answer"}
    settings.REDIS_URL = ""
    assert client.get("/readyz").json()["checks"]["broker"] == {"ok": True, "detail": "none configured"}


def test_metrics_tell_age_and_outcome_of_the_newest_sweep(client):
    sweep_ended(timedelta(hours=2), error="one row set aside", sweeps='{"lapses": {"opened": 3, "seconds": 0.5}}')
    MailHold.objects.create(reason="restored", held_at=NOON)
    page = client.get("/metrics").content.decode()
    assert "portalkeeper_sweep_age_seconds 7200.0" in page
    assert "portalkeeper_sweep_failed 1.0" in page
    assert 'portalkeeper_sweep_rows{outcome="opened",sweep="lapses"} 3.0' in page
    assert "portalkeeper_mail_held 1.0" in page
    assert f"portalkeeper_digests_waiting {float(Digest.objects.count())}" in page
    assert 'portalkeeper_ready{condition="database"} 1.0' in page


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("203.0.113.9", 403), ("", 403)])
def test_without_a_token_metrics_are_for_this_machine_only(client, address, status):
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == status


def test_behind_a_proxy_everybody_seems_near_so_only_the_token_counts(client, settings):
    assert client.get("/metrics", **PROXY).status_code == 403
    settings.TRUSTED_PROXY_COUNT = 1
    assert client.get("/metrics").status_code == 403
    settings.METRICS_TOKEN = "a-long-token"
    assert client.get("/metrics", headers={"authorization": "Bearer a-long-token"}, **PROXY).status_code == 200
    assert client.get("/metrics", headers={"authorization": "Bearer another"}, **PROXY).status_code == 403


def test_a_wrong_token_is_refused_even_from_this_machine(client, settings):
    settings.METRICS_TOKEN = "a-long-token"
    assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 403
    assert client.get("/metrics").status_code == 200
