"""The filters of the long lists combine, say what they leave out, and never widen by mistake."""

from datetime import date, timedelta

import pytest
import time_machine

from accounts.models import PortalAccount
from staff.models import Person
from staff.services.people import end_employment
from systems.models import SystemRole
from tests import factories
from tests.conftest import NOON, TODAY
from tests.web.holdings import address, crowd, held
from web import account_list
from web.account_filters import dated_after

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        yield


def listed(client, name="accounts", **filters):
    rows = client.get(address(name), filters).context["rows"]
    if name == "people":
        return [row["cells"][0]["text"] for row in rows]
    return [f"{row['cells'][0]['text']}, {row['cells'][1]['text']}" for row in rows]


def leave(cast, name):
    end_employment(
        scope=cast.scope("alice"),
        employment=cast.people[name].employments.get(),
        last_day_on=date(2026, 11, 14),
        at=NOON,
    )


def test_a_role_is_asked_for_by_its_name_and_at_a_facility_it_is_the_role_there(client, cast):
    first, second = SystemRole.objects.filter(system__slug="iqies")[:2]
    carols, olgas = held(cast, "carol"), held(cast, "olga", facility=cast.elm)
    factories.GrantFactory(account=carols, facility=cast.elm, role=second)
    client.force_login(cast.alice)
    assert listed(client, role=f"iqies:{first.slug}") == ["Carol Test, iQIES", "Olga Test, iQIES"]
    assert listed(client, role=f"iqies:{first.slug}", facility=cast.elm.pk) == ["Olga Test, iQIES"]
    assert listed(client, role=f"iqies:{second.slug}", facility=cast.elm.pk) == ["Carol Test, iQIES"]
    assert olgas.pk != carols.pk


def test_the_roles_of_another_system_than_the_chosen_one_are_refused(client, cast):
    role = SystemRole.objects.filter(system__slug="iqies").first()
    held(cast, "carol")
    client.force_login(cast.alice)
    page = client.get(address("accounts"), {"system": "harp", "role": f"iqies:{role.slug}"})
    assert "There is no such role on that system." in page.content.decode()
    assert [row["cells"][1]["text"] for row in page.context["rows"]] == ["HARP"]


def test_those_who_left_are_told_from_those_who_work_here(client, cast):
    held(cast, "carol")
    held(cast, "henry")
    leave(cast, "henry")
    client.force_login(cast.alice)
    assert listed(client, holder="left", system="iqies") == ["Henry Test, iQIES"]
    assert listed(client, holder="working", system="iqies") == ["Carol Test, iQIES"]


def test_who_never_worked_here_has_not_left(client, cast):
    account = held(cast, "carol")
    stranger = factories.PersonFactory(organization=cast.riverside, last_name="Stranger")
    PortalAccount.objects.filter(pk=account.pk).update(person=stranger)
    client.force_login(cast.alice)
    assert listed(client, holder="left") == []
    assert listed(client, name="people", state="left") == []
    assert "Stranger" in " ".join(listed(client, q="strang"))


def test_accounts_are_found_by_beginnings_of_names_and_by_user_id_also_of_the_authority(client, cast):
    held(cast, "carol", user_id="CTEST77")
    held(cast, "henry", user_id="OTHER1")
    client.force_login(cast.alice)
    assert set(listed(client, q="ctest7")) == {"Carol Test, iQIES", "Carol Test, HARP"}
    assert set(listed(client, q="hen te")) == {"Henry Test, iQIES", "Henry Test, HARP"}
    assert listed(client, q="hen ctest7") == []


def test_roles_that_are_held_and_that_have_ended_are_told_apart_and_so_are_logins(client, cast):
    held(cast, "carol", ago=5)
    gone = held(cast, "henry", ago="never")
    gone.grants.update(valid_to=TODAY - timedelta(days=1))
    held(cast, "olga", ago="unknown", facility=cast.elm)
    client.force_login(cast.alice)
    here = {"facility": cast.oak.pk, "system": "iqies"}
    assert listed(client, **here) == ["Henry Test, iQIES", "Carol Test, iQIES"]
    assert listed(client, **here, held="now") == ["Carol Test, iQIES"]
    assert listed(client, **here, held="ended") == ["Henry Test, iQIES"]
    assert listed(client, held="ended") == ["Henry Test, iQIES"], "wherever it was"
    assert listed(client, system="iqies", login="never") == ["Henry Test, iQIES"]
    assert listed(client, system="iqies", login="unknown") == ["Olga Test, iQIES"]
    assert "Choose between roles that are held now" in client.get(address("accounts"), {"held": "x"}).content.decode()


def test_all_filters_hold_together(client, cast):
    role = SystemRole.objects.filter(system__slug="iqies").first()
    held(cast, "carol", ago=80)
    held(cast, "henry", ago=80)
    held(cast, "olga", ago=80, facility=cast.elm)
    client.force_login(cast.alice)
    asked = {
        "q": "car", "system": "iqies", "role": f"iqies:{role.slug}", "facility": cast.oak.pk,
        "standing": "presumed-lapsed", "holder": "working", "sort": "name",
    }  # fmt: skip
    page = client.get(address("accounts"), asked)
    assert [row["cells"][0]["text"] for row in page.context["rows"]] == ["Carol Test"]
    assert [chip["text"] for chip in page.context["chips"]] == [
        "Name or user ID: car", "System: iQIES", f"Role: {role.name}", "Facility: Oak House",
        "Standing: Presumed lapsed", "Holder: Works here",
    ]  # fmt: skip
    without = next(chip["url"] for chip in page.context["chips"] if chip["text"] == "Name or user ID: car")
    assert "sort=name" in without
    assert len(client.get(address("accounts") + without).context["rows"]) == 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("standing=nonsense", "There is no such standing."),
        ("system=nope", "Nobody here holds an account on such a system."),
        ("facility=abc", "There is no such facility among yours."),
        ("facility=99999999999999999999", "There is no such facility among yours."),
        ("role=iqies:nope", "There is no such role on that system."),
        ("holder=maybe", "Choose between those who work here and those who left."),
        ("sort=colour", "The list can be sorted by last safe day or by name."),
    ],
)
def test_what_makes_no_sense_is_told_and_the_other_filters_hold(client, cast, query, said):
    held(cast, "carol")
    held(cast, "olga", facility=cast.elm)
    client.force_login(cast.alice)
    page = client.get(f"{address('accounts')}?{query}&q=carol")
    assert page.status_code == 200
    assert said in page.content.decode()
    assert {row["cells"][0]["text"] for row in page.context["rows"]} == {"Carol Test"}


def test_another_tenants_facility_is_no_choice(client, cast):
    held(cast, "carol")
    client.force_login(cast.alice)
    page = client.get(address("accounts"), {"facility": cast.summit.pk})
    assert "There is no such facility among yours." in page.content.decode()
    assert "Summit House" not in page.content.decode()


def test_by_name_pages_go_forward_and_back_over_the_same_rows(client, cast, monkeypatch):
    monkeypatch.setattr(account_list, "SIZE", 3)
    crowd(cast, 5)
    client.force_login(cast.alice)
    forward, query = [], "?sort=name"
    while query:
        page = client.get(address("accounts") + query).context
        forward.append([row["cells"][0]["url"] for row in page["rows"]])
        query, back = page["page"].next_url, page["page"].previous_url
    assert [len(rows) for rows in forward] == [3, 3, 3, 1]
    backward = []
    while back:
        page = client.get(address("accounts") + back).context
        backward.append([row["cells"][0]["url"] for row in page["rows"]])
        back = page["page"].previous_url
    assert backward == forward[-2::-1]


def test_from_the_accounts_without_a_date_back_leads_to_the_last_dates(client, cast, monkeypatch):
    monkeypatch.setattr(account_list, "SIZE", 3)
    crowd(cast, 4, ago=30)
    crowd(cast, 4, ago="unknown")
    client.force_login(cast.alice)
    undated = client.get(address("accounts"), {"undated": "1"}).context["page"]
    before = client.get(address("accounts") + undated.previous_url).context
    last_days = list(
        PortalAccount.objects.filter(lapses_on__isnull=False).order_by("lapses_on", "pk").values_list("pk", flat=True)
    )[-3:]
    assert [row["cells"][0]["url"] for row in before["rows"]] == [address("account", pk) for pk in last_days]
    again = client.get(address("accounts") + before["page"].next_url).context
    assert all(row["cells"][3]["text"] == "No date known" for row in again["rows"])


def test_long_lists_are_counted_up_to_a_cap(client, cast, monkeypatch):
    crowd(cast, 3)
    client.force_login(cast.alice)
    assert "Six accounts" in client.get(address("accounts")).content.decode()
    monkeypatch.setattr("web.keyset.COUNTED_AT_MOST", 5)
    assert "More than five accounts" in client.get(address("accounts")).content.decode()


def test_people_are_narrowed_by_state_and_by_what_they_hold(client, cast):
    held(cast, "henry")
    held(cast, "carol")
    Person.objects.filter(pk=cast.people["audrey"].pk).update(affiliation="vendor")
    leave(cast, "henry")
    leave(cast, "olga")
    client.force_login(cast.alice)
    assert listed(client, "people", state="left") == ["Henry Test", "Olga Test"]
    assert listed(client, "people", state="left-open") == ["Henry Test"]
    assert listed(client, "people", state="working") == ["Carol Test"]
    assert listed(client, "people", state="vendor") == ["Audrey Test"]
    assert listed(client, "people", holds="some") == ["Carol Test", "Henry Test"]
    assert "Henry Test" not in listed(client, "people", holds="none")
    assert listed(client, "people", holds="none", state="left") == ["Olga Test"]
    chips = client.get(address("people"), {"holds": "none", "state": "left"}).context["chips"]
    assert [chip["text"] for chip in chips] == ["Who: Left", "Accounts: Holds no account"]


def test_an_account_is_fine_from_the_day_before_its_ladder_begins(client, cast):
    assert dated_after(cast.riverside, "fine", TODAY) == date.max, "nothing here has a date"
    held(cast, "henry", "iqies", ago=40)
    carols = held(cast, "carol", "iqies", ago=39)  # 21 days left; the ladder of 60 days begins at 20
    client.force_login(cast.alice)
    walk_from = dated_after(cast.riverside, "fine", TODAY)
    assert walk_from == carols.lapses_on - timedelta(days=1), "ladders of systems that nobody has count for nothing"
    assert listed(client, standing="fine", system="iqies") == ["Carol Test, iQIES"]
    assert listed(client, standing="soon", system="iqies") == ["Henry Test, iQIES"]
    first_step = 9  # of the shortest ladder that there is: the walk along the days begins behind it
    days_left = (held(cast, "olga", "dde", ago=0).lapses_on - TODAY).days
    dde = held(cast, "audrey", "dde", ago=days_left - first_step - 1)
    assert dde.lapses_on == TODAY + timedelta(days=first_step + 1)
    assert listed(client, standing="fine", system="dde") == [f"{each} Test, DDE / FISS" for each in ("Audrey", "Olga")]


def test_each_account_shows_under_the_one_standing_that_its_row_says(client, cast):
    for days in (1, 25, 31, 45, 59, 61, 70, 85, 95):
        person = factories.PersonFactory(organization=cast.riverside)
        factories.EmploymentFactory(facility=cast.oak, person=person)
        for slug in ("iqies", "casper", "idm", "harp", "sams"):
            held(cast, person, slug, ago=days)
    client.force_login(cast.alice)
    rows = {}
    for slug in ("late", "check-roles", "unknown", "soon", "fine"):
        page = client.get(address("accounts"), {"standing": slug})
        while page is not None:
            for row in page.context["rows"]:
                said = row["cells"][2]["standing"].value.replace("_", "-").replace("presumed-lapsed", "late")
                assert said == slug, row["cells"]
                assert row["cells"][0]["url"] not in rows
                rows[row["cells"][0]["url"]] = slug
            following = page.context["page"].next_url
            page = client.get(address("accounts") + following) if following else None
    assert len(rows) == PortalAccount.objects.running().count()
    assert set(rows.values()) >= {"late", "soon", "fine"}
