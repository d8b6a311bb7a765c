"""Facilities: list, page, registering against the directory, correcting."""

from datetime import date

import pytest
import time_machine
from django.urls import reverse

from accounts.services.inventory import AccountFacts, add_accounts
from audit.models import AuditEvent
from facilities.models import Facility, Provider
from staff.services.people import PersonFacts, add_person, end_employment
from systems.models import System, SystemRole
from tests import factories
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def listed(db):
    """A real-looking row of CMS's directory."""
    return Provider.objects.create(
        ccn="015123",
        name="PINE HILL NURSING CENTER",
        address="12 Pine Road",
        city="Russellville",
        state="AL",
        zip_code="35653",
        provider_type="SNF",
        dataset="nursing-homes",
        first_seen_on=date(2026, 1, 1),
        last_seen_on=date(2026, 11, 1),
    )


def address(name, cast, *args):
    return reverse(f"web:{name}", args=[cast.riverside.slug, *args])


def hold(cast, person, facility, slug="iqies", last_login=date(2026, 10, 1)):
    system = System.objects.get(slug=slug)
    role = SystemRole.objects.filter(system=system, privileged=False).first() or system.roles.first()
    facts = AccountFacts(system, [role], date(2025, 1, 1), last_login)
    return add_accounts(scope=cast.scope("alice"), person=person, facility=facility, accounts=[facts], at=NOON)[0]


def crowd(cast, facility, count):
    for number in range(count):
        person = factories.PersonFactory(organization=cast.riverside, last_name=f"Crowd {number:03d}")
        factories.EmploymentFactory(facility=facility, person=person)
        hold(cast, person, facility)


# --- registering -------------------------------------------------------------------------------


def test_a_number_as_listed_is_named_first_and_stored_only_when_confirmed(client, cast, listed):
    client.force_login(cast.alice)
    typed = {"ccn": "01-5123", "state": "AL", "zip_code": "35653"}
    looked = client.post(address("facility-register", cast), typed)
    assert b"This is PINE HILL NURSING CENTER" in looked.content
    assert not Facility.objects.filter(ccn="015123").exists()
    confirmed = client.post(
        address("facility-register", cast), typed | {"confirm": looked.context["confirm"], "name": "Pine Hill"}
    )
    place = Facility.objects.get(ccn="015123")
    assert confirmed.url == place.get_absolute_url()
    assert (place.organization, place.name, place.state, place.override_reason) == (
        cast.riverside,
        "Pine Hill",
        "AL",
        "",
    )
    assert AuditEvent.objects.filter(action="facility.registered").count() == 1


def test_what_the_directory_knows_fills_only_what_was_left_empty(client, cast, listed):
    client.force_login(cast.alice)
    typed = {"ccn": "015123", "state": "AL", "zip_code": "35653", "city": "My Town"}
    page = client.post(address("facility-register", cast), typed)
    shown = page.context["form"]
    assert shown["name"].value() == "PINE HILL NURSING CENTER"
    assert shown["address"].value() == "12 Pine Road"
    assert shown["city"].value() == "My Town"


def test_a_confirmation_of_another_number_is_checked_again_instead_of_stored(client, cast, listed):
    client.force_login(cast.alice)
    url = address("facility-register", cast)
    looked = client.post(url, {"ccn": "015123", "state": "AL", "zip_code": "35653"})
    changed = {"ccn": "015999", "state": "AL", "zip_code": "35653", "name": "X", "confirm": looked.context["confirm"]}
    assert client.post(url, changed).status_code == 200
    assert not Facility.objects.filter(name="X").exists()


def test_a_lost_zero_is_proposed_and_taken_with_one_click(client, cast, listed):
    client.force_login(cast.alice)
    url = address("facility-register", cast)
    typed = {"ccn": "15123", "state": "AL", "zip_code": "35653"}
    asked = client.post(url, typed)
    assert asked.context["proposal"] == "015123"
    assert b"Did you mean 015123" in asked.content
    assert (asked.context["confirm"], asked.context["may_overrule"]) == ("", False)  # nothing to argue about
    taken = client.post(url, typed | {"take_ccn": "015123"})
    assert taken.context["form"]["ccn"].value() == "015123"
    assert taken.context["check"].ok
    assert not Facility.objects.filter(ccn="015123").exists()


def test_each_doubt_stands_beside_its_field_and_nothing_typed_is_lost(client, cast, listed):
    client.force_login(cast.alice)
    typed = {"ccn": "015123", "state": "AL", "zip_code": "36101", "name": "Typed", "address": "1 Typed St"}
    page = client.post(address("facility-register", cast), typed)
    form = page.context["form"]
    assert "35653, not 36101" in form.errors["zip_code"][0]
    assert {name: form[name].value() for name in typed} == typed
    assert b"1 Typed St" in page.content


def test_doubts_are_overruled_only_with_a_reason(client, cast, listed):
    client.force_login(cast.alice)
    url = address("facility-register", cast)
    typed = {"ccn": "015123", "state": "AL", "zip_code": "36101"}
    confirm = {"confirm": client.post(url, typed).context["confirm"]}
    refused = client.post(url, typed | confirm)
    assert "override_reason" in refused.context["form"].errors
    assert not Facility.objects.filter(ccn="015123").exists()
    client.post(url, typed | confirm | {"override_reason": "Moved last month"})
    assert Facility.objects.get(ccn="015123").override_reason == "Moved last month"


def test_an_unreadable_number_cannot_be_confirmed(client, cast):
    client.force_login(cast.alice)
    page = client.post(address("facility-register", cast), {"ccn": "banana", "state": "AL", "zip_code": "35653"})
    assert page.context["confirm"] == ""
    assert page.context["form"].errors["ccn"]


def test_a_number_registered_before_is_refused_beside_the_field(client, cast, listed):
    client.force_login(cast.alice)
    url = address("facility-register", cast)
    typed = {"ccn": "015123", "state": "AL", "zip_code": "35653"}
    typed["confirm"] = client.post(url, typed).context["confirm"]
    assert client.post(url, typed).status_code == 302
    again = client.post(url, typed)
    assert "already registered" in again.context["form"].errors["ccn"][0]
    assert Facility.objects.filter(organization=cast.riverside, ccn="015123").count() == 1


def test_a_place_without_ccn_needs_only_state_zip_and_name(client, cast):
    client.force_login(cast.alice)
    url = address("facility-register", cast)
    typed = {"licensed_only": "on", "state": "AL", "zip_code": "35653", "name": "Home of Rest"}
    typed["confirm"] = client.post(url, typed).context["confirm"]
    client.post(url, typed)
    place = Facility.objects.get(name="Home of Rest")
    assert place.licensed_only
    assert place.ccn is None


def test_the_name_is_asked_for_where_the_directory_has_none(client, cast):
    client.force_login(cast.alice)
    url = address("facility-register", cast)
    typed = {"licensed_only": "on", "state": "AL", "zip_code": "35653"}
    typed["confirm"] = client.post(url, typed).context["confirm"]
    assert "name" in client.post(url, typed).context["form"].errors


def test_a_secret_in_the_reason_is_refused_and_not_shown_again(client, cast, listed):
    client.force_login(cast.alice)
    typed = {"ccn": "015123", "state": "AL", "zip_code": "36101", "override_reason": "password: Hunter2!"}
    page = client.post(address("facility-register", cast), typed)
    assert "a password" in page.context["form"].errors["override_reason"][0]
    assert b"Hunter2" not in page.content


@pytest.mark.parametrize(("who", "status"), [("alice", 200), ("carol", 403), ("audrey", 403), ("mallory", 404)])
def test_registering_is_for_those_who_work_for_the_whole_organization(client, cast, who, status):
    client.force_login(getattr(cast, who))
    assert client.get(address("facility-register", cast)).status_code == status
    assert client.post(address("facility-register", cast), {"ccn": "1"}).status_code == status


# --- one facility ------------------------------------------------------------------------------


def test_the_page_shows_people_systems_standing_and_next_date(client, cast):
    account = hold(cast, cast.people["henry"], cast.oak)
    client.force_login(cast.carol)
    page = client.get(cast.oak.get_absolute_url())
    table = page.context["table"]
    assert [system.slug for system in table.systems] == ["harp", "iqies"]
    henry = next(row for row in table.rows if row.person == cast.people["henry"])
    cell = henry.cells[1]["held"][0]
    account.refresh_from_db()
    assert account.lapses_on == date(2026, 11, 30)
    assert cell["text"] == "Mon 30 Nov 2026"
    assert cell["standing"] == "soon"
    assert "iQIES" in page.context["due"][0].sentence
    assert "CT" in page.content.decode()  # the local clock


def test_somebody_who_left_stays_in_the_table_while_access_is_open(client, cast):
    scope = cast.scope("alice")
    facts = PersonFacts("Lea", "Gone", "lea@example.org")
    gone = add_person(scope=scope, facility=cast.oak, facts=facts, job_title="", starts_on=date(2025, 1, 1), at=NOON)
    hold(cast, gone, cast.oak)
    end_employment(scope=scope, employment=gone.employments.get(), last_day_on=date(2026, 11, 14), at=NOON)
    client.force_login(cast.carol)
    rows = {row.person: row for row in client.get(cast.oak.get_absolute_url()).context["table"].rows}
    assert "still has access" in rows[gone].left
    assert rows[cast.people["carol"]].left == ""


def test_a_page_that_the_member_could_not_open_is_not_linked(client, cast):
    hold(cast, cast.people["olga"], cast.oak)  # works at Elm House only
    for name, linked in (("carol", False), ("alice", True)):
        client.force_login(getattr(cast, name))
        rows = {row.person: row for row in client.get(cast.oak.get_absolute_url()).context["table"].rows}
        assert bool(rows[cast.people["olga"]].url) == linked, name
        assert rows[cast.people["henry"]].url


@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 200), ("carol", 200), ("olga", 404), ("henry", 404), ("audrey", 200), ("mallory", 404)],
)
def test_a_facility_is_shown_to_those_who_read_there(client, cast, who, status):
    client.force_login(getattr(cast, who))
    assert client.get(address("facility", cast, cast.oak.pk)).status_code == status


def test_another_tenants_facility_is_not_found_below_our_address(client, cast):
    client.force_login(cast.alice)
    assert client.get(address("facility", cast, cast.summit.pk)).status_code == 404
    assert client.get(address("facility", cast, cast.oak.pk)).status_code == 200


def test_a_facility_page_asks_the_same_number_of_queries_for_2_and_for_30_people(
    client, cast, django_assert_max_num_queries, django_assert_num_queries
):
    client.force_login(cast.carol)
    crowd(cast, cast.oak, 2)
    client.get(cast.oak.get_absolute_url())
    with django_assert_max_num_queries(33) as few:
        client.get(cast.oak.get_absolute_url())
    crowd(cast, cast.oak, 30)
    with django_assert_num_queries(len(few)):
        client.get(cast.oak.get_absolute_url())


# --- correcting --------------------------------------------------------------------------------


def test_name_address_and_clock_can_be_corrected(client, cast):
    client.force_login(cast.carol)
    new = {"version": 1, "name": "Oak Court", "address": "1 Oak St", "city": "Mobile", "zone": "America/New_York"}
    answer = client.post(address("facility-edit", cast, cast.oak.pk), new)
    cast.oak.refresh_from_db()
    assert answer.url == cast.oak.get_absolute_url()
    assert (cast.oak.name, cast.oak.zone, cast.oak.ccn) == ("Oak Court", "America/New_York", "015009")


def test_a_stale_save_shows_both_versions_and_saving_again_keeps_ours(client, cast):
    client.force_login(cast.carol)
    url = address("facility-edit", cast, cast.oak.pk)
    base = {"version": 1, "address": "", "city": "", "zone": "America/Chicago"}
    client.post(url, base | {"name": "Theirs"})
    stale = client.post(url, base | {"name": "Ours"})
    assert stale.context["differing"] == [{"label": "Name", "theirs": "Theirs", "yours": "Ours"}]
    assert stale.context["form"]["name"].value() == "Ours"
    cast.oak.refresh_from_db()
    assert cast.oak.name == "Theirs"
    client.post(url, base | {"name": "Ours", "version": stale.context["form"]["version"].value()})
    cast.oak.refresh_from_db()
    assert cast.oak.name == "Ours"


@pytest.mark.parametrize(
    ("who", "status"), [("alice", 200), ("carol", 200), ("olga", 404), ("audrey", 403), ("mallory", 404)]
)
def test_correcting_needs_the_right_at_that_place(client, cast, who, status):
    client.force_login(getattr(cast, who))
    assert client.get(address("facility-edit", cast, cast.oak.pk)).status_code == status
