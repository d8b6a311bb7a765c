"""How many may hold something per facility (R-23, R-24): limits of the catalogue against what is held. Plain values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from accounts.policy.cover import Held

_SEVERITY = {"CMSN-QUO-1": "high"}  # R-23; R-24 is medium


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many people per facility; ``role`` None: whatever the role. ``kind`` empty: any kind of provider.

    ``cure``: what to do where all of them are taken.
    """

    key: str
    system: str
    most: int
    role: int | None = None
    stream: str | None = None
    kind: str = ""
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that is passed, and the people who hold what it counts."""

    limit: Limit
    people: tuple[int, ...]
    severity: str


def exceeded(kind: str, held: Iterable[Held], limits: Iterable[Limit]) -> Iterator[Excess]:
    """Yield the limits passed at a facility. ``held``: whatever exists on a system, also where it cannot be used.

    A limit for the kind of provider takes the place of the system's general one, so that nothing is said twice.
    """
    mine = [limit for limit in limits if limit.kind in ("", kind)]
    special = {limit.system for limit in mine if limit.kind}
    rows = list(held)
    for limit in mine:
        if not limit.kind and limit.stream is None and limit.system in special:
            continue
        people = {each.person for each in rows if each.system == limit.system and limit.role in (None, each.role)}
        if len(people) > limit.most:
            yield Excess(limit, tuple(sorted(people)), _SEVERITY.get(limit.key, "medium"))
