"""Which data a facility sends, over which systems on a day, and which systems have closed for it. Plain values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from systems.paths import Path, closed, ended, in_force
from systems.provider_types import ProviderType

OWN: Final = "own"
NONE: Final = "none"
# Groups of streams that somebody has to submit. Surveys and cost reports have rules of their own;
# no fact demands an account for enrollment or surveillance.
SUBMITTED: Final = frozenset({"assessment", "staffing", "quality"})
# To which kinds of provider hospital-specific reports come (HQR-PERM-1, PATH-8).
GETS_REPORTS: Final = frozenset({ProviderType.HOSPITAL, ProviderType.CAH, ProviderType.IPF, ProviderType.ASC})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """All ways of all streams, and the group of each stream."""

    paths: tuple[Path, ...]
    groups: Mapping[str, str]

    def of_kind(self, kind: str) -> tuple[Path, ...]:
        """Return the ways of one kind of provider."""
        return tuple(path for path in self.paths if path.provider_type == kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is known of a facility on a day. ``stated``: stream -> through whom, as somebody stated it.

    ``still``: systems that an administrator says are still in use here, though they are closed for everybody else.
    """

    kind: str
    stated: Mapping[str, str] = field(default_factory=dict)
    still: frozenset[str] = frozenset()


def streams_of(site: Site, ways: Ways) -> dict[str, tuple[str, tuple[Path, ...]]]:
    """Return stream -> (through whom, its ways) of a facility: those of its kind, overridden by what was stated.

    A stream that the kind does not have, but somebody stated, goes as it does for the kinds that have it.
    """
    usual = ways.of_kind(site.kind)
    found = {}
    for stream in sorted({path.stream for path in usual} | set(site.stated)):
        through = site.stated.get(stream, OWN)
        if through == NONE:
            continue
        own = tuple(path for path in usual if path.stream == stream)
        found[stream] = (through, own or tuple(path for path in ways.paths if path.stream == stream))
    return found


def systems_on(paths: Iterable[Path], site: Site, on: date) -> frozenset[str]:
    """Return the systems over which these ways lead on the day, those said to be still in use here among them."""
    return frozenset(path.system for path in paths if path.system in site.still or in_force(path, on))


def closed_systems(site: Site, ways: Ways, on: date) -> dict[str, tuple[Path, ...]]:
    """Return system -> its ended ways, for systems that are closed for the facility (design 4, only streams end)."""
    by_system: dict[str, list[Path]] = {}
    for _, paths in streams_of(site, ways).values():
        for path in paths:
            by_system.setdefault(path.system, []).append(path)
    return {
        system: tuple(paths)
        for system, paths in sorted(by_system.items())
        if system not in site.still and closed(paths, on)
    }


def moved_from(stream: str, now_on: frozenset[str], site: Site, ways: Ways, on: date) -> frozenset[str]:
    """Return the systems that those of ``now_on`` took this stream over from; empty where nothing has moved.

    A stream also follows another one that ended without going on at the new system, as HOPE follows HIS.
    """
    paths = ways.of_kind(site.kind) or ways.paths
    kept = {(path.stream, path.system) for path in paths}
    return frozenset(
        path.system
        for path in paths
        if path.replaced_by in now_on
        and path.system not in site.still
        and ended(path, on)
        and (path.stream == stream or (path.stream, path.replaced_by) not in kept)
    )


def moved_on(stream: str, now_on: frozenset[str], site: Site, ways: Ways) -> date | None:
    """Return since when the stream goes over the systems of ``now_on``, None where no day is known."""
    starts = [
        path.from_on
        for path in ways.of_kind(site.kind)
        if path.stream == stream and path.system in now_on and path.from_on is not None
    ]
    return min(starts, default=None)
