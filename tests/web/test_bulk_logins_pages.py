"""Recording many logins on pages: what is selected is said first, recorded once, and taken back by one press."""

from datetime import timedelta

import pytest
import time_machine

from accounts.models import LoginEvent, PortalAccount
from accounts.services import bulk_logins
from accounts.services.inventory import remove_account
from audit.models import AuditEvent
from tests.conftest import NOON, TODAY
from tests.web.holdings import address, crowd, held

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
DAY = TODAY - timedelta(days=2)
TYPED = {"on": DAY.isoformat(), "told": "Morning meeting"}


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        yield


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def recorded():
    return LoginEvent.objects.standing().filter(happened_on=DAY).exclude(source="authority")


def test_ticked_rows_are_named_recorded_and_taken_back(client, cast):
    mine = [held(cast, "carol"), held(cast, "henry")]
    held(cast, "henry", "casper")
    client.force_login(cast.carol)
    asked = {"account": [account.pk for account in mine], "system": "iqies"}
    page = client.get(address("logins-bulk"), asked)
    html = page.content.decode()
    assert "Two accounts that you ticked." in html
    assert page.context["named"] == ["Carol Test, iQIES", "Henry Test, iQIES"]
    assert "Record two logins" in html
    answer = client.post(address("logins-bulk"), {**asked, **TYPED, "count": 2}, follow=True)
    assert answer.redirect_chain == [(address("accounts") + "?system=iqies", 302)]
    assert said(answer) == ["Two logins recorded for Wed 18 Nov 2026."]
    assert sorted(recorded().values_list("grade", flat=True)) == ["B", "D"]
    act = AuditEvent.objects.get(action="logins.recorded")
    assert f'action="{address("logins-bulk-void", act.pk)}"' in answer.content.decode()
    undone = client.post(address("logins-bulk-void", act.pk), follow=True)
    assert said(undone) == ["Taken back: two logins no longer count."]
    assert not recorded().exists()


def test_all_that_match_are_carried_as_the_filter(client, cast):
    crowd(cast, 12)
    held(cast, "carol", "casper")
    client.force_login(cast.carol)
    page = client.get(address("logins-bulk"), {"all": "1", "system": "iqies"})
    assert "All accounts that match: System: iQIES." in page.content.decode()
    assert (len(page.context["named"]), page.context["more"]) == (8, 4)
    assert page.content.decode().count('name="account"') == 0
    answer = client.post(address("logins-bulk"), {"all": "1", "system": "iqies", **TYPED, "count": 12}, follow=True)
    assert said(answer) == ["12 logins recorded for Wed 18 Nov 2026."]
    assert recorded().count() == 12


def test_a_selection_that_has_changed_is_shown_again_first(client, cast):
    crowd(cast, 2)
    client.force_login(cast.carol)
    sent = {"all": "1", "system": "iqies", **TYPED, "count": 1}
    page = client.post(address("logins-bulk"), sent)
    assert "the selection has changed from 1 to 2 accounts" in page.content.decode()
    assert not recorded().exists()
    assert 'name="count" value="2"' in page.content.decode()
    assert client.post(address("logins-bulk"), sent | {"count": 2}).status_code == 302
    assert recorded().count() == 2


def test_the_result_says_what_was_known_and_what_was_left_out(client, cast):
    held(cast, "carol")
    late = held(cast, "henry", ago=75)
    gone = held(cast, "alice", "idm")
    remove_account(scope=cast.scope("alice"), account=gone, removed_on=TODAY, at=NOON)
    client.force_login(cast.alice)
    first = {"account": [late.pk], **TYPED, "count": 1}
    assert "came after the last safe day" in said(client.post(address("logins-bulk"), first, follow=True))[0]
    keys = list(PortalAccount.objects.filter(system__slug__in=["iqies", "idm"]).values_list("pk", flat=True))
    page = client.get(address("logins-bulk"), {"account": keys})
    assert "One other selected account is left out" in " ".join(page.content.decode().split())
    answer = client.post(address("logins-bulk"), {"account": keys, **TYPED, "count": 2}, follow=True)
    assert said(answer) == [
        "One login recorded for Wed 18 Nov 2026. One was recorded already. Left out: one account not in use."
    ]
    again = client.post(address("logins-bulk"), {"account": keys, **TYPED, "count": 2}, follow=True)
    assert said(again)[0].startswith("No logins recorded for Wed 18 Nov 2026. Two were recorded already.")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"told": ""}, "Say who told you, and how."),
        ({"on": "2026-13-40"}, "That is no day."),
        ({"on": "2026-11-25"}, "A login cannot lie in the future."),
        ({"told": "password: Sunshine7!x"}, "Portalkeeper never keeps one"),
    ],
)
def test_what_cannot_be_recorded_is_said_and_nothing_is_written(client, cast, typed, says):
    account = held(cast, "carol")
    client.force_login(cast.carol)
    sent = {"account": account.pk, **TYPED, "count": 1}
    page = client.post(address("logins-bulk"), sent | typed)
    assert says in page.content.decode()
    assert "Sunshine7" not in page.content.decode()
    assert not AuditEvent.objects.filter(action="logins.recorded").exists()
    client.post(address("logins-bulk"), sent)
    assert AuditEvent.objects.filter(action="logins.recorded").count() == 1


def test_too_many_are_refused_before_anything_is_typed(client, cast, monkeypatch):
    crowd(cast, 3)
    monkeypatch.setattr(bulk_logins, "MOST", 2)
    monkeypatch.setattr("web.views.bulk_logins.MOST", 2)
    client.force_login(cast.carol)
    page = client.get(address("logins-bulk"), {"all": "1", "system": "iqies"})
    assert "More than two accounts are selected." in " ".join(page.content.decode().split())
    sent = {"all": "1", "system": "iqies", **TYPED, "count": 3}
    assert "Too many at once" in client.post(address("logins-bulk"), sent).content.decode()
    assert not recorded().exists()


@pytest.mark.parametrize("query", ["all=1&system=nope", "", "account=", "account=x"])
def test_a_filter_without_sense_or_nothing_ticked_selects_nothing(client, cast, query):
    held(cast, "carol")
    client.force_login(cast.carol)
    answer = client.get(f"{address('logins-bulk')}?{query}", follow=True)
    assert answer.redirect_chain == [(address("accounts"), 302)]
    assert said(answer)[0].startswith("Nothing was recorded: ")


def test_an_account_out_of_scope_cannot_be_ticked(client, cast):
    ours, elms = held(cast, "carol"), held(cast, "olga", facility=cast.elm)
    client.force_login(cast.carol)
    assert client.get(address("logins-bulk"), {"account": [ours.pk, elms.pk]}).status_code == 404
    assert client.get(address("logins-bulk"), {"account": [ours.pk]}).status_code == 200


def test_who_only_reads_or_holds_gets_no_boxes(client, cast):
    held(cast, "henry")
    for who, boxes in (("carol", True), ("audrey", False), ("henry", False)):
        client.force_login(getattr(cast, who))
        html = client.get(address("accounts")).content.decode()
        assert ('name="account"' in html) is boxes
        assert "Export all 2" in html


def test_the_act_of_another_member_or_tenant_is_not_taken_back(client, cast):
    account = held(cast, "carol")
    client.force_login(cast.alice)
    client.post(address("logins-bulk"), {"account": account.pk, **TYPED, "count": 1})
    act = AuditEvent.objects.get(action="logins.recorded").pk
    client.force_login(cast.carol)
    assert client.post(address("logins-bulk-void", act)).status_code == 403
    client.force_login(cast.mallory)
    assert client.post(address("logins-bulk-void", act, slug="hilltop")).status_code == 404
    assert recorded().exists()
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        client.force_login(cast.alice)
        late = client.post(address("logins-bulk-void", act), follow=True)
    assert "on the same day only" in said(late)[0]
    assert recorded().exists()


def test_the_page_costs_the_same_for_two_and_for_thirty_accounts(client, cast, django_assert_num_queries):
    crowd(cast, 2)
    client.force_login(cast.carol)
    client.get(address("logins-bulk"), {"all": "1"})
    with django_assert_num_queries(17):
        client.get(address("logins-bulk"), {"all": "1"})
    crowd(cast, 28)
    with django_assert_num_queries(17):
        client.get(address("logins-bulk"), {"all": "1"})
