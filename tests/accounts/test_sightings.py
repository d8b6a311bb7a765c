"""What a Security Official saw in the system outweighs what was said; nothing is deleted, all of it can come back."""

from datetime import date, timedelta

import pytest

from accounts.errors import LoginRejected
from accounts.models import Deadline, LoginEvent, PortalAccount
from accounts.policy.sightings import Sighting, contradicting
from accounts.services.account_lists import import_account_list
from accounts.services.bulk_logins import act_of, record_logins_bulk, void_logins_bulk
from accounts.services.logins import record_login, void_login
from accounts.services.sightings import state_last_login
from audit.models import AuditEvent
from facilities.access import NotAllowed
from systems.models import SystemRole
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
BEFORE, SAID = TODAY - timedelta(days=40), TODAY - timedelta(days=5)


@pytest.fixture
def henrys(cast):
    """Henry's iQIES account, last used on BEFORE; Alice is Security Official there, Carol is not."""
    official = SystemRole.objects.get(system__slug="iqies", slug="provider-security-official")
    other = SystemRole.objects.get(system__slug="iqies", slug="assessment-submitter")
    held(cast, person="alice", roles=[official], last_login=TODAY)
    held(cast, person="carol", roles=[other], last_login=TODAY)
    return held(cast, person="henry", roles=[other], last_login=BEFORE)


def state(cast, account, last=BEFORE, seen=TODAY, who="alice"):
    return state_last_login(scope=cast.scope(who), account=account, last_login_on=last, seen_on=seen, at=NOON)


def last_safe_day(account):
    return Deadline.objects.get(account=account, kind="inactivity", closed_at=None).due_on


def test_a_login_that_was_only_said_no_longer_counts_here_nor_at_the_identity(cast, henrys):
    was, above_was = last_safe_day(henrys), last_safe_day(henrys.identity)
    record_login(scope=cast.scope("carol"), account=henrys, happened_on=SAID, at=NOON)
    assert last_safe_day(henrys) > was
    seen = state(cast, henrys)
    assert (seen.created, seen.contradicted) == (True, 1)
    assert (last_safe_day(henrys), last_safe_day(henrys.identity)) == (was, above_was)
    henrys.refresh_from_db()
    assert henrys.last_login_on == BEFORE
    said = LoginEvent.objects.get(account=henrys, happened_on=SAID)
    assert (said.voided_at, said.contradicted_by) == (NOON, seen.event)
    assert AuditEvent.objects.filter(action="login.seen").count() == 1
    assert not state(cast, henrys).created, "said twice, it changes nothing"
    assert AuditEvent.objects.filter(action="login.seen").count() == 1


def test_taken_back_it_lets_count_again_what_it_contradicted_but_not_what_was_taken_back_itself(cast, henrys):
    alice = cast.scope("alice")
    record_login(scope=cast.scope("carol"), account=henrys, happened_on=SAID, at=NOON)
    newest = last_safe_day(henrys)
    mine = PortalAccount.objects.filter(pk=henrys.pk)
    act = record_logins_bulk(scope=alice, accounts=mine, happened_on=TODAY, told="X", at=NOON).act
    assert last_safe_day(henrys) > newest
    seen = state(cast, henrys)
    assert seen.contradicted == 2
    void_logins_bulk(scope=alice, act=act_of(alice, act), at=NOON)
    void_login(scope=alice, event=seen.event, reason="Wrong line", at=NOON)
    assert last_safe_day(henrys) == last_safe_day(henrys.identity) - timedelta(days=30) == newest
    assert LoginEvent.objects.standing().filter(account=henrys, happened_on=SAID).exists()
    assert not LoginEvent.objects.standing().filter(account__in=[henrys, henrys.identity], happened_on=TODAY).exists()
    assert not LoginEvent.objects.exclude(contradicted_by=None).exists()


def test_what_is_told_later_about_the_days_between_is_refused_by_hand_in_bulk_and_from_lists(cast, henrys, tmp_path):
    state(cast, henrys)
    was = last_safe_day(henrys)
    with pytest.raises(LoginRejected) as refused:
        record_login(scope=cast.scope("henry"), account=henrys, happened_on=SAID, at=NOON)
    assert refused.value.code == "contradicted"
    assert "a Security Official saw in iQIES that Henry Test last signed in on" in refused.value.message
    mine = PortalAccount.objects.filter(system__slug="iqies", organization=cast.riverside)
    done = record_logins_bulk(scope=cast.scope("alice"), accounts=mine, happened_on=SAID, told="X", at=NOON)
    assert (done.recorded, done.contradicted, done.already) == (2, 1, 0)
    path = tmp_path / "list.csv"
    path.write_text(f"First name,Last name,CCN,System,Last login\nHenry,Test,015009,iQIES,{SAID.isoformat()}\n")
    report = import_account_list(scope=cast.scope("alice"), path=path, at=NOON)
    assert [(row["column"], row["reason"]) for row in report.rejected] == [
        ("Last login", f"on {TODAY} a Security Official saw that the last login was on {BEFORE}")
    ]
    assert last_safe_day(henrys) == was


def test_a_login_after_the_look_counts_and_a_later_look_covers_more(cast, henrys):
    looked = TODAY - timedelta(days=10)
    assert state(cast, henrys, seen=looked).created
    record_login(scope=cast.scope("henry"), account=henrys, happened_on=SAID, at=NOON)
    assert last_safe_day(henrys) == SAID + timedelta(days=60)
    again = state(cast, henrys)
    assert (again.created, again.contradicted) == (True, 1)
    assert LoginEvent.objects.seen().filter(account=henrys).count() == 1


def test_only_a_security_official_of_that_system_at_that_facility_states_it_and_never_of_herself(cast, henrys):
    for who in ("carol", "henry", "audrey"):
        with pytest.raises(NotAllowed):
            state(cast, henrys, who=who)
    mine = PortalAccount.objects.get(system__slug="iqies", person=cast.people["alice"])
    with pytest.raises(NotAllowed, match="Only a Security Official of iQIES at the same facility"):
        state(cast, mine)
    seen = state(cast, henrys)
    with pytest.raises(NotAllowed):
        void_login(scope=cast.scope("carol"), event=seen.event, reason="", at=NOON)


@pytest.mark.parametrize(
    ("last", "seen", "field", "code"),
    [
        (TODAY, TODAY - timedelta(days=1), "seen_on", "before_login"),
        (BEFORE, TODAY + timedelta(days=2), "seen_on", "future"),
        (TODAY + timedelta(days=2), TODAY + timedelta(days=2), "happened_on", "future"),
        (date(1999, 1, 1), TODAY, "happened_on", "too_early"),
    ],
)
def test_days_that_cannot_be_are_refused(cast, henrys, last, seen, field, code):
    with pytest.raises(LoginRejected) as refused:
        state(cast, henrys, last, seen)
    assert (refused.value.field, refused.value.code) == (field, code)
    assert not LoginEvent.objects.seen().exists()


def test_the_newest_look_speaks_and_only_about_the_days_between():
    looks = [Sighting(date(2026, 3, 1), date(2026, 3, 10)), Sighting(date(2026, 3, 1), date(2026, 3, 12))]
    assert contradicting(date(2026, 3, 10), looks) == looks[1]
    assert contradicting(date(2026, 3, 1), looks) is None
    assert contradicting(date(2026, 3, 13), looks) is None
