"""A scratch database with the population that benchmarks share."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

from bench.scratch import database, manage

ON = date(2026, 11, 22)  # a fixed day, so that every run meets the same rows
ACCOUNTS_PER_FACILITY = 25
DUE_SHARE = 0.15
Progress = Callable[[str], None]


@contextmanager
def populated(
    address: str, size: int, share: float, progress: Progress, *, one_tenant: bool = False, name: str = ""
) -> Iterator[tuple[str, float]]:
    """Yield the address of a database with so many accounts, and the seconds it took to fill.

    ``one_tenant``: all of them belong to one chain, with larger facilities: CCNs of a state are not without end.
    ``name``: of the database, where its size is not enough.
    """
    per_facility = ACCOUNTS_PER_FACILITY * (8 if one_tenant else 1)
    with database(address, name or f"{size}") as url:
        begun = time.perf_counter()
        manage(
            url, "seed_scale", "--json", "--accounts", str(size), "--due-share", str(share), "--on", ON.isoformat(),
            "--facilities", str(max(2, size // per_facility)), *(["--organizations", "1"] if one_tenant else []),
        )  # fmt: skip
        seeded = time.perf_counter() - begun
        progress(f"{url.partition(':')[0]}, {size} accounts: seeded in {seeded:.0f} s")
        yield url, seeded
