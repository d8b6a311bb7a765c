"""One mail per person and local day: what it says, what it leaves out, and when it is written at all."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from accounts.models import Deadline
from accounts.services.inventory import remove_account
from accounts.services.logins import record_login
from accounts.words import day_short
from audit.models import AuditEvent
from facilities.models import Facility, Membership
from reminders.models import Delivery, Digest, MailPreference, Reminder
from reminders.services.deliver import deliver
from reminders.services.digests import assemble
from reminders.services.plan import plan_due
from staff.models import Employment
from tests.conftest import NOON, TODAY
from tests.reminders.mailbox import html, outbox, read, text
from tests.reminders.making import DAY, administrator, clock, held, only_published_limits, started

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture
def riverside(cast):
    """The cast, with Riverside's reminders started."""
    return started(cast)


def written(at=NOON):
    """Plan and assemble; return the digests that are ready, by first name."""
    plan_due(at=at)
    assemble(at=at)
    ready = Digest.objects.filter(state=Digest.State.READY).select_related("person")
    return {digest.person.first_name: digest for digest in ready}


def test_two_logins_due_on_one_day_make_the_subject_of_the_one_mail(riverside):
    held(riverside, left=20)
    held(riverside, left=20, slug="idm")
    digest = written()["Henry"]
    assert digest.subject == f"2 CMS logins due by {day_short(TODAY + 20 * DAY)}"
    assert digest.reminders.count() == 2


def test_the_mail_says_the_day_the_deed_and_what_follows_and_links_to_the_site(riverside, settings):
    settings.SITE_URL = "https://keeper.example.org"
    account = held(riverside, left=5)
    said = text(read(written()["Henry"].message.encode()))
    assert f"Sign in to iQIES by {day_short(TODAY + 5 * DAY)} (in five days): last seen 55 days ago." in said
    assert "After that your iQIES roles are revoked." in said
    assert f"https://keeper.example.org{reverse('web:account', args=['riverside', account.pk])}" in said
    assert "https://keeper.example.org" + reverse("web:today", args=["riverside"]) in said


def test_both_forms_say_the_same_and_the_styles_are_inlined(riverside):
    held(riverside, left=5)
    mail = read(written()["Henry"].message.encode())
    sentence = f"Sign in to iQIES by {day_short(TODAY + 5 * DAY)} (in five days): last seen 55 days ago."
    assert sentence in text(mail)
    assert sentence in html(mail)
    assert "<style" not in html(mail)
    assert "style=" in html(mail)
    assert "$" not in html(mail) + text(mail)


def test_what_people_typed_is_escaped_in_html_and_plain_in_text(riverside):
    riverside.riverside.name = "River & <b>Sons</b> $lead"
    riverside.riverside.save(update_fields=["name"])
    held(riverside, left=5)
    mail = read(written()["Henry"].message.encode())
    assert "River &amp; &lt;b&gt;Sons&lt;/b&gt; $lead" in html(mail)
    assert "River & <b>Sons</b> $lead" in text(mail)


def test_headers_tell_that_a_machine_wrote_it_and_when(riverside):
    held(riverside, left=5)
    digest = written()["Henry"]
    mail = read(digest.message.encode())
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == digest.message_id
    assert mail["Date"].datetime == NOON
    assert mail["To"] == "henry@example.org"
    assert len(digest.message_sha256) == 64


def test_the_holder_is_told_to_sign_in_and_the_administrator_whom_to_remind(riverside):
    administrator(riverside, "fay", riverside.oak)
    held(riverside, left=5)
    digests = written()
    assert "Sign in to iQIES" in text(read(digests["Henry"].message.encode()))
    said = text(read(digests["Fay"].message.encode()))
    assert "Remind Henry Test, or arrange cover: the iQIES roles are revoked after" in said
    assert "Sign in to" not in said


def test_the_day_after_the_mail_says_what_to_do_now(riverside):
    only_published_limits(riverside)
    held(riverside, left=-1)
    digest = written()["Henry"]
    assert digest.subject == "1 CMS login late"
    said = text(read(digest.message.encode()))
    assert "Your iQIES roles are presumed revoked: the last safe day was" in said
    assert "request each role again" in said


def test_late_and_due_are_counted_apart(riverside):
    only_published_limits(riverside)
    held(riverside, left=-3)
    held(riverside, left=5, slug="idm")
    assert written()["Henry"].subject == f"1 CMS login late, 1 due by {day_short(TODAY + 5 * DAY)}"


def test_a_rule_of_our_own_is_said_to_be_ours(riverside):
    held(riverside, left=30, slug="harp", limit=90)
    assert "Your organization’s own rule; CMS publishes no limit here." in text(
        read(written()["Henry"].message.encode())
    )


def test_where_the_clocks_differ_the_local_end_is_told(riverside):
    Facility.objects.filter(pk=riverside.oak.pk).update(zone="Pacific/Honolulu")
    held(riverside, left=5)
    assert "7 p.m. in Honolulu" in text(read(written()["Henry"].message.encode()))


def test_no_mail_before_six_in_the_morning_where_the_organization_is(riverside):
    held(riverside, left=5)
    assert written(datetime(2026, 11, 20, 10, 59, tzinfo=UTC)) == {}
    assert set(written(datetime(2026, 11, 20, 11, 0, tzinfo=UTC))) == {"Henry"}


def test_a_persons_own_hour_and_zone_count(riverside):
    henry = riverside.people["henry"]
    MailPreference.objects.create(organization=riverside.riverside, person=henry, hour=9, zone="Pacific/Honolulu")
    held(riverside, left=5)
    assert written(datetime(2026, 11, 20, 18, 59, tzinfo=UTC)) == {}
    assert written(datetime(2026, 11, 20, 19, 0, tzinfo=UTC))["Henry"].local_on == TODAY


def test_a_snoozed_person_gets_one_mail_with_the_latest_step_afterwards(riverside):
    henry = riverside.people["henry"]
    MailPreference.objects.create(
        organization=riverside.riverside, person=henry, zone="America/New_York", snoozed_until_on=TODAY + 14 * DAY
    )
    account = held(riverside, left=20)
    for day in range(15):
        assert written(NOON + day * DAY) == {}
    assert written(NOON + 15 * DAY)["Henry"].reminders.get().step == 5
    states = dict(Reminder.objects.filter(deadline=clock(account)).values_list("step", "state"))
    assert states == {20: "skipped", 10: "skipped", 5: "in_digest"}


def test_one_digest_a_day_the_rest_waits_for_tomorrow(riverside):
    held(riverside, left=5)
    written()
    held(riverside, left=5, slug="idm")
    written(NOON + DAY / 12)
    assert Digest.objects.filter(person=riverside.people["henry"]).count() == 1
    deliver(at=NOON + DAY / 12)
    written(NOON + DAY)
    assert Digest.objects.filter(person=riverside.people["henry"]).count() == 2


def test_a_login_between_planning_and_writing_leaves_nothing_to_say(riverside):
    account = held(riverside, left=5)
    plan_due(at=NOON)
    record_login(scope=riverside.scope("henry"), account=account, happened_on=TODAY, at=NOON)
    assert assemble(at=NOON).superseded == 1
    assert not Digest.objects.exists()
    assert Reminder.objects.get(step=5).state == Reminder.State.SUPERSEDED


def test_an_account_removed_meanwhile_is_left_out_and_the_others_stay(riverside):
    gone = held(riverside, left=5, slug="idm")
    held(riverside, left=5)
    plan_due(at=NOON)
    remove_account(scope=riverside.scope("alice"), account=gone, removed_on=TODAY, at=NOON)
    assemble(at=NOON)
    said = text(read(Digest.objects.get().message.encode()))
    assert "iQIES" in said
    assert "IDM" not in said


def test_an_administrator_who_is_none_any_more_is_not_told(riverside):
    administrator(riverside, "fay", riverside.oak)
    held(riverside, left=5)
    plan_due(at=NOON)
    Membership.objects.filter(user__email="fay@example.org").update(ended_at=NOON)
    assemble(at=NOON)
    assert [digest.person.first_name for digest in Digest.objects.all()] == ["Henry"]


def test_a_holder_who_left_meanwhile_is_not_told(riverside):
    held(riverside, left=5)
    plan_due(at=NOON)
    Employment.objects.filter(person=riverside.people["henry"]).update(valid_to=TODAY - DAY)
    assemble(at=NOON)
    assert not Digest.objects.exists()


def test_a_forged_reminder_shows_no_other_tenants_account(riverside):
    riverside.hilltop.reminders_started_at = NOON - DAY
    riverside.hilltop.save(update_fields=["reminders_started_at"])
    foreign = held(riverside, left=5, person="mallory", slug="idm")
    held(riverside, left=5)
    plan_due(at=NOON)
    for organization in (riverside.riverside, riverside.hilltop):
        Reminder.objects.create(
            organization=organization,
            deadline=clock(foreign),
            cycle=1,
            step=20 if organization == riverside.hilltop else 19,
            recipient=riverside.people["henry"],
            planned_at=NOON,
        )
    assemble(at=NOON)
    said = {digest.person.first_name: text(read(digest.message.encode())) for digest in Digest.objects.all()}
    assert "IDM" in said["Mallory"]
    assert "IDM" not in said["Henry"]
    assert "Mallory" not in said["Henry"]
    assert Reminder.objects.filter(recipient=riverside.people["henry"], state="superseded").count() == 2


def many(cast, number, per_account=1):
    """Give Henry's deadline's many copies: other people's accounts of Oak and Elm, two days before their day."""
    for position in range(number):
        facility = cast.oak if position % 3 else cast.elm
        person = type(cast.people["henry"]).objects.create(
            organization=cast.riverside, first_name=f"P{position}", last_name="Sample", email=""
        )
        cast.people[f"p{position}"] = person
        held(cast, left=2, person=f"p{position}", facility=facility)


def test_beyond_twenty_five_rows_a_mail_counts_per_facility(riverside):
    many(riverside, 32)
    digest = written()["Alice"]
    said = text(read(digest.message.encode()))
    assert digest.subject == f"32 CMS logins due by {day_short(TODAY + 2 * DAY)}"
    assert said.count("Remind P") == 25
    rest = [line for line in said.splitlines() if line.startswith("* ") and " more: " in line]
    assert sum(int(line.split()[1]) for line in rest) == 7
    assert reverse("web:facility", args=["riverside", riverside.oak.pk]) in said
    assert digest.reminders.count() == 32


def test_queries_do_not_grow_with_people_and_rows(riverside, django_assert_max_num_queries):
    many(riverside, 3)
    plan_due(at=NOON)
    with django_assert_max_num_queries(40) as few:
        assemble(at=NOON)
    for person in ("henry", "carol", "olga"):
        held(riverside, left=12, person=person)
        held(riverside, left=12, person=person, slug="idm")
    plan_due(at=NOON + 2 * DAY)
    with django_assert_max_num_queries(len(few) + 8) as more:
        assemble(at=NOON + 2 * DAY)
    assert Digest.objects.filter(created_at=NOON + 2 * DAY).count() >= 3
    assert len(more) <= len(few) + 8


def test_new_is_said_of_what_the_last_mail_did_not_have(riverside, mailoutbox):
    held(riverside, left=20)
    written()
    deliver(at=NOON)
    held(riverside, left=20, slug="idm")
    written(NOON + 10 * DAY)
    deliver(at=NOON + 10 * DAY)
    first, second = (text(mail) for mail in outbox(mailoutbox))
    assert "new since the last mail" not in first
    assert second.count("new since the last mail") == 1
    assert "IDM by" in next(line for line in second.splitlines() if "new since" in line)


def test_a_digest_that_cannot_be_written_is_set_aside_and_the_others_go_out(riverside):
    held(riverside, left=5)
    held(riverside, left=5, person="carol")
    plan_due(at=NOON)
    henry = riverside.people["henry"]
    type(henry).objects.filter(pk=henry.pk).update(email="henry@example.org\nBcc: all@example.org")
    done = assemble(at=NOON)
    assert (done.planned, done.failed) == (1, 1)
    assert Digest.objects.get(person=henry).state == Digest.State.FAILED
    assert "BadHeaderError" in Delivery.objects.get(digest__person=henry).detail
    assert Digest.objects.get(person=riverside.people["carol"]).state == Digest.State.READY
    assert assemble(at=NOON) == type(done)()
    type(henry).objects.filter(pk=henry.pk).update(email="henry@example.org")
    assert set(written(NOON + DAY)) == {"Henry", "Carol"}


def test_a_zone_nobody_knows_does_not_silence_the_organization(riverside):
    riverside.riverside.zone = "Mars/Olympus"
    riverside.riverside.save(update_fields=["zone"])
    held(riverside, left=5)
    assert set(written()) == {"Henry"}


def test_a_second_run_of_the_day_writes_nothing_and_one_event_tells_of_the_first(riverside):
    held(riverside, left=5)
    held(riverside, left=5, person="carol")
    written()
    before = (Digest.objects.count(), AuditEvent.objects.count(), Deadline.objects.count())
    written()
    assert before == (Digest.objects.count(), AuditEvent.objects.count(), Deadline.objects.count())
    assert AuditEvent.objects.get(action="digests.assembled").item_count == 2
