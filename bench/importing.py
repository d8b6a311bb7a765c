"""Runs the measurements of imports: a scratch database each, on both engines."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from bench.goals import Goal, of_roster
from bench.populating import Progress
from bench.scratch import database, python, server

Measured = tuple[list[Goal], list[dict[str, Any]]]


def measure(*, engines: Iterable[str], sizes: list[int], pairs: int, wide: bool, progress: Progress) -> Measured:
    """Return the goals of a roster and what was measured, for every engine and number of rows."""
    return in_databases("rosters", of_roster, engines, sizes, pairs, wide, progress)


def in_databases(
    what: str,
    goals_of: Callable[..., list[Goal]],
    engines: Iterable[str],
    sizes: list[int],
    pairs: int,
    wide: bool,
    progress: Progress,
) -> Measured:
    """Run a module of this folder on an empty database per engine and number of rows; return goals and figures."""
    goals: list[Goal] = []
    runs: list[dict[str, Any]] = []
    for engine in engines:
        with server(engine) as address:
            for rows in sizes:
                with database(address, f"{what}_{rows}") as url:
                    printed = python(url, "-m", f"bench.{what}", "--rows", str(rows), "--pairs", str(pairs))
                found: dict[str, Any] = json.loads(printed)
                progress(f"{url.partition(':')[0]}: {what} of {rows} rows, {pairs} pairs")
                runs.append({"bench": what, "size": rows} | found)
                goals += goals_of(found, rows, wide=wide)
    return goals, runs
