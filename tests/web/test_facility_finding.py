"""Finding a facility in CMS's directory on the page that registers it."""

from datetime import date

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from facilities.models import Facility, Provider

pytestmark = pytest.mark.django_db
REGISTER = reverse("web:facility-register", args=["riverside"])
SUGGEST = reverse("web:facility-suggest", args=["riverside"])


@pytest.fixture(autouse=True)
def listed(db):
    """Two rows of CMS's directory, the second without a ZIP Code."""
    for ccn, name, zip_code in (("015123", "PINE HILL", "35653"), ("015124", 'PINE "VALE" & SONS', "")):
        Provider.objects.create(
            ccn=ccn,
            name=name,
            address="12 Pine Road",
            city="RUSSELLVILLE",
            state="AL",
            zip_code=zip_code,
            provider_type="SNF",
            dataset="nursing-homes",
            first_seen_on=date(2026, 1, 1),
            last_seen_on=date(2026, 11, 1),
        )


def test_the_page_lists_what_matches_and_each_leads_to_the_checked_form(client, cast):
    client.force_login(cast.alice)
    page = client.get(REGISTER, {"find": "pine hill"})
    assert f'href="{REGISTER}?take=015123"' in page.content.decode()
    assert "One facility matches." in page.content.decode()
    taken = client.get(REGISTER, {"take": "015123"})
    form = taken.context["form"]
    values = {name: form[name].value() for name in ("ccn", "state", "zip_code", "name", "address", "city")}
    assert values == {
        "ccn": "015123",
        "state": "AL",
        "zip_code": "35653",
        "name": "PINE HILL",
        "address": "12 Pine Road",
        "city": "RUSSELLVILLE",
    }
    assert taken.context["check"].ok
    assert not Facility.objects.filter(ccn="015123").exists()
    stored = client.post(REGISTER, values | {"confirm": taken.context["confirm"]})
    assert stored.url == Facility.objects.get(ccn="015123").get_absolute_url()


def test_looking_writes_nothing(client, cast):
    client.force_login(cast.alice)
    before = (AuditEvent.objects.count(), Facility.objects.count())
    client.get(REGISTER, {"find": "pine"})
    client.get(SUGGEST, {"find": "pine"})
    client.get(REGISTER, {"take": "015123"})
    assert (AuditEvent.objects.count(), Facility.objects.count()) == before
    assert client.post(SUGGEST, {"find": "pine"}).status_code == 405


def test_the_part_for_scripts_is_the_list_and_the_sentence_for_readers_of_the_screen(client, cast):
    client.force_login(cast.alice)
    part = client.get(SUGGEST, {"find": "pine"}, headers={"HX-Request": "true"}).content.decode()
    assert part.count("?take=") == 2
    assert "Two facilities match." in part
    assert "PINE &quot;VALE&quot; &amp; SONS" in part
    assert "<html" not in part


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"find": "pi"}, "at least three letters"),
        ({"find": "zebra"}, "Nothing in CMS’s directory matches"),
        ({"find": "pine", "in_state": "TX"}, "Nothing in CMS’s directory matches"),
        ({"find": ""}, ""),
    ],
)
def test_an_empty_list_says_why(client, cast, asked, said):
    client.force_login(cast.alice)
    page = client.get(SUGGEST, asked)
    assert page.context["said"].startswith(said) or said in page.context["said"]
    assert b"?take=" not in page.content


def test_odd_addresses_are_an_empty_form_and_no_fault(client, cast):
    client.force_login(cast.alice)
    for query in (
        {"find": "a\0b"},
        {"find": "x" * 500},
        {"find": "pine", "in_state": "ZZ"},
        {"take": "\0"},
        {"take": "x"},
    ):
        page = client.get(REGISTER, query)
        assert page.status_code == 200
        assert page.context.get("check") is None
        assert not page.context["found"]


def test_what_the_directory_lacks_is_asked_for(client, cast):
    client.force_login(cast.alice)
    taken = client.get(REGISTER, {"take": "015124"})
    assert taken.context["form"].errors == {"zip_code": ["No ZIP Code was given."]}
    assert taken.context["confirm"] == ""


def test_a_number_and_the_tick_for_none_contradict_each_other(client, cast):
    client.force_login(cast.alice)
    typed = {"ccn": "015123", "licensed_only": "on", "state": "AL", "zip_code": "35653", "name": "Home"}
    refused = client.post(REGISTER, typed)
    assert "cannot be both" in refused.context["form"].errors["licensed_only"][0]
    assert client.post(REGISTER, typed | {"ccn": "N/A"}).context["check"].ok
    assert client.post(REGISTER, typed | {"ccn": ""}).context["check"].ok


def test_doubts_stay_in_view_beside_the_reason_that_overrules_them(client, cast):
    client.force_login(cast.alice)
    typed = {"ccn": "015123", "state": "AL", "zip_code": "36101", "override_reason": "Moved last month"}
    page = client.post(REGISTER, typed)
    assert page.context["form"].errors == {}
    assert b"35653, not 36101" in page.content
