"""Exports: every matching row and none besides, no formula, a line in the audit chain, and a second factor first."""

import csv
import io
import json
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator

from audit.models import AuditEvent, AuditItem
from staff.models import Person
from tests.conftest import NOON
from tests.web.holdings import address, crowd, held
from web import keyset
from web.exporting import safe_cell

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        yield


def sign_in(client, user):
    """Sign in as with a code."""
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": 1}, {"method": "mfa", "at": 2}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()


def exported(answer):
    text = b"".join(answer.streaming_content).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_all_matching_accounts_come_with_words_for_columns(client, cast):
    held(cast, "carol", ago=80, user_id="CTEST1")
    held(cast, "olga", ago=5, facility=cast.elm)
    sign_in(client, cast.alice)
    answer = client.post(address("accounts-export"), {"system": "iqies", "standing": "late"})
    assert answer["Content-Disposition"] == 'attachment; filename="riverside-accounts-2026-11-20.csv"'
    [row] = exported(answer)
    assert row["Last name"] == "Test"
    assert (row["System"], row["User ID"], row["Standing"]) == ("iQIES", "CTEST1", "Presumed lapsed")
    assert (row["Last login"], row["Last safe day"]) == ("2026-09-01", "2026-10-31")
    assert row["Roles"].endswith("at Oak House (015009)")
    event = AuditEvent.objects.get(action="accounts.exported")
    said = json.loads(AuditItem.objects.of_event(event.pk).get().payload)
    assert (said["count"], said["filter"]) == (1, "system=iqies&standing=late")


@pytest.mark.parametrize("sort", ["", "name"])
def test_more_than_one_slice_comes_whole_and_in_order(client, cast, monkeypatch, sort):
    crowd(cast, 4)
    crowd(cast, 3, ago="unknown")
    whole = keyset.in_slices
    monkeypatch.setattr("web.account_list.in_slices", lambda rows, by: whole(rows, by=by, size=3))
    sign_in(client, cast.alice)
    rows = exported(client.post(address("accounts-export"), {"sort": sort}))
    assert len(rows) == 14
    if sort:
        names = [(row["Last name"], row["First name"]) for row in rows]
        assert names == sorted(names)
    else:
        days = [row["Last safe day"] for row in rows if row["Last safe day"]]
        assert days == sorted(days)
        assert not rows[-1]["Last safe day"]


def test_each_member_exports_what_she_reads_and_nothing_of_another_tenant(client, cast):
    held(cast, "carol")
    held(cast, "olga", facility=cast.elm)
    names = {}
    for who in ("carol", "audrey", "henry"):
        sign_in(client, getattr(cast, who))
        names[who] = {row["First name"] for row in exported(client.post(address("accounts-export")))}
    assert names == {"carol": {"Carol"}, "audrey": {"Carol", "Olga"}, "henry": set()}
    sign_in(client, cast.mallory)
    assert client.post(address("accounts-export")).status_code == 404
    assert exported(client.post(address("accounts-export", slug="hilltop"))) == []


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_a_formula(begins):
    assert safe_cell(f"{begins}1+1").startswith("'")
    assert safe_cell(f"1{begins}1") == f"1{begins}1"


def test_a_name_that_is_a_formula_is_neutralised_in_the_file(client, cast):
    Person.objects.filter(pk=cast.people["carol"].pk).update(last_name='=HYPERLINK("http://x")')
    sign_in(client, cast.carol)
    rows = exported(client.post(address("people-export"), {"q": "carol"}))
    assert [row["Last name"] for row in rows] == ['\'=HYPERLINK("http://x")']


def test_people_come_with_where_they_work_and_what_they_hold(client, cast):
    held(cast, "henry", ago=48)
    sign_in(client, cast.carol)
    rows = exported(client.post(address("people-export"), {"holds": "some"}))
    assert [(row["First name"], row["Works at"], row["Accounts"]) for row in rows] == [
        ("Henry", "Oak House (015009)", "HARP and iQIES")
    ]
    assert AuditEvent.objects.get(action="people.exported").item_count == 1


def test_a_filter_that_makes_no_sense_exports_nothing_rather_than_everything(client, cast):
    held(cast, "carol")
    sign_in(client, cast.carol)
    answer = client.post(address("accounts-export"), {"system": "nope"})
    assert (answer.status_code, answer["Location"]) == (302, address("accounts"))
    assert not AuditEvent.objects.filter(action="accounts.exported").exists()


def test_a_search_that_looks_like_a_secret_is_not_written_to_the_chain(client, cast):
    held(cast, "carol")
    sign_in(client, cast.carol)
    assert client.post(address("accounts-export"), {"q": "password: Sunshine7!x"}).status_code == 302
    assert not AuditEvent.objects.filter(action="accounts.exported").exists()


def test_without_a_second_factor_nothing_is_exported(client, cast):
    held(cast, "carol")
    client.force_login(cast.carol)
    answer = client.post(address("accounts-export"))
    assert answer.status_code == 403
    assert "set up a second factor" in answer.content.decode()
    Authenticator.objects.create(user=cast.carol, type=Authenticator.Type.TOTP, data={"secret": "x"})
    answer = client.post(address("accounts-export"), {"system": "iqies"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/auth/2fa/reauthenticate/?next=%2Fo%2Friverside%2Faccounts%2F")
    assert not AuditEvent.objects.filter(action="accounts.exported").exists()
    sign_in(client, cast.carol)
    assert len(exported(client.post(address("accounts-export"), {"system": "iqies"}))) == 1


def test_following_a_link_exports_nothing(client, cast):
    sign_in(client, cast.carol)
    assert client.get(address("accounts-export")).status_code == 405
    assert client.post(address("accounts-export")).status_code == 200
