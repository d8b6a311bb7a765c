"""When a way of sending a stream has ended, and when a system has thereby closed for a facility. Plain values."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One way of a stream over a system for one kind of provider; days as in `StreamPath`.

    `follower_from_on` is the first day of the path that follows at `replaced_by`, None where not known.
    """

    stream: str
    provider_type: str
    system: str
    from_on: date | None = None
    until_on: date | None = None
    replaced_by: str | None = None
    follower_from_on: date | None = None


def ended(path: Path, on: date) -> bool:
    """Return whether the path has ended. An unknown end with a named follower counts as ended once that one started."""
    if path.until_on is not None:
        return on > path.until_on
    if path.replaced_by is None:
        return False
    return path.follower_from_on is None or on >= path.follower_from_on


def in_force(path: Path, on: date) -> bool:
    """Return whether data go this way on the day: begun (an unknown start counts as begun) and not ended."""
    return (path.from_on is None or path.from_on <= on) and not ended(path, on)


def closed(paths: Iterable[Path], on: date) -> bool:
    """Return whether a system is closed for a facility: `paths` are those of the streams it uses (or used) there.

    Without any path nothing is known, so it is not closed.
    """
    known = list(paths)
    return bool(known) and all(ended(path, on) for path in known)
