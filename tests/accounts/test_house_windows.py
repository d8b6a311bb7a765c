"""An organization's own window: only stricter than CMS, counted from the day it is set, back by a button."""

from datetime import date, timedelta

import pytest

from accounts.errors import AccountRefused
from accounts.models import Deadline, Finding, HouseWindow, PortalAccount
from accounts.services.house_windows import Wanted, mark_of, set_window
from accounts.services.logins import record_login
from audit.models import AuditEvent
from facilities.access import NotAllowed
from reminders.services.tick import run_tick
from systems.models import System
from systems.policy import target_on
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
DAY = timedelta(days=1)


def ago(days):
    return TODAY - days * DAY


def put(cast, slug="iqies", wanted=Wanted.OWN, at=NOON, by="alice", mark=None, **days):
    system = System.objects.get(slug=slug)
    now = HouseWindow.objects.filter(organization=cast.riverside, system=system).first()
    mark = mark_of(now) if mark is None else mark
    return set_window(scope=cast.scope(by), system=system, wanted=wanted, mark=mark, at=at, **days)


def clock(account):
    return Deadline.objects.get(account=account, kind="inactivity")


def acts():
    return list(AuditEvent.objects.filter(action="house-window.set").values_list("subject_key", flat=True))


def test_a_shorter_window_moves_the_day_to_aim_at_and_never_cms_s(cast):
    fresh, idle = held(cast, last_login=ago(10)), held(cast, last_login=ago(50), person="henry")
    put(cast, flag_days=45)
    assert (clock(fresh).target_on, clock(fresh).due_on) == (ago(10) + 45 * DAY, ago(10) + 60 * DAY)
    # Idle for longer already: too late on the day on which the rule begins, not before.
    assert (clock(idle).target_on, clock(idle).due_on) == (ago(1), ago(50) + 60 * DAY)
    assert acts() == ["house-window:iqies"]


def test_a_login_after_that_day_counts_the_whole_window(cast):
    idle = held(cast, last_login=ago(50))
    put(cast, flag_days=45)
    record_login(scope=cast.scope("alice"), account=idle, happened_on=TODAY, at=NOON)
    assert clock(idle).target_on == TODAY + 45 * DAY


def test_going_back_leaves_cms_s_limit_alone(cast):
    account = held(cast, last_login=ago(10))
    put(cast, flag_days=45)
    assert put(cast, wanted=Wanted.USUAL).window is None
    assert (clock(account).target_on, clock(account).due_on) == (None, ago(10) + 60 * DAY)
    assert len(acts()) == 2


@pytest.mark.parametrize("days", [60, 61, 400])
def test_a_window_that_is_not_shorter_is_refused_with_the_limit_and_its_source(cast, days):
    with pytest.raises(
        AccountRefused, match=r"limit for iQIES is 60 days \(IQ-INACT-1, “.+”\).* at most 59 days"
    ) as no:
        put(cast, flag_days=days)
    assert no.value.field == "flag_days"
    assert put(cast, flag_days=59).window.flag_days == 59


def test_a_limit_whose_last_day_is_too_late_allows_a_day_less(cast):
    """IDM's rule says *60 days or more*: day 59 is the last safe one."""
    safe = System.objects.get(slug="idm")
    policy = safe.policies.get(kind="inactivity", key="EP-INACT-1", applied=True)
    least = policy.limit_days - (policy.boundary == "ge")
    with pytest.raises(AccountRefused, match=f"at most {least - 1} days"):
        put(cast, "idm", flag_days=least)
    put(cast, "idm", flag_days=least - 1)


@pytest.mark.parametrize(
    ("slug", "asked", "why"),
    [
        ("iqies", {"wanted": Wanted.OFF}, "cannot be switched off"),
        ("iqies", {"flag_days": 0}, "after how many days"),
        ("iqies", {}, "after how many days"),
        ("harp", {"flag_days": 366}, "At most 365 days"),
        ("harp", {"flag_days": 30, "mention_days": 31}, "first reminder comes before"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(cast, slug, asked, why):
    with pytest.raises(AccountRefused, match=why):
        put(cast, slug, **asked)
    assert not HouseWindow.objects.exists()
    assert acts() == []


def test_without_a_published_limit_the_window_is_the_date_and_may_be_switched_off(cast):
    account, idle = held(cast, "harp", last_login=ago(10)), held(cast, "harp", last_login=ago(70), person="henry")
    put(cast, "harp", flag_days=45, mention_days=30)
    assert (clock(account).due_on, clock(account).policy) == (ago(10) + 45 * DAY, None)
    assert clock(idle).due_on == ago(1)
    assert not run_tick(at=NOON).errors
    assert Finding.objects.open().get(kind="lapse").account == idle
    assert put(cast, "harp", wanted=Wanted.OFF).moved.closed == 2
    assert clock(account).closed_at == NOON
    assert not Finding.objects.open().filter(kind="lapse").exists()
    assert PortalAccount.objects.get(pk=account.pk).lapses_on is None
    put(cast, "harp", wanted=Wanted.USUAL)
    assert clock(account).due_on == ago(10) + 90 * DAY


def test_a_longer_window_counts_from_the_login(cast):
    idle = held(cast, "harp", last_login=ago(70))
    put(cast, "harp", flag_days=45)
    put(cast, "harp", flag_days=120)
    assert clock(idle).due_on == ago(70) + 120 * DAY


def test_the_same_again_writes_nothing_and_a_stale_page_is_refused(cast):
    held(cast, last_login=ago(10))
    first = put(cast, flag_days=45)
    again = put(cast, flag_days=45, mark="")
    assert (again.window, bool(again.moved)) == (first.window, False)
    assert len(acts()) == 1
    with pytest.raises(AccountRefused, match="Somebody changed this meanwhile") as no:
        put(cast, flag_days=30, mark="")
    assert no.value.code == "stale"
    assert HouseWindow.objects.get().flag_days == 45


def test_only_accounts_of_this_organization_on_this_system_move(cast):
    here, other = held(cast, last_login=ago(10)), held(cast, "qies", last_login=ago(10))
    put(cast, flag_days=45)
    assert clock(here).target_on
    assert clock(other).target_on is None


@pytest.mark.parametrize("who", ["carol", "henry", "audrey"])
def test_only_who_administers_everything_may_set_it(cast, who):
    with pytest.raises(NotAllowed):
        put(cast, by=who, flag_days=45)


@pytest.mark.parametrize(
    ("basis", "since", "aim"),
    [
        (date(2026, 1, 1), None, date(2026, 1, 31)),
        (date(2026, 1, 1), date(2026, 1, 31), date(2026, 1, 31)),
        (date(2026, 1, 1), date(2026, 2, 1), date(2026, 1, 31)),
        (date(2026, 1, 1), date(2026, 2, 10), date(2026, 2, 9)),
        (date(2026, 1, 1), date(2026, 3, 10), date(2026, 3, 2)),  # CMS's own day came first
    ],
)
def test_the_day_to_aim_at_is_never_before_the_rule_began_nor_after_cms_s(basis, since, aim):
    assert target_on(basis_on=basis, due_on=date(2026, 3, 2), house_days=30, house_from=since) == aim
