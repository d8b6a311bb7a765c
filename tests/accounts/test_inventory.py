"""Accounts as people type them: one identity per authority, grants per facility, clocks from the first moment."""

from datetime import date, timedelta

import pytest

from accounts.errors import AccountRefused
from accounts.models import Deadline, PortalAccount, RoleGrant
from accounts.services.inventory import (
    AccountFacts,
    add_accounts,
    correct_account,
    regain_account,
    remove_account,
    report_loss,
)
from accounts.services.logins import confirm_roles, record_login
from audit.models import AuditEvent
from facilities.access import NotAllowed
from systems.models import System, SystemRole
from tests.conftest import NOON, TODAY
from tests.tenancy import rows_of_two_tenants

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


def facts(slug, last_login="unknown", **more):
    system = System.objects.get(slug=slug)
    more.setdefault("opened_on", date(2025, 3, 1))
    return AccountFacts(system, list(SystemRole.objects.filter(system=system)[:1]), last_login=last_login, **more)


def add(cast, *wanted, by="carol", person="carol", facility="oak"):
    return add_accounts(
        scope=cast.scope(by),
        person=cast.people[person],
        facility=getattr(cast, facility),
        accounts=list(wanted),
        at=NOON,
    )


def test_a_surface_brings_its_authority_and_the_user_id_stands_there_only(cast):
    [iqies] = add(cast, facts("iqies", user_id="CTEST"))
    assert iqies.user_id is None
    assert (iqies.identity.system.slug, iqies.identity.user_id) == ("harp", "CTEST")


def test_all_accounts_of_one_page_share_one_identity(cast):
    add(cast, facts("iqies"), facts("harp", user_id="CTEST"), facts("hqr"))
    harp = PortalAccount.objects.get(system__slug="harp")
    assert set(harp.surfaces.values_list("system__slug", flat=True)) == {"iqies", "hqr"}
    assert harp.user_id == "CTEST"


def test_one_wrong_row_saves_nothing(cast):
    with pytest.raises(AccountRefused, match="future"):
        add(cast, facts("iqies"), facts("qies", TODAY + timedelta(days=2)))
    assert not PortalAccount.objects.exists()
    assert len(add(cast, facts("iqies"), facts("qies", TODAY))) == 2


def test_adding_it_again_at_another_facility_adds_a_grant_and_no_second_account(cast):
    [first] = add(cast, facts("iqies"), by="alice")
    [second] = add(cast, facts("iqies"), by="alice", facility="elm")
    assert first == second
    assert set(first.grants.values_list("facility__name", flat=True)) == {"Oak House", "Elm House"}


def test_a_login_told_while_adding_again_is_not_lost(cast):
    add(cast, facts("iqies", TODAY - timedelta(days=40)))
    [again] = add(cast, facts("iqies", TODAY - timedelta(days=3)))
    assert again.last_login_on == TODAY - timedelta(days=3)
    assert again.identity.last_login_on == TODAY - timedelta(days=3)


def test_a_role_of_another_system_is_refused(cast):
    wrong = AccountFacts(
        System.objects.get(slug="iqies"), list(SystemRole.objects.filter(system__slug="idm")[:1]), date(2025, 3, 1)
    )
    with pytest.raises(AccountRefused, match="another system"):
        add(cast, wrong)


def test_rights_end_at_the_facility_and_at_the_tenant(cast):
    with pytest.raises(NotAllowed):
        add(cast, facts("iqies"), by="olga")
    with pytest.raises(NotAllowed):
        add(cast, facts("iqies"), by="audrey")
    with pytest.raises(AccountRefused, match="must belong"):
        add(cast, facts("iqies"), by="mallory")
    assert add(cast, facts("iqies"), by="carol")
    assert rows_of_two_tenants() == []


def test_a_corrected_user_id_and_password_day_move_the_password_clock(cast):
    [qies] = add(cast, facts("qies", user_id="OLD"))
    saved = correct_account(
        scope=cast.scope("carol"),
        account=qies,
        version=qies.version,
        user_id="",
        password_changed_on=TODAY - timedelta(days=10),
        note="",
        at=NOON,
    )
    assert saved.user_id is None
    assert Deadline.objects.get(account=qies, kind="password").due_on == TODAY + timedelta(days=50)
    with pytest.raises(AccountRefused, match="meanwhile"):
        correct_account(
            scope=cast.scope("carol"),
            account=saved,
            version=1,
            user_id="X",
            password_changed_on=None,
            note="",
            at=NOON,
        )


def test_removing_ends_grants_and_clocks_and_keeps_the_history(cast):
    [iqies] = add(cast, facts("iqies", TODAY - timedelta(days=5)))
    gone = remove_account(scope=cast.scope("carol"), account=iqies, removed_on=TODAY, at=NOON)
    assert gone.status == "removed"
    assert not Deadline.objects.open().filter(account=iqies).exists()
    assert RoleGrant.objects.known().get(account=iqies).valid_to == TODAY
    assert iqies.logins.standing().count() == 1
    events = AuditEvent.objects.count()
    remove_account(scope=cast.scope("carol"), account=gone, removed_on=TODAY, at=NOON)
    assert AuditEvent.objects.count() == events


def test_an_authority_goes_after_its_surfaces(cast):
    [iqies] = add(cast, facts("iqies"))
    with pytest.raises(AccountRefused, match="the way in to iQIES"):
        remove_account(scope=cast.scope("carol"), account=iqies.identity, removed_on=TODAY, at=NOON)
    remove_account(scope=cast.scope("carol"), account=iqies, removed_on=TODAY, at=NOON)
    assert remove_account(scope=cast.scope("carol"), account=iqies.identity, removed_on=TODAY, at=NOON).removed_on


def test_a_lost_account_that_came_back_gets_its_grants_and_a_new_clock(cast):
    [iqies] = add(cast, facts("iqies", TODAY - timedelta(days=90)))
    record_login(scope=cast.scope("carol"), account=iqies, happened_on=TODAY - timedelta(days=2), at=NOON)
    confirm_roles(scope=cast.scope("carol"), account=iqies, still_there=False, at=NOON)
    back = regain_account(scope=cast.scope("carol"), account=iqies, regained_on=TODAY, at=NOON)
    assert (back.status, back.loss) == ("active", "")
    assert RoleGrant.objects.in_force(TODAY).filter(account=iqies, valid_to=None).count() == 1
    assert Deadline.objects.open().get(account=iqies, kind="inactivity").due_on == TODAY + timedelta(days=60)


def test_a_revoked_role_is_reported_without_any_login_and_comes_back(cast):
    [iqies] = add(cast, facts("iqies", TODAY - timedelta(days=90)), person="henry")
    lost = report_loss(scope=cast.scope("henry"), account=iqies, loss="roles_revoked", lost_on=TODAY, at=NOON)
    assert (lost.status, lost.loss) == ("lost", "roles_revoked")
    assert not Deadline.objects.open().filter(account=iqies, kind="inactivity").exists()
    assert not RoleGrant.objects.known().filter(account=iqies, valid_to=None).exists()
    back = regain_account(scope=cast.scope("henry"), account=lost, regained_on=TODAY, at=NOON)
    assert back.status == "active"
    assert AuditEvent.objects.filter(action__in=["account.lost", "account.regained"]).count() == 2


def test_every_role_that_ended_with_the_loss_comes_back_also_one_granted_after_its_day(cast):
    [iqies] = add(cast, facts("iqies"), by="alice")
    add(cast, facts("iqies", opened_on=TODAY - timedelta(days=5)), facility="elm", by="alice")
    scope, lost_on = cast.scope("alice"), TODAY - timedelta(days=9)
    report_loss(scope=scope, account=iqies, loss="locked", lost_on=lost_on, at=NOON)
    regain_account(scope=scope, account=iqies, regained_on=TODAY, at=NOON)
    back = RoleGrant.objects.known().filter(account=iqies, valid_to=None)
    assert set(back.values_list("facility__name", flat=True)) == {"Oak House", "Elm House"}


def test_a_disabled_qies_account_goes_on_counting_towards_its_deletion(cast):
    [qies] = add(cast, facts("qies", TODAY - timedelta(days=90)))
    report_loss(scope=cast.scope("carol"), account=qies, loss="disabled", lost_on=TODAY, at=NOON)
    deletion = Deadline.objects.open().get(account=qies)
    assert (deletion.kind, deletion.due_on) == ("deletion", TODAY + timedelta(days=275))


def test_a_loss_is_refused_twice_in_the_future_without_a_kind_and_for_strangers(cast):
    [iqies] = add(cast, facts("iqies", TODAY), person="henry")
    loss = {"account": iqies, "loss": "locked", "lost_on": TODAY, "at": NOON}
    with pytest.raises(AccountRefused, match="future"):
        report_loss(scope=cast.scope("henry"), **loss | {"lost_on": TODAY + timedelta(days=2)})
    with pytest.raises(AccountRefused, match="what happened"):
        report_loss(scope=cast.scope("henry"), **loss | {"loss": "eaten"})
    with pytest.raises(NotAllowed):
        report_loss(scope=cast.scope("olga"), **loss)
    assert report_loss(scope=cast.scope("henry"), **loss).loss == "locked"
    with pytest.raises(AccountRefused, match="not active"):
        report_loss(scope=cast.scope("henry"), **loss)


def test_a_holder_keeps_her_own_data_true_and_removes_nothing(cast):
    [qies] = add(cast, facts("qies"), person="henry")
    saved = correct_account(
        scope=cast.scope("henry"),
        account=qies,
        version=qies.version,
        user_id="HENRY1",
        password_changed_on=TODAY,
        note="",
        at=NOON,
    )
    assert saved.user_id == "HENRY1"
    with pytest.raises(NotAllowed):
        remove_account(scope=cast.scope("henry"), account=saved, removed_on=TODAY, at=NOON)


@pytest.mark.parametrize("name", ["olga", "audrey"])
def test_who_may_not_keep_an_account_corrects_it_not_and_brings_it_not_back(cast, name):
    [qies] = add(cast, facts("qies"), person="henry")
    typed = {"version": qies.version, "user_id": "X1", "password_changed_on": None, "note": "", "at": NOON}
    with pytest.raises(NotAllowed):
        correct_account(scope=cast.scope(name), account=qies, **typed)
    assert PortalAccount.objects.get(pk=qies.pk).user_id is None
    saved = correct_account(scope=cast.scope("carol"), account=qies, **typed)
    assert saved.user_id == "X1"
    lost = report_loss(scope=cast.scope("carol"), account=saved, loss="locked", lost_on=TODAY, at=NOON)
    with pytest.raises(NotAllowed):
        regain_account(scope=cast.scope(name), account=lost, regained_on=TODAY, at=NOON)
    assert PortalAccount.objects.get(pk=qies.pk).status == "lost"
    assert regain_account(scope=cast.scope("carol"), account=lost, regained_on=TODAY, at=NOON).status == "active"


def test_an_administrator_of_another_tenant_changes_no_account(cast):
    [qies] = add(cast, facts("qies", TODAY))
    scope, typed = cast.scope("mallory"), {"user_id": "X1", "password_changed_on": None, "note": "", "at": NOON}
    with pytest.raises(AccountRefused) as refused:
        correct_account(scope=scope, account=qies, version=qies.version, **typed)
    assert refused.value.code == "stale"
    with pytest.raises(AccountRefused, match="not active"):
        report_loss(scope=scope, account=qies, loss="locked", lost_on=TODAY, at=NOON)
    assert remove_account(scope=scope, account=qies, removed_on=TODAY, at=NOON).status == "active"
    lost = report_loss(scope=cast.scope("carol"), account=qies, loss="locked", lost_on=TODAY, at=NOON)
    with pytest.raises(AccountRefused, match="not marked as lost"):
        regain_account(scope=scope, account=lost, regained_on=TODAY, at=NOON)
    assert PortalAccount.objects.get(pk=qies.pk).status == "lost"
    assert not AuditEvent.objects.filter(chain=cast.hilltop.key).exists()


@pytest.mark.parametrize("last_login", ["never", "unknown"])
def test_an_account_without_a_known_login_counts_from_the_day_it_came_back(cast, last_login):
    [iqies] = add(cast, facts("iqies", last_login))
    report_loss(scope=cast.scope("carol"), account=iqies, loss="roles_revoked", lost_on=TODAY, at=NOON)
    regain_account(scope=cast.scope("carol"), account=iqies, regained_on=TODAY, at=NOON)
    assert Deadline.objects.open().get(account=iqies, kind="inactivity").due_on == TODAY + timedelta(days=60)


def test_days_of_loss_return_and_removal_keep_their_order(cast):
    scope, [iqies] = cast.scope("carol"), add(cast, facts("iqies", TODAY - timedelta(days=5)))
    too_early, lost_on = iqies.opened_on - timedelta(days=1), TODAY - timedelta(days=3)
    with pytest.raises(AccountRefused, match="was opened on"):
        report_loss(scope=scope, account=iqies, loss="locked", lost_on=too_early, at=NOON)
    with pytest.raises(AccountRefused, match="was opened on"):
        remove_account(scope=scope, account=iqies, removed_on=too_early, at=NOON)
    report_loss(scope=scope, account=iqies, loss="locked", lost_on=lost_on, at=NOON)
    with pytest.raises(AccountRefused, match="still there until"):
        regain_account(scope=scope, account=iqies, regained_on=lost_on - timedelta(days=1), at=NOON)
    assert regain_account(scope=scope, account=iqies, regained_on=lost_on, at=NOON).status == "active"


def test_a_role_given_while_the_account_was_lost_hides_none_of_those_that_come_back(cast):
    [iqies] = add(cast, facts("iqies", TODAY - timedelta(days=5)))
    report_loss(scope=cast.scope("carol"), account=iqies, loss="locked", lost_on=TODAY, at=NOON)
    further = SystemRole.objects.filter(system=iqies.system).exclude(grants__account=iqies).first()
    add(cast, AccountFacts(iqies.system, [further], TODAY))
    regain_account(scope=cast.scope("carol"), account=iqies, regained_on=TODAY, at=NOON)
    assert RoleGrant.objects.known().filter(account=iqies, valid_to=None).count() == 2
