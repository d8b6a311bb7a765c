"""Runs the measurements of requests: one organization with several numbers of them, on both engines."""

import json
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

from bench import populating
from bench.goals import Goal, of_bundles, of_page_growth, of_pages
from bench.importing import Measured
from bench.paging import ROUNDS, by_turns
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
                by_size = by_turns(_asked, {size: urls[size] for size in (min(urls), max(urls))}, pairs)
                runs += [{"bench": "requests, growth", "size": size} | found for size, found in by_size.items()]
                goals += of_page_growth(by_size[min(urls)], by_size[max(urls)], max(urls), wide=wide)
    return goals, runs


def _asked(url: str, rounds: int, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        python(url, "-m", "bench.asked", "--on", ON.isoformat(), "--rounds", str(rounds), *more)
    )
    return found
