"""Dates that hang on a role or a facility, on the pages of those they concern."""

import pytest
from django.urls import reverse

from accounts.models import Certification, Deadline, Finding, Obligation
from accounts.services.certifying import record_certification
from accounts.services.obligations import Owed, add_obligation
from accounts.services.rules.sweep import check_rules
from staff.models import Employment
from systems.models import System
from tests import factories
from tests.conftest import NOON, TODAY
from tests.reminders.making import DAY
from tests.reminders.test_duties import anniversary, due, granted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOON, tick=False)


def page(client, user, name="today", *args):
    client.force_login(user)
    response = client.get(reverse(f"web:{name}", args=["riverside", *args]))
    assert response.status_code == 200
    return response.content.decode()


def owing(cast, left, title="Send the staffing data", facility=None):
    owed = Owed("other", title=title, due_on=TODAY + left * DAY)
    return add_obligation(scope=cast.scope("alice"), facility=facility or cast.oak, owed=owed, at=NOON)


def test_today_says_that_something_is_late_although_no_login_is(client, cast):
    owing(cast, left=-2)
    said = page(client, cast.alice)
    assert "Oak House owed by Wed 18 Nov (two days ago): Send the staffing data." in said
    assert "One thing is late." in said


def test_today_shows_a_certification_to_those_who_look_after_the_role_and_not_to_its_holder(client, cast):
    granted(cast, opened_on=anniversary(5))
    expected = "has to be certified"
    assert expected in page(client, cast.alice)
    assert expected in page(client, cast.carol)
    assert expected not in page(client, cast.olga)
    assert expected not in page(client, cast.henry)
    Employment.objects.filter(person=cast.people["henry"]).update(valid_to=TODAY - 5 * DAY)
    said = page(client, cast.carol)
    assert "Henry Test left on Sun 15 Nov (five days ago): have the IDM role" in said
    assert "removed, not certified again." in said
    assert [expected in said, "It was certified" in said] == [False, False]


def test_what_lies_before_the_ladder_is_not_on_today(client, cast):
    owing(cast, left=15)
    assert "Send the staffing data" not in page(client, cast.alice)
    assert "Send the staffing data" in page(client, cast.alice, "facility", cast.oak.pk)


def test_a_certification_is_recorded_on_the_way_from_the_account(client, cast):
    grant = granted(cast, opened_on=anniversary(5))
    url = reverse("web:certify", args=["riverside", grant.pk])
    assert url in page(client, cast.carol, "account", grant.account_id)
    response = client.post(url, {"on": TODAY.isoformat(), "by": "Vera Vendor"})
    assert response["Location"] == grant.account.get_absolute_url()
    assert Certification.objects.get().certified_by == "Vera Vendor"
    assert client.post(url, {"on": TODAY.isoformat(), "by": ""}).status_code == 302, "the same again"
    other = client.post(url, {"on": TODAY.isoformat(), "by": "Ana Ruiz"})
    assert "That day is recorded already, by Vera Vendor." in other.content.decode()
    assert due(grant).due_on > TODAY + 300 * DAY
    assert url not in page(client, cast.carol, "account", grant.account_id)


def test_a_certification_in_the_future_is_refused_beside_the_field(client, cast):
    grant = granted(cast, opened_on=anniversary(5))
    client.force_login(cast.carol)
    url = reverse("web:certify", args=["riverside", grant.pk])
    response = client.post(url, {"on": (TODAY + 2 * DAY).isoformat(), "by": ""})
    assert response.status_code == 200
    assert "cannot lie in the future" in response.content.decode()
    assert not Certification.objects.exists()


def test_what_a_facility_owes_is_added_done_and_taken_back_on_pages(client, cast):
    client.force_login(cast.carol)
    add = reverse("web:obligation-add", args=["riverside", cast.oak.pk])
    due_on = (TODAY + 9 * DAY).isoformat()
    refused = client.post(add, {"kind": "other", "title": "", "due_on": due_on})
    assert "Say in a few words what is owed." in refused.content.decode()
    client.post(add, {"kind": "other", "title": "First", "due_on": due_on})
    client.post(add, {"kind": "other", "title": "Second", "due_on": due_on})
    first, second = Obligation.objects.order_by("pk")
    client.post(reverse("web:obligation-met", args=["riverside", first.pk]), {"on": TODAY.isoformat()})
    assert "take it back: Second".lower() in page(client, cast.carol, "obligation-met", second.pk).lower()
    client.post(reverse("web:obligation-void", args=["riverside", second.pk]))
    assert not Deadline.objects.open().filter(kind="obligation").exists()
    assert "First" not in page(client, cast.carol, "facility", cast.oak.pk)


def test_the_texas_window_is_offered_in_texas_only(client, cast):
    assert "LTCMI" not in page(client, cast.carol, "obligation-add", cast.oak.pk)
    type(cast.oak).objects.filter(pk=cast.oak.pk).update(state="TX")
    assert "LTCMI" in page(client, cast.carol, "obligation-add", cast.oak.pk)


def test_a_hospital_says_when_a_report_was_delivered_and_picked_it_up(client, cast):
    assert "Managed File Transfer" not in page(client, cast.carol, "obligation-add", cast.oak.pk)
    add = reverse("web:obligation-add", args=["riverside", cast.oak.pk])
    typed = {"kind": "mft-file", "event_on": (TODAY - 25 * DAY).isoformat(), "title": "", "due_on": ""}
    client.force_login(cast.carol)
    assert client.post(add, typed).status_code == 200, "no hospital"
    type(cast.oak).objects.filter(pk=cast.oak.pk).update(provider_type="ACUTE")
    shown = page(client, cast.carol, "obligation-add", cast.oak.pk)
    assert "Report delivered on" in shown
    assert "LTCMI" not in shown
    for day, words in (("", "Say when the report was delivered."), ("2027-01-01", "delivered in the future")):
        assert words in client.post(add, typed | {"event_on": day}).content.decode()
    client.post(add, typed)
    [owed] = Obligation.objects.all()
    assert Deadline.objects.open().get(kind="window", obligation=owed).due_on == TODAY + 5 * DAY
    shown = page(client, cast.carol, "facility", cast.oak.pk)
    assert "the hospital-specific report in Managed File Transfer picked up" in shown
    mft = factories.AccountFactory(
        organization=cast.riverside, person=cast.people["henry"], system=System.objects.get(slug="mft")
    )
    home, basic = factories.FacilityFactory(organization=cast.riverside), mft.system.roles.get(slug="individual-user")
    factories.GrantFactory(account=mft, facility=home, role=basic)
    check_rules(at=NOON, since=None, full=True)
    assert Finding.objects.get(kind="no-file-pickup").facility == cast.oak, "reports come to hospitals"
    shown = page(client, cast.carol, "findings")
    assert "Nobody at Oak House holds “Auto-Route (IQR)” on MFT: a report waits there until Wed 25 Nov 2026" in shown
    client.post(reverse("web:obligation-met", args=["riverside", owed.pk]), {"on": TODAY.isoformat()})
    assert not Deadline.objects.open().filter(kind="window").exists()


def test_a_certification_is_taken_back_with_a_reason_on_the_page_of_the_account(client, cast):
    grant = granted(cast, opened_on=anniversary(5))
    before = due(grant).due_on
    alice = cast.scope("alice")
    older = record_certification(scope=alice, grant=grant, certified_on=TODAY - 30 * DAY, at=NOON)
    stood = due(grant).due_on
    told = record_certification(scope=alice, grant=grant, certified_on=TODAY, at=NOON)
    url = reverse("web:certification-void", args=["riverside", told.pk])
    assert url in page(client, cast.carol, "account", grant.account_id)
    assert url not in page(client, cast.audrey, "account", grant.account_id)
    client.force_login(cast.carol)
    refused = client.post(url, {"reason": " "})
    assert "Say why it is taken back." in refused.content.decode()
    assert due(grant).due_on > stood
    assert client.post(url, {"reason": "It was his sister’s"})["Location"] == grant.account.get_absolute_url()
    assert due(grant).due_on == stood
    said = page(client, cast.carol, "account", grant.account_id)
    assert "taken back on" in said
    assert "It was his sister’s" in said
    assert client.get(url).status_code == 404
    client.post(reverse("web:certification-void", args=["riverside", older.pk]), {"reason": "Also wrong"})
    assert due(grant).due_on == before
