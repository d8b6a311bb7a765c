"""The frame: each member sees the entries she may open, the page she is on, and only her own organizations."""

import pytest
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse

from facilities.models import Facility
from tests import factories
from web.context import SWITCHER_FACILITIES, frame, rail, switcher

HOLDERS = ["Today", "Accounts", "Requests", "Findings", "Systems", "Settings"]
READERS = ["Today", "Facilities", "People", "Accounts", "Requests", "Findings", "Systems", "Settings"]
EVERYTHING = [*READERS[:-1], "Imports", "Settings"]


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("alice", EVERYTHING),
        ("carol", READERS),
        ("audrey", READERS),
        ("henry", HOLDERS),
    ],
)
def test_the_rail_shows_what_the_member_may_open(cast, name, entries):
    assert [entry["label"] for entry in rail(cast.scope(name), "/", {})] == entries


@pytest.mark.parametrize(
    ("path", "active"),
    [
        ("/o/riverside/", "Today"),
        ("/o/riverside/people/", "People"),
        ("/o/riverside/people/7/edit/", "People"),
        ("/o/riverside/accounts/7/", "Accounts"),
        ("/o/riverside/deadlines/7/why/", "Accounts"),
        ("/o/riverside/employments/7/end/", "People"),
        ("/o/riverside/obligations/7/done/", "Facilities"),
        ("/o/riverside/requests/steps/7/", "Requests"),
        ("/o/riverside/systems/iqies/", "Systems"),
        ("/o/riverside/imports/7/undo/", "Imports"),
        ("/o/riverside/settings/reminders/", "Settings"),
    ],
)
def test_exactly_one_entry_is_the_one_we_are_on(cast, path, active):
    entries = rail(cast.scope("alice"), path, {})
    assert [entry["label"] for entry in entries if entry["active"]] == [active]


def test_the_search_belongs_to_no_entry(cast):
    assert not any(entry["active"] for entry in rail(cast.scope("alice"), "/o/riverside/search/", {}))


def test_what_waits_for_the_member_is_counted_beside_its_entry(cast):
    counts = {entry["label"]: entry["count"] for entry in rail(cast.scope("alice"), "/", {"web:today": 3})}
    assert counts == dict.fromkeys(EVERYTHING, 0) | {"Today": 3}


def test_the_switcher_never_names_another_tenant(cast, django_assert_num_queries):
    scope = cast.scope("carol")
    with django_assert_num_queries(2):
        found = switcher(scope)
        names = [organization.name for organization in found["organizations"]]
        addresses = [place.get_absolute_url() for place in found["facilities"]]
    assert names == ["Riverside Care"]
    assert addresses == [reverse("web:facility", args=["riverside", cast.oak.pk])]
    assert found["all_url"] == ""


def test_a_member_of_two_organizations_can_switch(cast):
    factories.MembershipFactory(organization=cast.hilltop, user=cast.carol, facility=cast.summit, role="coordinator")
    found = switcher(cast.scope("carol"))
    assert [organization.name for organization in found["organizations"]] == ["Hilltop Health", "Riverside Care"]
    assert cast.summit not in found["facilities"], "facilities are of the organization in the address"


def test_a_chain_finds_the_rest_of_its_facilities_on_their_page(cast):
    factories.FacilityFactory.create_batch(SWITCHER_FACILITIES, organization=cast.riverside)
    assert Facility.objects.filter(organization=cast.riverside).count() > SWITCHER_FACILITIES
    found = switcher(cast.scope("alice"))
    assert len(found["facilities"]) == SWITCHER_FACILITIES
    assert found["all_url"] == reverse("web:facilities", args=["riverside"])


def test_pages_outside_an_organization_have_no_rail_and_ask_nothing(rf, django_assert_num_queries):
    found = frame(rf.get("/auth/login/"))
    assert (found["nav"], found["organization"]) == ([], None)
    assert "switcher" not in found


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "405", "429", "500"])
def test_error_pages_say_what_happened_to_the_data_and_lead_back(rf, name):
    html = get_template(f"{name}.html").render({"number": "abc-123"}, None if name == "500" else rf.get("/"))
    html = " ".join(html.split())
    assert "Nothing was changed" in html or "may not have been saved" in html
    assert 'href="/"' in html
    assert ("abc-123" in html) == (name == "500")


def test_a_broken_page_gives_the_number_of_its_request(client, cast, monkeypatch):
    client.raise_request_exception = False
    client.force_login(cast.alice)
    monkeypatch.setattr("web.context.rail", lambda *_: 1 / 0)
    answer = client.get(reverse("web:today", args=["riverside"]), headers={"x-request-id": "number-of-this-request"})
    assert answer.status_code == 500
    assert "number-of-this-request" in answer.content.decode()


@pytest.mark.parametrize(
    ("referer", "back"),
    [("http://testserver/o/riverside/?x=1", "/o/riverside/%3Fx%3D1"), ("https://elsewhere.example/o/", "/"), ("", "/")],
)
def test_who_was_signed_out_meanwhile_comes_back_to_the_page_and_not_to_the_deed(client, cast, referer, back):
    answer = client.post(reverse("web:first-hour-test", args=["riverside"]), headers={"referer": referer})
    assert answer.url == f"{reverse('account_login')}?next={back}"
    assert "what you pressed last was not done" in client.get(answer.url).content.decode()


def test_the_address_of_a_deed_opened_as_a_page_has_words(client, cast):
    client.force_login(cast.alice)
    answer = client.get(reverse("web:first-hour-test", args=["riverside"]))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "Nothing was changed" in answer.content.decode()


def test_a_stale_form_is_refused_in_our_words(cast):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(reverse("account_login"), {"login": "a@example.org", "password": "x"})
    assert answer.status_code == 403
    assert "This page was open too long" in answer.content.decode()
