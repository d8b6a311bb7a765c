"""Measure how a shorter limit is followed, on the database of the settings: product and hand-written SQL by turns.

A child process of `bench_recompute`; prints one JSON document. The database holds a population of the day ON. One
version is added to the rule of iQIES, the system that most people hold; everything that follows is rolled back.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import django
from django.db import connection, transaction

if TYPE_CHECKING:
    from bench.reference import Change

SHORTER_DAYS = 45  # written as a number in reference/recompute.sql, as is the limit before
IN_FORCE_DAYS = 5  # how long before ON the shorter limit came into force
TOUCHED = ("accounts_deadline", "accounts_portalaccount", "audit_auditevent", "audit_chainhead", "systems_policy")


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", type=date.fromisoformat, required=True)
    parser.add_argument("--pairs", type=int, required=True)
    options = parser.parse_args()
    django.setup()
    from web.scale import Population

    at = Population(facilities=1, accounts=1, on=options.on).at + timedelta(hours=12)
    sys.stdout.write(json.dumps(_measure(at, options.pairs)))


def shorten(on: date) -> "Change":
    """Add the shorter version to the catalogue's tables, as loading an edited file would; return what changed."""
    from bench.reference import Change
    from systems.models import Policy

    old = Policy.objects.get(system__slug="iqies", kind="inactivity", applied=True, withdrawn=False)
    newest = Policy.objects.order_by("-revision").values_list("revision", flat=True)[0]
    new = Policy.objects.get(pk=old.pk)
    new.pk, new.key, new.limit_days, new.revision = None, "BENCH-SHORTER", SHORTER_DAYS, newest + 1
    new.effective_from = on - timedelta(days=IN_FORCE_DAYS)
    new.save(force_insert=True)
    return Change(old.system_id or 0, old.pk, new.pk, new.revision, new.effective_from - timedelta(days=1))


def product(at: datetime, change: "Change") -> int:
    """Follow the change as a tick does; return how many deadlines were written."""
    from accounts.services.recomputation import recompute_outdated

    return sum(step.opened + step.moved + step.closed for step in recompute_outdated(at=at, since=change.revision - 1))


def _measure(at: datetime, pairs: int) -> dict[str, Any]:
    from accounts.services.recomputation import left_behind
    from bench import reference
    from bench.memory import forget_peak, peak

    change = shorten(at.date())
    vacuum()
    reference.prepare()
    works: dict[str, Callable[[], Any]] = {
        "product": lambda: product(at, change),
        "reference": lambda: reference.recompute(at, change),
    }
    written = {name: _written(work) for name, work in works.items()}  # also warms both up
    times: dict[str, list[float]] = {name: [] for name in works}
    for pair in range(pairs):
        for name in sorted(works, reverse=bool(pair % 2)):
            vacuum()
            times[name].append(_seconds(works[name]))
    vacuum()
    with transaction.atomic():
        used = forget_peak()
        deadlines = works["product"]()
        grown = None if used is None else max(0, peak() - used)
        rows_again = _rows_of(works["product"])
        transaction.set_rollback(True)
    return {
        "engine": connection.vendor,
        "deadlines": deadlines,
        "times": times,
        "equal": written["product"] == written["reference"],
        "rows_again": rows_again,
        "memory_growth": grown,
        "seconds_to_forecast": _forecast(at, change),
        "seconds_to_look": _seconds(left_behind),
    }


def _rows_of(work: Callable[[], int]) -> int:
    """Return how many rows the work writes. SQLite's own counter counts temporary tables too: there the work says."""
    from audit.models import AuditEvent
    from bench.watch import touched

    if connection.vendor == "postgresql":
        return touched(work)[0]
    before = AuditEvent.objects.count()
    return work() + AuditEvent.objects.count() - before


def _seconds(work: Callable[[], Any]) -> float:
    with transaction.atomic():
        begun = time.perf_counter()
        work()
        ended = time.perf_counter()
        transaction.set_rollback(True)
    return ended - begun


def _written(work: Callable[[], Any]) -> dict[str, tuple[int, str]]:
    """Return a digest of every row of what the work may touch, keys included, after it; rolled back."""
    from accounts.models import Deadline, PortalAccount
    from bench.ledger import digest, digest_of_ledger

    with transaction.atomic():
        work()
        found = digest_of_ledger()
        found["deadlines"] = digest(Deadline.objects.values_list())
        found["accounts"] = digest(PortalAccount.objects.values_list())
        transaction.set_rollback(True)
    return found


def _forecast(at: datetime, change: "Change") -> float:
    """Return the seconds of telling, before anything is written, whom the change flips."""
    from accounts.services.recomputation import affected
    from systems.selectors import policy_chains

    key = (change.system, "inactivity")
    chains = policy_chains()
    before = chains | {key: tuple(each for each in chains[key] if each.policy_id != change.new_policy)}
    begun = time.perf_counter()
    affected(before=before, at=at)
    return time.perf_counter() - begun


def vacuum() -> None:
    """Clear away what was rolled back, so that every turn meets the same tables."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"VACUUM (ANALYZE) {', '.join(TOUCHED)}")
        else:
            cursor.execute("ANALYZE")


if __name__ == "__main__":
    main()
