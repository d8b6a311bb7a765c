"""Runs the measurements of the sweep: scratch databases of several sizes, on both engines."""

import json
import time
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from bench.goals import LARGE, Goal, of_storage, of_sweep
from bench.scratch import database, manage, python, server

ON = date(2026, 11, 22)  # a fixed day, so that every run meets the same rows
ACCOUNTS_PER_FACILITY = 25
DUE_SHARE = 0.15
Progress = Callable[[str], None]


def measure(
    *, engines: Iterable[str], sizes: list[int], pairs: int, wide: bool, progress: Progress
) -> tuple[list[Goal], list[dict[str, Any]]]:
    """Return the goals and what was measured, for every engine and size."""
    goals: list[Goal] = []
    runs: list[dict[str, Any]] = []
    for engine in engines:
        with server(engine) as address:
            for size in sizes:
                found = _one(address, size, DUE_SHARE, pairs, progress)
                runs.append({"size": size} | found)
                goals += of_sweep(found, size, wide=wide)
            if max(sizes) >= LARGE:
                goals.append(_storage(address, engine, max(sizes), wide, progress))
    return goals, runs


def _storage(address: str, engine: str, size: int, wide: bool, progress: Progress) -> Goal:
    few = _one(address, size // 10, DUE_SHARE, 5, progress, first_day_only=True)
    many = _one(address, size, DUE_SHARE / 10, 5, progress, first_day_only=True)
    return of_storage(few["first_day"], many["first_day"], size, engine, wide=wide)


def _one(
    address: str, size: int, share: float, pairs: int, progress: Progress, *, first_day_only: bool = False
) -> dict[str, Any]:
    with database(address, f"{size}") as url:
        begun = time.perf_counter()
        manage(
            url, "seed_scale", "--json", "--accounts", str(size), "--due-share", str(share), "--on", ON.isoformat(),
            "--facilities", str(max(2, size // ACCOUNTS_PER_FACILITY)),
        )  # fmt: skip
        seeded = time.perf_counter() - begun
        progress(f"{url.partition(':')[0]}, {size} accounts: seeded in {seeded:.0f} s")
        more = ["--first-day-only"] if first_day_only else []
        found = json.loads(python(url, "-m", "bench.sweep", "--on", ON.isoformat(), "--pairs", str(pairs), *more))
        progress(f"measured in {time.perf_counter() - begun - seeded:.0f} s")
    return {"seconds_to_seed": round(seeded, 1), **found}
