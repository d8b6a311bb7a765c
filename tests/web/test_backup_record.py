"""The backup record: what stands in it, the file behind a second factor, and keepers nudged when it has changed."""

import csv
import io
import json
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Finding, RecordCopy
from accounts.models.register import HouseRule
from accounts.services.backup_records import record_of
from accounts.services.inventory import correct_account, remove_account
from accounts.services.logins import record_login
from accounts.services.places import end_keeper, name_keeper
from accounts.services.rules.records import copied_elsewhere
from audit.models import AuditEvent
from staff.services.people import PersonFacts, correct_person, end_employment
from tests import factories
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.reminders.test_tick import ask
from tests.web.test_exports import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
DAY = timedelta(days=1)


@pytest.fixture
def account(cast):
    """Henry's iQIES account at Oak House, whose record Carol keeps; it is noon."""
    with time_machine.travel(NOON, tick=False) as clock:
        name_keeper(scope=cast.scope("alice"), facility=cast.oak, person=cast.people["carol"], since=TODAY, at=NOON)
        made = held(cast, person="henry", last_login=TODAY - 5 * DAY, user_id="=HTEST7")
        made.clock = clock
        yield made


def address(cast, name="facility-record", *more):
    return reverse(f"web:{name}", args=["riverside", cast.oak.pk, *more])


def keeping(cast):
    return cast.oak.keepers.get(valid_to=None, voided_at=None).pk


def have(client, cast, user="carol"):
    """Say on the page that Carol has the record as it is shown there."""
    client.force_login(getattr(cast, user))
    shown = client.get(address(cast)).context["printed"].digest
    return client.post(address(cast, "facility-record-have", keeping(cast)), {"record": shown})


def open_copies():
    return {finding.subject_key: finding for finding in Finding.objects.open().filter(kind="stale-record")}


def test_the_page_tells_who_can_submit_who_holds_what_and_who_helps(client, cast, account):
    client.force_login(cast.carol)
    page = client.get(address(cast)).content.decode()
    for said in (
        "As of <strong>Fri 20 Nov 2026",
        "=HTEST7",
        "Henry Test",
        "henry@example.org",
        "iQIES",
        "has none yet",
    ):
        assert said in page
    assert "None: only one person can" in page
    assert "without a login: all roles revoked" in page
    assert client.get(address(cast)).context["printed"].desks, "the catalogue's desks"
    assert "password" not in client.get(address(cast)).context["printed"].digest


def test_the_file_asks_for_the_second_factor_runs_no_formula_and_is_a_keepers_copy(client, cast, account):
    client.force_login(cast.carol)
    assert client.post(address(cast, "facility-record-file")).status_code == 403
    assert not AuditEvent.objects.filter(action="facility.record-exported").exists()
    sign_in(client, cast.carol)
    answer = client.post(address(cast, "facility-record-file"))
    assert answer["Content-Disposition"] == 'attachment; filename="riverside-backup-record-015009-2026-11-20.csv"'
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["Part"] for row in rows} >= {"Record", "Who submits", "Access", "Help desk", "Keeper"}
    assert {row["User ID"] for row in rows if row["Part"] == "Access"} == {"'=HTEST7"}
    assert AuditEvent.objects.filter(action="facility.record-exported").count() == 1
    assert RecordCopy.objects.known().get().person == cast.people["carol"]


def test_a_keeper_is_nudged_by_a_tick_when_it_changed_and_no_more_once_she_has_the_new_one(client, cast, account):
    ask(NOON)
    assert open_copies() == {}, "nobody is nudged who never took a copy, unless the organization wants keepers"
    have(client, cast)
    ask(NOON + timedelta(minutes=1))
    assert open_copies() == {}
    account.clock.move_to(NOON + 3 * DAY)
    record_login(scope=cast.scope("alice"), account=account, happened_on=TODAY + 3 * DAY, at=NOON + 3 * DAY)
    ask(NOON + 3 * DAY)
    assert open_copies() == {}, "days go by and logins are recorded: that is no change"
    other = held(cast, "ia", person="henry", last_login=TODAY)
    ask(NOON + 4 * DAY)
    finding = open_copies()[f"facility:{cast.oak.pk}/keeper:{cast.people['carol'].pk}"]
    assert json.loads(finding.facts) == {"had_on": "2026-11-20", "people": [cast.people["carol"].pk]}
    account.clock.move_to(NOON + 4 * DAY)
    client.force_login(cast.alice)
    page = client.get(reverse("web:findings", args=["riverside"])).content.decode()
    assert "The backup record of Oak House changed on Tue 24 Nov 2026: print it again." in page
    assert address(cast) in page
    again, _ = ask(NOON + 4 * DAY + timedelta(minutes=1))
    assert again["sweeps"]["findings"]["opened"] == 0
    have(client, cast)
    assert open_copies() == {}
    ask(NOON + 5 * DAY)
    assert open_copies() == {}
    remove_account(scope=cast.scope("alice"), account=other, removed_on=TODAY, at=NOON + 5 * DAY)
    ask(NOON + 6 * DAY)
    assert len(open_copies()) == 1
    scope = cast.scope("alice")
    end_keeper(scope=scope, keeper=cast.oak.keepers.get(voided_at=None), last_on=TODAY + 6 * DAY, at=NOON + 6 * DAY)
    ask(NOON + 7 * DAY)
    assert open_copies() == {}, "who keeps it no more is not nudged"


def test_a_change_where_somebody_works_reaches_the_records_of_all_places_where_she_holds_a_role(client, cast, account):
    held(cast, "ia", person="olga", last_login=TODAY)
    have(client, cast)
    ask(NOON)
    olga = cast.people["olga"]
    assert copied_elsewhere(cast.riverside, {cast.elm.pk}) == {cast.oak.pk}
    facts = PersonFacts(first_name="Olga", last_name="Test", email=olga.email, phone="555-0199")
    correct_person(scope=cast.scope("alice"), person=olga, version=olga.version, facts=facts, at=NOON)
    ask(NOON + timedelta(minutes=1))
    assert len(open_copies()) == 1


def test_a_user_id_changes_the_record_and_a_copy_of_the_old_one_is_refused(client, cast, account):
    client.force_login(cast.carol)
    shown = client.get(address(cast)).context["printed"].digest
    above = account.identity
    facts = {"password_changed_on": None, "note": "", "user_id": "HTEST8", "version": above.version}
    correct_account(scope=cast.scope("alice"), account=above, at=NOON, **facts)
    answer = client.post(address(cast, "facility-record-have", keeping(cast)), {"record": shown}, follow=True)
    assert "The record changed while you looked at it" in answer.content.decode()
    assert not RecordCopy.objects.exists()
    assert have(client, cast, "alice").status_code == 302, "who edits the facility may say it for her"
    have(client, cast)
    assert RecordCopy.objects.count() == 1, "said twice, written once"


def test_the_page_costs_the_same_with_one_keeper_and_with_six(client, cast, account, django_assert_num_queries):
    client.force_login(cast.carol)
    client.get(address(cast))
    with CaptureQueriesContext(connection) as few:
        client.get(address(cast))
    for number in range(5):
        person = factories.PersonFactory(organization=cast.riverside, last_name=f"Extra{number}")
        cast.people[f"extra{number}"] = person
        factories.EmploymentFactory(facility=cast.oak, person=person)
        held(cast, "sams", person=f"extra{number}")
        name_keeper(scope=cast.scope("alice"), facility=cast.oak, person=person, since=TODAY, at=NOON)
    with django_assert_num_queries(len(few)):
        answer = client.get(address(cast))
    assert len(answer.context["printed"].keepers) == 6


def test_an_auditor_reads_it_and_says_nothing_for_others_and_a_stranger_sees_nothing(client, cast, account):
    assert have(client, cast, "audrey").status_code == 403
    for name in ("olga", "henry", "mallory"):
        client.force_login(getattr(cast, name))
        assert client.get(address(cast)).status_code == 404


def test_where_two_keepers_are_wanted_one_without_a_copy_is_told(cast, account):
    HouseRule.objects.create(
        organization=cast.riverside, rule="R-27", enabled_on=TODAY, recorded_at=NOON, recorded_by="x"
    )
    ask(NOON)
    [finding] = open_copies().values()
    assert (finding.severity, finding.facility) == ("low", cast.oak)


def test_somebody_whom_no_facility_employs_has_not_left(cast, account):
    held(cast, person="audrey")
    employment = cast.people["henry"].employments.get()
    end_employment(scope=cast.scope("alice"), employment=employment, last_day_on=TODAY - DAY, at=NOON)
    said = {each.name: each.left for each in record_of(cast.oak, NOON).access}
    assert said == {"Audrey Test": False, "Henry Test": True}
