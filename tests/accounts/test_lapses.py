"""The sweep opens what has passed, closes what lies ahead again, and writes nothing the second time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Deadline, Finding
from accounts.services.lapses import Swept, sweep_lapses
from accounts.services.logins import record_login
from audit.models import AuditEvent
from tests.accounts.test_logins import clock, held
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


def test_the_last_safe_day_is_still_safe_and_the_day_after_is_not(cast):
    account = held(cast, last_login=TODAY - timedelta(days=60))
    assert clock(account).due_on == TODAY
    assert sweep_lapses(at=NOON).opened == 0
    assert sweep_lapses(at=NOON + timedelta(days=1)).opened == 1
    finding = Finding.objects.get(account=account)
    assert (finding.kind, finding.severity, finding.deadline) == ("lapse", "critical", clock(account))


def test_the_day_turns_at_midnight_eastern_not_utc(cast):
    held(cast, last_login=TODAY - timedelta(days=60))
    eleven_pm_eastern = datetime(2026, 11, 21, 4, tzinfo=UTC)
    assert sweep_lapses(at=eleven_pm_eastern).opened == 0
    assert sweep_lapses(at=eleven_pm_eastern + timedelta(hours=1)).opened == 1


def test_a_repeated_sweep_writes_nothing(cast):
    held(cast, last_login=TODAY - timedelta(days=70))
    sweep_lapses(at=NOON)
    before = (Finding.objects.count(), AuditEvent.objects.count())
    with CaptureQueriesContext(connection) as queries:
        assert sweep_lapses(at=NOON) == Swept(0, 0)
    assert not [each for each in queries if each["sql"].startswith("UPDATE")], "what still stands is not asked about"
    assert (Finding.objects.count(), AuditEvent.objects.count()) == before


def test_a_cured_lapse_closes_at_once_and_a_new_one_opens_later(cast):
    account = held(cast, "idm", last_login=TODAY - timedelta(days=70))
    sweep_lapses(at=NOON)
    record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON)
    assert not Finding.objects.open().exists()
    assert sweep_lapses(at=NOON + timedelta(days=61)).opened == 1
    assert Finding.objects.filter(account=account).count() == 2


def test_one_audit_event_per_organization_covers_all_rows_of_a_run(cast):
    for person in ["carol", "henry"]:
        held(cast, last_login=TODAY - timedelta(days=70), person=person)
    sweep_lapses(at=NOON)
    event = AuditEvent.objects.get(action="finding.lapse-opened")
    assert (event.chain, event.item_count) == (cast.riverside.key, 2)


def test_a_house_window_sets_a_target_and_never_moves_the_last_safe_day(cast):
    account = held(cast, last_login=TODAY - timedelta(days=10))
    cast.riverside.house_windows.create(system=account.system, mention_days=20, flag_days=30)
    record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON)
    deadline = Deadline.objects.get(account=account, kind="inactivity")
    assert deadline.due_on == TODAY + timedelta(days=60)
    assert deadline.target_on == TODAY + timedelta(days=30)
