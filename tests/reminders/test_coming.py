"""Who will be told, and when: day by day it is what is really planned and put into mails."""

from datetime import timedelta

import pytest

from accounts.models import Deadline, Finding
from accounts.services.obligations import Owed, add_obligation
from reminders.coming import coming_for_deadlines, coming_for_finding
from reminders.models import Digest, Reminder
from reminders.services.deliver import deliver
from reminders.services.digests import assemble
from reminders.services.plan import plan_due
from reminders.services.plan_findings import plan_findings
from staff.models import Employment
from staff.services.absences import record_absence
from staff.services.deputies import name_deputy
from tests.conftest import NOON, TODAY
from tests.reminders.making import DAY, administrator, clock, held, only_published_limits, started
from tests.reminders.test_duties import anniversary, due, granted

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture
def riverside(cast):
    """The cast with reminders started, and an administrator of Oak House."""
    started(cast)
    only_published_limits(cast)
    administrator(cast, "fay", cast.oak)
    return cast


def foretold(deadline):
    rows = Deadline.objects.select_related("policy", "account", "organization").filter(pk=deadline.pk)
    days = coming_for_deadlines(list(rows), NOON).get(deadline.pk, [])
    return [(each.on, sorted(hearer.name.split()[0] for hearer in each.people)) for each in days]


def happened(deadline, days):
    """Let the mails of so many days go out; return per day who reads of the deadline."""
    told = []
    for number in range(days):
        at = NOON + number * DAY
        plan_due(at=at)
        assemble(at=at)
        deliver(at=at)
        mails = Digest.objects.filter(state="sent", local_on=at.date(), reminders__deadline=deadline)
        names = sorted(mails.values_list("person__first_name", flat=True).distinct())
        if names:
            told.append((at.date(), names))
    return told


def mailed(cast, name):
    """Write that somebody has had her mail of today."""
    whose = {"organization": cast.riverside, "person": cast.people[name], "local_on": TODAY}
    Digest.objects.create(**whose, state="sent", created_at=NOON, sent_at=NOON)


@pytest.mark.parametrize("left", [30, 20, 7, 2, -1])
def test_a_holders_deadline_is_told_to_whom_it_was_foretold(riverside, left):
    deadline = clock(held(riverside, left=left))
    said = foretold(deadline)
    assert said
    assert said == happened(deadline, max(left, 0) + 4)


def test_what_was_planned_this_morning_and_not_sent_is_still_to_come_and_what_was_sent_is_not(riverside):
    deadline = clock(held(riverside, left=5))
    today = (TODAY, ["Fay", "Henry"])
    plan_due(at=NOON)
    assert foretold(deadline)[0] == today
    assemble(at=NOON)
    assert foretold(deadline) == [
        (TODAY + 3 * DAY, ["Alice", "Fay", "Henry"]),
        (TODAY + 6 * DAY, ["Alice", "Fay", "Henry"]),
    ]


def test_who_has_had_todays_mail_reads_of_it_tomorrow(riverside):
    mailed(riverside, "henry")
    deadline = clock(held(riverside, left=7))
    said = foretold(deadline)
    assert said[0] == (TODAY + DAY, ["Henry"])
    assert said == happened(deadline, 11)


def test_a_finding_is_told_tomorrow_to_whom_todays_mail_has_left_already(riverside):
    finding = Finding.objects.create(
        organization=riverside.riverside,
        kind=Finding.Kind.NO_BACKUP,
        subject_key=f"facility:{riverside.oak.pk}/stream:mds",
        severity="high",
        facility=riverside.oak,
        facts='{"people": [], "stream": "mds", "stream_name": "MDS", "system": "iqies"}',
        opened_on=TODAY,
    )
    assert coming_for_finding(finding, NOON)[0].on == TODAY
    mailed(riverside, "fay")
    assert [(each.on, each.people[0].name) for each in coming_for_finding(finding, NOON)][0] == (
        TODAY + DAY,
        "Fay Test",
    )


def test_a_deputy_hears_earlier_while_the_holder_is_away_and_a_last_day_that_is_known_counts(riverside):
    scope, henry = riverside.scope("alice"), riverside.people["henry"]
    name_deputy(scope=scope, person=henry, deputy=riverside.people["carol"], since=TODAY, at=NOON)
    record_absence(scope=scope, person=henry, away_from_on=TODAY + 5 * DAY, away_to_on=None, at=NOON)
    Employment.objects.filter(person=henry).update(valid_to=TODAY + 17 * DAY)
    deadline = clock(held(riverside, left=21))
    said = foretold(deadline)
    assert [(on - TODAY).days for on, _ in said] == [1, 5, 11, 16, 19, 22]
    assert [names for _, names in said] == [
        ["Henry"],
        ["Carol"],  # of the step that was before she began to stand in
        ["Carol", "Henry"],
        ["Carol", "Fay", "Henry"],
        ["Alice", "Fay"],
        ["Alice", "Fay"],
    ]
    assert said == happened(deadline, 24)


def test_of_somebody_who_left_the_administrators_hear_at_every_step(riverside):
    deadline = clock(held(riverside, left=20))
    Employment.objects.filter(person=riverside.people["henry"]).update(valid_to=TODAY - DAY)
    said = foretold(deadline)
    assert said[0] == (TODAY, ["Fay"])
    assert said == happened(deadline, 23)


def test_a_day_of_our_own_comes_first_and_then_the_days_of_cms(riverside):
    deadline = clock(held(riverside, left=12))
    Deadline.objects.filter(pk=deadline.pk).update(target_on=TODAY + 4 * DAY)
    said = foretold(deadline)
    assert [(on - TODAY).days for on, _ in said] == [0, 2, 5, 10, 13]
    assert said == happened(deadline, 15)


def test_what_is_quiet_is_told_to_nobody_and_all_deadlines_cost_three_queries(riverside, django_assert_num_queries):
    first, second = (clock(held(riverside, left=left, person=who)) for left, who in ((9, "henry"), (4, "carol")))
    rows = list(Deadline.objects.select_related("policy", "account", "organization").open())
    with django_assert_num_queries(2 + any(each.policy is None for each in rows)):
        found = coming_for_deadlines(rows, NOON)
    assert {first.pk, second.pk} <= found.keys()
    Deadline.objects.filter(pk=first.pk).update(muted=True)
    assert foretold(first) == []


def test_a_finding_is_told_to_whom_it_was_foretold(riverside):
    account = held(riverside, left=50)
    finding = Finding.objects.create(
        organization=riverside.riverside,
        kind=Finding.Kind.NO_BACKUP,
        subject_key=f"facility:{riverside.oak.pk}/stream:mds",
        severity="high",
        facility=riverside.oak,
        facts='{"people": [], "stream": "mds", "stream_name": "MDS", "system": "iqies"}',
        opened_on=TODAY,
    )
    assert account
    said = [(each.on, sorted(hearer.name for hearer in each.people)) for each in coming_for_finding(finding, NOON)]
    told = []
    for number in range(32):
        at = NOON + number * DAY
        plan_findings(at=at)
        assemble(at=at)
        deliver(at=at)
        names = Reminder.objects.filter(finding=finding, digest__local_on=at.date())
        if names:
            told.append((at.date(), sorted(str(each.recipient) for each in names.select_related("recipient"))))
    assert said == told
    assert said == [
        (TODAY, ["Fay Test"]),
        (TODAY + timedelta(days=7), ["Alice Test", "Fay Test"]),
        (TODAY + timedelta(days=30), ["Alice Test", "Fay Test"]),
    ]


def test_a_certification_and_what_a_facility_owes_are_told_to_whom_it_was_foretold(riverside):
    granted(riverside, person="carol", role="official")
    role = due(granted(riverside, opened_on=anniversary(61)))
    owed = Owed("other", title="Send it", due_on=TODAY + 9 * DAY)
    obligation = add_obligation(scope=riverside.scope("alice"), facility=riverside.oak, owed=owed, at=NOON)
    both = [role, Deadline.objects.get(obligation=obligation)]
    said = [foretold(each) for each in both]
    assert (TODAY + DAY, ["Carol"]) in said[0]
    assert said[1][0] == (TODAY, ["Fay"])
    told = [[], []]
    for number in range(64):
        at = NOON + number * DAY
        plan_due(at=at)
        assemble(at=at)
        deliver(at=at)
        for each, days in zip(both, told, strict=True):
            mails = Digest.objects.filter(state="sent", local_on=at.date(), reminders__deadline=each)
            if names := sorted(mails.values_list("person__first_name", flat=True).distinct()):
                days.append((at.date(), names))
    assert said == told
