"""Temporary accounts from the page that states them over the tick to the mail (R-54)."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from accounts.errors import AccountRefused
from accounts.models import Deadline, Finding
from accounts.services.terms import state_term
from audit.models import AuditEvent
from facilities.access import NotAllowed
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.reminders.mailbox import mails_to, text
from tests.reminders.making import DAY, administrator, started
from tests.reminders.test_tick import ask

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture
def account(cast):
    """Henry's account, opened today; Riverside's reminders are started."""
    with time_machine.travel(NOON, tick=False):
        yield held(started(cast), slug="ia", person="henry", opened_on=TODAY, last_login=TODAY)


def stated(client, account, **typed):
    address = reverse("web:account-term", args=["riverside", account.pk])
    return client.post(address, {"version": account.version, "lasts_until": "", **typed})


def ends(account):
    deadline = Deadline.objects.filter(account=account, kind="temporary").first()
    return deadline and (deadline.due_on, deadline.closed_at is None)


def test_a_temporary_account_is_told_from_the_page_to_the_mail(client, cast, account, mailoutbox):
    administrator(cast, "fay", cast.oak)
    client.force_login(cast.alice)
    answer = stated(client, account, term="temporary", lasts_until=(TODAY + 20 * DAY).isoformat())
    assert answer["Location"] == account.get_absolute_url()
    assert ends(account) == (TODAY + 20 * DAY, True)
    for day in (6, 13, 19, 21):
        ask(NOON + day * DAY)
    said = [text(mail) for mail in mails_to(mailoutbox, "henry")]
    assert any("account lasts until Thu 10 Dec" in one for one in said)
    assert any("was to last until Thu 10 Dec" in one for one in said)
    assert any("account lasts until" in text(mail) for mail in mails_to(mailoutbox, "fay"))
    finding = Finding.objects.open().get(deadline__kind="temporary")
    with time_machine.travel(NOON + 21 * DAY, tick=False):
        account.refresh_from_db()
        client.force_login(cast.alice)  # weeks have passed, and so has the session
        page = client.get(account.get_absolute_url()).content.decode()
        assert "was to last until Thu 10 Dec" in page
        assert "ARS-TEMP-1" in page
        stated(client, account, term="lasting")
    finding.refresh_from_db()
    assert finding.closed_at is not None
    assert ends(account) == (TODAY + 20 * DAY, False)
    assert AuditEvent.objects.filter(action="account.term-stated").count() == 2


def test_without_a_day_the_rule_gives_sixty_days_and_a_day_to_an_emergency(client, cast, account):
    client.force_login(cast.alice)
    stated(client, account, term="temporary")
    assert ends(account) == (TODAY + 60 * DAY, True)
    account.refresh_from_db()
    stated(client, account, term="emergency", lasts_until=(TODAY + 9 * DAY).isoformat())
    assert ends(account) == (TODAY + DAY, True)
    account.refresh_from_db()
    assert account.lasts_until is None


@pytest.mark.parametrize(("days", "why"), [(-1, "lies before it"), (61, "it may last until")])
def test_a_day_that_the_rule_does_not_allow_is_refused_beside_its_field(client, cast, account, days, why):
    client.force_login(cast.alice)
    answer = stated(client, account, term="temporary", lasts_until=(TODAY + days * DAY).isoformat())
    assert why in answer.content.decode()
    assert ends(account) is None


def test_nobody_lengthens_an_own_account_and_a_late_save_overwrites_nothing(cast, account):
    more = {"account": account, "term": "emergency", "lasts_until": None, "at": NOON}
    with pytest.raises(NotAllowed):
        state_term(scope=cast.scope("henry"), version=account.version, **more)
    state_term(scope=cast.scope("alice"), version=account.version, **more)
    same = state_term(scope=cast.scope("alice"), version=1, **more)
    assert same.version == account.version, "the same again changes nothing"
    with pytest.raises(AccountRefused, match="meanwhile"):
        state_term(scope=cast.scope("alice"), version=1, **{**more, "term": "lasting"})


def test_a_coordinator_may_shorten_her_own_account_but_not_lengthen_it(client, cast, account):
    hers = held(cast, slug="ia", person="carol", opened_on=TODAY, last_login=TODAY)
    client.force_login(cast.carol)
    assert stated(client, hers, term="temporary").status_code == 302
    hers.refresh_from_db()
    assert stated(client, hers, term="temporary", lasts_until=(TODAY + 9 * DAY).isoformat()).status_code == 302
    hers.refresh_from_db()
    for term, until in (("lasting", ""), ("temporary", (TODAY + 10 * DAY).isoformat())):
        answer = stated(client, hers, term=term, lasts_until=until)
        assert "Somebody else has to say that your own account lasts longer." in answer.content.decode()
    assert ends(hers) == (TODAY + 9 * DAY, True)
    client.force_login(cast.alice)
    assert stated(client, hers, term="lasting").status_code == 302


def test_a_repeated_tick_writes_nothing_for_a_day_that_was_said(client, cast, account):
    client.force_login(cast.alice)
    stated(client, account, term="temporary", lasts_until=(TODAY + 20 * DAY).isoformat())
    ask(NOON + timedelta(minutes=1))
    cycle = Deadline.objects.get(account=account, kind="temporary").cycle
    again, ok = ask(NOON + timedelta(minutes=2))
    assert ok
    assert again["sweeps"]["findings"]["opened"] == 0
    assert Deadline.objects.get(account=account, kind="temporary").cycle == cycle
