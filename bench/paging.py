"""Runs the measurements of the long lists: one chain of several sizes, on both engines."""

import json
from collections.abc import Iterable
from typing import Any

from bench import populating
from bench.goals import Goal, of_page_growth, of_pages, of_searches, of_stand_ins
from bench.populating import ON, Progress, populated
from bench.scratch import python, server

ROUNDS = 4  # requests of each page for one pair: a p95 wants more of them than a median


def measure(
    *, engines: Iterable[str], sizes: list[int], pairs: int, wide: bool, progress: Progress
) -> tuple[list[Goal], list[dict[str, Any]]]:
    """Return the goals and what was measured, for every engine and size; growth where there is more than one size."""
    goals: list[Goal] = []
    runs: list[dict[str, Any]] = []
    for engine in engines:
        found = {}
        with server(engine) as address:
            for size in sizes:
                with populated(address, size, populating.DUE_SHARE, progress, one_tenant=True) as (url, _):
                    rounds = str(ROUNDS * pairs)
                    found[size] = json.loads(
                        python(url, "-m", "bench.pages", "--on", ON.isoformat(), "--rounds", rounds)
                    )
                runs.append({"bench": "pages", "size": size} | found[size])
                for told in (of_pages, of_searches, of_stand_ins):
                    goals += told(found[size], size, wide=wide)
        if len(found) > 1:
            few, many = min(found), max(found)
            goals += of_page_growth(found[few], found[many], many, wide=wide)
    return goals, runs
