"""Deep pages are held against first ones; a page that is not full is no page to measure."""

import json

import pytest
from django.core.management import call_command

from bench import goals, paging
from bench.goals import of_page_growth, of_pages, of_searches, of_stand_ins, p95

FOUND = {
    "engine": "sqlite",
    "not_full": 0,
    "pages": {"people": {"first": [0.01] * 19 + [0.02], "deep": [0.01] * 19 + [0.02]}},
}


def with_deep(seconds):
    return FOUND | {"pages": {"people": {"first": [0.01] * 20, "deep": [seconds] * 20}}}


def ok(found, n, **options):
    return next(goal.ok for goal in of_pages(found, 10_000, **({"wide": False} | options)) if goal.n == n)


@pytest.mark.parametrize(("seconds", "holds"), [(0.0129, True), (0.0131, False)])
def test_a_page_in_the_middle_may_cost_a_third_more_than_the_first(seconds, holds):
    assert ok(with_deep(seconds), 12) is holds


def test_a_busy_machine_gets_wider_gates_on_times_but_not_on_what_was_shown():
    assert ok(with_deep(0.03), 12, wide=True)
    assert not ok(with_deep(0.04), 12, wide=True)
    assert not ok(FOUND | {"not_full": 1}, "rows", wide=True)


@pytest.mark.parametrize(("seconds", "holds"), [(0.0159, True), (0.0161, False)])
def test_a_first_page_may_grow_by_six_tenths(seconds, holds):
    many = {"engine": "sqlite", "pages": {"people": {"first": [seconds] * 20}}}
    few = {"pages": {"people": {"first": [0.01] * 20}}}
    [goal] = of_page_growth(few, many, 1_000_000, wide=False)
    assert (goal.n, goal.ok) == (13, holds)


def test_the_smallest_and_the_largest_database_take_turns():
    asked = []

    def answer(url, rounds, *more):
        asked.append(url)
        return {"pages": {"people": {"first": [float(len(asked))] * rounds}}}

    found = paging.by_turns(answer, {10: "small", 1_000: "large"}, 2)
    assert asked == ["small", "large"] * paging.TURNS
    assert found[10]["pages"]["people"]["first"] == [1.0, 1.0, 3.0, 3.0, 5.0, 5.0, 7.0, 7.0]


@pytest.mark.parametrize(("taken", "wide", "holds"), [(0.029, False, True), (0.031, False, False), (0.08, True, True)])
def test_a_search_may_cost_three_times_the_list(taken, wide, holds):
    timed = {"name": {"search": [taken] * 20, "list": [0.01] * 20}}
    nobody, goal = of_searches({"engine": "sqlite", "searches": timed, "nothing_found": 1}, 10_000, wide=wide)
    assert (goal.n, goal.ok) == (15, holds)
    assert not nobody.ok, "a search that finds nobody is no search to measure"


@pytest.mark.parametrize(
    ("taken", "wide", "holds"), [(0.0149, False, True), (0.0151, False, False), (0.04, True, True)]
)
def test_the_figures_may_cost_five_strings(taken, wide, holds):
    beside = {"string": [0.003] * 20, "figures": [taken] * 20, "list": [0.03] * 20, "constants": [0.02] * 20}
    found = {goal.n: goal for goal in of_stand_ins({"engine": "sqlite", "beside": beside}, 10_000, wide=wide)}
    assert found[14].ok is holds
    assert (found[10].value, found[11].value) == (pytest.approx(1.5), pytest.approx(10))


def test_a_p95_is_what_nearly_all_stay_below():
    assert p95([1.0] * 95 + [9.0] * 5) > 1.0
    assert p95([1.0] * 97 + [9.0] * 3) == 1.0


def test_a_whole_run_shows_full_pages_and_is_written_down(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(goals, "RESULTS", tmp_path / "bench" / "results" / "latest.json")
    call_command("bench_pages", sizes="800", engines="sqlite", pairs=1, json=True)
    answer = json.loads(capsys.readouterr().out)
    assert json.loads(goals.RESULTS.read_text()) == answer
    assert {goal["n"]: goal["ok"] for goal in answer["goals"] if goal["op"] == "=="} == {"rows": True}
    [run] = answer["runs"]
    assert run["nothing_found"] == run["not_full"] == 0
    assert len(answer["goals"]) == 5 + len(run["pages"]) + len(run["searches"])
