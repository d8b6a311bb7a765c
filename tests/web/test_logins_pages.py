"""Recording logins on pages: one click, another day, several at once, taking back; and who may not."""

from datetime import timedelta

import pytest
import time_machine

from accounts.models import Deadline, LoginEvent, PortalAccount
from accounts.services.inventory import remove_account
from audit.models import AuditEvent
from tests import factories
from tests.conftest import NOON, TODAY
from tests.web.holdings import address, crowd, held

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
LATER = NOON + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(LATER, tick=False):
        yield


def lapses_on(account):
    return PortalAccount.objects.get(pk=account.pk).lapses_on


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def test_one_click_moves_the_clock_and_offers_to_undo_it(client, cast):
    account = held(cast, ago=57)
    client.force_login(cast.carol)
    answer = client.post(address("login", account.pk) + "?from=today", follow=True)
    assert answer.redirect_chain == [("/o/riverside/", 302)]
    assert lapses_on(account) == TODAY + timedelta(days=60)
    assert said(answer) == ["Login to iQIES recorded. Next: by Tue 19 Jan 2027 (in 60 days)."]
    event = LoginEvent.objects.get(account=account, happened_on=TODAY)
    assert (event.grade, event.source) == ("B", "self")
    assert f'action="{address("login-void", event.pk)}?from=today"' in answer.content.decode()
    assert AuditEvent.objects.filter(action="login.recorded").count() == 1


def test_the_answer_carries_the_row_under_its_id_so_that_it_can_be_swapped_in_place(client, cast):
    account = held(cast, ago=57)
    client.force_login(cast.carol)
    answer = client.post(address("login", account.pk) + "?from=today", follow=True, headers={"HX-Request": "true"})
    html = answer.content.decode()
    assert html.count(f'id="row-{account.pk}"') == 1
    assert f'class="row-action is-done"\n    id="row-{account.pk}"' in html


def test_clicking_twice_records_once(client, cast):
    account = held(cast, ago=57)
    client.force_login(cast.carol)
    client.post(address("login", account.pk))
    again = client.post(address("login", account.pk), follow=True)
    assert said(again)[-1] == "That login to iQIES was recorded already; nothing changed."
    assert LoginEvent.objects.filter(account=account, happened_on=TODAY).count() == 1


def test_a_colleague_repeats_what_she_was_told_and_that_counts_less(client, cast):
    account = held(cast, "henry", ago=57)
    client.force_login(cast.carol)
    client.post(address("login", account.pk))
    assert LoginEvent.objects.get(account=account, happened_on=TODAY).grade == "D"


def test_a_holder_may_record_her_own_but_not_see_a_colleagues(client, cast):
    own, other = held(cast, "henry", ago=57), held(cast, "carol", ago=57)
    client.force_login(cast.henry)
    assert client.post(address("login", own.pk)).status_code == 302
    assert client.post(address("login", other.pk)).status_code == 404
    assert lapses_on(own) != lapses_on(other)


@pytest.mark.parametrize(
    ("who", "status"),
    [("carol", 302), ("alice", 302), ("audrey", 403), ("olga", 404), ("mallory", 404), ("nobody", 404)],
)
@pytest.mark.parametrize("deed", ["login", "login-another-day", "login-void", "logins-record"])
def test_who_may_record_and_take_back(client, cast, deed, who, status):
    account = held(cast, "henry", ago=57)
    first = LoginEvent.objects.get(account=account)
    client.force_login(getattr(cast, who))
    data = {"on": TODAY.isoformat(), "accounts": [account.pk]}
    args = {"login-void": [first.pk], "logins-record": []}.get(deed, [account.pk])
    before = LoginEvent.objects.standing().count(), lapses_on(account)
    assert client.post(address(deed, *args), data).status_code == status
    unchanged = before == (LoginEvent.objects.standing().count(), lapses_on(account))
    assert unchanged == (status != 302)


@pytest.mark.parametrize("deed", ["login", "login-void"])
def test_looking_changes_nothing(client, cast, deed):
    account = held(cast, ago=57)
    client.force_login(cast.carol)
    key = account.pk if deed == "login" else LoginEvent.objects.get(account=account).pk
    assert client.get(address(deed, key)).status_code == 405
    assert LoginEvent.objects.standing().filter(account=account).count() == 1


def test_another_day_is_recorded_for_that_day(client, cast):
    account = held(cast, ago=57)
    client.force_login(cast.carol)
    assert "When did you sign in?" in client.get(address("login-another-day", account.pk)).content.decode()
    day = TODAY - timedelta(days=3)
    client.post(address("login-another-day", account.pk), {"on": day.isoformat()})
    assert lapses_on(account) == day + timedelta(days=60)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ((TODAY + timedelta(days=2)).isoformat(), "A login cannot lie in the future."),
        ("1999-12-31", "before any of these systems existed"),
        ("yesterday", "That is no day."),
        ("", "Say on which day."),
    ],
)
def test_a_day_that_cannot_be_is_refused_beside_the_field_and_kept(client, cast, typed, why):
    account = held(cast, ago=57)
    client.force_login(cast.carol)
    answer = client.post(address("login-another-day", account.pk), {"on": typed})
    assert answer.status_code == 200
    assert why in answer.content.decode()
    assert f'value="{typed}"' in answer.content.decode() or not typed
    assert LoginEvent.objects.filter(account=account).count() == 1


def test_a_refusal_inside_a_row_comes_back_as_a_message_and_leaves_the_row(client, cast):
    account = held(cast, ago=57)
    client.force_login(cast.carol)
    answer = client.post(
        address("login-another-day", account.pk) + "?from=today",
        {"on": (TODAY + timedelta(days=9)).isoformat()},
        headers={"HX-Request": "true"},
        follow=True,
    )
    assert said(answer) == ["A login cannot lie in the future."]
    assert f'id="row-{account.pk}"' in answer.content.decode()


def test_undo_brings_the_clock_back_and_the_row_again(client, cast):
    account = held(cast, ago=57)
    before = lapses_on(account)
    client.force_login(cast.carol)
    client.post(address("login", account.pk))
    event = LoginEvent.objects.get(account=account, happened_on=TODAY)
    answer = client.post(address("login-void", event.pk) + "?from=today", follow=True)
    assert lapses_on(account) == before
    assert "no longer counts" in said(answer)[-1]
    assert f'id="row-{account.pk}"' in answer.content.decode()
    client.post(address("login-void", event.pk))  # safe to repeat
    assert AuditEvent.objects.filter(action="login.voided").count() == 1


def test_a_login_after_the_last_safe_day_asks_to_look_at_the_roles(client, cast):
    account = held(cast, ago=75)
    client.force_login(cast.carol)
    answer = client.post(address("login", account.pk) + "?from=today", follow=True)
    assert "please look whether your roles are still there" in said(answer)[0]
    html = answer.content.decode()
    assert "Check your iQIES roles" in html
    assert "They are still there" in html
    assert html.count(f'id="row-{account.pk}"') == 1


def test_several_logins_are_recorded_with_one_button(client, cast):
    mine = [held(cast, slug=slug, ago=40) for slug in ("iqies", "qies", "idm")]
    client.force_login(cast.carol)
    page = client.get(address("logins-record"))
    assert [group["own"] for group in page.context["groups"]] == [True]
    answer = client.post(
        address("logins-record"), {"on": TODAY.isoformat(), "accounts": [mine[0].pk, mine[2].pk]}, follow=True
    )
    assert said(answer) == ["Two logins recorded for today."]
    assert [lapses_on(account) == TODAY + timedelta(days=60) for account in mine] == [True, False, True]


def test_several_logins_are_recorded_together_or_not_at_all(client, cast):
    kept, gone = held(cast, slug="iqies", ago=40), held(cast, slug="idm", ago=40)
    client.force_login(cast.carol)
    remove_account(scope=cast.scope("alice"), account=gone, removed_on=TODAY, at=LATER)
    data = {"on": TODAY.isoformat(), "accounts": [kept.pk, gone.pk]}
    answer = client.post(address("logins-record"), data)
    assert answer.status_code == 200
    assert "is removed; a login cannot be recorded on it" in answer.content.decode()
    assert lapses_on(kept) == TODAY + timedelta(days=20)
    assert f'value="{kept.pk}"\n                     checked' in answer.content.decode()


def test_nothing_ticked_is_said_in_words(client, cast):
    held(cast, ago=40)
    client.force_login(cast.carol)
    answer = client.post(address("logins-record"), {"on": TODAY.isoformat()})
    html = answer.content.decode()
    assert "Tick at least one account." in html
    assert 'href="#id_accounts"' in html
    assert 'id="id_accounts"' in html
    assert 'id="id_on_helptext"' in html, "which the field for the day refers to"


def test_an_administrator_is_offered_no_account_of_another_tenant_and_cannot_tick_one(client, cast):
    mine = held(cast, "henry", ago=40)
    stranger = factories.PersonFactory(organization=cast.hilltop)
    theirs = factories.AccountFactory(organization=cast.hilltop, person=stranger)
    client.force_login(cast.alice)
    groups = client.get(address("logins-record")).context["groups"]
    assert {group["person"] for group in groups} == {cast.people["henry"]}
    data = {"on": TODAY.isoformat(), "accounts": [mine.pk, theirs.pk]}
    assert client.post(address("logins-record"), data).status_code == 404
    assert lapses_on(mine) == TODAY + timedelta(days=20)
    assert client.post(address("logins-record"), data | {"accounts": [mine.pk]}).status_code == 302
    assert lapses_on(mine) == TODAY + timedelta(days=60)


@pytest.mark.parametrize("person", ["abc", "99999999999999999999", "-1", "²"])
def test_a_person_that_cannot_be_gives_an_empty_page(client, cast, person):
    held(cast, ago=40)
    client.force_login(cast.carol)
    assert client.get(address("logins-record"), {"person": person}).context["groups"] == []


def test_the_page_for_several_costs_the_same_with_two_accounts_and_with_thirty(client, cast, django_assert_num_queries):
    crowd(cast, 2)
    client.force_login(cast.alice)
    client.get(address("logins-record"))
    with django_assert_num_queries(13):
        client.get(address("logins-record"))
    crowd(cast, 28)
    with django_assert_num_queries(13):
        client.get(address("logins-record"))


def test_a_login_counts_at_the_authority_and_undo_takes_both_back(client, cast):
    account = held(cast, ago=57)
    client.force_login(cast.carol)
    client.post(address("login", account.pk))
    event = LoginEvent.objects.get(account=account, happened_on=TODAY)
    harp = Deadline.objects.get(account=account.identity, kind="inactivity")
    assert harp.basis_on == TODAY
    client.post(address("login-void", event.counted_as.get().pk))
    harp.refresh_from_db()
    assert harp.basis_on == TODAY - timedelta(days=57)
