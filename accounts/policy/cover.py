"""Who at a facility can do what on a day: submit a stream, approve access, receive statements. Plain values."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

SUBMITTING: Final = frozenset({"upload", "submit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role of the catalogue. ``abilities``: (ability, stream or None for any) that it has.

    ``stated``: the catalogue says something about its abilities, be it that it has none. ``official``: it decides
    requests for other roles of its system.
    """

    system: str
    abilities: frozenset[tuple[str, str | None]] = frozenset()
    stated: bool = False
    privileged: bool = False
    official: bool = False
    usable_from: date | None = None
    usable_until: date | None = None

    def usable(self, on: date) -> bool:
        """Return whether it exists on the system that day."""
        return (self.usable_from is None or self.usable_from <= on) and (
            self.usable_until is None or on <= self.usable_until
        )

    def may(self, ability: str, stream: str) -> bool:
        """Return whether it has the ability for the stream."""
        return (ability, stream) in self.abilities or (ability, None) in self.abilities


@dataclass(frozen=True, slots=True)
class Held:
    """One role that somebody holds at a facility on a day.

    ``runs``: the account can be used (a lost one cannot). ``employed``: works for the organization that day.
    """

    person: int
    account: int
    system: str
    role: int
    runs: bool = True
    employed: bool = True
    away: bool = False

    @property
    def counts(self) -> bool:
        """Return whether the holder can use it at all, now or after coming back."""
        return self.runs and self.employed


def submits(role: Role, stream: str, on: date) -> bool:
    """Return whether a role can send the stream: it uploads or submits it.

    Of an ordinary role about which nothing is stated, such as "Individual user", nothing less can be assumed.
    """
    if not role.usable(on):
        return False
    if not role.stated:
        return not role.privileged
    return any(role.may(ability, stream) for ability in SUBMITTING)


def able_to_submit(
    held: Iterable[Held], roles: Mapping[int, Role], stream: str, systems: Collection[str], on: date
) -> frozenset[int]:
    """Return the people who can submit the stream over one of the systems on the day; who is away cannot."""
    return frozenset(
        each.person
        for each in held
        if each.counts and not each.away and each.system in systems and submits(roles[each.role], stream, on)
    )


def holding(held: Iterable[Held], roles: Collection[int], roles_of: Mapping[int, Role], on: date) -> frozenset[int]:
    """Return the people who hold one of the roles on an account that runs, whether or not they are away."""
    return frozenset(
        each.person for each in held if each.counts and each.role in roles and roles_of[each.role].usable(on)
    )


def two_people_missing(officials: frozenset[int], users: frozenset[int]) -> str:
    """Return what is missing where the official and the user must be two people (R-51); empty = nothing."""
    if not officials:
        return "official and user" if not users else "official"
    if not users:
        return "user"
    return "second person" if len(officials | users) < 2 else ""
