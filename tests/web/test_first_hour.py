"""The first hour: five steps computed from what is stored, kept per facility, and a test digest to oneself alone."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.lists.columns import guess_accounts
from accounts.services.account_lists import import_account_list
from audit.models import AuditEvent
from facilities.access import NotAllowed, Scope
from facilities.models import Facility, FirstHourMark
from facilities.models.tenancy import Role
from facilities.services.first_hour import StepRefused, mark_step, unmark_step
from facilities.services.organizations import start_reminders
from facilities.services.places import FacilityFacts, register_facility
from imports.lists import open_list
from imports.opening import Held
from reminders.models import Digest, MailHold, Reminder, TrialMail
from reminders.services import trials
from reminders.services.tick import run_tick
from reminders.services.trials import send_trial
from staff.roster_columns import guess_roster
from staff.services.people import end_employment
from staff.services.rosters import import_roster
from tests import factories
from tests.conftest import NOON
from tests.reminders.mailbox import mails_to, outbox, text
from tests.web.holdings import crowd, held
from web.first_hour import LOOKED_AT, YOUNG, line_for_today

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
QUERIES, QUERIES_OF_ALL = 18, 13
KNOWS = {"people": guess_roster, "accounts": guess_accounts}


@pytest.fixture(autouse=True)
def _noon(catalogue):
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def chief(catalogue):
    """The administrator of an organization in which there is nothing yet; the factory of its scope."""
    young = factories.OrganizationFactory(slug="young", name="Young Care")
    user = factories.UserFactory(email="chief@example.org", name="Chief Test")
    factories.MembershipFactory(user=user, organization=young, role=Role.ADMINISTRATOR)
    return user


def at(name, *args, slug="riverside"):
    return reverse(f"web:{name}", args=[slug, *args])


def page(client, user, path, status=200):
    client.force_login(user)
    answer = client.get(path)
    assert answer.status_code == status
    return answer


def sample(client, user, place, kind, form="csv", slug="young"):
    answer = page(client, user, at("facility-sample", place.pk, kind, form, slug=slug))
    assert answer["Content-Disposition"] == f'attachment; filename="sample-{kind}.{form}"'
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return Held(f"sample-{kind}.{form}", content)


def administrator_of(place, name="fay"):
    user = factories.UserFactory(email=f"{name}@example.org", name="Fay Test")
    factories.MembershipFactory(user=user, organization=place.organization, facility=place, role=Role.ADMINISTRATOR)
    return user


# --- the steps ---------------------------------------------------------------------------------


def test_the_steps_follow_from_what_the_services_store(client, chief):
    def line():
        started = page(client, chief, at("today", slug="young")).context["started"]
        return started and f"{started['label']}: {started['said']}"

    assert line() == "Getting started: none of five steps done; next: register a facility"
    empty = page(client, chief, at("first-hours", slug="young"))
    assert [item["label"] for item in empty.context["items"] if item.get("url")] == ["Register a facility"]
    scope = Scope.of(chief, chief.memberships.get().organization)
    facts = FacilityFacts("015980", "AL", "35653", name="Harbor View")
    place = register_facility(scope=scope, facts=facts, override_reason="New here", at=NOON)
    assert line() == "Getting started at Harbor View: one of five steps done; next: paste your people"
    import_roster(scope=scope, path=sample(client, chief, place, "people"), at=NOON)
    assert line().endswith("two of five steps done; next: say who the Security Officials are")
    import_account_list(scope=scope, path=sample(client, chief, place, "accounts"), at=NOON)
    assert line().endswith("three of five steps done; next: settle who hears what")
    send_trial(scope=scope, facility=place, at=NOON)  # the order is advice: mails need not have been started
    assert line().endswith("four of five steps done; next: settle who hears what")
    start_reminders(organization=scope.organization, actor=scope.actor, at=NOON)
    assert line() is None
    done = page(client, chief, at("first-hour", place.pk, slug="young")).context
    assert [item["done"] for item in done["items"]] == [True] * 5
    assert page(client, chief, at("first-hours", slug="young")).context["rows"] == []


def test_an_official_counts_while_she_works_here_and_on_each_system_in_use(client, cast):
    def officials():
        items = page(client, cast.alice, at("first-hour", cast.oak.pk)).context["items"]
        return items[2]["done"], items[2].get("note", "")

    assert officials() == (False, "")
    coordinator = held(cast, "carol")  # the first role of iQIES decides about the others
    assert officials() == (True, "")
    coordinator.grants.update(role=coordinator.system.roles.exclude(privileged=True).first())
    assert officials() == (False, "Nobody is known as Security Official of iQIES here.")
    held(cast, "henry")
    assert officials() == (True, "")
    job = cast.people["henry"].employments.known().get()
    end_employment(scope=cast.scope("alice"), employment=job, last_day_on=NOON.date() - timedelta(days=1), at=NOON)
    assert officials() == (False, "Nobody is known as Security Official of iQIES here.")


def test_a_step_is_set_aside_for_one_facility_with_a_reason_and_taken_up_again(client, cast):
    url = at("first-hour-mark", cast.oak.pk, "officials")
    refused = page(client, cast.alice, url)
    refused = client.post(url, {"state": "not_needed", "reason": ""})
    assert "Say in a few words why" in refused.content.decode()
    refused = client.post(url, {"state": "not_needed", "reason": "password: Hunter2!"})
    assert "Hunter2" not in refused.content.decode()
    assert not FirstHourMark.objects.exists()
    client.post(url, {"state": "elsewhere", "reason": "The office in Tampa"})
    shown = page(client, cast.alice, at("first-hour", cast.oak.pk)).context["items"][2]
    assert (shown["done"], shown["words"]) == (True, "Done elsewhere")
    assert shown["note"] == "Done elsewhere: The office in Tampa (alice@example.org, Fri 20 Nov 2026)"
    assert not page(client, cast.alice, at("first-hour", cast.elm.pk)).context["items"][2]["done"]
    client.post(shown["undo_url"])
    assert not page(client, cast.alice, at("first-hour", cast.oak.pk)).context["items"][2]["done"]
    events = AuditEvent.objects.filter(action__startswith="facility.step-").order_by("pk")
    assert [(each.action, each.reason) for each in events] == [
        ("facility.step-set-aside", "The office in Tampa"),
        ("facility.step-taken-up", "The office in Tampa"),
    ]


def test_setting_aside_is_repeatable_and_stays_within_the_tenant(cast):
    said = {"step": "people", "state": "not_needed", "reason": "Vendors only", "at": NOON}
    scope = cast.scope("alice")
    first = mark_step(scope=scope, facility=cast.oak, **said)
    assert mark_step(scope=scope, facility=cast.oak, **said) == first
    mark_step(scope=scope, facility=cast.oak, **said | {"state": "elsewhere", "reason": ""})
    assert [str(mark) for mark in FirstHourMark.objects.all()] == ["Bring in your people: done elsewhere"]
    assert AuditEvent.objects.filter(action="facility.step-set-aside").count() == 2
    assert unmark_step(scope=scope, facility=cast.oak, step="people", at=NOON)
    assert not unmark_step(scope=scope, facility=cast.oak, step="people", at=NOON)
    with pytest.raises(NotAllowed):
        mark_step(scope=cast.scope("carol"), facility=cast.oak, **said)
    with pytest.raises(StepRefused):
        mark_step(scope=scope, facility=cast.summit, **said)


def test_only_those_who_lead_are_asked_and_only_for_young_facilities(cast, client, django_assert_num_queries):
    for name in ("carol", "henry", "audrey"):
        scope = cast.scope(name)
        with django_assert_num_queries(0):
            assert line_for_today(scope, empty=True, at=NOON) is None
    Facility.objects.update(created_at=NOON)
    scope = cast.scope("alice")
    with django_assert_num_queries(1):
        found = line_for_today(scope, empty=True, at=NOON)
    assert found["url"] == at("first-hour", cast.oak.pk)
    assert found["all_url"] == at("first-hours")
    assert [row["label"] for row in page(client, cast.alice, at("first-hours")).context["rows"]] == [
        "Elm House",
        "Oak House",
    ]
    assert line_for_today(scope, empty=False, at=NOON + YOUNG + timedelta(days=1)) is None


def test_today_looks_at_the_newest_young_facilities_only(cast, client, django_assert_num_queries):
    Facility.objects.filter(organization=cast.riverside).update(created_at=NOON - timedelta(days=1))
    newer = factories.FacilityFactory.create_batch(LOOKED_AT, organization=cast.riverside)
    Facility.objects.filter(pk__in=[place.pk for place in newer]).update(created_at=NOON)
    scope = cast.scope("alice")
    for place in newer[1:]:
        for step in FirstHourMark.Step.values:
            mark_step(scope=scope, facility=place, step=step, state="elsewhere", reason="", at=NOON)
    found = line_for_today(scope, empty=True, at=NOON)
    assert (found["url"], found["all_url"]) == (at("first-hour", newer[0].pk), "")
    for step in FirstHourMark.Step.values:
        mark_step(scope=scope, facility=newer[0], step=step, state="elsewhere", reason="", at=NOON)
    with django_assert_num_queries(2):  # the second: whether there are more than were looked at
        found = line_for_today(scope, empty=True, at=NOON)  # Elm and Oak are not through, but older
    assert found["said"] == "the newest 20 facilities are through; see whether an older one is not"
    assert found["url"] == at("first-hours")
    rows = page(client, cast.alice, at("first-hours")).context["rows"]
    assert [row["label"] for row in rows] == ["Elm House", "Oak House"]


def test_an_administrator_of_one_facility_gets_her_own_deeds_only(client, cast):
    fay = administrator_of(cast.elm)
    assert page(client, fay, at("first-hours")).context["rows"][0]["label"] == "Elm House"
    page(client, fay, at("first-hour", cast.oak.pk), status=404)
    shown = page(client, fay, at("first-hour", cast.elm.pk))
    deeds = [item.get("deed") for item in shown.context["items"]]
    assert deeds == [None, None, "Choose who it is", None, "Send me a test digest"]
    assert not shown.context["samples"]
    page(client, fay, at("facility-sample", cast.elm.pk, "people", "csv"), status=403)
    client.post(at("first-hour-test"), {"facility": cast.elm.pk})
    assert TrialMail.objects.get().facility == cast.elm
    assert page(client, fay, at("first-hour", cast.elm.pk)).context["items"][4]["done"]
    assert not page(client, cast.alice, at("first-hour", cast.oak.pk)).context["items"][4]["done"]


def test_who_hears_what_names_those_who_would(client, cast):
    def heard():
        shown = page(client, cast.alice, at("first-hour", cast.oak.pk)).context["hearers"]
        return {hearer.who: hearer.people for hearer in shown}

    assert heard() == {
        "Who holds accounts": "nobody so far",
        "Who stands in for somebody": "nobody so far",
        "Administrators of Oak House": "nobody so far",
        "Administrators of the organization": "Alice Test",
    }
    fay = administrator_of(cast.oak)
    factories.PersonFactory(organization=cast.riverside, first_name="Fay", last_name="Test", email=fay.email, user=fay)
    held(cast, "carol")
    silent = factories.PersonFactory(organization=cast.riverside, email="")
    held(cast, silent)
    assert heard()["Administrators of Oak House"] == "Fay Test"
    assert heard()["Who holds accounts"] == "two people so far; one has no work e-mail and can hear nothing"
    said = page(client, cast.alice, at("first-hour", cast.oak.pk)).context["hearers"]
    assert "20, 10, five and two days before" in said[0].what
    assert "five days before" in said[2].what
    assert "two days before" in said[3].what


def test_the_pages_cost_the_same_for_few_and_for_many(client, cast):
    first, every = at("first-hour", cast.oak.pk), at("first-hours")
    counts = {}
    for people in (2, 8):
        crowd(cast, people)
        factories.FacilityFactory.create_batch(people, organization=cast.riverside)
        for path in (first, every):
            page(client, cast.alice, path)  # the session writes its own rows once
            with CaptureQueriesContext(connection) as asked:
                client.get(path)
            counts.setdefault(path, set()).add(len(asked))
    assert counts == {first: {QUERIES}, every: {QUERIES_OF_ALL}}
    hints = [row["hint"] for row in page(client, cast.alice, every).context["rows"]]
    assert hints
    assert not any("security official" in hint for hint in hints), "names keep their capitals"


# --- the samples -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_samples_are_understood_whole_and_import_as_they_are(client, cast, form):
    scope = cast.scope("mallory")
    licensed = factories.FacilityFactory(organization=cast.hilltop, name="Bluff House", ccn=None, licensed_only=True)
    for place in (cast.summit, licensed):
        for kind, bring in (("people", import_roster), ("accounts", import_account_list)):
            file = sample(client, cast.mallory, place, kind, form, slug="hilltop")
            guess = KNOWS[kind](open_list(file, knows=lambda header: True).header)
            assert (guess.unknown, guess.secrets) == ((), ())
            assert {column.confidence for column in guess.columns.values()} == {1.0}
            report = bring(scope=scope, path=file, at=NOON)
            assert (report.rows, report.rejected) == (3, [])
        if place == cast.summit:
            assert not report.unknown_people
            assert report.created == 3


# --- the test digest ---------------------------------------------------------------------------


def test_the_test_digest_says_what_todays_would_and_goes_to_nobody_else(client, cast):
    held(cast, "alice", ago=57)
    held(cast, "henry", ago=57)
    client.force_login(cast.alice)
    answer = client.post(at("first-hour-test"), {"facility": cast.oak.pk, "to": "henry@example.org"}, follow=True)
    assert "A test digest is on its way to alice@example.org" in answer.content.decode()
    [sent] = outbox(mail.outbox)
    assert (sent["To"], sent["Subject"]) == ("alice@example.org", "Test: 1 CMS login due by Mon 23 Nov")
    said = "Sign in to iQIES by Mon 23 Nov (in three days): last seen 57 days ago."
    assert said in text(sent)
    assert "This is a test that you asked for." in text(sent)
    assert (Reminder.objects.count(), Digest.objects.count()) == (0, 0)
    trial = TrialMail.objects.get()
    assert (trial.state, trial.facility, trial.user) == ("sent", None, cast.alice)
    assert sent["Message-ID"] == trial.message_id
    events = AuditEvent.objects.filter(action__startswith="test-digest.").order_by("pk")
    assert [(each.action, each.actor_label) for each in events] == [
        ("test-digest.written", "alice@example.org"),
        ("test-digest.sent", "alice@example.org"),
    ]
    start_reminders(organization=cast.riverside, actor=cast.scope("alice").actor, at=NOON)
    run_tick(at=NOON)
    real = mails_to(mail.outbox, "alice")[1]
    assert said in text(real)  # the test took nothing away from the day's own digest
    cache.clear()
    ledger = list(Reminder.objects.order_by("pk").values())
    client.post(at("first-hour-test"), {"facility": cast.oak.pk})
    again = mails_to(mail.outbox, "alice")[2]
    assert said in text(again)  # told already, and still what today's digest says
    assert again["Subject"] == f"Test: {real['Subject']}"
    assert list(Reminder.objects.order_by("pk").values()) == ledger


def test_a_second_test_within_the_minute_is_not_sent(client, cast):
    client.force_login(cast.alice)
    for facility, status in (({"facility": cast.oak.pk}, 302), ({"facility": cast.oak.pk}, 429)):
        assert client.post(at("first-hour-test"), facility).status_code == status
    assert len(mail.outbox) == TrialMail.objects.count() == 1
    with time_machine.travel(NOON + timedelta(minutes=2), tick=False):
        cache.clear()  # the cache ends a minute by the machine's clock
        assert client.post(at("first-hour-test"), {"facility": cast.oak.pk}).status_code == 302
    assert len(mail.outbox) == 2


def test_where_nothing_is_due_the_test_shows_a_marked_sample(client, cast):
    client.force_login(cast.alice)
    client.post(at("first-hour-test"), {"facility": cast.oak.pk})
    [sent] = outbox(mail.outbox)
    assert sent["Subject"] == "Test: nothing is due for you today, so this shows a sample"
    rows = [line for line in text(sent).splitlines() if line.startswith("* ")]
    assert len(rows) == 2
    assert all(row.startswith("* Sample: ") for row in rows)
    assert rows[0] == "* Sample: Sign in to iQIES by Thu 10 Dec (in 20 days): last seen 40 days ago."


def test_a_test_that_cannot_leave_is_said_and_counts_for_nothing(client, cast, settings):
    MailHold.objects.create(reason="restored", held_at=NOON)
    client.force_login(cast.alice)
    answer = client.post(at("first-hour-test"), {"facility": cast.oak.pk}, follow=True)
    assert "All mail is on hold" in answer.content.decode()
    MailHold.objects.update(released_at=NOON)
    cache.clear()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    answer = client.post(at("first-hour-test"), {"facility": cast.oak.pk}, follow=True)
    assert "The test digest did not leave: the mail server cannot be used" in answer.content.decode()
    assert TrialMail.objects.get().state == "failed"
    assert AuditEvent.objects.filter(action="test-digest.failed").count() == 1
    assert not page(client, cast.alice, at("first-hour", cast.oak.pk)).context["items"][4]["done"]


@pytest.mark.parametrize("due", [True, False])
def test_a_test_says_where_digests_go_if_elsewhere(client, cast, due):
    alice = cast.people["alice"]
    if due:
        held(cast, "alice", ago=57)
    client.force_login(cast.alice)
    for email, said in (("a.test@example.com", True), ("Alice@Example.org", False)):
        type(alice).objects.filter(pk=alice.pk).update(email=email, user=cast.alice)
        cache.clear()
        answer = client.post(at("first-hour-test"), {"facility": cast.oak.pk}, follow=True)
        sent = outbox(mail.outbox)[-1]
        assert sent["To"] == "alice@example.org"
        words = f"Your digests go to {email}"
        assert (words in " ".join(text(sent).split()), words in answer.content.decode()) == (said, said)


def test_who_has_no_work_e_mail_gets_no_sample_but_what_to_do(client, cast):
    type(cast.people["alice"]).objects.filter(pk=cast.people["alice"].pk).update(email="", user=cast.alice)
    client.force_login(cast.alice)
    answer = client.post(at("first-hour-test"), {"facility": cast.oak.pk}, follow=True)
    assert "Your entry under People has no work e-mail" in answer.content.decode()
    assert (mail.outbox, TrialMail.objects.count()) == ([], 0)
    assert not page(client, cast.alice, at("first-hour", cast.oak.pk)).context["items"][4]["done"]


def test_a_deadlock_with_a_tick_is_said_and_little_is_asked_while_rows_are_locked(client, cast, monkeypatch):
    outside, written = len(connection.savepoint_ids), []

    def backwards(**whose):
        assert len(connection.savepoint_ids) == outside
        return [(2, 1, 5), (1, 1, 5)]

    def deadlock(rows):
        written.extend((row.deadline_id, row.cycle, row.step) for row in rows)
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(trials, "would_be_told", backwards)
    monkeypatch.setattr(Reminder.objects, "bulk_create", deadlock)
    client.force_login(cast.alice)
    answer = client.post(at("first-hour-test"), {"facility": cast.oak.pk}, follow=True)
    assert "Today’s mails are just being planned. Nothing was sent" in answer.content.decode()
    assert written == [(1, 1, 5), (2, 1, 5)]
    assert (mail.outbox, TrialMail.objects.count()) == ([], 0)
