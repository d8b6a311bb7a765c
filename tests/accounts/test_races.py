"""Two members at once, on PostgreSQL: nobody is thrown out by a deadlock, and a double click makes nothing twice."""

import threading
import time
from datetime import date, timedelta
from functools import partial

import pytest
from django.db import connection, connections, transaction

from accounts.models import AccessRequest, PortalAccount
from accounts.services.account_lists import import_account_list
from accounts.services.duties import switch_rule
from accounts.services.inventory import AccountFacts, add_accounts
from accounts.services.logins import record_login, record_logins
from accounts.services.recomputation import recompute_outdated
from accounts.services.requests.submitting import submit
from audit.models import AuditEvent
from facilities.models import Membership
from facilities.services.members import InvitationRefused, invite_member
from staff.models import Employment
from staff.services.members import accept_invitation
from staff.services.people import PersonRefused, employ_person
from systems.models import Policy, System, SystemRole
from tests.accounts.test_logins import clock, held
from tests.conftest import NOON, TODAY
from tests.requests.asking import drafted, with_harp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _several_connections(db):
    if connection.vendor == "sqlite":
        pytest.skip("the suite's SQLite lies in memory, where two connections lock each other out of a table")


def at_once(*deeds):
    """Run the deeds in threads that start together; return what they raised."""
    raised, start = [], threading.Barrier(len(deeds))

    def run(deed):
        try:
            start.wait()
            deed()
        except Exception as exc:
            raised.append(exc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_logins_at_a_surface_and_its_authority_never_wait_for_each_other(cast):
    iqies, scope = held(cast, last_login=TODAY - timedelta(days=9)), cast.scope("carol")
    harp = PortalAccount.objects.select_related("system", "person").get(pk=iqies.identity_id)
    raised = []
    for back in range(12):
        day = TODAY - timedelta(days=back)
        raised += at_once(
            lambda day=day: record_logins(scope=scope, accounts=[harp, iqies], happened_on=day, at=NOON),
            lambda day=day: record_login(scope=scope, account=iqies, happened_on=day - timedelta(days=90), at=NOON),
            lambda day=day: record_login(scope=scope, account=harp, happened_on=day - timedelta(days=180), at=NOON),
        )
    assert raised == []


def test_logins_recorded_while_a_changed_rule_is_followed_wait_for_nobody_and_end_up_under_it(cast):
    accounts = [held(cast, last_login=TODAY - timedelta(days=40), person=name) for name in ("carol", "henry", "olga")]
    scope, raised = cast.scope("alice"), []
    policy = Policy.objects.get(system__slug="iqies", kind="inactivity")
    for back in range(10):
        limit, revision = (45, 60)[back % 2], policy.revision + back + 1
        day = TODAY - timedelta(days=20 - back)
        raised += at_once(
            lambda limit=limit, revision=revision: follow(policy, limit, revision),
            lambda day=day: record_logins(scope=scope, accounts=accounts[::-1], happened_on=day, at=NOON),
        )
        for account in accounts:
            deadline = clock(account)
            assert (deadline.due_on, deadline.basis_on) == (day + timedelta(days=limit), day)
            assert deadline.revision == revision
    assert raised == []


@pytest.mark.parametrize("on", [True, False])
def test_two_clicks_on_a_switch_at_once_flip_it_once(cast, on):
    switch, acts = partial(switch_rule, scope=cast.scope("alice"), at=NOON), AuditEvent.objects.filter
    for rule in ("R-13", "R-14", "R-27", "R-52"):
        if not on:
            switch(rule=rule, on=True)
        assert at_once(*[partial(switch, rule=rule, on=on)] * 2) == []
    assert acts(action="rule.switched-on").count() == 4
    assert acts(action="rule.switched-off").count() == (0 if on else 4)


def test_a_list_waits_for_the_accounts_of_others_before_it_writes_about_any(cast, tmp_path):
    first, *_, last = (held(cast, last_login=TODAY - timedelta(days=40), person=name) for name in ("carol", "olga"))
    scope, path, going = cast.scope("alice"), tmp_path / "list.csv", threading.Event()
    PortalAccount.objects.filter(pk=last.pk).update(status=PortalAccount.Status.REQUESTED)
    rows = [f"iQIES,015009,{name}@example.org,{TODAY.isoformat()}" for name in ("olga", "carol")]
    path.write_text("\n".join(["System,CCN,Work Email,Last Login", *rows]))

    def somebody_else():
        with transaction.atomic():
            PortalAccount.objects.select_for_update().get(pk=first.pk)
            going.set()
            time.sleep(1)
            PortalAccount.objects.select_for_update().get(pk=last.pk)

    def list_of_both():
        going.wait()
        assert import_account_list(scope=scope, path=path, at=NOON).updated == 2

    assert at_once(somebody_else, list_of_both) == []


def follow(policy, limit, revision):
    """Change a limit and bring stored dates in line with it, as a load and the tick after it do."""
    Policy.objects.filter(pk=policy.pk).update(limit_days=limit, revision=revision)
    list(recompute_outdated(at=NOON, since=revision - 1))


def test_accounts_added_twice_at_once_are_one(cast):
    iqies = System.objects.get(slug="iqies")
    facts = AccountFacts(iqies, list(SystemRole.objects.filter(system=iqies)[:1]), date(2026, 1, 1))
    place = {"person": cast.people["carol"], "facility": cast.oak, "accounts": [facts], "at": NOON}
    assert at_once(*[lambda: add_accounts(scope=cast.scope("alice"), **place)] * 3) == []
    assert PortalAccount.objects.filter(person=cast.people["carol"], system=iqies).count() == 1


def test_a_place_of_work_added_twice_at_once_is_one_and_the_other_is_told(cast):
    place = {"person": cast.people["carol"], "facility": cast.elm, "job_title": "", "starts_on": TODAY, "at": NOON}
    raised = at_once(*[lambda: employ_person(scope=cast.scope("alice"), **place)] * 3)
    assert [type(exc) for exc in raised] == [PersonRefused, PersonRefused]
    assert Employment.objects.filter(person=cast.people["carol"], facility=cast.elm).count() == 1


def test_an_invitation_accepted_twice_at_once_makes_one_member_and_the_other_is_told(cast):
    scope = cast.scope("alice")
    issued = invite_member(scope=scope, email="ruth@example.org", role="holder", facility=None, at=NOON)
    accept = {"invitation": issued.invitation, "at": NOON, "name": "Ruth", "password": "long enough for us"}
    raised = at_once(*[lambda: accept_invitation(**accept)] * 3)
    assert [type(exc) for exc in raised] == [InvitationRefused, InvitationRefused]
    assert Membership.objects.filter(user__email="ruth@example.org").count() == 1


def test_one_thing_asked_for_twice_at_once_is_sent_once(cast):
    with_harp(cast, "henry")
    twins = [drafted(cast), drafted(cast)]
    raised = at_once(*(partial(submit, scope=cast.scope("carol"), requests=[each], at=NOON) for each in twins))
    assert [(each.code, "asked for already" in each.message) for each in raised] == [("guard", True)]
    assert sorted(AccessRequest.objects.values_list("state", flat=True)) == ["draft", "submitted"]
