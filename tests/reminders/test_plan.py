"""Which reminders are planned, for whom, and that a second look plans nothing."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Deadline, Finding, HouseWindow
from accounts.services.clocks import recompute
from accounts.services.inventory import remove_account
from accounts.services.logins import record_login
from audit.models import AuditEvent
from facilities.models import Membership
from reminders.audience import truthful
from reminders.found import truthful as truthful_of_findings
from reminders.models import Reminder
from reminders.services.plan import plan_due
from reminders.services.plan_findings import plan_findings
from staff.models import Employment
from systems.models import System
from tests import factories
from tests.conftest import NOON, TODAY
from tests.reminders.making import DAY, administrator, clock, held, ledger, started
from web.hearing import who_hears

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture
def riverside(cast):
    """The cast, with Riverside's reminders started."""
    return started(cast)


def test_twenty_days_before_the_day_the_holder_is_reminded_and_not_a_day_sooner(riverside):
    account = held(riverside, left=21)
    assert plan_due(at=NOON) == 0
    assert plan_due(at=NOON + DAY) == 1
    assert ledger(account) == [("Henry", 20, "planned")]


def test_a_day_begins_at_midnight_eastern(riverside):
    account = held(riverside, left=21)
    late_evening = datetime(2026, 11, 21, 4, 59, tzinfo=UTC)
    assert plan_due(at=late_evening) == 0
    assert plan_due(at=late_evening.replace(hour=5, minute=0)) == 1
    assert ledger(account)[0][1] == 20


def test_a_second_look_plans_nothing(riverside):
    for left, person in ((18, "henry"), (4, "carol"), (-3, "olga")):
        held(riverside, left=left, person=person)
    assert plan_due(at=NOON) > 0
    before = (Reminder.objects.count(), AuditEvent.objects.count())
    assert plan_due(at=NOON) == 0
    assert (Reminder.objects.count(), AuditEvent.objects.count()) == before


def test_after_dark_days_the_latest_step_is_planned_and_the_missed_ones_are_recorded(riverside):
    account = held(riverside, left=20)
    plan_due(at=NOON)
    plan_due(at=NOON + 15 * DAY)
    assert ledger(account) == [("Henry", 20, "planned"), ("Henry", 10, "skipped"), ("Henry", 5, "planned")]


def test_administrators_join_at_the_third_step_and_at_the_last(riverside):
    administrator(riverside, "fay", riverside.oak)
    account = held(riverside, left=5)
    plan_due(at=NOON)
    planned = {(name, step) for name, step, state in ledger(account) if state == "planned"}
    assert planned == {("Henry", 5), ("Fay", 5)}
    plan_due(at=NOON + 3 * DAY)
    planned = {(name, step) for name, step, state in ledger(account) if state == "planned"}
    assert planned == {("Henry", 5), ("Fay", 5), ("Henry", 2), ("Fay", 2), ("Alice", 2)}
    assert ("Alice", 5, "skipped") not in ledger(account)


def test_an_administrator_of_another_facility_hears_nothing(riverside):
    administrator(riverside, "fay", riverside.elm)
    account = held(riverside, left=1)
    plan_due(at=NOON)
    assert {name for name, _, _ in ledger(account)} == {"Henry", "Alice"}


def test_a_former_administrator_hears_nothing(riverside):
    administrator(riverside, "fay", riverside.oak)
    Membership.objects.filter(user__email="fay@example.org").update(ended_at=NOON)
    account = held(riverside, left=1)
    plan_due(at=NOON)
    assert {name for name, _, _ in ledger(account)} == {"Henry", "Alice"}


def test_an_administrator_who_left_hears_of_no_date_and_no_finding_after_her_last_day(riverside):
    ana = administrator(riverside, "ana", riverside.oak)
    job = factories.EmploymentFactory(person=ana, facility=riverside.oak, valid_to=TODAY)
    held(riverside, left=2)
    wrong = Finding.objects.create(
        organization=riverside.riverside, kind="one-official", subject_key="test", severity="high", opened_on=TODAY,
        facts='{"people": [], "system": "iqies"}', facility=riverside.oak,
    )  # fmt: skip
    ana_hears = Reminder.objects.filter(recipient=ana, state=Reminder.State.PLANNED)

    def plan():
        Reminder.objects.all().delete()
        plan_due(at=NOON)
        plan_findings(at=NOON)
        return [(row.deadline_id is not None, row.finding_id == wrong.pk) for row in ana_hears.order_by("finding_id")]

    assert sorted(plan()) == [(False, True), (True, False)], "on her last day she still does"
    assert ana_hears.filter(truthful(TODAY)).count() == ana_hears.filter(truthful_of_findings(TODAY)).count() == 1
    assert who_hears(riverside.oak, TODAY)[2].people == str(ana)
    Employment.objects.filter(pk=job.pk).update(valid_to=TODAY - DAY)
    assert not ana_hears.filter(truthful(TODAY)).exists(), "nor of what was planned before"
    assert not ana_hears.filter(truthful_of_findings(TODAY)).exists()
    assert plan() == []
    assert Reminder.objects.filter(finding=wrong).get().recipient.first_name == "Alice", "somebody else does"
    assert who_hears(riverside.oak, TODAY)[2].nobody


def test_the_day_after_everybody_on_the_ladder_is_told_what_to_do_now(riverside):
    administrator(riverside, "fay", riverside.oak)
    account = held(riverside, left=0)
    plan_due(at=NOON)
    plan_due(at=NOON + DAY)
    assert [row for row in ledger(account, state="planned") if row[1] == -1] == [
        ("Alice", -1, "planned"),
        ("Fay", -1, "planned"),
        ("Henry", -1, "planned"),
    ]
    assert plan_due(at=NOON + 9 * DAY) == 0


def test_a_login_starts_a_new_cycle_and_re_arms_the_ladder(riverside):
    account = held(riverside, left=5)
    plan_due(at=NOON)
    record_login(scope=riverside.scope("henry"), account=account, happened_on=TODAY, at=NOON)
    assert plan_due(at=NOON + 39 * DAY) == 0
    assert plan_due(at=NOON + 40 * DAY) == 1
    newest = Reminder.objects.order_by("-pk").first()
    assert (newest.cycle, newest.step) == (2, 20)


def test_nobody_is_told_before_reminders_are_started(cast):
    account = held(cast, left=5)
    assert plan_due(at=NOON) == 0
    started(cast)
    assert plan_due(at=NOON) == 1
    assert ("Henry", 5, "planned") in ledger(account)


def test_a_person_without_an_address_is_not_planned_for(riverside):
    account = held(riverside, left=1)
    person = riverside.people["henry"]
    person.email = ""
    person.save(update_fields=["email"])
    plan_due(at=NOON)
    assert {name for name, _, _ in ledger(account)} == {"Alice"}


def test_a_removed_account_reminds_nobody(riverside):
    account = held(riverside, left=5)
    remove_account(scope=riverside.scope("alice"), account=account, removed_on=TODAY, at=NOON)
    assert plan_due(at=NOON) == 0


def test_what_a_leaver_would_have_heard_goes_to_the_administrator_of_the_facility(riverside):
    administrator(riverside, "fay", riverside.oak)
    account = held(riverside, left=18)
    Employment.objects.filter(person=riverside.people["henry"]).update(valid_to=TODAY - DAY)
    plan_due(at=NOON)
    assert ledger(account) == [("Fay", 20, "planned")]


def test_on_the_last_day_of_work_the_holder_still_hears(riverside):
    account = held(riverside, left=18)
    Employment.objects.filter(person=riverside.people["henry"]).update(valid_to=TODAY)
    plan_due(at=NOON)
    assert ledger(account) == [("Henry", 20, "planned")]


def test_a_system_without_a_published_limit_is_mentioned_at_sixty_days(riverside):
    account = held(riverside, left=31, slug="harp", limit=90)
    assert clock(account).policy is None
    assert plan_due(at=NOON) == 0
    assert plan_due(at=NOON + DAY) == 1
    assert ledger(account) == [("Henry", 30, "planned")]


def test_an_organizations_own_window_moves_its_mention(riverside):
    harp = System.objects.get(slug="harp")
    HouseWindow.objects.create(organization=riverside.riverside, system=harp, mention_days=40, flag_days=45)
    account = held(riverside, left=5, slug="harp", limit=45)
    assert clock(account).due_on == TODAY + 5 * DAY
    assert plan_due(at=NOON - DAY) == 0
    assert plan_due(at=NOON) == 1
    assert ledger(account) == [("Henry", 5, "planned")]


def test_a_window_switched_off_reminds_nobody(riverside):
    harp = System.objects.get(slug="harp")
    account = held(riverside, left=5, slug="harp", limit=90)
    HouseWindow.objects.create(organization=riverside.riverside, system=harp, enabled=False)
    with transaction.atomic():
        recompute(accounts=type(account).objects.filter(pk=account.pk), at=NOON)
    assert plan_due(at=NOON) == 0


def test_steps_count_against_the_organizations_stricter_day_and_then_against_cms_s(riverside):
    iqies = System.objects.get(slug="iqies")
    HouseWindow.objects.create(organization=riverside.riverside, system=iqies, mention_days=30, flag_days=45)
    account = held(riverside, left=35)  # of 60; 20 of our own 45
    deadline = clock(account)
    assert (deadline.target_on, deadline.due_on) == (TODAY + 20 * DAY, TODAY + 35 * DAY)
    days = [0, 1, 10, 15, 18, 20, 21, 30, 33, 35, 36]
    seen = []
    for day in days:
        plan_due(at=NOON + day * DAY)
        steps = [step for name, step, state in ledger(account) if name == "Henry" and state == "planned"]
        seen.append(min(steps, default=None))
    assert seen == [20, 20, 10, 5, 2, 2, -1, -1, -2, -2, -3]


def test_a_removal_that_is_late_is_asked_for_every_day(riverside):
    account = held(riverside, left=50)
    Deadline.objects.create(
        organization=account.organization,
        kind=Deadline.Kind.REMOVAL,
        subject_key=f"removal-of-account:{account.pk}",
        account=account,
        zone="America/New_York",
        basis_on=TODAY,
        due_on=TODAY,
    )
    for day in (0, 1, 3):
        plan_due(at=NOON + day * DAY)
    rows = [row for row in ledger(account, "removal") if row[0] == "Henry"]
    assert rows == [
        ("Henry", 7, "skipped"),
        ("Henry", 1, "skipped"),
        ("Henry", 0, "planned"),
        ("Henry", -1, "planned"),
        ("Henry", -3, "planned"),
    ]


def test_one_audit_event_per_organization_counts_what_was_planned(riverside):
    riverside.hilltop.reminders_started_at = NOON - DAY
    riverside.hilltop.save(update_fields=["reminders_started_at"])
    held(riverside, left=5)
    held(riverside, left=15, person="carol")
    held(riverside, left=9, person="mallory")
    plan_due(at=NOON)
    events = AuditEvent.objects.filter(action="reminders.planned").order_by("chain")
    assert {(event.chain, event.item_count) for event in events} == {
        (riverside.riverside.key, 2),
        (riverside.hilltop.key, 1),
    }


def test_a_tenants_deadline_never_reaches_another_tenants_people(riverside):
    riverside.hilltop.reminders_started_at = NOON - DAY
    riverside.hilltop.save(update_fields=["reminders_started_at"])
    held(riverside, left=1, person="mallory")
    held(riverside, left=1)
    plan_due(at=NOON)
    rows = Reminder.objects.values_list("organization__slug", "recipient__organization__slug", "recipient__first_name")
    assert set(rows) == {
        ("hilltop", "hilltop", "Mallory"),
        ("riverside", "riverside", "Henry"),
        ("riverside", "riverside", "Alice"),
    }


def test_the_same_step_of_a_cycle_cannot_be_stored_twice(riverside):
    held(riverside, left=5)
    plan_due(at=NOON)
    twin = Reminder.objects.get(state=Reminder.State.PLANNED)
    twin.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()
    twin.cycle += 1
    twin.save()


def test_postgresql_looks_up_by_key_what_is_due_and_joins_as_it_likes_afterwards(riverside):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite looks up by key anyway")
    administrator(riverside, "fay", riverside.oak)
    held(riverside, left=5)
    hashed = {}

    def look(execute, sql, params, many, context):
        if sql.lstrip().startswith("INSERT INTO reminders_"):
            with connection.connection.cursor() as raw:
                raw.execute("SHOW enable_hashjoin")
                hashed[sql.split()[2]] = raw.fetchone()[0]
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        assert plan_due(at=NOON) == 2
    by_key = ("reminders_due", "reminders_there", "reminders_administrators")
    assert hashed == dict.fromkeys(by_key, "off") | {"reminders_heard": "on", "reminders_reminder": "on"}
