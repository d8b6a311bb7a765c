"""While somebody is away her deputy hears what she would hear, is told for whom, and never to sign in herself."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from reminders.models import Reminder
from reminders.services.plan import plan_due
from staff.models import Absence, Deputy, Employment
from staff.services.absences import AbsenceRefused, end_absence, record_absence
from staff.services.deputies import end_deputy, name_deputy
from tests.conftest import NOON, TODAY
from tests.reminders.mailbox import outbox, text
from tests.reminders.making import DAY, held, ledger, only_published_limits, started
from tests.reminders.test_tick import ask
from web.first_mail import first_mail

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture
def riverside(cast):
    """The cast, with Riverside's reminders started."""
    only_published_limits(cast)
    return started(cast)


def away(cast, until=TODAY + 9 * DAY, since=TODAY, deputy="carol"):
    return record_absence(
        scope=cast.scope("alice"), person=cast.people["henry"], away_from_on=since, away_to_on=until, at=NOON,
        deputy=cast.people[deputy],
    )  # fmt: skip


def for_good(cast, deputy, since=TODAY):
    return Deputy.objects.create(
        organization=cast.riverside, person=cast.people["henry"], deputy=cast.people[deputy], valid_from=since,
        recorded_at=NOON, recorded_by="test",
    )  # fmt: skip


def mail_to(mailbox, name):
    return "\n".join(text(mail) for mail in outbox(mailbox) if mail["To"] == f"{name}@example.org")


def test_the_deputy_of_somebody_who_is_away_hears_from_the_first_step_and_for_whom(riverside, mailoutbox):
    account = held(riverside, left=20)
    away(riverside)
    ask(NOON)
    assert ledger(account) == [("Carol", 20, "in_digest"), ("Henry", 20, "in_digest")]
    carols = " ".join(mail_to(mailoutbox, "carol").split())
    assert "Remind Henry Test, or arrange cover: the iQIES roles are revoked after Thu 10 Dec" in carols
    assert "You stand in for Henry Test until Sun 29 Nov 2026." in carols
    assert "Sign in to iQIES" not in carols
    assert "You stand in" not in mail_to(mailoutbox, "henry")


def test_a_deputy_who_may_not_open_the_account_reads_whom_to_ask_instead_of_a_link(riverside, mailoutbox):
    account = held(riverside, left=20)
    away(riverside)
    for_good(riverside, "olga")
    ask(NOON)
    page = reverse("web:account", args=["riverside", account.pk])
    assert page in mail_to(mailoutbox, "carol")
    assert "You cannot open it" not in mail_to(mailoutbox, "carol")
    olgas = mail_to(mailoutbox, "olga")
    assert page not in olgas
    assert "You stand in for Henry Test." in olgas
    assert "You cannot open it here: ask an administrator of Oak House." in " ".join(olgas.split())


def test_what_was_planned_for_a_deputy_is_not_sent_about_somebody_who_left_meanwhile(riverside, mailoutbox):
    held(riverside, left=20)
    away(riverside)
    plan_due(at=NOON)
    Employment.objects.filter(person=riverside.people["henry"]).update(valid_to=TODAY - DAY)
    ask(NOON)
    assert Reminder.objects.get(recipient=riverside.people["carol"]).state == "superseded"
    assert mail_to(mailoutbox, "carol") == ""


def test_who_asks_before_reminders_start_is_told_of_the_deputy_too(riverside):
    held(riverside, left=20)
    away(riverside)
    told = first_mail(organization=riverside.riverside, at=NOON).people
    assert {(person.first_name, dates) for person, dates, _ in told} == {("Henry", 1), ("Carol", 1)}


def test_before_reminders_start_a_deputy_who_has_left_is_not_counted(riverside):
    held(riverside, left=20)
    away(riverside)
    Employment.objects.filter(person=riverside.people["carol"]).update(valid_to=TODAY - DAY)
    told = first_mail(organization=riverside.riverside, at=NOON).people
    assert [person.first_name for person, _, _ in told] == ["Henry"]
    plan_due(at=NOON)
    assert {row.recipient.first_name for row in Reminder.objects.filter(state="planned")} == {"Henry"}


def test_before_and_after_the_absence_the_deputy_hears_nothing(riverside):
    account = held(riverside, left=20)
    absence = away(riverside, since=TODAY + DAY, until=None)
    assert plan_due(at=NOON) == 1
    ended = end_absence(scope=riverside.scope("alice"), absence=absence, last_day_on=TODAY + 3 * DAY, at=NOON)
    assert Deputy.objects.known().get().valid_to == ended.valid_to
    plan_due(at=NOON + 10 * DAY)
    assert {name for name, _, _ in ledger(account)} == {"Henry"}


def test_what_was_planned_for_a_deputy_is_not_sent_once_the_absence_was_taken_back(riverside, mailoutbox):
    held(riverside, left=20)
    absence = away(riverside)
    plan_due(at=NOON)
    end_absence(scope=riverside.scope("alice"), absence=absence, last_day_on=TODAY - DAY, at=NOON)
    assert not Deputy.objects.known().exists()
    ask(NOON)
    assert Reminder.objects.get(recipient=riverside.people["carol"]).state == "superseded"
    assert mail_to(mailoutbox, "carol") == ""


def test_who_was_named_for_good_stays_when_an_absence_of_the_same_first_day_ends(riverside, client):
    lasting = for_good(riverside, "olga")
    absence = away(riverside)
    client.force_login(riverside.alice)
    page = client.get(reverse("web:person", args=["riverside", riverside.people["henry"].pk])).content.decode()
    assert "Carol Test stands in." in page
    assert "Olga Test stands in." not in page
    ended = end_absence(scope=riverside.scope("alice"), absence=absence, last_day_on=TODAY, at=NOON)
    deputies = Deputy.objects.known().order_by("absence__pk").values_list("deputy__first_name", "absence", "valid_to")
    assert set(deputies) == {("Carol", ended.pk, TODAY), ("Olga", None, None)}
    end_absence(scope=riverside.scope("alice"), absence=ended, last_day_on=TODAY - DAY, at=NOON)
    assert list(Deputy.objects.known()) == [lasting]


def test_an_absence_whose_end_nobody_knows_may_name_who_was_named_for_good(riverside):
    account = held(riverside, left=20)
    lasting = for_good(riverside, "carol")
    absence = away(riverside, until=None)
    plan_due(at=NOON)
    assert ledger(account) == [("Carol", 20, "planned"), ("Henry", 20, "planned")]
    with pytest.raises(IntegrityError), transaction.atomic():
        for_good(riverside, "carol")
    end_absence(scope=riverside.scope("alice"), absence=absence, last_day_on=TODAY - DAY, at=NOON)
    assert list(Deputy.objects.known()) == [lasting]


def test_a_deputy_without_absence_joins_with_the_administrators_of_the_facility(riverside):
    for_good(riverside, "carol", since=date(2026, 1, 1))
    account = held(riverside, left=10)
    plan_due(at=NOON)
    assert {name for name, _, state in ledger(account) if state == "planned"} == {"Henry"}
    plan_due(at=NOON + 5 * DAY)
    assert ("Carol", 5, "planned") in ledger(account)


def test_a_deputy_who_was_ended_hears_nothing_after_the_last_day(riverside):
    named = name_deputy(
        scope=riverside.scope("alice"), person=riverside.people["henry"], deputy=riverside.people["carol"],
        since=date(2026, 1, 1), at=NOON,
    )  # fmt: skip
    end_deputy(scope=riverside.scope("alice"), deputy=named, last_day_on=TODAY + 4 * DAY, at=NOON)
    account = held(riverside, left=10)
    plan_due(at=NOON + 5 * DAY)
    assert "Carol" not in {name for name, _, _ in ledger(account)}


def test_nothing_goes_to_the_deputy_of_a_leaver_nor_to_one_who_left(riverside):
    account = held(riverside, left=20)
    away(riverside, deputy="olga")
    Employment.objects.filter(person=riverside.people["olga"]).update(valid_to=TODAY - DAY)
    plan_due(at=NOON)
    assert {name for name, _, _ in ledger(account)} == {"Henry"}
    Employment.objects.filter(person=riverside.people["olga"]).update(valid_to=None)
    Employment.objects.filter(person=riverside.people["henry"]).update(valid_to=TODAY - DAY)
    assert plan_due(at=NOON) == 0


@pytest.mark.parametrize("name", ["henry", "mallory"])
def test_only_somebody_else_of_the_organization_stands_in(riverside, name):
    with pytest.raises(AbsenceRefused, match="Somebody else"):
        away(riverside, deputy=name)
    assert away(riverside, deputy="carol").pk
    assert Deputy.objects.get().deputy == riverside.people["carol"]


def test_nobody_stands_in_who_will_have_left_by_then_or_has_not_begun(riverside):
    carol = Employment.objects.filter(person=riverside.people["carol"])
    carol.update(valid_to=TODAY + 2 * DAY)
    for since, until in ((TODAY + 3 * DAY, None), (TODAY + 3 * DAY, TODAY + 9 * DAY)):
        with pytest.raises(AbsenceRefused, match="Carol Test.*Oak House is 2026-11-22, before the absence") as refused:
            away(riverside, since=since, until=until)
        assert refused.value.field == "deputy"
    carol.update(valid_from=TODAY + 10 * DAY, valid_to=None)
    with pytest.raises(AbsenceRefused, match="Oak House is 2026-11-30, after the absence ends"):
        away(riverside)
    assert not Absence.objects.exists()
    carol.update(valid_from=TODAY - DAY, valid_to=TODAY + 2 * DAY)
    away(riverside, since=TODAY + 2 * DAY)
    carol.update(voided_at=NOON)
    assert away(riverside, since=TODAY + 40 * DAY, until=None).pk, "of whom no work is known nobody says that she left"


def test_the_form_offers_colleagues_and_the_page_says_who_stands_in(riverside, client):
    client.force_login(riverside.carol)
    henry, carol = riverside.people["henry"], riverside.people["carol"]
    url = reverse("web:person-away", args=["riverside", henry.pk])
    answer = client.get(url)
    assert list(answer.context["form"].fields["deputy"].queryset) == [carol]
    day = TODAY.isoformat()
    refused = client.post(url, {"away_from_on": day, "deputy": riverside.people["olga"].pk})
    assert refused.status_code == 200
    assert not Deputy.objects.exists()
    page = client.post(url, {"away_from_on": day, "deputy": carol.pk}, follow=True)
    assert "Carol Test stands in." in page.content.decode()
