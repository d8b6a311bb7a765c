"""When a stream moves to another system, and whether a facility is ready for that. Plain values."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from accounts.policy.cover import Role, submits
from accounts.policy.streams import OWN, Site, Ways, streams_of
from systems.paths import Path

ENOUGH: Final = 2  # people who can send a stream: one, and one who stands in
_ANSWERS, _APPROVES = "plan-of-correction", "approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A stream that leaves its systems (``origins``) for another one (``to``), for the kinds of provider that had it.

    ``follows``: the streams as they go on over the new system, itself as a rule; HOPE follows HIS. ``last_on``: last
    day of the old way, ``starts_on``: first day of the new one; None where not known.
    """

    key: str
    stream: str
    to: str
    origins: frozenset[str]
    kinds: frozenset[str]
    follows: tuple[str, ...]
    last_on: date | None
    starts_on: date | None

    def looked_at_on(self, on: date) -> date:
        """Return the day of which readiness is asked: the move's own while it lies ahead, else today."""
        return max(on, self.starts_on or on)


def move_key(stream: str, to: str) -> str:
    """Return the name of a move in addresses: ``pbj-to-iqies``."""
    return f"{stream}-to-{to}"


def moves(ways: Ways) -> list[Move]:
    """Return every move of the catalogue, the latest first, those of an unknown day last."""
    old: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for path in ways.paths:
        if path.replaced_by is not None:
            old[path.stream, path.replaced_by].append(path)
    found = [_move(stream, to, paths, ways) for (stream, to), paths in sorted(old.items())]
    return sorted(found, key=lambda move: (move.starts_on is not None, move.starts_on), reverse=True)


def _move(stream: str, to: str, paths: list[Path], ways: Ways) -> Move:
    kinds = {path.provider_type for path in paths}
    origins = {path.system for path in paths}
    on_new = [path for path in ways.paths if path.system == to and path.provider_type in kinds]
    went_before = {path.stream for path in ways.paths if path.system in origins}
    own = [path for path in on_new if path.stream == stream]
    new = own or [path for path in on_new if path.stream not in went_before]
    ends = [path.until_on for path in paths if path.until_on is not None]
    return Move(
        key=move_key(stream, to),
        stream=stream,
        to=to,
        origins=frozenset(origins),
        kinds=frozenset(kinds),
        follows=tuple(sorted({path.stream for path in new})) or (stream,),
        last_on=max(ends) if ends and len(ends) == len(paths) else None,
        starts_on=min((path.from_on for path in new if path.from_on is not None), default=None),
    )


def concerns(move: Move, site: Site, ways: Ways) -> bool:
    """Return whether a facility's own people send the stream over a system that it leaves."""
    through, paths = streams_of(site, ways).get(move.stream, ("", ()))
    return through == OWN and any(path.replaced_by == move.to for path in paths)


def sends(role: Role, move: Move, on: date) -> bool:
    """Return whether a role of the new system can send the stream, or write the plans of correction that it is for."""
    if role.system != move.to:
        return False
    return any(submits(role, stream, on) or (role.usable(on) and role.may(_ANSWERS, stream)) for stream in move.follows)


def serves(role: Role, move: Move, on: date) -> bool:
    """Return whether a role of the new system does anything with the stream, be it that it only looks."""
    if role.system != move.to or not role.usable(on):
        return False
    looks = any(
        stream in move.follows or (stream is None and ability != _APPROVES) for ability, stream in role.abilities
    )
    return looks or sends(role, move, on)


def proposed(roles: Mapping[int, Role], move: Move, on: date) -> int | None:
    """Return the role to ask for: of those that can send the stream the one that can do least besides."""
    able = [key for key, role in roles.items() if not role.privileged and sends(role, move, on)]
    return min(able, key=lambda key: (len(roles[key].abilities), key), default=None)


class Readiness(StrEnum):
    """How a facility stands before or after a move."""

    READY = "ready"
    NOT_READY = "not-ready"
    UNKNOWN = "unknown"


class Step(StrEnum):
    """What is to be done at a facility, in the order in which one thing needs the other."""

    TELL = "tell"  # who holds what
    OFFICIAL = "official"  # somebody who can approve the others
    IDENTITY = "identity"
    FACTOR = "factor"
    ROLE = "role"
    SECOND = "second"  # a second person who can send it
    TOOL = "tool"  # what signs in with a person's ID stops at the move (HARP-CRED-2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody with an account on the old system. ``factor``: whether there is a second factor, None = not told."""

    person: int
    identity: int | None = None  # the account by which one signs in to the new system
    factor: bool | None = None
    role: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One facility. ``officials``: who approves on the new system, None where it needs nobody; ``able``: who can send.

    ``tools``: accounts on the old system with the name of the tool that signs in with them.
    """

    holders: tuple[Holder, ...] = ()
    officials: frozenset[int] | None = None
    able: frozenset[int] = frozenset()
    tools: tuple[tuple[int, str], ...] = ()

    def without(self, step: Step) -> tuple[int, ...]:
        """Return the holders who still lack what the step is about."""
        lacks = {
            Step.IDENTITY: lambda each: each.identity is None,
            Step.FACTOR: lambda each: each.identity is not None and each.factor is not True,
            Step.ROLE: lambda each: not each.role,
        }
        return tuple(each.person for each in self.holders if lacks[step](each))


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing; not ``certain``: it may be there, and nobody has told."""

    step: Step
    certain: bool = True


def gaps(state: State) -> list[Gap]:
    """Return what is missing, the next deed first."""
    if not (state.holders or state.able or state.officials):
        return [Gap(Step.TELL, certain=False)]
    found = []
    if state.officials is not None and not state.officials:
        found.append(Gap(Step.OFFICIAL))
    if state.without(Step.IDENTITY):
        found.append(Gap(Step.IDENTITY))
    if state.without(Step.FACTOR):
        known_without = any(each.identity is not None and each.factor is False for each in state.holders)
        found.append(Gap(Step.FACTOR, certain=known_without))
    if state.without(Step.ROLE) or not state.able:
        found.append(Gap(Step.ROLE))
    if len(state.able) < ENOUGH:
        found.append(Gap(Step.SECOND))
    if state.tools:
        found.append(Gap(Step.TOOL))
    return found


def readiness(missing: list[Gap]) -> Readiness:
    """Return how a facility stands from what `gaps` found."""
    if any(gap.certain for gap in missing):
        return Readiness.NOT_READY
    return Readiness.UNKNOWN if missing else Readiness.READY
