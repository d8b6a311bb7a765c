"""The cover grid: facilities down, systems across, within what the member reads."""

from datetime import timedelta

import pytest
import time_machine

from facilities.models import Facility
from tests import factories
from tests.conftest import NOON, TODAY
from tests.web.test_facilities_pages import address, hold

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def grid(client, cast, query=""):
    return client.get(address("facilities", cast) + query).context


def names(context):
    return [row["name"] for row in context["rows"]]


def cells(context, name):
    row = next(row for row in context["rows"] if row["name"] == name)
    return {cell["label"]: cell for cell in row["cells"]}


def test_each_cell_says_people_standing_and_date_and_opens_the_accounts_behind_it(client, cast):
    hold(cast, cast.people["henry"], cast.oak)
    hold(cast, cast.people["olga"], cast.elm, slug="qies", last_login=TODAY)
    client.force_login(cast.carol)
    context = grid(client, cast)
    assert names(context) == ["Oak House"]
    found = cells(context, "Oak House")
    assert list(found) == ["HARP", "iQIES"], "no column for what nobody here holds"
    assert {**found["iQIES"], "url": ""} == {
        "label": "iQIES",
        "standing": "soon",
        "text": "One person",
        "note": "next Mon 30 Nov",
        "url": "",
    }
    assert context["rows"][0]["people"] == "Two people"
    assert context["rows"][0]["total"] == {"standing": "soon", "text": "Two accounts", "note": "next Mon 30 Nov"}
    behind = client.get(found["iQIES"]["url"]).context["rows"]
    assert [row["cells"][0]["text"] for row in behind] == ["Henry Test"]


def test_one_unknown_login_keeps_a_facility_from_looking_fine(client, cast):
    client.force_login(cast.alice)
    hold(cast, cast.people["henry"], cast.oak, slug="harp", last_login=TODAY)
    assert cells(grid(client, cast), "Oak House")["HARP"]["standing"] == "fine"
    hold(cast, cast.people["carol"], cast.oak, slug="harp", last_login="unknown")
    found = cells(grid(client, cast), "Oak House")["HARP"]
    assert (found["standing"], found["text"]) == ("unknown", "Two people")


def test_the_grid_is_narrowed_by_state_standing_and_name(client, cast):
    Facility.objects.filter(pk=cast.elm.pk).update(state="TX")
    hold(cast, cast.people["henry"], cast.oak, slug="qies", last_login=TODAY - timedelta(days=100))
    hold(cast, cast.people["olga"], cast.elm, slug="qies", last_login=TODAY)
    client.force_login(cast.alice)
    assert names(grid(client, cast)) == ["Elm House", "Oak House"]
    assert names(grid(client, cast, "?state=TX")) == ["Elm House"]
    assert names(grid(client, cast, "?standing=late")) == ["Oak House"]
    assert names(grid(client, cast, "?standing=fine")) == ["Elm House"]
    assert names(grid(client, cast, "?standing=late&state=TX")) == []
    assert names(grid(client, cast, "?q=015009")) == ["Oak House"]
    assert len(names(grid(client, cast, "?state=nonsense&standing=%00"))) == 2


def test_the_grid_holds_only_facilities_that_the_member_reads(client, cast):
    everything = ["Elm House", "Oak House"]
    expected = {"alice": everything, "audrey": everything, "carol": ["Oak House"], "olga": ["Elm House"], "henry": []}
    for name, places in expected.items():
        client.force_login(getattr(cast, name))
        assert names(grid(client, cast)) == places, name


def test_another_tenants_cover_stays_out_of_the_grid(client, cast):
    hold(cast, cast.people["henry"], cast.oak)
    client.force_login(cast.mallory)
    context = client.get(f"/o/{cast.hilltop.slug}/facilities/").context
    assert names(context) == ["Summit House"]
    assert context["rows"][0]["total"] is None


def test_the_list_asks_the_same_number_of_queries_for_2_and_for_30_facilities(
    client, cast, django_assert_max_num_queries, django_assert_num_queries
):
    client.force_login(cast.alice)
    grid(client, cast)
    hold(cast, cast.people["henry"], cast.oak)
    with django_assert_max_num_queries(20) as few:
        grid(client, cast)
    for number in range(30):
        place = factories.FacilityFactory(organization=cast.riverside, ccn=f"01{6000 + number}")
        hold(cast, cast.people["henry"], place)
    with django_assert_num_queries(len(few)):
        grid(client, cast)


def test_the_list_is_paged_by_key_there_and_back(client, cast):
    client.force_login(cast.alice)
    for number in range(60):
        factories.FacilityFactory(organization=cast.riverside, name=f"Place {number:02d}", ccn=f"01{6000 + number}")
    first = grid(client, cast)
    second = grid(client, cast, first["page"].next_url)
    found = names(first) + names(second)
    assert found == sorted(found)
    assert len(found) == 62
    assert names(grid(client, cast, second["page"].previous_url)) == names(first)
