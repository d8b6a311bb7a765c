"""Dates of one's facilities in one's own calendar: by day and place, bounded, only for those who look after them."""

from datetime import timedelta

import pytest
import time_machine

from audit.models import AuditEvent
from facilities.models import Membership
from reminders import calendar_entries
from reminders.models import CalendarFeed
from staff.models import Employment
from tests.accounts import holding
from tests.conftest import NOON, TODAY
from tests.web.test_calendar import address, entries, held, make, titles
from tests.web.test_exports import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def test_dates_at_her_facilities_are_one_entry_per_day_and_place(client, cast):
    holding.held(cast, "iqies", person="henry", last_login=TODAY - timedelta(days=20))
    held(cast, person="henry", last_login=TODAY - timedelta(days=10))
    held(cast, person="olga", facility="elm", last_login=TODAY - timedelta(days=20))
    held(cast, person="carol", last_login=TODAY - timedelta(days=20))
    path = make(client, cast, "carol", dates="all")
    mine, deleted, *others = entries(client, path)
    assert [str(each["SUMMARY"]) for each in (mine, deleted)] == titles(client, make(client, cast, "carol"))
    assert all(not each.walk("VALARM") for each in others)
    shown = {str(each["SUMMARY"]) for each in others}
    assert {
        "Remind Henry Test to sign in to iQIES: last safe day",
        "Remind Henry Test to sign in to QIES: last safe day",
    } <= shown
    assert not any("Olga" in title or "Carol" in title for title in shown)
    everything = "".join(titles(client, make(client, cast, "alice", dates="all")))
    assert "Remind Olga Test" in everything
    assert "Two CMS dates at Oak House" in everything, "Carol's is due on the day of Henry's"


def test_several_dates_of_a_day_are_counted(client, cast, monkeypatch):
    monkeypatch.setattr(calendar_entries, "LINES", 2)
    monkeypatch.setattr(calendar_entries, "SLICE", 2)
    for person in ("henry", "carol", "audrey"):
        held(cast, person=person, last_login=TODAY - timedelta(days=20))
    [entry] = entries(client, make(client, cast, "alice", dates="all"))
    assert entry["SUMMARY"] == "Three CMS dates at Oak House"
    lines = entry["DESCRIPTION"].split("\n")
    assert lines[2] == "and one more"
    assert lines[3].endswith(f"/o/riverside/facilities/{cast.oak.pk}/")


def test_what_has_no_room_is_left_out_and_said(client, cast, monkeypatch):
    monkeypatch.setattr(calendar_entries, "MOST", 2)
    for person, ago in (("henry", 20), ("audrey", 10), ("olga", 5)):
        held(cast, person=person, last_login=TODAY - timedelta(days=ago))
    path = make(client, cast, "alice", dates="all")
    assert len(entries(client, path)) == 2
    assert b"soonest entries" in client.get(path).content
    assert "Olga" not in "".join(titles(client, path))


def test_only_who_looks_after_others_is_asked_and_only_with_a_second_factor(client, cast):
    held(cast, person="carol", last_login=TODAY - timedelta(days=20))
    assert titles(client, make(client, cast, "henry", dates="all")) == []
    assert titles(client, make(client, cast, "audrey", dates="all")) == []
    for who in ("henry", "audrey"):
        client.force_login(getattr(cast, who))
        assert "my facilities’" not in client.get(address("calendar", cast)).content.decode()
    client.force_login(cast.olga)
    for name in ("calendar-make", "calendar-choose"):
        assert client.post(address(name, cast), {"dates": "all"}).status_code == 403
    assert not CalendarFeed.objects.filter(user=cast.olga).exists()


def test_what_is_shown_changes_without_a_new_address_and_ends_with_the_role(client, cast):
    held(cast, person="henry", last_login=TODAY - timedelta(days=20))
    path = make(client, cast, "carol")
    assert titles(client, path) == []
    sign_in(client, cast.carol)
    client.post(address("calendar-choose", cast), {"dates": "all"})
    client.post(address("calendar-choose", cast), {"dates": "all"})
    assert AuditEvent.objects.filter(action="calendar.changed").count() == 1
    assert titles(client, path) == ["Remind Henry Test to sign in to QIES: last safe day"]
    Membership.objects.filter(user=cast.carol).update(role="holder", facility=None)
    assert titles(client, path) == []


def test_a_leavers_account_is_to_be_removed_not_signed_in_to(client, cast):
    held(cast, person="henry", last_login=TODAY - timedelta(days=20))
    Employment.objects.filter(person=cast.people["henry"]).update(valid_to=TODAY - timedelta(days=3))
    [entry] = entries(client, make(client, cast, "alice", dates="all"))
    assert entry["SUMMARY"] == "Have the QIES account of Henry Test removed"
    assert "left on Tue 17 Nov 2026" in entry["DESCRIPTION"]
    ago = {"last_login": TODAY - timedelta(days=20), "opened_on": TODAY - timedelta(days=340)}
    holding.held(cast, "idm", person="henry", **ago)
    [role] = [each for each in entries(client, make(client, cast, "alice", dates="all")) if " role " in each["SUMMARY"]]
    assert role["SUMMARY"].startswith("Have the IDM role")
    assert "Nobody is asked to certify the role any more" in role["DESCRIPTION"].replace("\r\n ", "")
