"""What is wrong now reaches those who look after it: when found, after a week and a month, and when it gets worse."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import Deadline, Finding
from accounts.words import instant
from audit.models import AuditEvent
from facilities.models import Membership
from facilities.models.tenancy import Role
from reminders.found import heard
from reminders.models import Delivery, Digest, Reminder
from reminders.services.deliver import deliver
from reminders.services.digests import assemble
from reminders.services.plan import plan_due
from reminders.services.plan_findings import plan_findings, would_hear_of_findings
from staff.models import Employment
from tests import factories
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.reminders.mailbox import html, mails_to, text
from tests.reminders.making import DAY, administrator, started
from tests.reminders.test_digests import many
from tests.reminders.test_tick import ask, everything

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

FACTS = {
    "no-backup": {
        "stream": "mds",
        "stream_name": "MDS",
        "system": "iqies",
        "people": [],
        "stated": False,
        "fact": "A-1",
    },
    "few-keepers": {"people": [1]},
    "stale-profile": {"system": "iqies", "changed_on": "2026-11-02"},
    "moved-access": {"system": "iqies", "place": "Elm House", "left_on": "2026-11-02"},
}


@pytest.fixture
def riverside(cast):
    """Riverside with its reminders started; Ana administers Oak House."""
    administrator(cast, "ana", cast.oak)
    return started(cast)


def found(cast, kind="no-backup", severity="high", *, ago=0, **subject):
    """Return an open finding, by default about Oak House, as a rule would have written it."""
    subject = subject or {"facility": cast.oak}
    return Finding.objects.create(
        organization=cast.riverside,
        kind=kind,
        subject_key=f"test:{Finding.objects.count()}",
        facts=json.dumps(FACTS.get(kind, {})),
        severity=severity,
        opened_on=TODAY - ago * DAY,
        **subject,
    )


def account(cast, person="henry", facility="oak"):
    return held(cast, "iqies", person=person, facility=facility, last_login=TODAY)


def told(finding):
    """Return (first name, step, cycle) of everything planned about a finding."""
    rows = Reminder.objects.filter(finding=finding).order_by("pk")
    return [(row.recipient.first_name, row.step, row.cycle) for row in rows.select_related("recipient")]


def days(finding, *numbers):
    for number in numbers:
        plan_findings(at=NOON + number * DAY)
    return told(finding)


def test_the_facilitys_administrator_hears_at_once_after_a_week_and_after_a_month(riverside):
    finding = found(riverside, severity="medium")
    assert days(finding, *range(40)) == [("Ana", 0, 1), ("Ana", -7, 1), ("Ana", -30, 1)]


def test_who_administers_the_organization_hears_of_what_is_high_when_it_lasts_a_week(riverside):
    finding = found(riverside, severity="high")
    assert days(finding, 0, 6) == [("Ana", 0, 2)]
    assert sorted(days(finding, 7)[1:]) == [("Alice", -7, 2), ("Ana", -7, 2)]


def test_where_nobody_administers_the_facility_the_organizations_administrator_hears_at_once(riverside):
    finding = found(riverside, severity="medium", facility=riverside.elm)
    assert days(finding, 0) == [("Alice", 0, 1)]


@pytest.mark.parametrize("severity", ["low", "info"])
def test_small_things_are_not_mailed(riverside, severity):
    assert days(found(riverside, severity=severity), 0, 7, 30) == []


def test_a_passed_date_is_told_by_its_own_ladder_alone(riverside):
    account(riverside)
    ask(NOON + 90 * DAY)
    lapse = Finding.objects.open().get(kind="lapse", account__system__slug="iqies")
    assert told(lapse) == []
    assert Reminder.objects.filter(deadline=lapse.deadline).exists()


def test_what_gets_worse_is_told_anew_and_what_gets_better_is_not(riverside):
    finding = found(riverside, severity="high")
    days(finding, 0)
    for severity, number in (("critical", 1), ("high", 2), ("medium", 3), ("critical", 4)):
        Finding.objects.update(severity=severity)
        days(finding, number)
    assert told(finding) == [("Ana", 0, 2), ("Ana", 0, 3)]


def test_after_dark_days_only_the_latest_step_is_told(riverside):
    finding = found(riverside, severity="medium", ago=12)
    assert days(finding, 0, 17) == [("Ana", -7, 1)]
    assert days(finding, 18)[1:] == [("Ana", -30, 1)]


def test_a_repeated_run_plans_nothing_and_a_start_is_needed(riverside):
    found(riverside)
    assert (plan_findings(at=NOON), plan_findings(at=NOON + timedelta(hours=1))) == (1, 0)
    type(riverside.riverside).objects.update(reminders_started_at=None)
    Reminder.objects.all().delete()
    assert plan_findings(at=NOON) == 0
    assert would_hear_of_findings(organization=riverside.riverside, at=NOON) != []
    assert would_hear_of_findings(organization=riverside.hilltop, at=NOON) == []


def test_what_is_planned_is_recorded_with_one_event_per_organization(riverside):
    found(riverside)
    found(riverside, "few-keepers", "medium")
    plan_findings(at=NOON)
    event = AuditEvent.objects.get(action="reminders.planned")
    assert event.chain == f"organization:{riverside.riverside.pk}"


def test_an_account_is_looked_after_where_it_has_a_role(riverside):
    finding = found(riverside, "leaver-access", "high", account=account(riverside), person=riverside.people["henry"])
    assert days(finding, 0) == [("Ana", 0, 2)]
    elsewhere = found(
        riverside,
        "leaver-access",
        "high",
        account=account(riverside, "olga", "elm"),
        person=riverside.people["olga"],
    )
    assert days(elsewhere, 0) == [("Alice", 0, 2)]


def test_a_person_is_looked_after_where_she_works(riverside):
    finding = found(riverside, "job-change", "medium", person=riverside.people["henry"])
    assert days(finding, 0) == [("Ana", 0, 1)]
    assert days(found(riverside, "job-change", "medium", person=riverside.people["alice"]), 0) == [("Alice", 0, 1)]


def test_nobody_looks_after_herself_while_somebody_else_does(riverside):
    factories.EmploymentFactory(facility=riverside.oak, person=riverside.people["ana"])
    finding = found(riverside, "job-change", "medium", person=riverside.people["ana"])
    assert days(finding, 0) == [("Alice", 0, 1)]


def test_who_administers_all_does_not_look_after_herself_either_while_somebody_else_does(riverside):
    alice = riverside.people["alice"]
    factories.EmploymentFactory(facility=riverside.elm, person=alice)
    finding = found(riverside, "job-change", "high", person=alice)
    assert days(finding, 0) == [("Alice", 0, 2)]
    Reminder.objects.all().delete()
    administrator(riverside, "bea", riverside.elm)
    assert days(finding, 7) == [("Bea", -7, 2)]
    Reminder.objects.all().delete()
    Membership.objects.filter(user__email="bea@example.org").update(facility=None)
    assert days(finding, 7) == [("Bea", -7, 2)]


def test_a_finding_does_not_meet_all_members_of_the_organization_on_sqlite(riverside):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL chooses by statistics")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {heard(TODAY, started='1 = 1')}", ["America/New_York"])
        steps = [step for *_, step in cursor.fetchall()]
    members = [step for step in steps if step.startswith(("SEARCH m ", "SCAN m "))]
    assert len(members) == 4, "two of them for an outside deputy, about what had no second person"
    assert "facilities_membership_facility_id" in members[0], "members of the finding's facility"
    assert "SEARCH b USING AUTOMATIC COVERING INDEX (organization_id=?)" in steps


def test_a_holder_hears_of_what_she_can_mend_herself(riverside):
    mine = account(riverside)
    finding = found(riverside, "stale-profile", "medium", account=mine, person=riverside.people["henry"])
    assert sorted(days(finding, 0)) == [("Ana", 0, 1), ("Henry", 0, 1)]
    Employment.objects.filter(person=riverside.people["henry"]).update(valid_to=TODAY)
    assert ("Henry", -7, 1) not in days(finding, 7)


def test_nobody_of_another_tenant_hears(riverside):
    mallory = riverside.people["mallory"]
    type(riverside.hilltop).objects.filter(pk=riverside.hilltop.pk).update(reminders_started_at=NOON)
    for finding in (found(riverside), found(riverside, facility=riverside.elm)):
        days(finding, 0, 7, 30)
    assert not Reminder.objects.filter(recipient=mallory).exists()


@pytest.mark.parametrize("untrue", ["closed", "small", "left the role", "role taken over"])
def test_what_is_not_true_any_more_or_not_theirs_to_hear_is_not_mailed(riverside, untrue):
    finding = found(riverside, severity="medium")
    plan_findings(at=NOON)
    if untrue == "closed":
        Finding.objects.filter(pk=finding.pk).update(closed_at=NOON)
    elif untrue == "small":
        Finding.objects.filter(pk=finding.pk).update(severity="low")
    elif untrue == "left the role":
        Membership.objects.filter(user__email="ana@example.org").update(ended_at=NOON)
    else:
        Membership.objects.filter(user__email="ana@example.org").update(role=Role.COORDINATOR)
    assert assemble(at=NOON).superseded == 1
    assert not Digest.objects.exists()
    assert Reminder.objects.get(finding=finding).state == "superseded"


def test_a_step_that_was_not_sent_is_said_by_the_later_or_worse_one(riverside):
    finding = found(riverside, severity="medium")
    plan_findings(at=NOON)
    Finding.objects.update(severity="critical")
    plan_findings(at=NOON + DAY)
    assemble(at=NOON + DAY)
    states = dict(Reminder.objects.filter(finding=finding).values_list("cycle", "state"))
    assert states == {1: "skipped", 3: "in_digest"}


def test_one_mail_holds_dates_and_findings_and_leads_to_each(riverside, mailoutbox):
    held(riverside, "iqies", person="ana", last_login=TODAY - 55 * DAY)
    finding = found(riverside)
    found(riverside, "few-keepers", "medium")
    ask_without_rules(NOON)
    (mail,) = mails_to(mailoutbox, "ana")
    assert mail["Subject"].endswith(", 2 findings")
    said = text(mail)
    assert said.index("COMING UP") < said.index("WRONG NOW"), "dates come first, as in the subject"
    assert "What clears it: A second person with a role that submits." in said
    assert "Since today." in said
    assert reverse("web:facility", args=["riverside", finding.facility_id]) in said
    assert "Open the facility" in html(mail)
    assert "Wrong now" in html(mail)


def ask_without_rules(at):
    """Plan, write and send as a tick does, leaving findings as they stand."""
    plan_due(at=at)
    plan_findings(at=at)
    assemble(at=at)
    deliver(at=at)


def test_a_mail_of_findings_alone_says_so(riverside, mailoutbox):
    found(riverside)
    ask_without_rules(NOON)
    (mail,) = mails_to(mailoutbox, "ana")
    assert mail["Subject"] == "1 finding about CMS access"
    assert "or look after them" in text(mail)


def test_beyond_ten_findings_are_counted_by_cause_the_worst_are_spelled_out(riverside, mailoutbox):
    for _ in range(12):
        found(riverside, "few-keepers", "medium")
    found(riverside, severity="critical")
    ask_without_rules(NOON)
    (mail,) = mails_to(mailoutbox, "ana")
    assert mail["Subject"] == "13 findings about CMS access"
    said = text(mail)
    assert said.count("What clears it") == 10
    assert said.index("A second person") < said.index("A second keeper")
    assert "3 more: Too few keep the backup record" in said
    assert f"{reverse('web:findings', args=['riverside'])}?kind=few-keepers" in said


def test_dates_and_findings_share_the_rows_of_a_mail_and_dates_come_first(riverside, mailoutbox):
    many(riverside, 23)
    for severity in ("critical", "high", "high", "medium"):
        found(riverside, severity=severity, facility=riverside.elm)
    found(riverside, "few-keepers", "high", facility=riverside.elm)
    ask_without_rules(NOON)
    (mail,) = mails_to(mailoutbox, "alice")
    said = text(mail)
    assert (said.count("Remind P"), said.count("What clears it")) == (23, 2), "25 rows in a digest"
    assert said.count("What clears it: A second person") == said.count("What clears it: A second keeper") == 1
    assert "3 more: Only one person can submit" in said
    assert mail["Subject"].endswith(", 5 findings")


def test_where_dates_fill_the_mail_findings_are_counted_alone(riverside, mailoutbox):
    many(riverside, 26)
    found(riverside, severity="critical", facility=riverside.elm)
    ask_without_rules(NOON)
    (mail,) = mails_to(mailoutbox, "alice")
    said = text(mail)
    assert (said.count("Remind P"), said.count("What clears it")) == (25, 0)
    assert "1 more: Only one person can submit" in said
    assert "WRONG NOW" not in said


def test_facts_that_nobody_can_read_spoil_no_other_mail(riverside, mailoutbox):
    found(riverside)
    found(riverside, severity="medium", facility=riverside.elm)
    for facts in ("{", "[1]", '{"stream": "mds"}'):
        Finding.objects.filter(facility=riverside.oak).update(facts=facts)
        plan_findings(at=NOON)
        done = assemble(at=NOON)
        assert (done.planned, done.failed) == (1, 1), facts
        assert Digest.objects.get(state="ready").person == riverside.people["alice"]
        Delivery.objects.all().delete()
        Reminder.objects.all().delete()
        Digest.objects.all().delete()


def test_what_is_about_nobody_in_the_register_leads_to_the_list(riverside, client, mailoutbox):
    facts = {"member": "user:1", "typed_on": TODAY.isoformat()}
    finding = found(riverside, "many-typed", "medium", person=None)
    Finding.objects.filter(pk=finding.pk).update(facts=json.dumps(facts))
    ask_without_rules(NOON)
    (mail,) = mails_to(mailoutbox, "alice")
    assert f"{reverse('web:findings', args=['riverside'])}\n" in text(mail)
    assert "/people/" not in text(mail)
    client.force_login(riverside.alice)
    answer = client.get(reverse("web:findings", args=["riverside"]))
    assert "A member typed more than 20 logins" in answer.content.decode()


def test_a_zone_nobody_knows_silences_no_findings(riverside):
    finding = found(riverside)
    type(riverside.riverside).objects.filter(pk=riverside.riverside.pk).update(zone="Mars/Olympus")
    riverside.riverside.refresh_from_db()
    assert len(would_hear_of_findings(organization=riverside.riverside, at=NOON)) == 1
    assert days(finding, 0) == [("Ana", 0, 2)]


def test_new_is_what_was_not_in_a_mail_before(riverside, mailoutbox):
    found(riverside, severity="medium")
    ask_without_rules(NOON)
    found(riverside, "few-keepers", "medium")
    Finding.objects.filter(kind="no-backup").update(severity="high")
    ask_without_rules(NOON + DAY)
    first, second = (text(mail) for mail in mails_to(mailoutbox, "ana"))
    assert "(new since the last mail)" not in first
    assert second.count("(new since the last mail)") == 1
    assert second.index("What clears it: A second person") < second.index("(new since the last mail)")


def test_a_tick_finds_tells_and_repeats_nothing(riverside, mailoutbox):
    held(riverside, "sams", person="carol")
    document, ok = ask(NOON)
    assert ok
    assert document["sweeps"]["reminders"]["planned"] >= 1
    (mail,) = mails_to(mailoutbox, "ana")
    assert "the last login to SAMS is not known for one account" in text(mail)
    before = everything()
    ask(NOON)
    assert everything() == before


def test_the_why_of_a_finding_says_who_was_told(riverside, client, mailoutbox):
    found(riverside)
    ask_without_rules(NOON)
    client.force_login(riverside.alice)
    answer = client.get(reverse("web:findings", args=["riverside"]))
    (row,) = answer.context["groups"][0]["group"].rows
    assert row["why"]["told"] == [{"who": "Ana Test (administrator)", "at": NOON}]


def test_the_history_of_an_account_and_its_why_say_who_was_told_of_its_findings(riverside, client, mailoutbox):
    account = held(riverside, person="carol", last_login=TODAY - timedelta(days=5))
    found(riverside, "stale-profile", account=account, person=account.person)
    found(riverside, "moved-access", account=account, facility=riverside.elm)
    other = held(riverside, person="henry", last_login=TODAY - timedelta(days=5))
    ask_without_rules(NOON)
    client.force_login(riverside.alice)

    def said(each):
        why = Deadline.objects.open().get(account=each, kind="inactivity")
        pages = [("account", each.pk), ("deadline-why", why.pk)]
        answers = [client.get(reverse(f"web:{name}", args=["riverside", key])) for name, key in pages]
        return [" ".join(re.sub("<[^>]+>", " ", answer.content.decode()).split()) for answer in answers]

    history, why = said(account)
    about = "“Contact data changed since the profile was checked”"
    assert f"Mail to Carol Test About {about}." in history
    assert f"Carol Test, {instant(NOON)}: {about}" in why
    assert not any("Contact data" in text for text in said(other))
    moved = "facility where they no longer work"
    assert all(moved in text for text in said(account)), "who reads all facilities reads of it"
    client.force_login(riverside.carol)
    history, why = said(account)
    assert (about in history, about in why) == (True, True)
    assert not any(moved in text for text in (history, why)), "of Elm House she reads nothing"


def test_the_page_before_the_start_counts_findings_of_the_first_mail(riverside, client):
    type(riverside.riverside).objects.update(reminders_started_at=None)
    found(riverside)
    client.force_login(riverside.alice)
    said = client.get(reverse("web:start-reminders", args=["riverside"])).content.decode()
    assert "ana@example.org: one finding" in " ".join(said.split())


def test_a_holder_who_cannot_sign_in_is_given_no_link(riverside, mailoutbox):
    person = factories.PersonFactory(organization=riverside.riverside, first_name="Hal", email="hal@example.org")
    factories.EmploymentFactory(facility=riverside.oak, person=person)
    riverside.people["hal"] = person
    mine = account(riverside, "hal")
    found(riverside, "stale-profile", "medium", account=mine, person=person)
    ask_without_rules(NOON)
    (mail,) = mails_to(mailoutbox, "hal")
    assert f"/accounts/{mine.pk}/" not in text(mail)
