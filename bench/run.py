"""``make bench`` and ``make bench-small``: all benchmarks, into bench/results/latest.json; non-zero when a gate fails.

The short form is for CI: 10,000 accounts, counts exact, gates on times wide, for machines that do other things too.
"""

import argparse
import json
import sys
from typing import Any

from bench import feeding, importing, paging, requesting
from bench.goals import WIDE, Goal, document, line, save
from bench.scratch import ENGINES, ScratchError, database, manage, server
from bench.sweeping import measure

LONG = [10_000, 100_000, 1_000_000]
SHORT = [10_000]


def main() -> int:
    """Run what the arguments ask for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="the short form")
    parser.add_argument("--most", type=int, default=LONG[-1], help="leave out sizes above so many accounts")
    options = parser.parse_args()
    sizes = SHORT if options.small else [size for size in LONG if size <= options.most]
    if not sizes:
        parser.error(f"the smallest size is {LONG[0]}")
    try:
        goals, runs = measure(
            engines=ENGINES, sizes=sizes, pairs=5, wide=options.small, progress=_progress, recompute=True
        )
        rows = 10_000 if options.small else 100_000  # with fewer, what every import needs hides what a row does
        more, further = importing.measure(
            engines=ENGINES, sizes=[rows], pairs=2 if options.small else 5, wide=options.small, progress=_progress
        )
        goals += more
        runs += further
        more, further = feeding.measure(
            engines=ENGINES,
            sizes=[2_000 if options.small else 50_000],
            pairs=3 if options.small else 5,
            wide=options.small,
            progress=_progress,
        )
        goals += more
        runs += further
        more, further = paging.measure(
            engines=ENGINES, sizes=sizes, pairs=1 if options.small else 10, wide=options.small, progress=_progress
        )
        goals += more
        runs += further
        more, further = requesting.measure(
            engines=ENGINES[1:] if options.small else ENGINES,  # another database to migrate takes longer than all else
            sizes=[2_000] if options.small else [10_000, 100_000],
            pairs=1 if options.small else 10,
            wide=options.small,
            progress=_progress,
        )
        goals += more
        runs += further
        goals += _audit(10_000 if options.small else 100_000, WIDE if options.small else 1.0)
    except ScratchError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    path = save(document(goals, runs))
    for goal in goals:
        sys.stdout.write(line(goal) + "\n")
    missed = [goal for goal in goals if not goal.ok]
    sys.stdout.write(f"{len(goals) - len(missed)} of {len(goals)} gates held; written to {path}\n")
    return 1 if missed else 0


def _audit(rows: int, slack: float) -> list[Goal]:
    """Return what one recorded act on many rows costs beside a plain insert of the same rows, on both engines."""
    goals = []
    for engine in ENGINES:
        with server(engine) as address, database(address, "audit") as url:
            printed = manage(url, "bench_audit", "--rows", str(rows), "--json", accept=(0, 1))  # 1 = gate missed
            found: dict[str, Any] = json.loads(printed)
        goals.append(Goal("audit", "an act on many rows : plain insert", found["ratio"], found["gate"] * slack,
                          engine=engine, size=rows))  # fmt: skip
    return goals


def _progress(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
