"""Following a changed rule by hand and by the product gives the same rows; else their times say nothing."""

import json
from datetime import date

import pytest
from django.core.management import call_command
from django.db import transaction

from accounts.models import Deadline, PortalAccount
from audit.verify import verify_chains
from bench import goals, reference
from bench.goals import of_recomputation
from bench.ledger import rows_of_ledger
from bench.recompute import product, shorten
from web.scale import Population, seed_scale

SMALL = Population(facilities=6, accounts=600, on=date(2026, 11, 22), due_share=0.3)
FOUND = {
    "engine": "sqlite", "times": {"product": [3.0], "reference": [2.0]}, "equal": True, "rows_again": 0,
    "memory_growth": 1 << 20,
}  # fmt: skip


@pytest.fixture
def change(catalogue):
    seed_scale(population=SMALL)
    reference.prepare()
    return shorten(SMALL.on)


def undone(work):
    with transaction.atomic():
        work()
        found = rows_of_ledger()
        found["deadlines"] = list(Deadline.objects.order_by("pk").values_list())
        found["accounts"] = list(PortalAccount.objects.order_by("pk").values_list())
        transaction.set_rollback(True)
    return found


@pytest.mark.django_db
@pytest.mark.db_engines
def test_both_write_the_same_rows_and_events(change):
    before = undone(lambda: None)
    by_hand = undone(lambda: reference.recompute(SMALL.at, change))
    ours = undone(lambda: product(SMALL.at, change))
    for part, rows in by_hand.items():
        assert ours[part] == rows, part
    assert len(by_hand["events"]) == len(before["events"]) + 2
    assert by_hand["deadlines"] != before["deadlines"]
    assert by_hand["accounts"] != before["accounts"]


@pytest.mark.django_db
@pytest.mark.db_engines
def test_what_is_written_by_hand_is_a_whole_chain(change):
    reference.recompute(SMALL.at, change)
    verdict = verify_chains()
    assert verdict.ok, verdict.first_bad


@pytest.mark.parametrize(
    ("wrong", "missed"),
    [
        ({}, []),
        ({"times": {"product": [4.2], "reference": [2.0]}}, ["a changed rule followed : reference"]),
        ({"equal": False}, ["a changed rule: tables that differ from the reference's"]),
        ({"rows_again": 1}, ["a changed rule followed again: rows written"]),
        ({"memory_growth": 33 << 20}, ["growth of peak memory in the recomputation (MB)"]),
    ],
)
def test_a_gate_that_is_missed_says_so(wrong, missed):
    found = of_recomputation(FOUND | wrong, 1_000_000, wide=False)
    assert [goal.name for goal in found if not goal.ok] == missed


def test_only_gates_on_times_are_wide_on_a_busy_machine():
    slow = FOUND | {"times": {"product": [4.2], "reference": [2.0]}, "equal": False}
    assert [goal.n for goal in of_recomputation(slow, 1_000_000, wide=True) if not goal.ok] == ["rows"]


def test_a_small_recomputation_may_cost_a_tenth_of_a_second_beyond_one_and_a_half_times():
    def beyond(seconds):
        found = FOUND | {"times": {"product": [seconds], "reference": [0.04]}}
        return next(goal for goal in of_recomputation(found, 10_000, wide=False) if goal.name.endswith("(ms)"))

    assert beyond(0.159).ok
    assert not beyond(0.161).ok


def test_a_whole_run_on_sqlite_agrees_with_the_reference_and_is_written_down(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(goals, "RESULTS", tmp_path / "bench" / "results" / "latest.json")
    call_command("bench_recompute", sizes="400", engines="sqlite", pairs=1, json=True)
    answer = json.loads(capsys.readouterr().out)
    assert json.loads(goals.RESULTS.read_text()) == answer
    exact = {goal["name"]: goal["ok"] for goal in answer["goals"] if goal["op"] == "=="}
    assert len(exact) == 2
    assert all(exact.values())
    assert answer["runs"][0]["deadlines"] > 100
