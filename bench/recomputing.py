"""Runs the measurements of a changed rule being followed: scratch databases of several sizes, on both engines."""

import json
from collections.abc import Iterable
from typing import Any

from bench import populating
from bench.goals import Goal, of_recomputation
from bench.populating import ON, Progress, populated
from bench.scratch import python, server


def measure(
    *, engines: Iterable[str], sizes: list[int], pairs: int, wide: bool, progress: Progress
) -> tuple[list[Goal], list[dict[str, Any]]]:
    """Return the goals and what was measured, for every engine and size."""
    goals: list[Goal] = []
    runs: list[dict[str, Any]] = []
    for engine in engines:
        with server(engine) as address:
            for size in sizes:
                with populated(address, size, populating.DUE_SHARE, progress) as (url, _):
                    found = in_database(url, pairs, progress)
                runs.append({"bench": "recompute", "size": size} | found)
                goals += of_recomputation(found, size, wide=wide)
    return goals, runs


def in_database(url: str, pairs: int, progress: Progress) -> dict[str, Any]:
    """Measure on a population of the day ON. The database is left with the shorter rule in its catalogue."""
    found: dict[str, Any] = json.loads(
        python(url, "-m", "bench.recompute", "--on", ON.isoformat(), "--pairs", str(pairs))
    )
    progress(f"recomputed {found['deadlines']} deadlines, {len(found['times']['product'])} pairs")
    return found
