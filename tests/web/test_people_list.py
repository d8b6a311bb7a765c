"""The list of people: filters, paging, who sees whom."""

from datetime import date

import pytest
from django.urls import reverse

from staff.models import Employment
from staff.services.people import end_employment
from tests import factories
from tests.conftest import NOON
from tests.web.test_people_pages import _noon, address, hold  # noqa: F401  (the fixture freezes the clock)

pytestmark = pytest.mark.django_db


def names(client, url):
    return [row["cells"][0]["text"] for row in client.get(url).context["rows"]]


def test_the_list_is_filtered_by_beginnings_of_names_by_facility_and_by_leavers(client, cast):
    client.force_login(cast.alice)
    url = address("people", cast)
    assert names(client, url + "?q=hen+te") == ["Henry Test"]
    assert names(client, url + f"?facility={cast.elm.pk}") == ["Olga Test"]
    assert names(client, url + "?state=left-open") == []
    henry = cast.people["henry"]
    hold(cast, henry, cast.oak)
    end_employment(
        scope=cast.scope("alice"), employment=henry.employments.get(), last_day_on=date(2026, 11, 14), at=NOON
    )
    assert names(client, url + "?state=left-open") == ["Henry Test"]


@pytest.mark.parametrize(
    "asked", ["?facility=x", "?facility=²", "?facility=99999999999999999999", "?after=x", "?before="]
)
def test_an_address_that_makes_no_sense_shows_the_whole_list(client, cast, asked):
    client.force_login(cast.alice)
    assert len(names(client, address("people", cast) + asked)) == 5


def test_the_list_holds_only_those_the_member_reads(client, cast):
    client.force_login(cast.carol)
    assert names(client, address("people", cast)) == ["Carol Test", "Henry Test"]
    client.force_login(cast.henry)
    assert names(client, address("people", cast)) == ["Henry Test"]


def test_work_and_accounts_at_a_facility_one_cannot_see_stay_out_of_the_list(client, cast):
    henry = cast.people["henry"]
    factories.EmploymentFactory(facility=cast.elm, person=henry, job_title="Night shift")
    hold(cast, henry, cast.elm, slug="qies")
    told = {}
    for name in ("carol", "olga", "alice"):
        client.force_login(getattr(cast, name))
        rows = client.get(address("people", cast)).context["rows"]
        cells = next(row["cells"] for row in rows if row["cells"][0]["text"] == "Henry Test")
        told[name] = (cells[0]["note"], cells[1]["text"], cells[3]["text"] == "Nothing to watch")
    assert told == {
        "carol": ("MDS coordinator", "Oak House", True),
        "olga": ("Night shift", "Elm House", False),
        "alice": ("Night shift, MDS coordinator", "Elm House and Oak House", False),
    }


def test_a_facility_one_cannot_see_is_no_filter(client, cast):
    factories.EmploymentFactory(facility=cast.elm, person=cast.people["henry"])
    for name, places, found in (
        ("carol", [], ["Carol Test", "Henry Test"]),
        ("alice", [cast.elm.label], ["Henry Test"]),
    ):
        client.force_login(getattr(cast, name))
        context = client.get(address("people", cast) + f"?facility={cast.elm.pk}&q=te").context
        offered = dict(context["form"].fields["facility"].choices)
        assert [name for key, name in offered.items() if key == cast.elm.pk] == places
        assert (context["place"] == cast.elm) == bool(places)
        assert set(found) <= {row["cells"][0]["text"] for row in context["rows"]}
        assert ("Carol Test" in {row["cells"][0]["text"] for row in context["rows"]}) == (name == "carol")


def test_the_list_says_where_what_and_when(client, cast):
    hold(cast, cast.people["henry"], cast.oak)
    client.force_login(cast.carol)
    rows = client.get(address("people", cast)).context["rows"]
    henry = next(row["cells"] for row in rows if row["cells"][0]["text"] == "Henry Test")
    assert henry[1]["text"] == "Oak House"
    assert henry[2]["text"] == "Two accounts"
    assert [henry[3][part] for part in ("standing", "text", "note")] == ["soon", "Mon 30 Nov 2026", "in 10 days"]


def test_the_list_asks_the_same_number_of_queries_for_2_and_for_30_people(
    client, cast, django_assert_max_num_queries, django_assert_num_queries
):
    client.force_login(cast.carol)
    hold(cast, cast.people["henry"], cast.oak)
    client.get(address("people", cast))
    with django_assert_max_num_queries(20) as few:
        client.get(address("people", cast))
    for number in range(30):
        person = factories.PersonFactory(organization=cast.riverside, last_name=f"Crowd {number}")
        factories.EmploymentFactory(facility=cast.oak, person=person)
        hold(cast, person, cast.oak)
    with django_assert_num_queries(len(few)):
        client.get(address("people", cast))


def test_people_of_one_name_are_all_reached_by_paging(client, cast):
    for _ in range(60):
        person = factories.PersonFactory(organization=cast.riverside, first_name="Jo", last_name="Same")
        factories.EmploymentFactory(facility=cast.oak, person=person)
    client.force_login(cast.carol)
    url = address("people", cast)
    first = client.get(url).context
    second = client.get(url + first["page"].next_url).context
    seen = [row["cells"][0]["url"] for row in first["rows"] + second["rows"]]
    assert len(seen) == len(set(seen)) == 62
    assert second["page"].next_url == ""
    assert Employment.objects.filter(facility=cast.oak).count() == 62


@pytest.mark.parametrize("name", ["people", "facilities"])
def test_a_search_with_a_nul_in_it_is_answered(client, cast, name):
    client.force_login(cast.alice)
    answer = client.get(reverse(f"web:{name}", args=["riverside"]), {"q": "\0Carol\0" if name == "people" else "\0Oak"})
    assert answer.status_code == 200
    assert ("Carol" if name == "people" else "Oak House") in answer.content.decode()
