"""Runs the measurements of the long lists: one chain of several sizes, on both engines."""

import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

from bench import populating
from bench.goals import Goal, of_page_growth, of_pages, of_searches, of_stand_ins
from bench.populating import ON, Progress, populated
from bench.scratch import python, server

TURNS = 4  # of the smallest and the largest database
ROUNDS = 4  # requests of each page for one pair: a p95 wants more of them than a median


def measure(
    *, engines: Iterable[str], sizes: list[int], pairs: int, wide: bool, progress: Progress
) -> tuple[list[Goal], list[dict[str, Any]]]:
    """Return the goals and what was measured, for every engine and size; growth where there is more than one size."""
    goals: list[Goal] = []
    runs: list[dict[str, Any]] = []
    for engine in engines:
        with server(engine) as address, ExitStack() as kept:
            urls = {}
            for size in sizes:
                urls[size], _ = kept.enter_context(
                    populated(address, size, populating.DUE_SHARE, progress, one_tenant=True)
                )
                found = _asked(urls[size], ROUNDS * pairs)
                runs.append({"bench": "pages", "size": size} | found)
                for told in (of_pages, of_searches, of_stand_ins):
                    goals += told(found, size, wide=wide)
            if len(urls) > 1:
                by_size = by_turns(_asked, {size: urls[size] for size in (min(urls), max(urls))}, pairs, "--first-only")
                runs += [{"bench": "pages, growth", "size": size} | found for size, found in by_size.items()]
                goals += of_page_growth(by_size[min(urls)], by_size[max(urls)], max(urls), wide=wide)
    return goals, runs


def by_turns(
    asked: Callable[..., dict[str, Any]], urls: dict[int, str], pairs: int, *more_options: str
) -> dict[int, dict[str, Any]]:
    """Return the first pages of both databases, asked for by turns: what else the machine does meets both alike."""
    found: dict[int, dict[str, Any]] = {}
    for _ in range(TURNS):
        for size, url in urls.items():
            more = asked(url, max(1, ROUNDS * pairs // TURNS), *more_options)
            for name, taken in found.setdefault(size, more)["pages"].items():
                if more is not found[size]:
                    taken["first"] += more["pages"][name]["first"]
    return found


def _asked(url: str, rounds: int, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        python(url, "-m", "bench.pages", "--on", ON.isoformat(), "--rounds", str(rounds), *more)
    )
    return found
