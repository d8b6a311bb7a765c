"""Runs the measurements of requests: one organization with several numbers of them, on both engines."""

import json
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

from bench import populating
from bench.goals import Goal, of_bundles, of_page_growth, of_pages
from bench.importing import Measured
from bench.paging import ROUNDS, TURNS
from bench.populating import ON, Progress, populated
from bench.scratch import python, server

REQUESTS_PER_ACCOUNT = 10
LEAST_ACCOUNTS = 700  # enough people for a bundle


def measure(*, engines: Iterable[str], sizes: list[int], pairs: int, wide: bool, progress: Progress) -> Measured:
    """Return the goals and what was measured, for every engine and size; growth where there is more than one size."""
    goals: list[Goal] = []
    runs: list[dict[str, Any]] = []
    for engine in engines:
        with server(engine) as address, ExitStack() as kept:
            urls = {}
            for size in sizes:
                accounts = max(LEAST_ACCOUNTS, size // REQUESTS_PER_ACCOUNT)
                database = populated(
                    address, accounts, populating.DUE_SHARE, progress, one_tenant=True, name=f"requests_{size}"
                )
                urls[size], _ = kept.enter_context(database)
                found = _asked(urls[size], ROUNDS * pairs, "--seed", str(size), "--bundles", str(pairs))
                progress(f"{engine}: {size} requests asked for, {pairs} bundles of each size decided")
                runs.append({"bench": "requests", "size": size} | found)
                goals += of_pages(found, size, wide=wide)
                goals += of_bundles(found, size, wide=wide)
            if len(urls) > 1:
                few, many = _by_turns(urls[min(urls)], urls[max(urls)], pairs)
                runs += [
                    {"bench": "requests, growth", "size": size} | found
                    for size, found in ((min(urls), few), (max(urls), many))
                ]
                goals += of_page_growth(few, many, max(urls), wide=wide)
    return goals, runs


def _by_turns(small: str, large: str, pairs: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the first pages of both databases, asked for by turns: what else the machine does meets both alike."""
    few, many = (_asked(url, max(1, ROUNDS * pairs // TURNS)) for url in (small, large))
    for _ in range(TURNS - 1):
        for found, url in ((few, small), (many, large)):
            more = _asked(url, max(1, ROUNDS * pairs // TURNS))
            for name, taken in found["pages"].items():
                taken["first"] += more["pages"][name]["first"]
    return few, many


def _asked(url: str, rounds: int, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        python(url, "-m", "bench.asked", "--on", ON.isoformat(), "--rounds", str(rounds), *more)
    )
    return found
