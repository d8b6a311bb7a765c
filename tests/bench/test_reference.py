"""The hand-written SQL and the product write the same rows; else their times say nothing."""

from datetime import date, timedelta

import pytest
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from accounts.models import Finding
from accounts.services.lapses import sweep_lapses
from audit.models import AuditEvent
from audit.verify import verify_chains
from bench import reference
from bench.ledger import digest_of_ledger, rows_of_ledger
from bench.watch import touched
from reminders.models import Reminder
from reminders.services.plan import plan_due
from web.scale import Population, seed_scale

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

SMALL = Population(facilities=6, accounts=600, on=date(2026, 11, 22), due_share=0.3)
DAY = timedelta(days=1)


@pytest.fixture
def population(catalogue):
    seed_scale(population=SMALL)
    reference.prepare()


def product(at):
    sweep_lapses(at=at)
    plan_due(at=at)


def undone(work):
    with transaction.atomic():
        work()
        found = rows_of_ledger()
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("days_before", [0, 1, 2, 6])
def test_both_write_the_same_rows_on_a_first_day_a_new_day_and_after_dark_days(population, days_before):
    if days_before:
        product(SMALL.at)
    at = SMALL.at + days_before * DAY
    by_hand = undone(lambda: reference.sweep(at))
    assert by_hand == undone(lambda: product(at))
    assert len(by_hand["reminders"]) > len(undone(lambda: None)["reminders"])


def test_a_single_column_of_a_single_row_is_found_to_differ(population):
    """What measures a million accounts compares in the database; the same rows in another order are no difference."""

    def differing(work):
        with transaction.atomic():
            work()
            found = digest_of_ledger()
            transaction.set_rollback(True)
        return {part for part, told in found.items() if told != right[part]}

    product(SMALL.at)
    right = digest_of_ledger()
    assert {part: count for part, (count, _) in right.items()} == {
        part: len(rows) for part, rows in rows_of_ledger().items()
    }
    findings, reminders = (model.objects.order_by("pk") for model in (Finding, Reminder))
    one, other = findings[:2]
    change = findings.filter(pk=other.pk).update
    assert differing(lambda: change(opened_on=F("opened_on") + DAY)) == {"findings"}
    assert differing(lambda: change(facts=Concat(F("facts"), Value(" ")))) == {"findings"}
    assert differing(lambda: change(closed_at=SMALL.at)) == {"findings"}
    assert differing(lambda: findings.filter(pk=one.pk).delete()) == {"findings"}
    assert differing(lambda: Reminder.objects.filter(pk=reminders[0].pk).update(step=F("step") + 90)) == {"reminders"}
    with transaction.atomic():
        again = Finding.objects.get(pk=one.pk)
        again.delete()
        again.pk = None
        again.save(force_insert=True)
        assert digest_of_ledger() == right


def test_what_is_written_by_hand_is_a_whole_chain(population):
    product(SMALL.at)
    reference.sweep(SMALL.at + DAY)
    verdict = verify_chains()
    assert verdict.ok, verdict.first_bad


def test_a_second_run_writes_nothing(population):
    reference.sweep(SMALL.at)
    before = (Finding.objects.count(), Reminder.objects.count(), AuditEvent.objects.count())
    assert set(reference.sweep(SMALL.at).values()) == {0}
    assert (Finding.objects.count(), Reminder.objects.count(), AuditEvent.objects.count()) == before
    assert touched(lambda: product(SMALL.at)) == (0, 0), "what a look puts into temporary tables is not stored"
    one = Finding.objects.filter(pk=Finding.objects.first().pk)
    assert touched(lambda: one.update(facts="{ }")) == (1, 0)
