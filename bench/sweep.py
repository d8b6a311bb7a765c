"""Measure the sweep on the database of the settings: product and hand-written SQL by turns, everything rolled back.

A child process of `bench_sweep`; prints one JSON document. The database holds a fresh population of the day ON; the
sweep of that day is run for good, then the new day after it is measured.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import django
from django.db import connection, transaction

WRITTEN = "accounts_finding, reminders_reminder, audit_auditevent, audit_chainhead, facilities_recheck"
CHANGED_PLACES = 200  # facilities that the rules look at, whatever the size


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", type=date.fromisoformat, required=True)
    parser.add_argument("--pairs", type=int, required=True)
    parser.add_argument("--first-day-only", action="store_true", help="time the product on the day ON, nothing else")
    options = parser.parse_args()
    django.setup()
    from web.scale import Population

    at = Population(facilities=1, accounts=1, on=options.on).at + timedelta(hours=6)
    only_first = options.first_day_only
    found = {"first_day": _first_days(at, options.pairs)} if only_first else _measure(at, options.pairs)
    sys.stdout.write(json.dumps(found))


def _measure(at: datetime, pairs: int) -> dict[str, Any]:
    from bench import reference
    from bench.memory import forget_peak, peak
    from bench.watch import touched

    product(at)
    vacuum()
    reference.prepare()
    day = at + timedelta(days=1)
    by_hand = lambda: reference.sweep(day)  # noqa: E731
    ours = lambda: product(day)  # noqa: E731
    rows = {"product": _written(ours), "reference": _written(by_hand)}  # also warms both up
    times: dict[str, list[float]] = {"product": [], "product_again": [], "reference": [], "reference_again": []}
    for pair in range(pairs):
        turns = [("product", ours), ("reference", by_hand)]
        for name, work in turns if pair % 2 else reversed(turns):
            vacuum(WRITTEN)
            first, again = _seconds_twice(work)
            times[name].append(first)
            times[f"{name}_again"].append(again)
    with transaction.atomic():
        used = forget_peak()
        _, first_reads = touched(ours)
        grown = None if used is None else max(0, peak() - used)
        again_rows, again_reads = touched(ours)
        transaction.set_rollback(True)
    return {
        "engine": connection.vendor,
        "times": times,
        "equal": rows["product"] == rows["reference"],
        "rows": {name: count for name, (count, _) in rows["product"].items()},
        "rows_by_hand": {name: count for name, (count, _) in rows["reference"].items()},
        "rows_again": again_rows,
        "reads_of_logins": first_reads + again_reads,
        "memory_growth": grown,
        "rules": _rules(day, pairs),
    }


def _rules(at: datetime, times: int) -> dict[str, Any]:
    """Return seconds of the rules where the same number of facilities changed, and what a second look writes."""
    from accounts.services.rules.sweep import check_rules
    from bench.watch import touched
    from facilities.models import Facility, Recheck
    from facilities.services.rechecks import recheck

    look = lambda: check_rules(at=at, since=at, full=False)  # noqa: E731
    first = Facility.objects.order_by("pk").values_list("pk", flat=True)[:CHANGED_PLACES]
    seconds, written_again = [], 0
    for _ in range(times):
        vacuum(WRITTEN)
        with transaction.atomic():
            Recheck.objects.all().delete()  # the sweep before lists every facility of which an account lapsed
            recheck(first)
            begun = time.perf_counter()
            look()
            seconds.append(time.perf_counter() - begun)
            written_again, _ = touched(look)
            transaction.set_rollback(True)
    return {"facilities": len(first), "seconds": seconds, "rows_again": written_again}


def product(at: datetime) -> None:
    """The product's sweep: findings of what has passed, reminders of what is due."""
    from accounts.services.lapses import sweep_lapses
    from reminders.services.plan import plan_due

    sweep_lapses(at=at)
    plan_due(at=at)


def _first_days(at: datetime, times: int) -> list[float]:
    """Return seconds of the product on a day with an empty ledger, every time from the start."""
    vacuum()
    _seconds(lambda: product(at))
    return [_seconds(lambda: product(at)) for _ in range(times)]


def _seconds(work: Callable[[], Any]) -> float:
    """Return the seconds of the work, then roll it back."""
    with transaction.atomic():
        begun = time.perf_counter()
        work()
        ended = time.perf_counter()
        transaction.set_rollback(True)
    return ended - begun


def _seconds_twice(work: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds of the work and of doing it again, then roll both back."""
    with transaction.atomic():
        begun = time.perf_counter()
        work()
        between = time.perf_counter()
        work()
        ended = time.perf_counter()
        transaction.set_rollback(True)
    return between - begun, ended - between


def _written(work: Callable[[], Any]) -> dict[str, tuple[int, str]]:
    """Return how many rows the work adds by kind, and a digest of all rows then there; rolled back."""
    from bench.ledger import counts_of_ledger, digest_of_ledger

    with transaction.atomic():
        before = counts_of_ledger()
        work()
        after = digest_of_ledger()
        transaction.set_rollback(True)
    return {kind: (count - before[kind], digest) for kind, (count, digest) in after.items()}


def vacuum(tables: str = "") -> None:
    """Clear away what was rolled back from some tables or all, so that every turn meets the same ones."""
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {tables}" if connection.vendor == "postgresql" else "ANALYZE")


if __name__ == "__main__":
    main()
