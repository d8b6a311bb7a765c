"""Dates in one's own calendar: the page, the secret address, and what a calendar reads there."""

import hashlib
from datetime import date, timedelta
from urllib.parse import urlsplit

import icalendar
import pytest
import time_machine
from allauth.mfa.adapter import get_adapter
from django.urls import reverse

from accounts.models import HouseWindow
from accounts.services.logins import record_login
from accounts.services.requests.carrying import record_outcome
from audit.models import AuditEvent
from config.logs import logging_settings
from facilities.models import Membership
from reminders.models import CalendarFeed
from staff.models import Employment, Person
from systems.models import System
from tests import factories
from tests.accounts import holding
from tests.conftest import NOON, TODAY
from tests.requests.asking import submitted
from tests.requests.test_carrying import approved
from tests.web.test_exports import sign_in
from web.views.calendar import ASKED_A_MINUTE, MADE, MADE_A_MINUTE

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def held(cast, **more):
    """Return an account on QIES: a last safe day, far behind it the day of deletion; no other account comes with it."""
    return holding.held(cast, "qies", **more)


def address(name, cast):
    return reverse(f"web:{name}", args=[cast.riverside.slug])


def make(client, cast, who, **chosen):
    """Return the path of a new secret address, made on the page."""
    sign_in(client, getattr(cast, who))
    answer = client.post(address("calendar-make", cast), chosen, follow=True)
    assert answer.redirect_chain == [(address("calendar-made", cast), 302)]
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.context["link"] in answer.content.decode()
    client.logout()
    return urlsplit(answer.context["link"]).path


def entries(client, path):
    """Return the calendar's entries as a calendar program reads them."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    return icalendar.Calendar.from_ical(answer.content).walk("VEVENT")


def titles(client, path):
    return [str(each["SUMMARY"]) for each in entries(client, path)]


def token_of(path):
    return path.rpartition("/")[2].removesuffix(".ics")


# --- the secret address ------------------------------------------------------------------------


def test_the_address_is_shown_once_and_only_its_hash_is_kept(client, cast, settings):
    settings.SITE_URL = "https://keeper.example.org"
    path = make(client, cast, "carol")
    feed = CalendarFeed.objects.get()
    token = token_of(path)
    assert feed.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str(CalendarFeed.objects.values().get())
    assert (feed.person, feed.organization, feed.facilities) == (cast.people["carol"], cast.riverside, False)
    client.force_login(cast.carol)
    page = client.get(address("calendar", cast)).content.decode()
    assert "A link is in use" in page
    assert token not in page
    assert AuditEvent.objects.filter(action="calendar.made", subject_key=feed.key).count() == 1


def test_what_was_made_waits_encrypted_for_one_look_and_a_reload_makes_nothing(client, cast):
    """Only in the organization it was made for; a HEAD or another organization's page does not use the look up."""
    factories.MembershipFactory(user=cast.carol, organization=cast.hilltop, role="holder")
    shown = address("calendar-made", cast)
    client.force_login(cast.carol)
    client.post(address("calendar-make", cast))
    kept = client.session[MADE]
    assert client.head(shown).status_code == 405
    assert client.get(reverse("web:calendar-made", args=[cast.hilltop.slug])).status_code == 302
    link = client.get(shown).context["link"]
    token = token_of(link)
    assert token not in str(kept)
    assert token in get_adapter().decrypt(kept["token"])
    assert MADE not in client.session
    again = client.get(shown, follow=True)
    assert again.redirect_chain == [(address("calendar", cast), 302)]
    assert token not in again.content.decode()
    assert CalendarFeed.objects.count() == 1
    client.post(address("calendar-make", cast))
    client.post(address("calendar-stop", cast))
    assert client.get(shown).status_code == 302, "ended before it was looked at"


def test_links_are_not_made_by_the_dozen(client, cast):
    client.force_login(cast.carol)
    answers = [client.post(address("calendar-make", cast)) for _ in range(MADE_A_MINUTE + 1)]
    assert [each.status_code for each in answers] == [302] * MADE_A_MINUTE + [429]
    assert "wait a minute" in answers[-1].content.decode()
    assert CalendarFeed.objects.count() == MADE_A_MINUTE
    client.force_login(cast.henry)
    assert client.post(address("calendar-make", cast)).status_code == 302, "another member is not held up"


def test_a_new_address_ends_the_old_one_and_stop_ends_it_all(client, cast):
    first = make(client, cast, "carol")
    second = make(client, cast, "carol")
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
    client.force_login(cast.carol)
    client.post(address("calendar-stop", cast))
    client.post(address("calendar-stop", cast))
    assert client.get(second).status_code == 404
    ended = AuditEvent.objects.filter(action="calendar.ended")
    assert ended.count() == 2
    assert not CalendarFeed.objects.filter(ended_at=None).exists()
    assert "Make a link" in client.get(address("calendar", cast)).content.decode()


def test_reading_writes_nothing_needs_no_session_and_is_kept_nowhere(client, cast, django_assert_num_queries):
    held(cast, last_login=TODAY - timedelta(days=20))
    path = make(client, cast, "carol")
    before = AuditEvent.objects.count()
    answer = client.get(path)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert not answer.cookies
    head = client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert client.get(path).content == answer.content
    assert AuditEvent.objects.count() == before
    assert client.post(path).status_code == 405
    with django_assert_num_queries(11):
        client.get(path)


def test_the_log_tells_of_a_refusal_without_the_secret(client, cast, caplog):
    path = make(client, cast, "carol")
    client.post(path)
    [record] = [each for each in caplog.records if "Method Not Allowed" in each.getMessage()]
    made = logging_settings("INFO")["formatters"]["json"]
    line = made.pop("()")(**made).format(record)
    assert "/calendar/..." in line
    assert token_of(path) not in line


def test_unknown_ended_and_leavers_addresses_look_alike(client, cast):
    path = make(client, cast, "carol")
    unknown = client.get(reverse("web:calendar-feed", args=["nobody-made-this"]))
    assert unknown.status_code == 404
    employment = Employment.objects.get(person=cast.people["carol"])
    Employment.objects.filter(pk=employment.pk).update(valid_to=TODAY)
    assert client.get(path).status_code == 200, "on her last day she still has dates"
    Employment.objects.filter(pk=employment.pk).update(valid_to=TODAY - timedelta(days=1))
    gone = client.get(path)
    assert gone.status_code == 404
    assert gone.content == unknown.content


@pytest.mark.parametrize("what", ["membership", "inactive", "person", "unconfirmed"])
def test_who_is_no_member_any_more_has_no_calendar(client, cast, what):
    path = make(client, cast, "carol")
    assert client.get(path).status_code == 200
    if what == "membership":
        Membership.objects.filter(user=cast.carol).update(ended_at=NOON)
    elif what == "inactive":
        type(cast.carol).objects.filter(pk=cast.carol.pk).update(is_active=False)
    elif what == "person":
        Person.objects.filter(user=cast.carol).update(user=None)
        Person.objects.filter(pk=factories.PersonFactory(organization=cast.riverside).pk).update(
            user=cast.carol, user_confirmed_at=NOON
        )
    else:
        Person.objects.filter(user=cast.carol).update(user_confirmed_at=None)
    assert client.get(path).status_code == 404


def test_an_address_from_before_a_time_without_membership_stays_dead(client, cast):
    """A change of role without a break keeps it; a moment without any role does not, whatever is given back."""
    path = make(client, cast, "carol")
    mine = Membership.objects.filter(user=cast.carol, organization=cast.riverside)
    hour = timedelta(hours=1)
    mine.update(ended_at=NOON + 2 * hour)
    with time_machine.travel(NOON + hour, tick=False):
        second = factories.MembershipFactory(user=cast.carol, organization=cast.riverside, role="coordinator")
    with time_machine.travel(NOON + 3 * hour, tick=False):
        assert client.get(path).status_code == 200, "the second role began before the first ended"
        Membership.objects.filter(pk=second.pk).update(ended_at=NOON + 3 * hour)
        factories.MembershipFactory(user=cast.carol, organization=cast.hilltop, role="holder")
    with time_machine.travel(NOON + 4 * hour, tick=False):
        factories.MembershipFactory(user=cast.carol, organization=cast.riverside, role="administrator")
        assert client.get(path).status_code == 404
        client.force_login(cast.carol)
        assert "Make a link" in client.get(address("calendar", cast)).content.decode()
        new = make(client, cast, "carol")
        assert (client.get(path).status_code, client.get(new).status_code) == (404, 200)


def test_guessing_is_slowed_down(client, cast):
    path = reverse("web:calendar-feed", args=["guess"])
    answers = {client.get(path).status_code for _ in range(ASKED_A_MINUTE)}
    assert answers == {404}
    assert client.get(path).status_code == 429


def test_without_a_confirmed_person_the_page_says_what_to_do(client, cast):
    Person.objects.filter(user=cast.carol).update(user_confirmed_at=None)
    client.force_login(cast.carol)
    page = client.get(address("calendar", cast)).content.decode()
    assert "Make a link" not in page
    assert "invite carol@example.org again" in page
    assert client.post(address("calendar-make", cast)).status_code == 302
    assert not CalendarFeed.objects.exists()


# --- what a calendar reads ---------------------------------------------------------------------


def test_a_date_of_ones_own_as_a_calendar_reads_it(client, cast, settings):
    settings.SITE_URL = "https://keeper.example.org"
    account = held(cast, last_login=date(2026, 11, 2), user_id="CTEST1")
    held(cast, person="henry", last_login=date(2026, 11, 2))
    entry, last = entries(client, make(client, cast, "carol"))
    deadline = account.deadlines.get(kind="inactivity")
    assert entry["SUMMARY"] == "Sign in to QIES: last safe day"
    assert (entry["DTSTART"].dt, entry["DTEND"].dt) == (deadline.due_on, deadline.due_on + timedelta(days=1))
    assert entry["UID"] == f"deadline-{deadline.pk}@keeper.example.org"
    assert entry["SEQUENCE"] == deadline.cycle
    link = f"https://keeper.example.org/o/riverside/accounts/{account.pk}/"
    assert entry["URL"] == link
    said = entry["DESCRIPTION"].split("\n")
    assert said[:2] == ["After that your QIES account is disabled.", "Last known login: Mon 2 Nov 2026."]
    assert said[-2:] == [link, "As of Fri 20 Nov 2026."]
    assert "CTEST1" not in entry.to_ical().decode()
    assert last["SUMMARY"] == "Your QIES account is deleted after this day"
    [alarm] = entry.walk("VALARM")
    assert alarm["TRIGGER"].dt == timedelta(days=-2, hours=9)


def test_steps_that_are_mine_and_decisions_that_wait_for_me_are_entries(client, cast):
    asked = submitted(cast)
    decision = asked.steps.get(position=0)
    [entry] = entries(client, make(client, cast, "alice"))
    assert entry["SUMMARY"] == "Decide about Henry Test’s request (New account, iQIES at Oak House): last day"
    assert entry["DTSTART"].dt == decision.due_on
    assert entry["URL"].endswith(f"/o/riverside/requests/{asked.pk}/")
    theirs = {name: make(client, cast, name) for name in ("carol", "henry")}
    assert titles(client, theirs["carol"]) == [], "who asked does not decide"
    invited = approved(cast, system="sams", role="individual-user")
    record_outcome(
        scope=cast.scope("carol"), step=invited.steps.get(key_in_list="invitation"), worked=True, on=TODAY, at=NOON
    )
    [mine] = entries(client, theirs["henry"])
    assert mine["SUMMARY"] == "Register within 30 days (New account, SAMS at Oak House): last day"
    assert mine["DTSTART"].dt == TODAY + timedelta(days=30)


def test_after_a_login_the_same_entry_moves_with_a_higher_sequence(client, cast):
    account = held(cast, last_login=TODAY - timedelta(days=20))
    path = make(client, cast, "carol")
    before, _ = entries(client, path)
    record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON)
    after, _ = entries(client, path)
    assert after["UID"] == before["UID"]
    assert after["DTSTART"].dt == before["DTSTART"].dt + timedelta(days=20)
    assert after["SEQUENCE"] > before["SEQUENCE"]


def test_a_stricter_day_of_the_organization_is_the_day_and_closed_or_muted_dates_are_left_out(client, cast):
    account = held(cast, last_login=TODAY - timedelta(days=20))
    deadline = account.deadlines.get(kind="inactivity")
    HouseWindow.objects.create(
        organization=cast.riverside, system=System.objects.get(slug="qies"), mention_days=25, flag_days=30
    )
    stricter = deadline.due_on - timedelta(days=30)
    account.deadlines.filter(kind="inactivity").update(target_on=stricter)
    path = make(client, cast, "carol")
    entry, _ = entries(client, path)
    assert entry["DTSTART"].dt == stricter
    assert entry["SUMMARY"] == "Sign in to QIES: your organization’s day"
    assert "the last safe day is" in entry["DESCRIPTION"]
    account.deadlines.update(muted=True)
    assert entries(client, path) == []
    account.deadlines.update(muted=False, closed_at=NOON)
    assert entries(client, path) == []


def test_of_two_tenants_each_calendar_has_its_own(client, cast):
    """Mallory is a member of both, and looks after everything at Hilltop."""
    held(cast, person="henry", last_login=TODAY - timedelta(days=20))
    factories.MembershipFactory(user=cast.mallory, organization=cast.riverside, role="holder")
    theirs = factories.PersonFactory(
        organization=cast.riverside, last_name="Mallory", user=cast.mallory, user_confirmed_at=NOON
    )
    cast.people["here"] = theirs
    mine = held(cast, person="here", last_login=TODAY - timedelta(days=10))
    sign_in(client, cast.mallory)
    made = client.post(reverse("web:calendar-make", args=[cast.hilltop.slug]), {"dates": "all"}, follow=True)
    assert entries(client, urlsplit(made.context["link"]).path) == []
    here = entries(client, make(client, cast, "mallory", dates="all"))
    own = {f"deadline-{pk}" for pk in mine.deadlines.values_list("pk", flat=True)}
    assert {str(each["UID"]).partition("@")[0] for each in here} == own
