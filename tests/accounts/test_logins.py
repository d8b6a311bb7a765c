"""A login moves the clock, never hides a lapse, and can be taken back."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.errors import LoginRejected
from accounts.models import Deadline, LoginEvent, PortalAccount, RoleGrant
from accounts.services.logins import confirm_roles, record_login, record_logins, void_login
from audit.models import AuditEvent
from facilities.access import NotAllowed
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


def clock(account, kind="inactivity"):
    return Deadline.objects.get(account=account, kind=kind)


def test_a_login_sets_the_last_safe_day_sixty_days_ahead_and_the_copy_on_the_account(cast):
    account = held(cast, last_login=TODAY - timedelta(days=48))
    assert clock(account).due_on == TODAY + timedelta(days=12)
    outcome = record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON)
    account.refresh_from_db()
    assert outcome.due_on == account.lapses_on == clock(account).due_on == TODAY + timedelta(days=60)
    assert clock(account).cycle == 2
    assert AuditEvent.objects.filter(action="login.recorded").count() == 1


def test_recording_the_same_login_again_changes_nothing(cast):
    account = held(cast, last_login=TODAY - timedelta(days=48))
    record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON)
    before = (clock(account).cycle, LoginEvent.objects.count(), AuditEvent.objects.count())
    again = record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON)
    assert not again.created
    assert before == (clock(account).cycle, LoginEvent.objects.count(), AuditEvent.objects.count())


def test_an_iqies_login_also_counts_at_harp_but_casper_never_at_qies(cast):
    iqies = held(cast, "iqies", last_login=TODAY - timedelta(days=30))
    casper = held(cast, "casper", last_login=TODAY - timedelta(days=30))
    for account in (iqies, casper):
        record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON)
    iqies.identity.refresh_from_db()
    casper.identity.refresh_from_db()
    assert iqies.identity.last_login_on == TODAY
    assert casper.identity.last_login_on is None
    assert LoginEvent.objects.get(account=iqies.identity, happened_on=TODAY).via.account == iqies


def test_a_login_after_the_last_safe_day_asks_to_check_the_roles(cast):
    account = held(cast, last_login=TODAY - timedelta(days=75))
    late = clock(account).due_on
    assert late == TODAY - timedelta(days=15)
    outcome = record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON)
    assert outcome.check_pending
    assert outcome.due_on == late
    account.refresh_from_db()
    assert account.last_login_on == TODAY


def test_still_there_starts_a_new_cycle_and_gone_ends_the_grants(cast):
    kept = held(cast, last_login=TODAY - timedelta(days=75))
    record_login(scope=cast.scope("carol"), account=kept, happened_on=TODAY, at=NOON)
    confirm_roles(scope=cast.scope("carol"), account=kept, still_there=True, at=NOON)
    assert clock(kept).due_on == TODAY + timedelta(days=60)
    assert clock(kept).check_on is None

    gone = held(cast, last_login=TODAY - timedelta(days=75), person="henry")
    record_login(scope=cast.scope("carol"), account=gone, happened_on=TODAY, at=NOON)
    confirm_roles(scope=cast.scope("carol"), account=gone, still_there=False, at=NOON)
    gone.refresh_from_db()
    assert (gone.status, gone.loss) == ("lost", "roles_revoked")
    assert not RoleGrant.objects.known().filter(account=gone, valid_to=None).exists()
    assert clock(gone).closed_at is not None


def test_an_expired_password_is_cured_by_a_later_login(cast):
    account = held(cast, "idm", last_login=TODAY - timedelta(days=75))
    outcome = record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON)
    assert not outcome.check_pending
    assert outcome.due_on == TODAY + timedelta(days=60)


def test_a_late_report_of_a_login_in_time_clears_it_everywhere(cast):
    account = held(cast, last_login=TODAY - timedelta(days=75))
    record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON)
    assert clock(account).check_on == TODAY
    record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY - timedelta(days=10), at=NOON)
    assert clock(account).due_on == TODAY - timedelta(days=15)  # five days too late as well
    record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY - timedelta(days=40), at=NOON)
    assert clock(account).due_on == TODAY + timedelta(days=60)
    assert clock(account).check_on is None


def test_a_voided_login_takes_the_clock_back_here_and_at_the_authority(cast):
    account = held(cast, last_login=TODAY - timedelta(days=48))
    first = record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON).event
    void_login(scope=cast.scope("carol"), event=first, reason="wrong person", at=NOON)
    assert clock(account).due_on == TODAY + timedelta(days=12)
    account.identity.refresh_from_db()
    assert account.identity.last_login_on == TODAY - timedelta(days=48)
    assert AuditEvent.objects.get(action="login.voided").reason == "wrong person"


def test_never_signed_in_counts_from_the_grant_and_unknown_has_no_invented_date(cast):
    never = held(cast, last_login="never", opened_on=TODAY - timedelta(days=10))
    unknown = held(cast, last_login="unknown", person="henry")
    assert clock(never).due_on == TODAY + timedelta(days=50)
    assert not Deadline.objects.open().filter(account=unknown, kind="inactivity").exists()


def test_a_login_in_the_future_is_refused_and_today_is_not(cast):
    account = held(cast)
    with pytest.raises(LoginRejected, match="future"):
        record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY + timedelta(days=2), at=NOON)
    assert record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON).created


def test_a_coordinator_of_another_facility_cannot_record_and_the_holder_can(cast):
    account = held(cast, person="henry")
    with pytest.raises(NotAllowed):
        record_login(scope=cast.scope("olga"), account=account, happened_on=TODAY, at=NOON)
    event = record_login(scope=cast.scope("henry"), account=account, happened_on=TODAY, at=NOON).event
    assert (event.grade, event.source) == ("B", "self")


def test_another_tenants_account_is_not_there_even_for_an_administrator(cast):
    account = held(cast)
    with pytest.raises(LoginRejected, match="gone"):
        record_login(scope=cast.scope("mallory"), account=account, happened_on=TODAY, at=NOON)
    assert not LoginEvent.objects.filter(account=account).exists()


def test_several_systems_at_once_are_recorded_all_or_none(cast):
    good = held(cast)
    removed = held(cast, "qies")
    PortalAccount.objects.filter(pk=removed.pk).update(status="removed", removed_on=TODAY)
    with pytest.raises(LoginRejected, match="removed"):
        record_logins(scope=cast.scope("carol"), accounts=[good, removed], happened_on=TODAY, at=NOON)
    assert not LoginEvent.objects.exists()
    record_logins(scope=cast.scope("carol"), accounts=[good], happened_on=TODAY, at=NOON)
    assert LoginEvent.objects.filter(account=good).count() == 1


def test_harp_has_no_published_limit_and_gets_the_organizations_own_window(cast):
    harp = held(cast, "harp", last_login=TODAY - timedelta(days=10))
    assert clock(harp).policy is None
    assert clock(harp).due_on == TODAY + timedelta(days=80)


def test_taking_back_one_of_two_logins_of_a_day_leaves_what_the_other_one_counts_for(cast):
    iqies = held(cast, "iqies", last_login=TODAY - timedelta(days=30))
    hqr = held(cast, "hqr", last_login=TODAY - timedelta(days=40))
    harp = PortalAccount.objects.get(pk=iqies.identity_id)
    first, second = record_logins(scope=cast.scope("carol"), accounts=[iqies, hqr], happened_on=TODAY, at=NOON)
    void_login(scope=cast.scope("carol"), event=first.event, reason="wrong line", at=NOON)
    harp.refresh_from_db()
    assert harp.last_login_on == TODAY
    void_login(scope=cast.scope("carol"), event=second.event, reason="wrong line too", at=NOON)
    harp.refresh_from_db()
    assert harp.last_login_on == TODAY - timedelta(days=30)


def test_the_day_that_only_guam_has_begun_counts_as_today_and_one_more_is_the_future(cast):
    account = held(cast)
    morning_in_guam = datetime(2026, 11, 20, 22, tzinfo=UTC)  # Sat 21 Nov, 8 a.m. there; Fri 20 Nov in New York
    saturday = TODAY + timedelta(days=1)
    with pytest.raises(LoginRejected, match="future"):
        record_login(
            scope=cast.scope("carol"), account=account, happened_on=saturday + timedelta(days=1), at=morning_in_guam
        )
    event = record_login(scope=cast.scope("carol"), account=account, happened_on=saturday, at=morning_in_guam).event
    assert event.happened_on == TODAY
    with pytest.raises(LoginRejected, match="future"):
        record_login(scope=cast.scope("carol"), account=account, happened_on=saturday, at=NOON - timedelta(hours=8))


@pytest.mark.parametrize("name", ["olga", "audrey"])
def test_who_may_not_record_a_login_takes_none_back(cast, name):
    account = held(cast, last_login=TODAY - timedelta(days=48), person="henry")
    event = record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON).event
    with pytest.raises(NotAllowed):
        void_login(scope=cast.scope(name), event=event, reason="not hers", at=NOON)
    assert clock(account).due_on == TODAY + timedelta(days=60)
    void_login(scope=cast.scope("henry"), event=event, reason="his own", at=NOON)
    assert clock(account).due_on == TODAY + timedelta(days=12)


@pytest.mark.parametrize("name", ["olga", "audrey"])
def test_who_may_not_confirm_roles_answers_nothing(cast, name):
    account = held(cast, last_login=TODAY - timedelta(days=75), person="henry")
    record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON)
    for still_there in (True, False):
        with pytest.raises(NotAllowed):
            confirm_roles(scope=cast.scope(name), account=account, still_there=still_there, at=NOON)
    assert clock(account).check_on == TODAY
    confirm_roles(scope=cast.scope("henry"), account=account, still_there=True, at=NOON)
    assert clock(account).due_on == TODAY + timedelta(days=60)


def test_an_administrator_of_another_tenant_takes_nothing_back_and_answers_nothing(cast):
    account = held(cast, last_login=TODAY - timedelta(days=75))
    event = record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON).event
    void_login(scope=cast.scope("mallory"), event=event, reason="not hers", at=NOON)
    with pytest.raises(LoginRejected, match="gone"):
        confirm_roles(scope=cast.scope("mallory"), account=account, still_there=True, at=NOON)
    assert LoginEvent.objects.standing().filter(pk=event.pk).exists()
    assert clock(account).check_on == TODAY
    assert not AuditEvent.objects.filter(action__in=["login.voided", "roles.confirmed"]).exists()
    void_login(scope=cast.scope("carol"), event=event, reason="wrong person", at=NOON)
    assert not LoginEvent.objects.standing().filter(pk=event.pk).exists()
