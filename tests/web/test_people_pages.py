"""People: list, person, adding with all accounts at once, correcting, leaving."""

from datetime import date

import pytest
import time_machine
from django.urls import reverse

from accounts.models import LoginEvent, PortalAccount, RoleGrant
from accounts.services.inventory import AccountFacts, add_accounts, remove_account
from audit.models import AuditEvent
from staff.models import Person
from systems.models import System, SystemRole
from tests import factories
from tests.conftest import NOON, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def address(name, cast, *args):
    return reverse(f"web:{name}", args=[cast.riverside.slug, *args])


def role(slug, name="individual-user"):
    return SystemRole.objects.get(system__slug=slug, slug=name)


def hold(cast, person, facility, slug="iqies", last_login=date(2026, 10, 1), privileged=False):
    system = System.objects.get(slug=slug)
    chosen = SystemRole.objects.filter(system=system, privileged=privileged).first() or system.roles.first()
    facts = AccountFacts(system, [chosen], date(2025, 1, 1), last_login)
    added = add_accounts(scope=cast.scope("alice"), person=person, facility=facility, accounts=[facts], at=NOON)
    return added[0]


def typed_person(cast, **others):
    return {
        "first_name": "Ana",
        "last_name": "Ruiz",
        "email": "ana@example.org",
        "affiliation": "employee",
        "facility": cast.oak.pk,
        "job_title": "MDS coordinator",
        "starts_on": "2025-03-01",
    } | others


def ticked(slug, roles, **others):
    row = {"hold": "on", "roles": [each.pk for each in roles], "opened_on": "2025-03-01", "last_login": "never"}
    return {f"at-{slug}-{name}": value for name, value in (row | others).items()}


def iqies_roles():
    return list(SystemRole.objects.filter(system__slug="iqies", privileged=False)[:2])


# --- adding with all accounts ------------------------------------------------------------------


def test_a_person_and_all_accounts_are_saved_at_once(client, cast):
    client.force_login(cast.carol)
    data = (
        typed_person(cast)
        | ticked("harp", [role("harp")], user_id="ANARUIZ01", last_login="unknown")
        | ticked("iqies", iqies_roles(), last_login="day", last_login_on="2026-11-10")
        | ticked("qies", [role("qies")], password_changed_on="2026-11-01")
    )
    answer = client.post(address("person-add", cast), data)
    ana = Person.objects.get(last_name="Ruiz")
    assert answer.url == ana.get_absolute_url()
    accounts = {account.system.slug: account for account in ana.accounts.select_related("system")}
    assert set(accounts) == {"harp", "iqies", "qies"}
    assert accounts["harp"].user_id == "ANARUIZ01"
    assert accounts["iqies"].identity == accounts["harp"]
    assert accounts["iqies"].last_login_on == date(2026, 11, 10)
    assert accounts["qies"].login_state == PortalAccount.LoginState.NEVER
    assert accounts["qies"].password_changed_on == date(2026, 11, 1)
    grants = RoleGrant.objects.filter(account=accounts["iqies"], facility=cast.oak)
    assert {grant.role for grant in grants} == set(iqies_roles())
    job = ana.employments.get()
    assert (job.facility, job.job_title, job.valid_from) == (cast.oak, "MDS coordinator", date(2025, 3, 1))
    assert AuditEvent.objects.filter(action="person.added").count() == 1
    assert AuditEvent.objects.filter(action="account.added").count() == 3


def test_one_wrong_row_saves_nothing_and_keeps_everything_typed(client, cast):
    client.force_login(cast.carol)
    data = (
        typed_person(cast)
        | ticked("harp", [role("harp")], user_id="ANARUIZ01")
        | ticked("iqies", [], last_login="day", opened_on="")
    )
    page = client.post(address("person-add", cast), data)
    assert page.status_code == 200
    assert not Person.objects.filter(last_name="Ruiz").exists()
    rows = {row.system.slug: row for row in page.context["rows"]}
    assert set(rows["iqies"].errors) == {"roles", "opened_on", "last_login_on"}
    assert not rows["harp"].errors
    assert rows["harp"]["user_id"].value() == "ANARUIZ01"
    assert b"ANARUIZ01" in page.content
    assert b"nothing you typed is lost" in page.content


def test_a_refusal_of_the_service_leaves_no_person_without_accounts(client, cast):
    factories.PersonFactory(organization=cast.riverside, employee_number="E7")
    client.force_login(cast.carol)
    data = typed_person(cast, employee_number="E7") | ticked("harp", [role("harp")])
    page = client.post(address("person-add", cast), data)
    assert page.context["form"].errors["employee_number"]
    assert not PortalAccount.objects.exists()
    assert client.post(address("person-add", cast), data | {"employee_number": "E8"}).status_code == 302


def test_what_is_left_in_an_unticked_row_does_not_matter(client, cast):
    client.force_login(cast.carol)
    data = typed_person(cast) | {"at-iqies-opened_on": "nonsense", "at-iqies-last_login": "day"}
    assert client.post(address("person-add", cast), data).status_code == 302
    assert not Person.objects.get(last_name="Ruiz").accounts.exists()


def test_an_account_whose_authority_is_not_ticked_brings_it_along(client, cast):
    client.force_login(cast.carol)
    client.post(address("person-add", cast), typed_person(cast) | ticked("iqies", iqies_roles()))
    ana = Person.objects.get(last_name="Ruiz")
    assert {account.system.slug for account in ana.accounts.select_related("system")} == {"harp", "iqies"}


def test_user_ids_are_asked_at_sign_in_authorities_only_and_password_days_where_there_is_a_clock(client, cast):
    client.force_login(cast.carol)
    rows = {row.system.slug: row for row in client.get(address("person-add", cast)).context["rows"]}
    asked = {slug for slug, row in rows.items() if "user_id" in row.fields}
    assert {"harp", "qies", "idm", "cmsnet"} <= asked
    assert not {"iqies", "casper", "hqr"} & asked
    assert "password_changed_on" in rows["qies"].fields
    assert "password_changed_on" not in rows["harp"].fields
    order = list(rows)
    assert order.index("harp") < order.index("iqies")
    assert order.index("qies") < order.index("casper")


def test_what_a_seldom_system_asks_comes_when_it_is_ticked_and_without_scripts_with_the_answer(client, cast):
    client.force_login(cast.carol)
    page = client.get(address("person-add", cast)).content.decode()
    assert 'name="at-ep-pv-hold"' in page
    assert 'name="at-ep-pv-opened_on"' not in page
    fields = client.get(address("account-fields", cast, "ep-pv")).content.decode()
    assert 'name="at-ep-pv-opened_on"' in fields
    assert client.get(address("account-fields", cast, "no-such-system")).status_code == 404
    bare = client.post(address("person-add", cast), typed_person(cast) | {"at-ep-pv-hold": "on"}).content.decode()
    assert 'name="at-ep-pv-opened_on"' in bare
    assert "Say since when." in bare
    assert not Person.objects.filter(last_name="Ruiz").exists()
    answered = typed_person(cast) | ticked("ep-pv", [role("ep-pv")], last_login="unknown")
    assert client.post(address("person-add", cast), answered).status_code == 302
    ana = Person.objects.get(last_name="Ruiz")
    assert {account.system.slug for account in ana.accounts.select_related("system")} == {"idm", "ep-pv"}


def test_a_day_typed_without_the_click_beside_it_counts(client, cast):
    client.force_login(cast.carol)
    row = ticked("harp", [role("harp")], last_login="unknown", last_login_on="2026-11-10")
    client.post(address("person-add", cast), typed_person(cast) | row)
    assert LoginEvent.objects.get().happened_on == date(2026, 11, 10)


@pytest.mark.parametrize(
    ("field", "value"),
    [("last_login_on", "2026-11-22"), ("opened_on", "2026-11-22"), ("opened_on", "1999-12-31"), ("opened_on", "12")],
)
def test_days_that_cannot_be_are_refused_beside_their_field(client, cast, field, value):
    client.force_login(cast.carol)
    row = ticked("harp", [role("harp")], last_login="day", last_login_on="2026-11-20")
    assert (
        client.post(address("person-add", cast), typed_person(cast) | row | {f"at-harp-{field}": value})
        .context["wrong"][0]
        .errors[field]
    )
    assert client.post(address("person-add", cast), typed_person(cast) | row).status_code == 302


def test_a_secret_is_refused_and_not_shown_again(client, cast):
    client.force_login(cast.carol)
    row = ticked("harp", [role("harp")], user_id="ANA password: Hunter2!")
    page = client.post(address("person-add", cast), typed_person(cast) | row)
    assert "a password" in page.context["wrong"][0].errors["user_id"][0]
    assert b"Hunter2" not in page.content
    assert not Person.objects.filter(last_name="Ruiz").exists()


def test_a_known_work_address_is_asked_about_once(client, cast):
    client.force_login(cast.carol)
    data = typed_person(cast, email="HENRY@example.org")
    page = client.post(address("person-add", cast), data)
    assert page.context["form"].same == cast.people["henry"]
    assert cast.people["henry"].get_absolute_url().encode() in page.content
    assert client.post(address("person-add", cast), data | {"somebody_else": "on"}).status_code == 302


def test_an_address_at_a_facility_one_cannot_see_is_not_told(client, cast):
    client.force_login(cast.carol)
    assert client.post(address("person-add", cast), typed_person(cast, email="olga@example.org")).status_code == 302


def test_only_places_where_one_may_add_people_can_be_chosen(client, cast):
    client.force_login(cast.carol)
    assert (
        client.post(address("person-add", cast), typed_person(cast, facility=cast.elm.pk))
        .context["form"]
        .errors["facility"]
    )
    client.force_login(cast.alice)
    assert (
        client.post(address("person-add", cast), typed_person(cast, facility=cast.summit.pk))
        .context["form"]
        .errors["facility"]
    )
    assert client.post(address("person-add", cast), typed_person(cast, facility=cast.elm.pk)).status_code == 302


@pytest.mark.parametrize(
    ("who", "status"), [("alice", 200), ("carol", 200), ("henry", 403), ("audrey", 403), ("mallory", 404)]
)
def test_adding_people_needs_the_right_somewhere(client, cast, who, status):
    client.force_login(getattr(cast, who))
    assert client.get(address("person-add", cast)).status_code == status


def test_without_a_facility_the_page_leads_to_registering_one(client, cast):
    empty = factories.OrganizationFactory(slug="empty")
    factories.MembershipFactory(user=cast.nobody, organization=empty, role="administrator")
    client.force_login(cast.nobody)
    page = client.get(reverse("web:person-add", args=["empty"]))
    assert page.context["no_places"]


def test_with_many_facilities_one_is_named_by_its_number(client, cast):
    for number in range(101):
        factories.FacilityFactory(organization=cast.riverside, ccn=f"01{6000 + number}")
    client.force_login(cast.alice)
    assert client.post(address("person-add", cast), typed_person(cast, facility="999999")).status_code == 200
    assert client.post(address("person-add", cast), typed_person(cast, facility="015009")).status_code == 302
    assert Person.objects.get(last_name="Ruiz").employments.get().facility == cast.oak


# --- more accounts -----------------------------------------------------------------------------


def test_a_known_account_gains_roles_and_a_new_one_is_added(client, cast):
    henry = cast.people["henry"]
    account = hold(cast, henry, cast.oak)
    more = SystemRole.objects.filter(system__slug="iqies").exclude(pk=account.grants.get().role_id).first()
    client.force_login(cast.carol)
    url = address("person-accounts-add", cast, henry.pk)
    rows = {row.system.slug: row for row in client.get(url).context["rows"]}
    assert rows["iqies"].existing == account
    assert set(rows["iqies"].fields) == {"hold", "roles", "opened_on"}
    data = {"facility": cast.oak.pk} | ticked("iqies", [more]) | ticked("qies", [role("qies")])
    assert client.post(url, data).url == henry.get_absolute_url()
    assert account.grants.count() == 2
    assert henry.accounts.filter(system__slug="qies").exists()


def test_nothing_ticked_is_said_and_nothing_is_written(client, cast):
    client.force_login(cast.carol)
    page = client.post(address("person-accounts-add", cast, cast.people["henry"].pk), {"facility": cast.oak.pk})
    assert page.context["form"].non_field_errors() == ["Tick at least one system."]


@pytest.mark.parametrize(
    ("who", "status"), [("alice", 200), ("carol", 200), ("olga", 404), ("audrey", 403), ("mallory", 404)]
)
@pytest.mark.parametrize("page", ["person-accounts-add", "person-edit"])
def test_changing_a_person_needs_the_right_where_she_works(client, cast, page, who, status):
    client.force_login(getattr(cast, who))
    assert client.get(address(page, cast, cast.people["henry"].pk)).status_code == status


# --- one person --------------------------------------------------------------------------------


def test_the_page_shows_what_is_held_and_what_would_stay_open(client, cast):
    henry = cast.people["henry"]
    hold(cast, henry, cast.oak)
    hold(cast, henry, cast.oak, slug="idm", privileged=True)
    removed = hold(cast, henry, cast.oak, slug="cmsnet")
    remove_account(scope=cast.scope("alice"), account=removed, removed_on=TODAY, at=NOON)
    client.force_login(cast.carol)
    context = client.get(henry.get_absolute_url()).context
    shown = {row["cells"][0]["text"]: row["cells"] for row in context["rows"]}
    assert shown["iQIES"][2]["standing"] == "soon"
    assert "Mon 30 Nov 2026" in shown["iQIES"][3]["text"]
    assert "Oak House" in shown["iQIES"][1]["text"]
    assert shown["CMSNet"][2]["words"] == "Removed"
    assert [each["system"] for each in context["stays_open"]] == ["iQIES", "IDM"], "HARP stays hers; IDM can approve"
    assert context["stays_open"][1]["privileged"] == "Approver"
    quits = client.get(address("person-quits", cast, henry.pk)).context["page"]
    assert {account["url"] for there in quits.places for account in there.accounts} | {
        account["url"] for account in quits.elsewhere
    } == {each["url"] for each in context["stays_open"]}, "one function says it on both pages"


def test_the_user_id_shown_is_that_of_the_sign_in_authority(client, cast):
    henry = cast.people["henry"]
    account = hold(cast, henry, cast.oak)
    PortalAccount.objects.filter(pk=account.identity_id).update(user_id="HENRY01")
    client.force_login(cast.henry)
    rows = client.get(henry.get_absolute_url()).context["rows"]
    assert {row["cells"][0]["text"]: row["cells"][4]["text"] for row in rows}["iQIES"] == "HENRY01"


@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 200), ("carol", 200), ("olga", 404), ("henry", 200), ("audrey", 200), ("mallory", 404)],
)
def test_a_person_is_shown_to_those_who_read_there_and_to_herself(client, cast, who, status):
    client.force_login(getattr(cast, who))
    assert client.get(address("person", cast, cast.people["henry"].pk)).status_code == status


def test_accounts_and_work_at_another_facility_stay_hidden_from_its_neighbour(client, cast):
    henry = cast.people["henry"]
    factories.EmploymentFactory(facility=cast.elm, person=henry, job_title="Night shift")
    hold(cast, henry, cast.elm, slug="qies")
    client.force_login(cast.carol)
    context = client.get(henry.get_absolute_url()).context
    assert context["rows"] == []
    assert [item["title"] for item in context["timeline"]] == ["MDS coordinator at Oak House"]
    client.force_login(cast.olga)
    context = client.get(henry.get_absolute_url()).context
    assert [row["cells"][0]["text"] for row in context["rows"]] == ["QIES"]
    assert [item["title"] for item in context["timeline"]] == ["Night shift at Elm House"]


def test_buttons_stand_only_where_the_deed_would_pass(client, cast):
    url = address("person", cast, cast.people["henry"].pk)
    edit = address("person-edit", cast, cast.people["henry"].pk).encode()
    client.force_login(cast.audrey)
    assert edit not in client.get(url).content
    client.force_login(cast.carol)
    assert edit in client.get(url).content


def test_a_person_page_asks_the_same_number_of_queries_for_2_and_for_30_grants(
    client, cast, django_assert_max_num_queries, django_assert_num_queries
):
    henry = cast.people["henry"]
    for slug in ("iqies", "qies"):
        hold(cast, henry, cast.oak, slug=slug)
    client.force_login(cast.alice)
    client.get(henry.get_absolute_url())
    with django_assert_max_num_queries(25) as few:
        client.get(henry.get_absolute_url())
    for number in range(30):
        place = factories.FacilityFactory(organization=cast.riverside, ccn=f"01{6000 + number}")
        factories.EmploymentFactory(facility=place, person=henry)
        hold(cast, henry, place, slug=("casper", "idm", "hqr")[number % 3])
    with django_assert_num_queries(len(few)):
        client.get(henry.get_absolute_url())


# --- correcting --------------------------------------------------------------------------------


def edited(who, **others):
    return {
        "version": who.version,
        "first_name": who.first_name,
        "last_name": who.last_name,
        "email": who.email,
        "affiliation": who.affiliation,
    } | others


def test_a_corrected_name_is_saved_and_audited(client, cast):
    henry = cast.people["henry"]
    client.force_login(cast.carol)
    client.post(address("person-edit", cast, henry.pk), edited(henry, last_name="Tester"))
    henry.refresh_from_db()
    assert henry.last_name == "Tester"
    assert AuditEvent.objects.filter(action="person.corrected").count() == 1


def test_a_stale_correction_shows_both_and_loses_nothing(client, cast):
    henry = cast.people["henry"]
    client.force_login(cast.carol)
    url = address("person-edit", cast, henry.pk)
    client.post(url, edited(henry, phone="111"))
    stale = client.post(url, edited(henry, phone="222"))
    assert stale.context["differing"] == [{"label": "Phone", "theirs": "111", "yours": "222"}]
    version = stale.context["form"]["version"].value()
    client.post(url, edited(henry, phone="222", version=version))
    henry.refresh_from_db()
    assert henry.phone == "222"


# --- further work and leaving ------------------------------------------------------------------


def test_work_at_a_further_facility_is_recorded_once(client, cast):
    henry = cast.people["henry"]
    client.force_login(cast.alice)
    url = address("person-employ", cast, henry.pk)
    data = {"facility": cast.elm.pk, "job_title": "Relief", "starts_on": "2026-11-01"}
    assert client.post(url, data).status_code == 302
    assert "already works" in client.post(url, data).context["form"].errors["starts_on"][0]
    assert henry.employments.filter(facility=cast.elm).count() == 1


@pytest.mark.parametrize(("who", "status"), [("alice", 200), ("audrey", 403), ("olga", 404), ("mallory", 404)])
def test_further_work_needs_the_right_somewhere(client, cast, who, status):
    client.force_login(getattr(cast, who))
    assert client.get(address("person-employ", cast, cast.people["henry"].pk)).status_code == status


def test_leaving_names_what_stays_open_and_keeps_the_person(client, cast):
    henry = cast.people["henry"]
    hold(cast, henry, cast.oak)
    job = henry.employments.get()
    client.force_login(cast.carol)
    url = address("employment-end", cast, job.pk)
    assert client.get(url).context["systems"] == ["iQIES"], "the HARP identity stays hers"
    answer = client.post(url, {"last_day_on": "2026-11-14"}, follow=True)
    assert henry.employments.get(voided_at=None).valid_to == date(2026, 11, 14)
    assert "Still open there: iQIES." in answer.content.decode()
    assert "Henry Test left on Sat 14 Nov 2026, and one account is still open" in answer.content.decode()
    assert "away for a while" not in answer.content.decode(), "who left needs nobody to stand in"
    assert answer.context["works_here"] is False


def test_a_last_day_before_the_first_is_refused(client, cast):
    job = cast.people["henry"].employments.get()
    client.force_login(cast.carol)
    url = address("employment-end", cast, job.pk)
    assert client.post(url, {"last_day_on": "2023-12-31"}).context["form"].errors["last_day_on"]
    assert client.post(url, {"last_day_on": "2024-01-01"}).status_code == 302


@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 200), ("carol", 200), ("olga", 404), ("henry", 404), ("audrey", 403), ("mallory", 404)],
)
def test_ending_work_needs_the_right_at_that_place(client, cast, who, status):
    client.force_login(getattr(cast, who))
    assert client.get(address("employment-end", cast, cast.people["henry"].employments.get().pk)).status_code == status


def test_only_a_colleague_whom_the_member_sees_can_stand_in(client, cast):
    henry = cast.people["henry"]
    url = address("person-away", cast, henry.pk)
    client.force_login(cast.henry)
    assert "Who stands in" not in client.get(url).content.decode(), "a holder sees nobody whom he could name"
    client.force_login(cast.carol)
    assert "Who stands in" in client.get(url).content.decode()
    days = {"away_from_on": TODAY.isoformat(), "away_to_on": ""}
    for stranger in ("olga", "mallory", "henry"):
        assert client.post(url, days | {"deputy": cast.people[stranger].pk}).status_code == 200
    assert not henry.absences.exists()
    assert client.post(url, days | {"deputy": cast.people["carol"].pk}).status_code == 302
    assert "Carol Test stands in." in client.get(henry.get_absolute_url()).content.decode()
