"""Who needs a system: which kinds of provider send or read what over it, from when until when, and where it went."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date

from accounts.words import day, listed
from systems.models import StreamPath, System
from systems.paths import Path, ended
from web.guides.citing import Bibliography, Cite


@dataclass(frozen=True, slots=True)
class Way:
    """One stream over the system for some kinds of provider."""

    stream: str
    kinds: str
    when: str
    cites: list[Cite]


@dataclass(frozen=True, slots=True)
class Move:
    """A stream that went elsewhere; `kinds` only where providers of another kind went on another day."""

    stream: str
    text: str
    cite: Cite
    kinds: str = ""


@dataclass(slots=True)
class Ways:
    """Streams of a system today, those that went elsewhere, and the moves as sentences for the head of the guide."""

    now: list[Way] = field(default_factory=list)
    gone: list[Way] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)

    @property
    def all_gone(self) -> bool:
        return bool(self.gone) and not self.now


def ways_of(system: System, bibliography: Bibliography, on: date) -> Ways:
    """Return who needs the system. One query, followers included."""
    here = StreamPath.objects.current().filter(system=system).values("stream")
    rows = StreamPath.objects.current().filter(stream__in=here)
    paths = list(
        rows.select_related("stream", "system", "replaced_by", "source").order_by(
            "stream__position", "stream__slug", "pk"
        )
    )
    followers = {(row.stream_id, row.provider_type, row.system_id): row for row in paths}
    groups: dict[tuple[object, ...], list[StreamPath]] = defaultdict(list)
    for row in paths:
        if row.system_id == system.pk:
            follower = followers.get((row.stream_id, row.provider_type, row.replaced_by_id))
            start = follower.from_on if follower else None
            groups[row.stream_id, row.from_on, row.until_on, row.until_note, row.replaced_by_id, start].append(row)
    found = Ways()
    moves: dict[int, dict[str, Move]] = defaultdict(dict)  # of a stream, by words
    for group in groups.values():
        first = group[0]
        follower = followers.get((first.stream_id, first.provider_type, first.replaced_by_id))
        over = ended(_path(first, follower), on)
        kinds = listed([row.get_provider_type_display() for row in group])
        way = Way(first.stream.name, kinds, _when(first, follower, on), bibliography.cites(group))
        (found.gone if over else found.now).append(way)
        move = _move(first, follower)
        if over and move:
            moves[first.stream_id].setdefault(
                move, Move(first.stream.name, move, bibliography.cite(follower or first), kinds)
            )
    for several in moves.values():
        found.moves += [each if len(several) > 1 else replace(each, kinds="") for each in several.values()]
    return found


def _path(row: StreamPath, follower: StreamPath | None) -> Path:
    return Path(
        stream=row.stream.slug,
        provider_type=row.provider_type,
        system=row.system.slug,
        from_on=row.from_on,
        until_on=row.until_on,
        replaced_by=row.replaced_by.slug if row.replaced_by else None,
        follower_from_on=follower.from_on if follower else None,
    )


def _when(row: StreamPath, follower: StreamPath | None, on: date) -> str:
    parts = []
    if row.from_on:
        parts.append(f"{'since' if row.from_on <= on and not row.until_on else 'from'} {day(row.from_on)}")
    if row.new_records_until_on and "new records" not in row.until_note:
        parts.append(f"new records until {day(row.new_records_until_on)}, afterwards corrections only")
    if row.until_on:
        parts.append(f"until {day(row.until_on)}")
    if row.until_note:
        parts.append(row.until_note)
    if row.replaced_by:
        since = f" since {day(follower.from_on)}" if follower and follower.from_on else ""
        parts.append(f"over {row.replaced_by.name}{since}")
    words = "; ".join(parts)
    return f"{words[0].upper()}{words[1:]}." if words else "The days were not published."


def _move(row: StreamPath, follower: StreamPath | None) -> str:
    if row.replaced_by is None:
        return ""
    if follower and follower.from_on:
        return f"moved to {row.replaced_by.name} on {day(follower.from_on)}."
    return f"moved to {row.replaced_by.name}; the day was not found."
