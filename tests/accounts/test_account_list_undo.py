"""An import of accounts can be taken back for thirty days; what somebody touched since stays and is listed."""

import json
from datetime import date, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import Certification, Deadline, Finding, LoginEvent, PortalAccount, RoleGrant
from accounts.services.account_list_undo import look_ahead, undo_import
from accounts.services.account_lists import import_account_list
from accounts.services.inventory import correct_account
from accounts.services.logins import record_login
from audit.commands import CommandFailed
from audit.models import AuditEvent
from audit.verify import verify_chains
from facilities.access import NotAllowed, Scope
from imports.models import Import
from imports.undoing import UndoRefused
from staff.services import roster_undo
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
HEADER = "System,CCN,Last Name,First Name,Work Email,User ID,Role,Role Status,Granted On,Last Login,Last Certified"
HENRY = "iQIES,015009,Test,Henry,henry@example.org,HTEST1,Provider Assessment Viewer,Active,03/15/2025,11/10/2026,"
CAROL = "iQIES,015009,Test,Carol,carol@example.org,CTEST1,PSO,Active,04/20/2025,11/01/2026,06/30/2026"
LATER = NOON + timedelta(days=1)
LATEST = NOON + timedelta(days=2)


@pytest.fixture
def scope(cast):
    return Scope.of_command(cast.riverside, "test")


@pytest.fixture
def bring(tmp_path, scope):
    def run(*rows, at=NOON):
        path = tmp_path / "list.csv"
        path.write_text("\n".join([HEADER, *rows]))
        report = import_account_list(scope=scope, path=path, at=at)
        assert not report.rejected
        assert not report.unknown_people
        return Import.objects.get(pk=report.source)

    return run


def open_accounts():
    columns = ("pk", "user_id", "status", "loss", "login_state", "last_login_on", "counts_from_on", "history_from_on")
    return list(PortalAccount.objects.open().order_by("pk").values_list(*columns, "lapses_on"))


def open_roles():
    columns = ("account", "facility", "role", "valid_from", "valid_to", "evidence")
    return sorted(RoleGrant.objects.known().values_list(*columns), key=str)


def clocks():
    columns = ("account", "kind", "basis_on", "due_on", "check_on")
    return list(Deadline.objects.open().order_by("account", "kind").values_list(*columns))


def register():
    return open_accounts(), open_roles(), clocks(), Finding.objects.open().count()


def account(cast, person="henry", system="iqies"):
    return PortalAccount.objects.open().get(person=cast.people[person], system__slug=system)


def test_opened_accounts_are_removed_with_their_identities_and_nothing_is_deleted(cast, scope, bring):
    before = register()
    source = bring(HENRY, CAROL)
    stored = [model.objects.count() for model in (PortalAccount, RoleGrant, LoginEvent, Certification)]
    ahead = look_ahead(scope=scope, source=source, at=LATER)
    assert (ahead.kinds, ahead.kept) == ({"created": 2}, [])
    result = undo_import(scope=scope, source=source, at=LATER)
    assert (result.undone, result.kept) == (2, [])
    assert register() == before
    assert stored == [model.objects.count() for model in (PortalAccount, RoleGrant, LoginEvent, Certification)]
    assert set(PortalAccount.objects.values_list("status", "removed_on")) == {("removed", LATER.date())}
    assert not LoginEvent.objects.standing().exists()
    assert not Certification.objects.known().exists()
    assert set(source.rows.values_list("status", flat=True)) == {"undone"}
    event = AuditEvent.objects.get(action="accounts.import-undone")
    assert (event.item_count, event.subject_key) == (2, source.key)
    assert verify_chains().ok


def test_known_accounts_get_back_what_was_true_before(cast, scope, bring):
    held(cast, person="henry", last_login=date(2026, 10, 20))
    held(cast, person="carol", last_login="unknown")
    before = register()
    never = CAROL.replace("11/01/2026", "Never").replace("06/30/2026", "")
    source = bring(HENRY, never)
    assert account(cast).last_login_on == date(2026, 11, 10)
    assert account(cast, "carol").login_state == "never"
    assert account(cast, system="harp").user_id == "HTEST1"
    undo_import(scope=scope, source=source, at=LATER)
    assert register() == before
    assert Deadline.objects.get(account=account(cast), kind="inactivity").due_on == date(2026, 12, 19)


def test_what_a_list_ended_or_called_lost_is_held_again(cast, scope, bring):
    held(cast, person="henry", last_login=date(2026, 11, 10))
    held(cast, person="carol", last_login=date(2026, 11, 1))
    bring(HENRY, CAROL)
    before = register()
    lost = CAROL.replace("Active", "Disabled")
    source = bring(HENRY.replace("Active", "Revoked"), lost, at=LATER)
    assert (account(cast, "carol").status, account(cast).status) == ("lost", "active")
    assert open_roles() != before[1]
    undo_import(scope=scope, source=source, at=LATEST)
    assert register() == before
    assert RoleGrant.objects.in_force(LATEST.date()).filter(account=account(cast, "carol")).exists()


def test_a_role_that_is_held_again_is_certified_as_before(cast, scope, bring):
    held(cast, person="henry", last_login=date(2026, 11, 10))
    bring(HENRY, CAROL)
    certified = Certification.objects.known().filter(grant__voided_at=None)
    before = list(certified.values_list("grant__account", "grant__role", "certified_on", "certified_by", "recorded_by"))
    source = bring(CAROL.replace("Active", "Revoked").replace("06/30/2026", ""), at=LATER)
    assert len(before) == 1
    assert not certified.exists()
    undo_import(scope=scope, source=source, at=LATEST)
    columns = ("grant__account", "grant__role", "certified_on", "certified_by", "recorded_by")
    assert list(certified.values_list(*columns)) == before


def test_what_somebody_touched_since_stays_and_is_listed(cast, scope, bring):
    source = bring(HENRY, CAROL)
    henry, carol = account(cast), account(cast, "carol")
    record_login(scope=scope, account=henry, happened_on=TODAY, at=LATER)
    identity = account(cast, "carol", "harp")
    correct_account(
        scope=scope, account=carol, version=carol.version, user_id="", password_changed_on=None, note="Hers", at=LATER
    )
    before = register()
    assert sorted(look_ahead(scope=scope, source=source, at=LATEST).kept) == [henry.pk, carol.pk]
    result = undo_import(scope=scope, source=source, at=LATEST)
    assert (result.undone, sorted(result.kept)) == (0, [henry.pk, carol.pk])
    assert register() == before
    identity.refresh_from_db()
    assert identity.status == "active", "a kept account still signs in through it"


def test_an_identity_that_another_surface_uses_by_now_stays(cast, scope, bring):
    source = bring(HENRY)
    hqr = held(cast, "hqr", person="henry", last_login=TODAY)
    undo_import(scope=scope, source=source, at=LATER)
    assert [each.system.slug for each in PortalAccount.objects.open().order_by("system__slug")] == ["harp", "hqr"]
    hqr.refresh_from_db()
    assert hqr.identity.status == "active"


def test_an_identity_that_somebody_signed_in_at_stays_and_is_listed(cast, scope, bring):
    source = bring(HENRY, CAROL)
    harp = account(cast, system="harp")
    record_login(scope=scope, account=harp, happened_on=TODAY, at=LATER)
    assert look_ahead(scope=scope, source=source, at=LATEST).kept == [harp.pk]
    result = undo_import(scope=scope, source=source, at=LATEST)
    assert (result.undone, result.kept) == (2, [harp.pk])
    assert [(each.pk, each.last_login_on) for each in PortalAccount.objects.open()] == [(harp.pk, TODAY)]
    assert RoleGrant.objects.in_force(TODAY).filter(account=harp).exists()


def test_a_day_that_another_surface_told_still_counts_at_the_authority(cast, scope, bring):
    held(cast, "hqr", person="henry", last_login=date(2026, 11, 10))
    source = bring(HENRY.replace("HTEST1", ""))
    undo_import(scope=scope, source=source, at=LATER)
    assert account(cast, system="harp").last_login_on == date(2026, 11, 10)


def test_two_surfaces_of_one_list_count_each_for_itself_at_the_authority(cast, scope, bring):
    hqr = held(cast, "hqr", person="henry")
    iqies = held(cast, "iqies", person="henry")
    named = HENRY.replace("HTEST1", "").replace("Provider Assessment Viewer", "")
    bring(named, named.replace("iQIES", "HQR").replace("11/10/2026", "11/05/2026"))
    told = LoginEvent.objects.filter(source="authority").values_list("via__account", "happened_on")
    assert set(told) == {(iqies.pk, date(2026, 11, 10)), (hqr.pk, date(2026, 11, 5))}


def test_findings_that_only_this_list_led_to_go_with_it(cast, scope, bring):
    held(cast, person="carol", last_login=TODAY)
    source = bring(HENRY)
    assert Finding.objects.open().filter(kind="missing-in-file").count() == 1
    undo_import(scope=scope, source=source, at=LATER)
    assert not Finding.objects.open().filter(kind="missing-in-file").exists()
    event = AuditEvent.objects.get(action="finding.missing-closed")
    assert (event.chain, event.subject_key, event.item_count) == (cast.riverside.key, "rule:missing-in-file", 1)
    assert (event.at, event.actor_key, event.reason) == (LATER, scope.actor.key, f"{source.key} was undone")
    assert verify_chains().ok


def test_taking_a_list_back_that_missed_nobody_closes_no_finding(scope, bring):
    undo_import(scope=scope, source=bring(HENRY), at=LATER)
    assert not AuditEvent.objects.filter(action="finding.missing-closed").exists()


def test_it_can_be_imported_again_after_it_was_taken_back(cast, scope, bring):
    undo_import(scope=scope, source=bring(HENRY), at=LATER)
    again = bring(HENRY, at=LATEST)
    assert again.counts["created"] == 1
    assert account(cast).last_login_on == date(2026, 11, 10)
    assert account(cast, system="harp").user_id == "HTEST1"


def test_a_later_list_counts_as_a_touch_of_what_it_changed(cast, scope, bring):
    first = bring(HENRY, CAROL)
    bring(HENRY.replace("11/10/2026", "11/19/2026"), at=LATER)
    result = undo_import(scope=scope, source=first, at=LATEST)
    assert (result.undone, result.kept) == (1, [account(cast).pk])


def test_an_import_is_taken_back_once_only_for_thirty_days_and_by_administrators_of_its_tenant(cast, scope, bring):
    source = bring(HENRY)
    for others, at, code in (
        (scope, NOON + timedelta(days=31), "too_late"),
        (cast.scope("mallory"), LATER, "other"),
    ):
        with pytest.raises(UndoRefused) as refused:
            undo_import(scope=others, source=source, at=at)
        assert refused.value.code == code
    with pytest.raises(NotAllowed):
        undo_import(scope=cast.scope("carol"), source=source, at=LATER)
    with pytest.raises(UndoRefused):
        roster_undo.undo_import(scope=scope, source=source, at=LATER)
    assert undo_import(scope=cast.scope("alice"), source=source, at=NOON + timedelta(days=30)).undone == 1
    with pytest.raises(UndoRefused) as refused:
        undo_import(scope=scope, source=source, at=NOON + timedelta(days=30))
    assert refused.value.code == "undone"


def test_the_command_names_what_stays(cast, scope, bring):
    source = bring(HENRY, CAROL)
    record_login(scope=scope, account=account(cast), happened_on=TODAY, at=LATER)
    out = StringIO()
    with time_machine.travel(LATEST, tick=False):
        call_command("undo_import", str(source.pk), organization="riverside", json=True, stdout=out)
        with pytest.raises(CommandFailed):
            call_command("undo_import", str(source.pk), organization="riverside", json=True, stdout=StringIO())
    document = json.loads(out.getvalue())
    assert (document["import"], document["undone"]) == (source.pk, 1)
    (kept,) = document["kept"]
    assert (kept["person"], kept["system"]) == ("Henry Test", "iqies")


def test_hundreds_of_accounts_are_put_back_by_few_statements(cast, scope, bring, django_assert_max_num_queries):
    from tests import factories

    rows = []
    for n in range(300):
        person = factories.PersonFactory(organization=cast.riverside, first_name=f"F{n}", last_name=f"L{n}", email="")
        factories.EmploymentFactory(facility=cast.oak, person=person)
        rows.append(f"iQIES,015009,L{n},F{n},,U{n},PSO,Active,03/15/2025,11/10/2026,")
    source = bring(*rows)
    with django_assert_max_num_queries(110):
        assert undo_import(scope=scope, source=source, at=LATER).undone == 300
    assert not PortalAccount.objects.open().exists()
