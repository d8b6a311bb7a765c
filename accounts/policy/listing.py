"""What a list of accounts changes: rows of one person on one system beside what the register holds. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from accounts.policy.holders import ANYWHERE, id_key
from accounts.policy.sightings import Sighting, contradicting


class Row(Protocol):
    """What is read of a row; see `accounts.lists.cleaning.AccountRow`."""

    @property
    def line(self) -> int: ...
    @property
    def facility(self) -> int: ...
    @property
    def user_id(self) -> str: ...
    @property
    def roles(self) -> tuple[int, ...]: ...
    @property
    def fallback(self) -> int | None: ...
    @property
    def lost(self) -> str: ...
    @property
    def requested(self) -> bool: ...
    @property
    def riddle(self) -> str: ...
    @property
    def granted_on(self) -> date | None: ...
    @property
    def requested_on(self) -> date | None: ...
    @property
    def last_login_on(self) -> date | None: ...
    @property
    def never(self) -> bool: ...
    @property
    def certified_on(self) -> date | None: ...
    @property
    def approver(self) -> str: ...


class Held(NamedTuple):
    """An account of the register. Of open grants, (facility, role) ->: ``grants`` keys, ``certified`` newest days."""

    key: int
    status: str
    login_state: str
    last_login_on: date | None
    opened_on: date
    grants: dict[tuple[int, int], int]
    certified: dict[tuple[int, int], date]
    seen: Sequence[Sighting] = ()
    others: int = 0  # further open accounts of the same person on the same system


class Refusal(NamedTuple):
    """A row that is not taken after all, with the column to blame."""

    line: int
    column: str
    reason: str


class Granted(NamedTuple):
    """A role at a facility, from when, and the line that tells of it."""

    facility: int
    role: int
    since: date
    line: int


class Certified(NamedTuple):
    """When a role at a facility was certified, and by whom."""

    facility: int
    role: int
    on: date
    by: str


@dataclass(slots=True)
class Change:
    """What is written for one person on one system; ``account`` None: a new one is opened.

    A list has a hundred thousand of them: no container that stays empty.
    """

    account: int | None = None
    line: int = 0  # the first that is about it
    opened_on: date | None = None
    status: str = ""  # a new account's, or the one it changes to
    was: str = ""  # the status it changes from
    user_id: str = ""  # to be stored at the authority
    never: bool = False
    login_on: date | None = None
    lost: str = ""  # the kind of loss
    grants: tuple[Granted, ...] = ()
    ended: tuple[int, ...] = ()  # keys of grants that end
    certified: tuple[Certified, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.login_on) or self.beyond_login

    @property
    def beyond_login(self) -> bool:
        """Whether there is anything to write besides a login."""
        return bool(
            self.status or self.user_id or self.never or self.lost or self.grants or self.ended or self.certified
        )


def change_of(rows: Sequence[Row], held: Held | None, *, known_id: str, on: date) -> tuple[Change, list[Refusal]]:
    """Return what these rows of one person on one system come to, and rows that contradict each other or the register.

    A list never ends an account by silence, nor brings a lost one back; it ends what it calls revoked or disabled.
    What was only asked for is no access yet and changes nothing. ``known_id``: the person's user ID at the authority.
    """
    rows, refused = _one_user_id([row for row in rows if not row.requested], known_id)
    if rows and rows[0].facility == ANYWHERE:
        return _only_logins(rows, held, refused)
    change = Change(account=held.key if held else None, line=rows[0].line if rows else 0)
    rows, riddles = _understood(rows, held)
    rows, unseen = _not_contradicted(rows, held)
    refused += riddles + unseen
    working = [row for row in rows if not row.lost and not row.riddle]
    if not rows or (held is None and not working):
        return change, refused  # what we never had and the system took away needs no record
    if held is None and not any(_roles(row, held) for row in working):
        reason = "a new account needs its role"
        return Change(), refused + [Refusal(row.line, "role", reason) for row in working]
    if held is not None and held.status == "lost" and working:
        reason = "this account is marked as lost here; say on its page that it is back"
        return Change(account=held.key), refused + [Refusal(row.line, "role_status", reason) for row in working]
    change.user_id = "" if known_id else next((row.user_id for row in rows if row.user_id), "")
    _logins(change, rows, held)
    if held is None:
        days = [row.granted_on or row.requested_on for row in working] + [row.last_login_on for row in working]
        change.opened_on = min((day for day in days if day), default=on)
        change.status = "active"
    elif held.status in ("requested", "planned") and working:
        change.status, change.was = "active", held.status
    _grants(change, rows, held, on)
    if held is not None and held.status == "active" and not working and set(held.grants.values()) == set(change.ended):
        change.lost = rows[0].lost  # nothing is left of it
    return change, refused


def _only_logins(rows: Sequence[Row], held: Held | None, refused: list[Refusal]) -> tuple[Change, list[Refusal]]:
    """Return what rows without a facility come to: the newest login of one known account, and nothing else."""
    change = Change(account=held.key if held else None, line=rows[0].line)
    kept, unclear = _of_one_account(rows, held)
    kept, unseen = _not_contradicted(kept, held)
    if held is not None:
        _logins(change, kept, held)
    return change, refused + unclear + unseen


def _of_one_account(rows: Sequence[Row], held: Held | None) -> tuple[list[Row], list[Refusal]]:
    """Return the rows without a facility that mean one working account; else blamed is who it names, or the status."""
    reason = ""
    if held is None:
        reason = "no account of hers or his on this system is known here, and a list without facilities opens none"
    elif held.others:
        reason = "this person has several accounts on this system: record the login on the page of the right one"
    elif held.status in ("requested", "planned"):
        reason = "this account is only asked for here, and a list without facilities opens none: say at which facility"
    elif held.status == "lost":
        reason = "this account is marked as lost here; say on its page that it is back"
    kept, refused = [], []
    for row in rows:
        if reason:
            refused.append(Refusal(row.line, "user_id", reason))
        elif row.lost:
            said = "a list without facilities ends no access: say at which facility"
            refused.append(Refusal(row.line, "role_status", said))
        else:
            kept.append(row)
    return kept, refused


def _roles(row: Row, held: Held | None) -> tuple[int, ...]:
    """Return the roles that a row is about: those it names, else the system's fallback where no other is held there."""
    if row.roles or row.fallback is None:
        return row.roles
    there = {role for facility, role in held.grants if facility == row.facility} if held else set()
    return (row.fallback,) if not there or row.fallback in there else ()


def _is_new(row: Row, held: Held | None) -> bool:
    return held is None or any((row.facility, role) not in held.grants for role in _roles(row, held))


def _understood(rows: Sequence[Row], held: Held | None) -> tuple[list[Row], list[Refusal]]:
    """Return the rows, and those whose status nobody understands: they cannot open an account or a role."""
    kept, refused = [], []
    for row in rows:
        if row.riddle and _is_new(row, held):
            reason = f"the status “{row.riddle[:30]}” is not understood, and this access is not known here yet"
            refused.append(Refusal(row.line, "role_status", reason))
        else:
            kept.append(row)
    return kept, refused


def _not_contradicted(rows: Sequence[Row], held: Held | None) -> tuple[list[Row], list[Refusal]]:
    """Return the rows, and those whose login cannot have been by what somebody saw in the system."""
    kept, refused = [], []
    for row in rows:
        against = contradicting(row.last_login_on, held.seen) if held and row.last_login_on else None
        if against:
            reason = f"on {against.seen_on} a Security Official saw that the last login was on {against.last_login_on}"
            refused.append(Refusal(row.line, "last_login_on", reason))
        else:
            kept.append(row)
    return kept, refused


def _one_user_id(rows: Sequence[Row], known_id: str) -> tuple[list[Row], list[Refusal]]:
    where = "the register has" if known_id else "another row gives"
    known, kept, refused = known_id, [], []
    for row in rows:
        if row.user_id and known and id_key(row.user_id) != id_key(known):
            refused.append(Refusal(row.line, "user_id", f"{where} another user ID for this person"))
            continue
        known = known or row.user_id
        kept.append(row)
    return kept, refused


def _logins(change: Change, rows: Iterable[Row], held: Held | None) -> None:
    newest = max((row.last_login_on for row in rows if row.last_login_on), default=None)
    if newest is not None and not (held and held.last_login_on and held.last_login_on >= newest):
        change.login_on = newest
    never = newest is None and any(row.never for row in rows)
    change.never = never and (held is None or held.login_state == "unknown")


def _grants(change: Change, rows: Iterable[Row], held: Held | None, on: date) -> None:
    known = held.grants if held else {}
    granted: dict[tuple[int, int], Granted] = {}
    certified: dict[tuple[int, int], Certified] = {}
    ended: dict[int, None] = {}
    for row in rows:
        if row.lost:
            # Without a role it speaks of everything that she has there.
            ended |= {
                key: None
                for (facility, role), key in known.items()
                if facility == row.facility and (role in row.roles or not row.roles)
            }
            continue
        for role in _roles(row, held):
            place = (row.facility, role)
            if place not in known:
                before = granted.get(place)
                since = min(row.granted_on or change.opened_on or on, before.since if before else on)
                granted[place] = Granted(*place, since, before.line if before else row.line)
            _certify(certified, row, place, held)
    change.grants, change.certified = tuple(granted.values()), tuple(certified.values())
    change.ended = tuple(ended)


def _certify(found: dict[tuple[int, int], Certified], row: Row, place: tuple[int, int], held: Held | None) -> None:
    told = found[place].on if place in found else held.certified.get(place) if held else None
    if row.certified_on and not (told and told >= row.certified_on):
        found[place] = Certified(*place, row.certified_on, row.approver)
