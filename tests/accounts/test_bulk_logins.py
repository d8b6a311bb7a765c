"""Many logins in one act: what each single deed would have done, once, with one event in the chain."""

from datetime import timedelta

import pytest

from accounts.errors import LoginRejected
from accounts.models import Deadline, LoginEvent, PortalAccount
from accounts.services import bulk_logins
from accounts.services.bulk_logins import act_of, record_logins_bulk, void_logins_bulk
from accounts.services.inventory import remove_account
from accounts.services.logins import record_login
from audit.models import AuditEvent
from audit.verify import verify_chains
from facilities.access import NotAllowed
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
LATER = NOON + timedelta(minutes=5)
WEEK_AGO = TODAY - timedelta(days=7)


def seen(days):
    return TODAY - timedelta(days=days)


def record(cast, who="alice", day=WEEK_AGO, at=LATER, accounts=None):
    scope = cast.scope(who)
    chosen = PortalAccount.objects.visible_to(scope) if accounts is None else accounts
    return record_logins_bulk(scope=scope, accounts=chosen, happened_on=day, told="Asked at the stand-up", at=at)


def state():
    """Return everything a login moves, without row keys of events."""
    accounts = PortalAccount.objects.order_by("pk").values_list(
        "pk", "login_state", "last_login_on", "counts_from_on", "lapses_on"
    )
    clocks = (
        Deadline.objects.open()
        .order_by("kind", "subject_key")
        .values_list("kind", "subject_key", "due_on", "check_on", "basis_on")
    )
    events = (
        LoginEvent.objects.standing()
        .order_by("account", "happened_on", "source")
        .values_list("account", "happened_on", "grade", "source", "recorded_by", "via__account")
    )
    return list(accounts), list(clocks), list(events)


def population(cast):
    """Return accounts of every kind that matters: own, others', counted at HARP, late, of unknown history."""
    return [
        held(cast, "iqies", last_login=seen(40), person="carol"),
        held(cast, "casper", last_login=seen(80), person="carol"),
        held(cast, "iqies", last_login=seen(75), person="henry"),
        held(cast, "hqr", last_login="unknown", person="henry"),
        held(cast, "idm", last_login="never", person="alice", facility="elm"),
        held(cast, "eqrs", last_login=seen(10), person="olga", facility="elm"),
    ]


def test_the_whole_act_comes_to_what_single_logins_come_to(cast):
    chosen = population(cast)
    accounts = PortalAccount.objects.filter(pk__in=[account.pk for account in chosen])
    before = state()
    outcome = record(cast, accounts=accounts)
    assert (outcome.recorded, outcome.already, outcome.not_active, outcome.not_allowed) == (6, 0, 0, 0)
    bulk = state()
    void_logins_bulk(scope=cast.scope("alice"), act=act_of(cast.scope("alice"), outcome.act), at=LATER)
    assert state() == before
    for account in chosen:
        record_login(scope=cast.scope("alice"), account=account, happened_on=WEEK_AGO, at=LATER)
    assert state() == bulk


def test_one_event_tells_who_said_so_with_an_item_for_each_login(cast):
    population(cast)
    chosen = PortalAccount.objects.filter(system__slug="iqies")
    outcome = record(cast, accounts=chosen)
    event = AuditEvent.objects.get(action="logins.recorded")
    assert (outcome.act, event.item_count, event.reason) == (event.pk, 2, "Asked at the stand-up")
    assert event.chain == cast.riverside.key
    assert verify_chains().ok


def test_the_same_again_writes_nothing(cast):
    population(cast)
    record(cast)
    before, events = state(), AuditEvent.objects.count()
    again = record(cast)
    assert (again.act, again.recorded) == (None, 0)
    assert again.already == PortalAccount.objects.count()
    assert (state(), AuditEvent.objects.count()) == (before, events)


def test_a_login_after_the_last_safe_day_cures_nothing_and_is_counted(cast):
    late = held(cast, "iqies", last_login=seen(75), person="henry")
    fine = held(cast, "iqies", last_login=seen(40), person="carol")
    outcome = record(cast, accounts=PortalAccount.objects.filter(pk__in=[late.pk, fine.pk]))
    assert outcome.to_check == 1
    assert Deadline.objects.get(account=late, kind="inactivity").check_on == WEEK_AGO
    assert PortalAccount.objects.get(pk=fine.pk).lapses_on == WEEK_AGO + timedelta(days=60)


def test_accounts_that_are_removed_or_of_another_facility_are_left_out_and_counted(cast):
    held(cast, "idm", last_login=seen(10), person="carol")
    gone = held(cast, "casper", last_login=seen(10), person="henry")
    remove_account(scope=cast.scope("alice"), account=gone, removed_on=TODAY, at=NOON)
    held(cast, "idm", last_login=seen(10), person="olga", facility="elm")
    chosen = PortalAccount.objects.filter(system__slug__in=["idm", "casper"])
    outcome = record(cast, "carol", accounts=chosen)
    assert (outcome.recorded, outcome.not_active, outcome.not_allowed) == (1, 1, 1)
    assert LoginEvent.objects.get(happened_on=WEEK_AGO).source == "self"


def test_a_holder_records_on_her_own_accounts_only_and_an_auditor_on_none(cast):
    held(cast, "idm", last_login=seen(10), person="henry")
    held(cast, "idm", last_login=seen(10), person="carol")
    everybodys = PortalAccount.objects.all()
    outcome = record(cast, "henry", accounts=everybodys)
    assert (outcome.recorded, outcome.not_allowed) == (1, 1)
    assert LoginEvent.objects.get(happened_on=WEEK_AGO).grade == "B"
    with pytest.raises(NotAllowed):
        record(cast, "audrey", accounts=everybodys)


def test_another_tenants_accounts_are_never_reached(cast):
    held(cast, "idm", last_login=seen(10), person="carol")
    with pytest.raises(LoginRejected) as refused:
        record(cast, "mallory")
    assert refused.value.code == "empty"
    outcome = record(cast, "alice")
    assert act_of(cast.scope("mallory"), outcome.act) is None
    assert act_of(cast.scope("alice"), outcome.act) is not None


@pytest.mark.parametrize(("day", "code"), [(TODAY + timedelta(days=2), "future"), (TODAY, None)])
def test_a_day_that_has_not_begun_is_refused(cast, day, code):
    held(cast, "idm", last_login=seen(10), person="carol")
    if code is None:
        assert record(cast, day=day).recorded == 1
        return
    with pytest.raises(LoginRejected) as refused:
        record(cast, day=day)
    assert refused.value.code == code
    assert not LoginEvent.objects.filter(happened_on=day).exists()


def test_more_than_an_act_may_hold_is_refused_whole(cast, monkeypatch):
    population(cast)
    monkeypatch.setattr(bulk_logins, "MOST", 3)
    with pytest.raises(LoginRejected) as refused:
        record(cast)
    assert refused.value.code == "too_many"
    assert not LoginEvent.objects.filter(happened_on=WEEK_AGO).exists()
    assert record(cast, accounts=PortalAccount.objects.filter(system__slug="iqies")).recorded == 2


def test_what_counts_at_the_authority_counts_once(cast):
    held(cast, "iqies", last_login=seen(40), person="carol")
    held(cast, "eqrs", last_login=seen(40), person="carol")
    record(cast, accounts=PortalAccount.objects.filter(system__slug__in=["iqies", "eqrs"]))
    harp = PortalAccount.objects.get(system__slug="harp")
    assert LoginEvent.objects.filter(account=harp, happened_on=WEEK_AGO).count() == 1
    assert harp.last_login_on == WEEK_AGO


def test_taking_back_leaves_what_another_login_counts_for_at_the_authority(cast):
    iqies = held(cast, "iqies", last_login=seen(40), person="carol")
    eqrs = held(cast, "eqrs", last_login=seen(40), person="carol")
    outcome = record(cast, accounts=PortalAccount.objects.filter(pk=iqies.pk))
    record_login(scope=cast.scope("alice"), account=eqrs, happened_on=WEEK_AGO, at=LATER)
    void_logins_bulk(scope=cast.scope("alice"), act=act_of(cast.scope("alice"), outcome.act), at=LATER)
    assert PortalAccount.objects.get(system__slug="harp").last_login_on == WEEK_AGO
    assert PortalAccount.objects.get(pk=iqies.pk).last_login_on == seen(40)


def test_taking_back_twice_writes_once_and_a_single_one_taken_back_before_stays_so(cast):
    population(cast)
    outcome = record(cast)
    act = act_of(cast.scope("alice"), outcome.act)
    taken = void_logins_bulk(scope=cast.scope("alice"), act=act, at=LATER)
    assert taken == outcome.recorded
    events = AuditEvent.objects.count()
    assert void_logins_bulk(scope=cast.scope("alice"), act=act, at=LATER) == 0
    assert AuditEvent.objects.count() == events
    assert AuditEvent.objects.get(action="logins.voided").item_count == taken
    assert verify_chains().ok


@pytest.mark.parametrize(("hours", "possible"), [(11, True), (13, False)])
def test_an_act_is_taken_back_on_its_own_day_only(cast, hours, possible):
    population(cast)
    act = act_of(cast.scope("alice"), record(cast).act)
    at = NOON + timedelta(hours=hours)  # midnight in New York lies between the two
    if possible:
        assert void_logins_bulk(scope=cast.scope("alice"), act=act, at=at) > 0
        return
    with pytest.raises(LoginRejected) as refused:
        void_logins_bulk(scope=cast.scope("alice"), act=act, at=at)
    assert refused.value.code == "too_late"


def test_only_who_recorded_takes_all_of_them_back(cast):
    population(cast)
    act = act_of(cast.scope("alice"), record(cast).act)
    with pytest.raises(NotAllowed):
        void_logins_bulk(scope=cast.scope("carol"), act=act, at=LATER)
    assert LoginEvent.objects.standing().filter(happened_on=WEEK_AGO).exists()


def test_statements_do_not_grow_with_the_accounts(cast, django_assert_max_num_queries):
    population(cast)
    with django_assert_max_num_queries(70) as few:
        record(cast, accounts=PortalAccount.objects.filter(system__slug="iqies", person=cast.people["carol"]))
    with django_assert_max_num_queries(len(few)):
        record(cast, day=TODAY, accounts=PortalAccount.objects.filter(system__slug__in=["iqies", "eqrs", "casper"]))
