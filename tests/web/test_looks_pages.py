"""What somebody looked at or acknowledged is recorded on pages, on the way from what was found."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import AccessLook, Acknowledgement, Finding, HouseRule, ProfileCheck, RoleNeed
from accounts.services.duties import switch_rule
from accounts.services.rules.sweep import check_rules
from accounts.words import day
from audit.models import AuditEvent
from staff.models import Person
from systems.models import SystemRole
from tests import factories
from tests.accounts.holding import held
from tests.accounts.test_job_change_rule import another_job
from tests.accounts.test_profile_rules import new_phone
from tests.conftest import NOON, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOON, tick=False)


def address(name, *args):
    return reverse(f"web:{name}", args=["riverside", *args])


def page(client, user, name, *args):
    client.force_login(user)
    response = client.get(address(name, *args))
    assert response.status_code == 200
    return response.content.decode()


def look_at_everything():
    check_rules(at=NOON, since=None, full=True)


def check_again():
    return check_rules(at=NOON, since=NOON, full=False)


def test_the_page_of_findings_leads_to_the_profile_and_back_to_the_account(client, cast):
    account = held(cast, "qies", person="henry", last_login=TODAY)
    switch_rule(scope=cast.scope("alice"), rule="R-43", on=True, at=NOON)
    new_phone(cast)
    look_at_everything()
    url = address("account-profile", account.pk)
    assert url in page(client, cast.carol, "findings")
    assert url not in page(client, cast.audrey, "findings"), "an auditor records nothing"
    client.force_login(cast.carol)
    response = client.post(url, {"on": TODAY.isoformat()})
    assert response["Location"] == address("account", account.pk)
    assert ProfileCheck.objects.get().checked_on == TODAY
    assert check_again().closed == 1
    assert "Profile right on" in page(client, cast.carol, "account", account.pk)
    client.post(address("profile-check-void", ProfileCheck.objects.get().pk))
    assert "Profile right on" not in page(client, cast.carol, "account", account.pk)


def test_a_day_before_the_opening_is_refused_beside_its_field_and_nothing_is_saved(client, cast):
    account = held(cast, "qies", person="henry", last_login=TODAY)
    client.force_login(cast.carol)
    response = client.post(address("account-profile", account.pk), {"on": "2020-01-01"})
    assert f"The account was opened on {day(account.opened_on)}, after that day." in response.content.decode()
    assert not ProfileCheck.objects.exists()


def test_roles_from_before_a_change_of_job_are_looked_at_from_the_person_or_the_finding(client, cast):
    held(cast, "qies", person="henry", last_login=TODAY)
    another_job(cast)
    look_at_everything()
    url = address("job-look", cast.people["henry"].pk, cast.oak.pk)
    assert url in page(client, cast.carol, "findings")
    assert url in page(client, cast.carol, "person", cast.people["henry"].pk)
    assert url not in page(client, cast.henry, "person", cast.people["henry"].pk), "nobody looks at his own roles"
    client.force_login(cast.henry)
    assert client.post(url).status_code in {403, 404}
    client.force_login(cast.carol)
    assert "QIES" in client.get(url).content.decode()
    assert client.post(url).status_code == 302
    assert AccessLook.objects.get().person == cast.people["henry"]
    assert check_again().closed == 1
    assert AuditEvent.objects.filter(action="access.looked-at").count() == 1


def test_an_acknowledged_addendum_is_recorded_on_the_way_from_the_finding(client, cast):
    official = SystemRole.objects.get(system__slug="psr", slug__contains="official")
    held(cast, "psr", person="henry", last_login=TODAY, roles=[official])
    switch_rule(scope=cast.scope("alice"), rule="R-15", on=True, at=NOON)
    look_at_everything()
    url = address("acknowledge", cast.people["henry"].pk)
    assert f"{url}?document=addendum" in page(client, cast.alice, "findings")
    typed = {"document": "addendum", "on": TODAY.isoformat(), "version": "2026"}
    assert client.post(url, typed)["Location"] == cast.people["henry"].get_absolute_url()
    assert Acknowledgement.objects.get().version == "2026"
    assert "(2026): acknowledged on" in page(client, cast.alice, "person", cast.people["henry"].pk)
    assert check_again().closed == 1, "what the role is needed for is another question"
    assert client.post(url, typed).status_code == 302, "the same again"
    other = client.post(url, {**typed, "version": "2027"})
    assert "That day is recorded already, with version “2026”." in other.content.decode()
    late = client.post(url, {**typed, "on": "2027-01-01"})
    assert "cannot have been acknowledged in the future" in late.content.decode()


def test_an_acknowledgement_is_taken_back_with_a_reason_and_what_lacks_it_is_found_again(client, cast):
    official = SystemRole.objects.get(system__slug="psr", slug__contains="official")
    held(cast, "psr", person="henry", last_login=TODAY, roles=[official])
    switch_rule(scope=cast.scope("alice"), rule="R-15", on=True, at=NOON)
    typed = {"document": "addendum", "on": TODAY.isoformat(), "version": ""}
    henry = cast.people["henry"]
    client.force_login(cast.carol)
    client.post(address("acknowledge", henry.pk), typed)
    look_at_everything()
    assert not Finding.objects.open().filter(kind=Finding.Kind.PRIVILEGED_OPEN, account=None).exists()
    url = address("acknowledgement-void", Acknowledgement.objects.get().pk)
    assert url in page(client, cast.carol, "person", henry.pk)
    assert url not in page(client, cast.audrey, "person", henry.pk)
    client.force_login(cast.carol)
    assert "Say why it is taken back." in client.post(url, {"reason": " "}).content.decode()
    assert client.post(url, {"reason": "It was his sister’s"})["Location"] == henry.get_absolute_url()
    assert check_again().opened == 1
    assert ": acknowledged on" not in page(client, cast.carol, "person", henry.pk)
    assert client.get(url).status_code == 404
    act = AuditEvent.objects.get(action="document.acknowledgement-voided")
    assert act.reason == "It was his sister’s"


def test_why_a_privileged_role_is_needed_is_said_on_the_way_from_the_finding_and_taken_back(client, cast):
    official = SystemRole.objects.get(system__slug="psr", slug__contains="official")
    account = held(cast, "psr", person="henry", last_login=TODAY, roles=[official])
    switch_rule(scope=cast.scope("alice"), rule="R-15", on=True, at=NOON)
    look_at_everything()
    wrong = f"Nobody has said why {cast.people['henry']} needs to be {official.name} at Oak House on PS&amp;R"
    url = address("role-need", account.grants.get().pk)
    deed = "Say why on its page"
    for user, may in ((cast.carol, True), (cast.audrey, False), (cast.henry, False)):
        said = page(client, user, "findings")
        assert wrong in said
        assert (deed in said) is may
        said = page(client, user, "account", account.pk)
        assert "Nobody has said why it is needed." in said
        assert (url in said) is may
    client.force_login(cast.carol)
    assert "This looks like" in client.post(url, {"need": "password: Winter2026!"}).content.decode()
    assert client.post(url, {"need": "Gives the roles there"})["Location"] == account.get_absolute_url()
    assert check_again().closed == 1
    said = page(client, cast.carol, "account", account.pk)
    assert "Needed: Gives the roles there" in said
    assert f"Said by {cast.carol.email} on Fri 20 Nov 2026, 12:00 p.m. ET" in said
    client.post(url, {"need": "Backup of Ruth"})
    void = address("role-need-void", RoleNeed.objects.known().get().pk)
    assert void in page(client, cast.carol, "account", account.pk)
    assert "Say why it is taken back." in client.post(void, {"reason": " "}).content.decode()
    assert client.post(void, {"reason": "Ruth is back"})["Location"] == account.get_absolute_url()
    said = page(client, cast.henry, "account", account.pk)
    assert "said anew on" in said
    assert "(Ruth is back)" in said
    assert check_again().opened == 1
    client.force_login(cast.carol)
    assert client.get(void).status_code == 404
    assert client.get(address("role-need", held(cast, "qies", person="henry").grants.get().pk)).status_code == 404


def test_who_worked_here_before_is_acknowledged_for_where_she_works_now_and_else_by_the_organization(client, cast):
    olga = cast.people["olga"]
    before = factories.EmploymentFactory(person=olga, facility=cast.oak, valid_to=TODAY - timedelta(days=1))
    url = address("acknowledge", olga.pk)
    typed = {"document": "rules", "on": TODAY.isoformat(), "version": ""}

    def may(user):
        said = page(client, user, "person", olga.pk)
        done = client.post(url, typed).status_code == 302
        assert (url in said) is done
        return done

    assert not may(cast.carol), "a former workplace does not count"
    type(before).objects.filter(pk=before.pk).update(valid_to=TODAY)
    assert may(cast.carol), "the last day still does"
    type(before).objects.filter(person=olga).update(valid_to=TODAY - timedelta(days=1))
    assert not may(cast.carol)
    assert may(cast.alice)


def test_a_year_mistyped_by_a_thousand_is_refused_beside_its_field(client, cast):
    early = {"on": "0206-11-20"}
    asked = [
        (address("acknowledge", cast.people["henry"].pk), {"document": "rules"}),
        (address("facility-reviewed", cast.oak.pk), {"extent": "accounts"}),
        (address("obligation-add", cast.oak.pk), {"kind": "other", "title": "Send it", "due_on": "0206-11-20"}),
    ]
    client.force_login(cast.alice)
    for url, more in asked:
        answer = client.post(url, early | more)
        assert "before any of these systems existed" in answer.content.decode()
        assert answer.content.decode().count("Nothing was saved yet") == 1
        assert {"on", "due_on"} & set(answer.context["form"].errors)
    assert not Acknowledgement.objects.exists()


def test_who_coordinates_one_facility_and_audits_another_is_offered_deeds_only_at_the_first(client, cast):
    factories.MembershipFactory(user=cast.carol, organization=cast.riverside, facility=cast.elm, role="auditor")
    official = SystemRole.objects.get(system__slug="psr", slug__contains="official")
    accounts = {
        name: held(cast, "psr", person=name, facility=facility, last_login=TODAY, roles=[official])
        for name, facility in (("henry", "oak"), ("olga", "elm"))
    }
    for rule in ("R-13", "R-15", "R-43"):
        switch_rule(scope=cast.scope("alice"), rule=rule, on=True, at=NOON - timedelta(days=400))
    Person.objects.update(contact_changed_on=TODAY)
    look_at_everything()
    kinds = {Finding.Kind.PRIVILEGED_OPEN, Finding.Kind.STALE_PROFILE}
    assert kinds <= set(Finding.objects.open().filter(person=cast.people["olga"]).values_list("kind", flat=True))
    found, today = page(client, cast.carol, "findings"), page(client, cast.carol, "today")
    for name, offered in (("henry", True), ("olga", False)):
        acknowledge = address("acknowledge", cast.people[name].pk)
        assert (f"{acknowledge}?document=addendum" in found) is offered
        assert (f"{acknowledge}?document=rules" in today) is offered
        profile = address("account-profile", (accounts[name].identity or accounts[name]).pk)
        assert (profile in found) is offered
        assert client.get(acknowledge).status_code == (200 if offered else 403)


def test_nobody_is_offered_to_look_at_her_own_roles(client, cast):
    held(cast, "qies", person="carol", last_login=TODAY)
    another_job(cast, name="carol")
    look_at_everything()
    url = address("job-look", cast.people["carol"].pk, cast.oak.pk)
    assert url in page(client, cast.alice, "findings")
    assert url not in page(client, cast.carol, "findings")


def test_a_second_click_on_a_switch_flips_nothing_back_and_says_what_stands(client, cast):
    client.force_login(cast.alice)
    url = address("house-rule-switch", "R-13")
    for wanted, said in (("on", "On already from Fri 20 Nov 2026: rules"), ("off", "Off already: rules")):
        client.post(url, {"switch": wanted})
        assert said not in client.get(address("house-rules")).content.decode()
        client.post(url, {"switch": wanted})
        assert said in client.get(address("house-rules")).content.decode()
        assert HouseRule.objects.known().exists() == (wanted == "on")
    assert AuditEvent.objects.filter(action__startswith="rule.").count() == 2


def test_an_administrator_of_everything_switches_rules_and_others_read_them(client, cast):
    said = page(client, cast.alice, "house-rules")
    assert said.count('value="on"') == 6
    assert "Counts from Fri 20 Nov 2026; nothing is due before Sun 20 Dec 2026." in said
    client.post(address("house-rule-switch", "R-13"), {"switch": "on"})
    said = page(client, cast.audrey, "house-rules")
    assert "Switched on by" in said
    assert "<button" not in said[said.index("rule-R-13") : said.index("rule-R-43")]
    client.force_login(cast.alice)
    client.post(address("house-rule-switch", "R-13"), {"switch": "off"})
    assert page(client, cast.alice, "house-rules").count('value="on"') == 6
    assert client.post(address("house-rule-switch", "R-99"), {"switch": "on"}).status_code == 404
    acts = AuditEvent.objects.filter(action__startswith="rule.").order_by("seq").values_list("action", flat=True)
    assert list(acts) == ["rule.switched-on", "rule.switched-off"]
