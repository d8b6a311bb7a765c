"""After a change of the catalogue: the check says whom it would flip, the next tick flips exactly those, once."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import Deadline, Finding, HouseWindow, PortalAccount
from accounts.services import recomputation
from accounts.services.logins import record_login
from accounts.services.recomputation import left_behind, recompute_outdated
from audit.commands import CommandFailed
from audit.models import AuditEvent
from audit.verify import verify_chains
from reminders.models import Reminder, SweepRun
from systems.models import Policy
from systems.policy import due
from systems.selectors import chain_revisions, policy_chains
from tests.accounts.drafts import Draft, tick, version
from tests.accounts.test_logins import clock, held
from tests.conftest import NOON, TODAY
from tests.reminders.making import DAY, started
from tests.reminders.making import held as held_anywhere

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture
def draft(tmp_path):
    return Draft(tmp_path / "draft")


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=True):
        yield


def ago(days):
    return TODAY - timedelta(days=days)


def rows():
    """Every deadline and copy of a last safe day, as stored."""
    deadlines = Deadline.objects.order_by("pk").values_list()
    return list(deadlines), list(PortalAccount.objects.order_by("pk").values_list("pk", "lapses_on"))


def affected_of(document, slug, kind="inactivity"):
    [found] = [each for each in document["affected"] if (each["system"], each["kind"]) == (slug, kind)]
    return found


def test_the_check_says_whom_it_would_flip_and_the_tick_flips_exactly_those(cast, draft):
    late = held(cast, last_login=ago(70), person="carol")
    flips = held(cast, last_login=ago(50), person="henry")
    moves = held(cast, last_login=ago(10), person="olga")
    tick()
    before = rows()
    draft.change("iqies", "inactivity", lambda mine: mine.append(version(45, ago(3))))
    document = draft.check()
    assert document["affected"] == [{"system": "iqies", "kind": "inactivity", "deadlines": 2, "newly_overdue": 1}]
    assert rows() == before
    draft.load()
    assert tick()["lapses"]["opened"] == 1
    assert clock(late).due_on == ago(10)
    # Idle for more than the new limit when it came: over on its first day, not before.
    assert clock(flips).due_on == ago(4)
    assert clock(moves).due_on == ago(10) + timedelta(days=45)
    assert [clock(each).cycle for each in (late, flips, moves)] == [1, 2, 2]
    for each in (late, flips, moves):
        each.refresh_from_db()
        assert each.lapses_on == clock(each).due_on
    assert set(Finding.objects.open().filter(kind="lapse").values_list("account", flat=True)) == {late.pk, flips.pk}


def test_the_check_tells_people_in_a_sentence(cast, draft):
    held(cast, last_login=ago(50))
    draft.change("iqies", "inactivity", lambda mine: mine.append(version(45, ago(3))))
    out = io.StringIO()
    call_command("load_catalogue", "--check", "--folder", str(draft.folder), stdout=out)
    told = "iqies, inactivity: 1 deadline would change, 1 would be overdue today that is not now."
    assert told in out.getvalue()


def test_the_check_leaves_no_trace(cast, draft):
    held(cast, last_login=ago(50))
    draft.change("iqies", "inactivity", lambda mine: mine.append(version(45)) or [version(45)])
    before = (rows(), Policy.objects.count(), AuditEvent.objects.count(), chain_revisions())
    draft.check()
    assert (rows(), Policy.objects.count(), AuditEvent.objects.count(), chain_revisions()) == before


def test_an_unchanged_catalogue_affects_nobody_and_so_does_a_change_without_accounts(catalogue, draft):
    assert draft.check()["affected"] == []
    draft.change("iqies", "inactivity", lambda mine: [version(45)])
    assert draft.check()["affected"] == [
        {"system": "iqies", "kind": "inactivity", "deadlines": 0, "newly_overdue": 0},
    ]


def test_a_refused_draft_affects_nobody_and_says_why(catalogue, draft):
    draft.change("iqies", "inactivity", lambda mine: [version(0)])
    with pytest.raises(CommandFailed) as refused:
        draft.check()
    assert refused.value.document["affected"] == []
    assert refused.value.document["errors"]


def test_a_new_kind_of_rule_opens_deadlines_for_accounts_that_had_none(cast, draft):
    account = held(cast, last_login=ago(200))
    tick()
    assert not Deadline.objects.filter(account=account, kind="deletion").exists()
    draft.change("iqies", "deletion", lambda mine: [version(190, kind="deletion", consequence="deleted")])
    assert affected_of(draft.check(), "iqies", "deletion")["deadlines"] == 1
    assert affected_of(draft.check(), "iqies", "deletion")["newly_overdue"] == 1
    draft.load()
    assert tick()["deadlines"]["opened"] == 1
    assert clock(account, "deletion").due_on == ago(10)
    assert Finding.objects.open().filter(kind="lapse").filter(deadline__kind="deletion").count() == 1


def test_a_withdrawn_newest_version_gives_back_what_it_took(cast, draft):
    account = held(cast, last_login=ago(50))
    tick()
    draft.change("iqies", "inactivity", lambda mine: mine.append(version(45, ago(3))))
    draft.load()
    tick()
    assert Finding.objects.open().filter(kind="lapse").filter(account=account).exists()
    draft.change("iqies", "inactivity", lambda mine: mine[:1])
    draft.load()
    tick()
    assert clock(account).due_on == ago(-10)
    assert clock(account).revision == 3
    assert clock(account).cycle == 3
    assert not Finding.objects.open().filter(kind="lapse").exists()


def test_a_rule_that_vanished_leaves_the_house_window_and_the_other_clocks_close(cast, draft):
    account = held(cast, "qies", last_login=ago(50), password_changed_on=ago(10))
    tick()
    for kind in ("inactivity", "password", "deletion"):
        draft.change("qies", kind, lambda mine: [])
    document = draft.check()
    assert [(each["kind"], each["deadlines"]) for each in document["affected"]] == [
        ("deletion", 1), ("inactivity", 1), ("password", 1),
    ]  # fmt: skip
    draft.load()
    assert tick()["deadlines"]["closed"] == 2
    assert (clock(account).policy, clock(account).due_on) == (None, ago(50) + timedelta(days=90))
    assert clock(account, "password").closed_at == NOON
    assert clock(account, "deletion").closed_at == NOON


def test_without_a_house_window_a_vanished_rule_closes_the_clock(cast, draft):
    account = held(cast, last_login=ago(70))
    HouseWindow.objects.create(organization=cast.riverside, system=account.system, enabled=False)
    tick()
    assert Finding.objects.open().filter(kind="lapse").exists()
    draft.change("iqies", "inactivity", lambda mine: [])
    draft.load()
    tick()
    account.refresh_from_db()
    assert (clock(account).closed_at, account.lapses_on) == (NOON, None)
    assert not Finding.objects.open().filter(kind="lapse").filter(account=account).exists()


def test_the_first_published_limit_takes_the_place_of_the_house_window(cast, draft):
    account = held(cast, "harp", last_login=ago(95))
    assert (clock(account).policy, clock(account).revision) == (None, 0)
    tick()
    assert Finding.objects.open().get(account=account, kind="lapse").severity == "low"
    draft.change("harp", "inactivity", lambda mine: [version(80)])
    assert affected_of(draft.check(), "harp") == {
        "system": "harp", "kind": "inactivity", "deadlines": 1, "newly_overdue": 0,
    }  # fmt: skip
    draft.load()
    tick()
    assert (clock(account).due_on, clock(account).revision) == (ago(15), 2)
    # One finding for one deadline, as bad as the rule now in force makes it.
    assert Finding.objects.open().get(account=account, kind="lapse").severity == "critical"
    event = AuditEvent.objects.get(action="finding.severity-restated")
    assert (event.chain, event.item_count) == (cast.riverside.key, 1)


def test_a_stricter_house_window_stays_a_target_under_a_changed_limit(cast, draft):
    account = held(cast, last_login=ago(10))
    HouseWindow.objects.create(organization=cast.riverside, system=account.system, mention_days=20, flag_days=30)
    draft.change("iqies", "inactivity", lambda mine: [version(45)])
    draft.load()
    tick()
    assert clock(account).due_on == ago(10) + timedelta(days=45)
    assert clock(account).target_on == ago(10) + timedelta(days=30)


def test_a_longer_limit_helps_those_not_yet_overdue_and_nobody_else(cast, draft):
    late = held(cast, last_login=ago(70), person="carol")
    running = held(cast, last_login=ago(50), person="henry")
    tick()
    draft.change("iqies", "inactivity", lambda mine: mine.append(version(90, TODAY)))
    assert draft.check()["affected"] == [
        {"system": "iqies", "kind": "inactivity", "deadlines": 1, "newly_overdue": 0},
    ]
    draft.load()
    tick()
    assert (clock(late).due_on, clock(late).cycle) == (ago(10), 1)
    assert (clock(running).due_on, clock(running).cycle) == (ago(50) + timedelta(days=90), 2)
    assert list(Finding.objects.open().filter(kind="lapse").values_list("account", flat=True)) == [late.pk]


def test_a_login_that_came_in_time_under_a_corrected_limit_counts(cast, draft):
    account = held(cast, last_login=ago(75))
    record_login(scope=cast.scope("carol"), account=account, happened_on=ago(5), at=NOON)
    assert clock(account).check_on == ago(5)
    tick()
    draft.change("iqies", "inactivity", lambda mine: [version(90)])
    draft.load()
    tick()
    assert (clock(account).check_on, clock(account).basis_on) == (None, ago(5))
    assert clock(account).due_on == ago(5) + timedelta(days=90)
    assert not Finding.objects.open().filter(kind="lapse").exists()


def test_a_chain_of_logins_that_a_corrected_limit_makes_whole_counts_to_its_newest(cast, draft):
    account = held(cast, slug="qies", last_login=ago(150))
    for days in (80, 0):
        record_login(scope=cast.scope("carol"), account=account, happened_on=ago(days), at=NOON)
    tick()
    before = {kind: clock(account, kind).cycle for kind in ("inactivity", "deletion")}
    assert clock(account).check_on == TODAY
    assert Finding.objects.open().filter(kind="lapse").filter(account=account).exists()
    draft.change("qies", "inactivity", lambda mine: [version(90)])
    assert draft.check()["affected"] == [
        {"system": "qies", "kind": "deletion", "deadlines": 1, "newly_overdue": 0},
        {"system": "qies", "kind": "inactivity", "deadlines": 1, "newly_overdue": 0},
    ]
    assert clock(account).check_on == TODAY  # asking changed nothing
    draft.load()
    sweeps = tick()
    assert (clock(account).basis_on, clock(account).check_on) == (TODAY, None)
    assert clock(account).due_on == TODAY + timedelta(days=90)
    assert clock(account, "deletion").due_on == TODAY + timedelta(days=365)
    assert {kind: clock(account, kind).cycle - cycle for kind, cycle in before.items()} == {
        "inactivity": 1,
        "deletion": 1,
    }
    assert not Finding.objects.open().filter(kind="lapse").filter(account=account).exists()
    assert sweeps["lapses"]["closed"] == 1
    told = AuditEvent.objects.filter(action="deadline.recomputed").values_list("subject_key", "item_count")
    assert {key for key, _ in told} == {"rule:qies/inactivity", "rule:qies/deletion"}
    assert AuditEvent.objects.filter(action="finding.lapse-closed").count() == 1


def test_a_moved_deadline_starts_its_ladder_again(cast, draft):
    started(cast)
    account = held(cast, last_login=ago(42))
    tick()
    steps = Reminder.objects.filter(deadline=clock(account)).values_list("cycle", "step")
    assert set(steps) == {(1, 20)}
    draft.change("iqies", "inactivity", lambda mine: mine.append(version(45, ago(30))))
    draft.load()
    tick(NOON + DAY)
    assert {(1, 20), (2, 2)} <= set(steps.all())


def test_a_repeated_tick_after_a_change_writes_its_own_row_only(cast, draft):
    held(cast, last_login=ago(50))
    draft.change("iqies", "inactivity", lambda mine: mine.append(version(45, ago(3))))
    draft.load()
    tick()
    before = (rows(), AuditEvent.objects.count(), SweepRun.objects.count())
    assert "deadlines" not in tick()
    assert (rows(), AuditEvent.objects.count(), SweepRun.objects.count() - 1) == before
    assert sum(map(bool, recompute_outdated(at=NOON, since=0))) == 0
    assert (rows(), AuditEvent.objects.count()) == before[:2]


def test_a_tick_that_dies_between_slices_goes_on_where_it_stopped(cast, draft, monkeypatch):
    accounts = [held(cast, last_login=ago(50), person=name) for name in ("carol", "henry", "olga")]
    tick()
    followed = SweepRun.objects.latest("pk").catalogue_revision
    draft.change("iqies", "inactivity", lambda mine: [version(45)])
    draft.load()
    monkeypatch.setattr(recomputation, "SLICE", 1)
    real, left = recomputation.bring_in_line, [1]

    def dying(**given):
        if not left:
            raise ConnectionError
        left.pop()
        return real(**given)

    monkeypatch.setattr(recomputation, "bring_in_line", dying)
    with pytest.raises(CommandFailed):
        tick()
    assert [clock(each).cycle for each in accounts] == [2, 1, 1]
    assert SweepRun.objects.latest("pk").catalogue_revision == followed
    monkeypatch.setattr(recomputation, "bring_in_line", real)
    tick()
    assert [clock(each).cycle for each in accounts] == [2, 2, 2]
    events = AuditEvent.objects.filter(action="deadline.recomputed")
    assert [event.item_count for event in events.order_by("seq")] == [1, 1, 1]


def test_slices_keep_organizations_whole_and_cut_the_ones_that_are_too_large(cast, monkeypatch):
    system = held(cast, last_login=ago(50), person="carol").system_id
    for name in ("henry", "olga"):
        held(cast, last_login=ago(50), person=name)
    held_anywhere(cast, left=10, person="mallory")
    wanted = sorted(PortalAccount.objects.filter(system=system).values_list("pk", flat=True))

    def parts():
        found = []
        for part in recomputation.slices(system):
            inside = PortalAccount.objects.filter(
                system=system,
                organization__gte=part.first_organization,
                organization__lte=part.last_organization,
                pk__gt=part.after,
                pk__lte=part.last,
            )
            found.append(sorted(inside.values_list("pk", flat=True)))
        assert sorted(key for part in found for key in part) == wanted
        return sorted(map(len, found))

    assert parts() == [4]
    monkeypatch.setattr(recomputation, "SLICE", 3)
    assert parts() == [1, 3]
    monkeypatch.setattr(recomputation, "SLICE", 2)
    assert parts() == [1, 1, 2]


def test_what_was_recomputed_is_told_once_per_organization_and_rule(cast, draft):
    for name in ("carol", "henry"):
        held(cast, last_login=ago(50), person=name)
    held_anywhere(cast, left=10, person="mallory")
    draft.change("iqies", "inactivity", lambda mine: mine.append(version(45, ago(3))))
    draft.load()
    tick()
    told = AuditEvent.objects.filter(action="deadline.recomputed").order_by("chain")
    assert {(event.chain, event.subject_key, event.item_count) for event in told} == {
        (cast.riverside.key, "rule:iqies/inactivity", 2),
        (cast.hilltop.key, "rule:iqies/inactivity", 1),
    }
    assert verify_chains().ok


def test_a_change_of_words_moves_no_date_and_is_not_told(cast, draft):
    account = held(cast, last_login=ago(50))

    def reword(mine):
        mine[0]["cure"] = "Ask again."

    draft.change("iqies", "inactivity", reword)
    assert draft.check()["affected"] == []
    draft.load()
    tick()
    assert (clock(account).revision, clock(account).cycle) == (2, 1)
    assert not AuditEvent.objects.filter(action="deadline.recomputed").exists()


def test_what_an_older_act_wrote_after_the_change_was_followed_is_found_by_the_next_tick(cast, draft):
    account = held(cast, last_login=ago(50))
    old = clock(account)
    draft.change("iqies", "inactivity", lambda mine: mine.append(version(45, ago(3))))
    draft.load()
    tick()
    Deadline.objects.filter(pk=old.pk).update(
        due_on=old.due_on, policy=old.policy, revision=old.revision, cycle=clock(account).cycle + 1
    )
    assert left_behind() == [(account.system_id, "inactivity")]
    assert "deadlines" in tick()
    assert clock(account).due_on == ago(4)
    assert left_behind() == []
    assert "deadlines" not in tick()


@pytest.mark.parametrize("since", [0, 1])
def test_every_stored_date_is_the_one_the_policy_gives(cast, draft, since):
    for person, days in (("carol", 1), ("henry", 44), ("olga", 46), ("alice", 100)):
        for slug in ("iqies", "qies", "idm"):
            held(cast, slug, last_login=ago(days), person=person)
    draft.change("qies", "inactivity", lambda mine: [*mine, version(30, ago(20))])
    draft.change("idm", "inactivity", lambda mine: [version(200)])
    draft.load()
    list(recompute_outdated(at=NOON, since=since))
    chains = policy_chains()
    compared = 0
    for each in Deadline.objects.open().filter(policy__isnull=False, account__isnull=False).select_related("account"):
        found = due(each.basis_on, chains[each.account.system_id, each.kind])
        assert (found.due_on, found.version.policy_id) == (each.due_on, each.policy_id)
        assert each.revision == chain_revisions()[each.account.system_id, each.kind]
        compared += 1
    assert compared >= 12
