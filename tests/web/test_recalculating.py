"""Between a change of the catalogue and the run that follows it, pages with dates say that these may be old."""

import pytest
import time_machine
from django.urls import reverse

from accounts.models import Deadline
from reminders.selectors import recalculating
from tests.accounts.drafts import Draft, tick, version
from tests.accounts.test_logins import held
from tests.conftest import NOON, TODAY
from tests.reminders.making import DAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

WORDS = "Dates are being recalculated after a change of the catalogue"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture
def changed(cast, tmp_path):
    """An account, and a limit that changed since the last tick."""
    account = held(cast, last_login=TODAY - 50 * DAY)
    tick()
    draft = Draft(tmp_path / "draft")
    draft.change("iqies", "inactivity", lambda mine: [version(45)])
    draft.load()
    return account


def pages(cast, account):
    return [
        reverse("web:today", args=["riverside"]),
        reverse("web:accounts", args=["riverside"]),
        reverse("web:account", args=["riverside", account.pk]),
        reverse("web:facilities", args=["riverside"]),
        reverse("web:facility", args=["riverside", cast.oak.pk]),
        reverse("web:people", args=["riverside"]),
        reverse("web:person", args=["riverside", account.person_id]),
    ]


def told(client, cast, account):
    client.force_login(cast.alice)
    return [WORDS in client.get(page).content.decode() for page in pages(cast, account)]


def test_every_page_with_dates_says_so_until_the_next_run(client, cast, changed):
    assert told(client, cast, changed) == [True] * 7
    tick()
    assert told(client, cast, changed) == [False] * 7
    assert Deadline.objects.get(account=changed, kind="inactivity").due_on == TODAY - 5 * DAY


def test_a_page_without_dates_does_not_ask(client, cast, changed):
    client.force_login(cast.alice)
    assert WORDS not in client.get(reverse("web:settings", args=["riverside"])).content.decode()


def test_before_the_first_run_nothing_is_older_than_the_first_load(cast, django_assert_num_queries):
    held(cast, last_login=TODAY - 50 * DAY)
    with django_assert_num_queries(1):
        assert not recalculating()


def test_a_change_of_rules_that_set_no_stored_date_is_no_reason_to_worry(cast, tmp_path):
    tick()
    draft = Draft(tmp_path / "draft")
    draft.change("qies", "lockout", lambda mine: [])
    assert {each["kind"] for each in draft.load()["changed"]} == {"lockout"}
    assert not recalculating()
