"""Runs the measurements of the sweep: scratch databases of several sizes, on both engines."""

import json
import time
from collections.abc import Iterable
from typing import Any

from bench import populating
from bench.goals import LARGE, Goal, of_recomputation, of_rules, of_storage, of_sweep
from bench.populating import ON, Progress, populated
from bench.recomputing import in_database
from bench.scratch import python, server

STORAGE_TURNS = 5


def measure(
    *, engines: Iterable[str], sizes: list[int], pairs: int, wide: bool, progress: Progress, recompute: bool = False
) -> tuple[list[Goal], list[dict[str, Any]]]:
    """Return the goals and what was measured, for every engine and size.

    With ``recompute`` a changed rule is followed in the same databases afterwards, which saves filling them twice.
    """
    goals: list[Goal] = []
    runs: list[dict[str, Any]] = []
    for engine in engines:
        by_size: dict[int, dict[str, Any]] = {}
        with server(engine) as address:
            for size in sorted(sizes):
                found = _one(address, size, populating.DUE_SHARE, pairs, progress, recompute=recompute)
                goals += of_sweep(found, size, wide=wide)
                if recompute:
                    goals += of_recomputation(found["recompute"], size, wide=wide)
                runs.append({"size": size} | found)
                by_size[size] = found["rules"]
            if len(sizes) > 1:
                goals.append(of_rules(by_size, engine, wide=wide))
            if max(sizes) >= LARGE:
                goals.append(_storage(address, engine, max(sizes), wide, progress))
    return goals, runs


def _storage(address: str, engine: str, size: int, wide: bool, progress: Progress) -> Goal:
    """Return goal 5, from two databases asked by turns: what else the machine does meets both alike."""
    share = populating.DUE_SHARE
    taken: tuple[list[float], list[float]] = ([], [])
    with (
        populated(address, size // 10, share, progress) as (few, _),
        populated(address, size, share / 10, progress) as (many, _),
    ):
        for _ in range(STORAGE_TURNS):
            for url, seconds in zip((few, many), taken, strict=True):
                seconds.extend(_swept(url, 1, "--first-day-only")["first_day"])
    return of_storage(*taken, size, engine, wide=wide)


def _one(
    address: str, size: int, share: float, pairs: int, progress: Progress, *, recompute: bool = False
) -> dict[str, Any]:
    with populated(address, size, share, progress) as (url, seeded):
        begun = time.perf_counter()
        found = _swept(url, pairs)
        if recompute:
            found["recompute"] = in_database(url, pairs, progress)
        progress(f"measured in {time.perf_counter() - begun:.0f} s")
    return {"seconds_to_seed": round(seeded, 1), **found}


def _swept(url: str, pairs: int, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        python(url, "-m", "bench.sweep", "--on", ON.isoformat(), "--pairs", str(pairs), *more)
    )
    return found
