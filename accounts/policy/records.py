"""The backup record of a facility: who can submit what, what everybody holds, who helps. Plain values.

It holds names, contact data and user IDs (QIES-CRED-3), never a password, and nothing that changes by the day.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitting:
    """Who submits one stream. ``through``: our own people, a corporate office or a third party; ``people``: keys."""

    stream: str
    through: str
    through_name: str
    systems: tuple[str, ...]
    people: tuple[int, ...]

    @property
    def backup(self) -> str:
        """Return ``nobody``, ``missing`` (one person only) or ``there``; empty where others submit."""
        if self.through != "own":
            return ""
        return ("nobody", "missing")[len(self.people)] if len(self.people) < 2 else "there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One account that somebody holds at the facility. ``user_id`` empty: not known; ``left``: works here no more."""

    person: int
    name: str
    email: str
    phone: str
    left: bool
    account: int
    system: str
    user_id: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpDesk:
    """Who helps with some systems. ``ways``: (kind, number or address, note)."""

    systems: tuple[str, ...]
    name: str
    ways: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRecord:
    """Everything that stands in one facility's record, in the order in which it is printed."""

    streams: tuple[Submitting, ...]
    access: tuple[Access, ...]
    desks: tuple[HelpDesk, ...]


def digest(record: BackupRecord) -> str:
    """Return the SHA-256 of the content, in hexadecimal: another one means that a printed copy is out of date."""
    text = json.dumps(asdict(record), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def desks_for(systems: Collection[str], above: dict[str, str], desks: Sequence[HelpDesk]) -> tuple[HelpDesk, ...]:
    """Return the desks of these systems; a system without one is helped by its sign-in authority's (``above``)."""
    covered = {system for desk in desks for system in desk.systems}
    wanted = {system if system in covered else above.get(system, system) for system in systems}
    return tuple(desk for desk in desks if wanted & set(desk.systems))
