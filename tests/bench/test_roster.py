"""A roster imported by hand and by the product gives the same rows; else their times say nothing."""

import pytest
from django.core.management import call_command
from django.db import connection

from audit.commands import CommandFailed
from audit.verify import verify_chains
from bench import reference
from bench.goals import of_roster
from bench.rosters import HEADER, by_hand, people, product, settled, write_list, written
from imports.models import Import
from staff.models import Person

FOUND = {
    "engine": "postgresql", "times": {"new": [6.0], "reference": [3.0], "same": [3.0], "changed": [3.0]},
    "equal": True, "memory_growth": 1 << 20, "memory_per_row": 900.0, "rows_again": 0,
}  # fmt: skip
ROWS = 400


@pytest.fixture
def organization(catalogue):
    return settled(6)


@pytest.fixture
def roster(organization, tmp_path):
    ccns = list(organization.facilities.order_by("pk").values_list("ccn", flat=True))
    return write_list(tmp_path / "roster.csv", HEADER, people(ROWS, ccns))


@pytest.mark.django_db
def test_both_write_the_same_rows(organization, roster):
    if connection.vendor != "postgresql":
        pytest.skip("the reference is COPY and MERGE of PostgreSQL")
    reference.prepare()
    before = written(lambda: None)
    ours, theirs = (written(lambda work=work: work(organization, roster)) for work in (product, by_hand))
    assert ours == theirs
    assert [part for part in ours if ours[part] == before[part]] == []


@pytest.mark.django_db
def test_what_is_written_by_hand_is_a_whole_chain(organization, roster):
    if connection.vendor != "postgresql":
        pytest.skip("the reference is COPY and MERGE of PostgreSQL")
    reference.prepare()
    by_hand(organization, roster)
    verdict = verify_chains()
    assert verdict.ok, verdict.first_bad


@pytest.mark.django_db
@pytest.mark.db_engines
def test_the_changed_roster_changes_a_fiftieth(organization, roster, tmp_path):
    product(organization, roster)
    ccns = list(organization.facilities.order_by("pk").values_list("ccn", flat=True))
    product(organization, write_list(tmp_path / "changed.csv", HEADER, people(ROWS, ccns, changed=True)))
    counts = Import.objects.latest("pk").counts
    assert counts["joiners"] + counts["leavers"] + counts["rejected"] == 0
    assert counts["movers"] + counts["updated"] == ROWS // 50
    assert Person.objects.filter(organization=organization).count() == ROWS


def test_a_roster_has_the_columns_that_it_names():
    assert {len(row) for row in people(3, ["015000"])} == {len(HEADER)}


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({}, []),
        ({"equal": False}, ["rows"]),
        ({"rows_again": 1}, [20]),
        ({"times": FOUND["times"] | {"same": [5.0]}}, [20]),
        ({"times": FOUND["times"] | {"new": [16.0]}}, [19]),
        ({"memory_growth": 301 << 20}, [19]),
        ({"memory_per_row": 2_000.0}, [19]),
    ],
)
def test_each_gate_can_be_missed(change, missed):
    assert [goal.n for goal in of_roster(FOUND | change, 100_000, wide=False) if not goal.ok] == missed


def test_a_busy_machine_gets_wider_gates_on_times_only():
    late = FOUND | {"times": FOUND["times"] | {"new": [16.0]}, "rows_again": 1}
    assert [goal.n for goal in of_roster(late, 10_000, wide=True) if not goal.ok] == [20]


def test_the_command_refuses_what_is_no_number():
    with pytest.raises(CommandFailed) as refused:
        call_command("bench_import", "--rows", "many", "--json")
    assert refused.value.document["errors"][0]["place"] == "--rows"
