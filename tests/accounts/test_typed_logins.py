"""More than 20 logins that one member types for others within an hour are found, told for a week and then forgotten."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Finding, LoginEvent
from accounts.services.logins import record_login
from audit.models import AuditEvent
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.reminders.test_tick import ask

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def type_in(cast, account, days, who="alice", at=NOON):
    for ago in days:
        record_login(scope=cast.scope(who), account=account, happened_on=TODAY - ago * DAY, at=at)


def found():
    return Finding.objects.open().filter(kind="many-typed")


def test_the_twenty_first_login_of_an_hour_is_one_too_many_and_closes_after_a_week(cast, client):
    account = held(cast, "idm", person="henry")
    type_in(cast, account, range(20))
    type_in(cast, account, range(20), at=NOON + MINUTE)  # already recorded: nothing was typed
    assert not found().exists()
    type_in(cast, account, [20, 21], at=NOON + 2 * MINUTE)
    finding = found().get()
    assert (finding.person, finding.severity) == (cast.people["alice"], "medium")
    assert AuditEvent.objects.get(action="finding.many-typed-opened").item_count == 1
    client.force_login(cast.audrey)
    page = client.get(reverse("web:findings", args=["riverside"])).content.decode()
    assert "Alice Test typed more than 20 logins for others within an hour on Fri 20 Nov 2026" in page
    ask(NOON + 7 * DAY)
    assert found().exists()
    ask(NOON + 8 * DAY)
    assert not found().exists()


def test_own_logins_slow_typing_and_other_members_count_apart(cast):
    account = held(cast, "idm", person="henry")
    type_in(cast, account, range(25), who="henry")
    type_in(cast, account, range(15))
    type_in(cast, account, range(15, 30), who="carol")
    type_in(cast, account, range(30, 40), at=NOON + 60 * MINUTE)
    assert LoginEvent.objects.filter(source="colleague").count() == 40
    assert not found().exists()
    type_in(cast, account, range(40, 51), at=NOON + 61 * MINUTE)
    assert found().get().person == cast.people["alice"]
