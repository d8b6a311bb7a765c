"""A day's logins written by hand and by the product are the same rows; else their times say nothing."""

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import LoginEvent, PortalAccount
from audit.commands import CommandFailed
from audit.verify import verify_chains
from bench import reference
from bench.feeds import TODAY, by_hand, prepared, product, written
from bench.goals import of_feed

FOUND = {
    "engine": "postgresql", "times": {"product": [6.0], "reference": [4.0]}, "equal": True, "memory_growth": 1 << 20,
    "rows_again": 0,
}  # fmt: skip
ROWS = 150


@pytest.fixture
def feed(catalogue, tmp_path):
    return prepared(tmp_path, ROWS)


@pytest.mark.django_db
def test_both_write_the_same_rows_and_a_whole_chain(feed):
    if connection.vendor != "postgresql":
        pytest.skip("the reference is COPY and UPDATE of PostgreSQL")
    reference.prepare()
    before = written(lambda: None)
    ours, theirs = (written(lambda work=work: work(*feed)) for work in (product, by_hand))
    assert ours == theirs
    assert [part for part in ours if ours[part] == before[part]] == []
    by_hand(*feed)
    verdict = verify_chains()
    assert verdict.ok, verdict.first_bad


@pytest.mark.django_db
@pytest.mark.db_engines
def test_the_list_moves_each_account_and_its_identity(feed):
    product(*feed)
    accounts = PortalAccount.objects.filter(organization=feed[0])
    assert accounts.count() == 2 * ROWS
    assert set(accounts.values_list("last_login_on", flat=True)) == {TODAY}
    assert LoginEvent.objects.filter(happened_on=TODAY).count() == 2 * ROWS


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({}, []),
        ({"equal": False}, ["rows"]),
        ({"rows_again": 1}, [21]),
        ({"times": FOUND["times"] | {"product": [9.0]}}, [21]),
        ({"memory_growth": 301 << 20}, [21]),
    ],
)
def test_each_gate_can_be_missed(change, missed):
    assert [goal.n for goal in of_feed(FOUND | change, 50_000, wide=False) if not goal.ok] == missed


def test_the_command_refuses_what_is_no_number():
    with pytest.raises(CommandFailed) as refused:
        call_command("bench_feed", "--events", "many", "--json")
    assert refused.value.document["errors"][0]["place"] == "--events"
