"""The sweep of rules: what is listed or has come is looked at, written once, and closed when it is no longer true."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Finding, PortalAccount
from accounts.services.inventory import correct_account, remove_account
from accounts.services.logins import record_login, void_login
from accounts.services.rules import sweep
from accounts.services.rules.found import Rule
from accounts.services.rules.sweep import Checked, check_rules
from accounts.services.rules.user_ids import holdings
from audit.models import AuditEvent
from facilities.models import Recheck
from facilities.services.rechecks import recheck
from staff.services.people import end_employment
from tests.accounts.holding import held
from tests.accounts.rules import only
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
TOMORROW = NOON + timedelta(days=1)
IDS = (("CAROL 1", "carol"), ("HENRY1", "henry"))


@pytest.fixture(autouse=True)
def _few_rules(monkeypatch):
    only(monkeypatch, "unknown-logins", "two-accounts")


def first_run():
    return check_rules(at=NOON, since=None, full=True)


def again(at=NOON, *, since=NOON, full=False):
    return check_rules(at=at, since=since, full=full)


def stored():
    return list(Finding.objects.order_by("pk").values()), AuditEvent.objects.count(), Recheck.objects.count()


def kinds():
    return sorted(Finding.objects.open().values_list("kind", flat=True))


def test_an_unknown_login_is_one_finding_per_facility_and_system_until_it_is_known(cast):
    carol = held(cast, "iqies", person="carol", last_login="unknown")
    held(cast, "iqies", person="henry", last_login="unknown")
    first_run()
    finding = Finding.objects.open().get(kind="unknown-logins", subject_key=f"facility:{cast.oak.pk}/system:iqies")
    assert json.loads(finding.facts)["count"] == 2
    assert (finding.facility, finding.opened_on) == (cast.oak, TODAY)
    outcome = record_login(scope=cast.scope("alice"), account=carol, happened_on=TODAY, at=NOON)
    again()
    finding.refresh_from_db()
    assert (json.loads(finding.facts)["count"], finding.closed_at) == (1, None)
    void_login(scope=cast.scope("alice"), event=outcome.event, reason="typed by mistake", at=NOON)
    again()
    finding.refresh_from_db()
    assert json.loads(finding.facts)["count"] == 2


def test_a_finding_closes_when_it_is_no_longer_true_and_each_step_is_in_the_chain(cast):
    account = held(cast, "iqies", last_login="unknown")
    first_run()
    record_login(scope=cast.scope("alice"), account=account, happened_on=TODAY, at=NOON)
    assert again(TOMORROW) == Checked(opened=0, closed=2)  # at iQIES and, as it counts there, at HARP
    assert kinds() == []
    acts = AuditEvent.objects.filter(chain=cast.riverside.key, action__startswith="finding.")
    assert list(acts.order_by("seq").values_list("action", "subject_key", "item_count")) == [
        ("finding.opened", "rule:unknown-logins", 2),
        ("finding.closed", "rule:unknown-logins", 2),
    ]


def test_a_repeated_run_writes_nothing(cast):
    held(cast, "iqies", last_login="unknown")
    first_run()
    before = stored()
    assert again() == Checked()
    assert again(NOON + timedelta(hours=1), full=True) == Checked()
    assert stored() == before
    assert Recheck.objects.count() == 0


def test_only_what_is_listed_is_looked_at(cast):
    account = held(cast, "iqies", last_login="unknown")
    first_run()
    PortalAccount.objects.filter(pk=account.pk).update(login_state="never")  # behind the services' back
    assert again().closed == 0
    recheck([cast.oak.pk])
    assert again().closed == 1


def test_another_facility_and_another_tenant_keep_their_findings(cast):
    oak = held(cast, "iqies", last_login="unknown")
    held(cast, "iqies", person="olga", facility="elm", last_login="unknown")
    first_run()
    record_login(scope=cast.scope("alice"), account=oak, happened_on=TODAY, at=NOON)
    again()
    assert set(Finding.objects.open().values_list("facility", flat=True)) == {cast.elm.pk}


def test_two_accounts_of_one_person_on_one_system_are_a_finding_not_an_error(cast):
    first = held(cast, "qies", last_login=TODAY)
    second = PortalAccount.objects.create(
        organization=cast.riverside, person=first.person, system=first.system, user_id="second", opened_on=TODAY
    )
    first_run()
    finding = Finding.objects.open().get(kind="two-accounts")
    assert (finding.person, finding.account) == (first.person, first)
    remove_account(scope=cast.scope("alice"), account=second, removed_on=TODAY, at=NOON)
    recheck([cast.oak.pk])  # the second had no grant, so no facility
    again()
    assert "two-accounts" not in kinds()


def test_a_day_that_comes_is_noticed_without_any_act(cast):
    employment = cast.people["henry"].employments.get()
    end_employment(scope=cast.scope("alice"), employment=employment, last_day_on=TODAY, at=NOON)
    first_run()
    seen = []
    spy = Rule("spy", "A spy", ("quota",), "facility", lambda part: seen.append(part.facilities) or ())
    rules, sweep.RULES = sweep.RULES, (*sweep.RULES, spy)
    try:
        again(NOON + timedelta(hours=2))
        assert seen == []
        again(TOMORROW)
        assert seen == [(cast.oak.pk,)]
        again(TOMORROW + timedelta(days=9), since=TOMORROW)
        assert seen == [(cast.oak.pk,)] * 2, "also after dark days"
    finally:
        sweep.RULES = rules


def test_a_rule_that_breaks_for_one_organization_stops_no_other_and_is_tried_again(cast):
    held(cast, "iqies", last_login="unknown")

    def broken(part):
        if part.organization == cast.hilltop:
            raise ZeroDivisionError
        return ()

    rules, sweep.RULES = sweep.RULES, (*sweep.RULES, Rule("broken", "Broken", ("quota",), "facility", broken))
    try:
        done = first_run()
        assert (done.failed, done.opened) == (1, 2)
    finally:
        sweep.RULES = rules
    assert set(Recheck.objects.values_list("facility", flat=True)) == {cast.summit.pk}
    again()
    assert not Recheck.objects.exists()


def test_the_weekly_pass_tells_what_the_list_had_missed(cast):
    account = held(cast, "iqies", last_login="unknown")
    first_run()
    assert again(full=True) == Checked()
    PortalAccount.objects.filter(pk=account.pk).update(login_state="never")
    assert again(full=True) == Checked(opened=0, closed=1, failed=0, differences=1)


def test_a_corrected_account_is_listed(cast):
    account = held(cast, "qies", last_login=TODAY)
    first_run()
    correct_account(
        scope=cast.scope("alice"), account=account, version=account.version, user_id="NEW1",
        password_changed_on=None, note="", at=NOON,
    )  # fmt: skip
    assert set(Recheck.objects.values_list("facility", flat=True)) == {cast.oak.pk}


def test_where_many_work_a_slice_is_smaller_and_the_catalogue_is_still_read_once(cast, monkeypatch):
    for person, place in (("carol", "oak"), ("henry", "elm")):
        held(cast, "iqies", last_login="unknown", person=person, facility=place)
    places = {cast.oak.pk, cast.elm.pk}

    def parts():
        return [part.facilities for part in sweep._slices(cast.riverside, places, NOON)]

    assert parts() == [tuple(sorted(places))]
    monkeypatch.setattr(sweep, "_TIMES_AT_ONCE", 1)
    assert parts() == [(key,) for key in sorted(places)]
    with CaptureQueriesContext(connection) as queries:
        first_run()
    assert set(Finding.objects.open().values_list("facility", flat=True)) == places
    assert len([each for each in queries if 'FROM "systems_quota"' in each["sql"]]) == 2, "once for each organization"


def test_a_user_id_of_one_person_alone_is_looked_up_and_not_read(cast):
    mine = [held(cast, "qies", last_login=TODAY, user_id=name, person=person) for name, person in IDS]
    (part,) = sweep._slices(cast.riverside, {cast.oak.pk}, NOON)
    with CaptureQueriesContext(connection) as queries:
        assert holdings(part) == {}
    PortalAccount.objects.filter(pk=mine[1].pk).update(user_id=IDS[0][0].lower())
    part.read.clear()
    assert [{each.account for each in held} for held in holdings(part).values()] == [{each.pk for each in mine}]
    if connection.vendor == "sqlite":  # by the letters of the expression, which PostgreSQL does not need
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {queries[0]['sql']}")
            steps = [step for *_, step in cursor.fetchall()]
        assert any("accounts_by_user_id" in step for step in steps), steps
