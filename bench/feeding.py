"""Runs the measurement of a day's logins: a scratch database each, on both engines."""

from collections.abc import Iterable

from bench.goals import of_feed
from bench.importing import Measured, in_databases
from bench.populating import Progress


def measure(*, engines: Iterable[str], sizes: list[int], pairs: int, wide: bool, progress: Progress) -> Measured:
    """Return the goals of a day's logins and what was measured, for every engine and number of logins."""
    return in_databases("feeds", of_feed, engines, sizes, pairs, wide, progress)
