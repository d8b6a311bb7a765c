"""One row of a list of accounts becomes one cleaned row, or a rejection that names the column."""

from datetime import date
from typing import Final, NamedTuple

from accounts.lists.columns import says_where
from accounts.lists.words import NEVER, UNKNOWN, State, Systems, SystemWords, find_roles
from accounts.policy.holders import ANYWHERE
from imports.columns import Guess
from staff.policy import Rejection
from staff.roster.cleaning import Cleaner, Words, Wrong, email_of, key_of, short
from staff.roster.places import Places

_EARLIEST: Final = date(2000, 1, 1)  # no system of the catalogue is older


class AccountRow(NamedTuple):
    """What a row says: person × role × facility on one system. Empty texts and None mean "it does not say"."""

    line: int
    system: SystemWords
    facility: int  # ANYWHERE: the list names none
    first_name: str
    last_name: str
    number: str
    email: str
    user_id: str
    roles: tuple[int, ...]
    state: State
    granted_on: date | None
    requested_on: date | None
    last_login_on: date | None
    never: bool
    certified_on: date | None
    approver: str = ""
    riddle: str = ""  # a word in the status column that nobody understands

    @property
    def fallback(self) -> int | None:
        """The role that a row means which names none, where the system's users have one."""
        return self.system.fallback

    @property
    def lost(self) -> str:
        """The kind of loss that the row tells of, empty without one."""
        return self.state.value if self.state.lost else ""

    @property
    def requested(self) -> bool:
        """Whether the access was only asked for."""
        return self.state is State.REQUESTED


class AccountCleaner:
    """Makes rows; ``system`` is the one that the whole list is about, where no column says it."""

    def __init__(
        self,
        guess: Guess,
        places: Places,
        words: Words,
        systems: Systems,
        states: dict[str, State],
        *,
        system: SystemWords | None,
        on: date,
        latest: date,
    ) -> None:
        self._cells = Cleaner(guess, places, words, on=on)
        self._systems, self._system, self._states = systems, system, states
        self._latest, self._places_said = latest, says_where(guess)

    @property
    def restored(self) -> list[tuple[int, str, str]]:
        """Lines, given numbers and the CCNs that they were read as."""
        return self._cells.restored

    def clean(self, line: int, cells: list[str]) -> AccountRow | Rejection:
        """Return the row, or why it cannot be taken."""
        said = self._cells.said(cells)
        first, last, number, email = "", "", "", ""
        facility = None
        try:
            self._cells.refuse_errors(said)
            number, email = self._cells.number(said), email_of(said)
            first, last = self._name(said)
            user_id, approver = key_of(said, "user_id"), short(said, "approver")
            if not (last or number or email or user_id):
                raise Wrong("user_id", "the row does not say whose account it is")
            facility = self._cells.facility(line, said) if self._places_said else ANYWHERE
            system = self._find_system(said)
            roles = self._roles(system, said)
            days = {name: self._past(said, name) for name in ("granted_on", "requested_on", "last_certified_on")}
            never = said.get("last_login_on", "").lower() in NEVER
            last_login = None if never else self._past(said, "last_login_on")
        except Wrong as wrong:
            return Rejection(line, wrong.column, wrong.reason, number, email, first, last, facility)
        state = self._states.get(said.get("role_status", ""), State.ACTIVE)
        riddle = said.get("role_status", "") if state is State.UNKNOWN else ""
        return AccountRow(
            line, system, facility, first, last, number, email, user_id, tuple(roles), state, days["granted_on"],
            days["requested_on"], last_login, never, days["last_certified_on"], approver, riddle,
        )  # fmt: skip

    def _name(self, said: dict[str, str]) -> tuple[str, str]:
        """Return the name; a list may name people by their IDs or addresses only."""
        if not {"first_name", "last_name", "full_name"} & said.keys():
            return "", ""
        return self._cells.name(said)

    def _find_system(self, said: dict[str, str]) -> SystemWords:
        for column in ("application", "system"):  # an application of the portal says more than the portal
            found = self._systems.find(said.get(column, ""))
            if found is not None:
                return found
        for column in ("system", "application"):
            if said.get(column):
                raise Wrong(column, f"the catalogue has no system “{said[column][:40]}”")
        if self._system is None:
            raise Wrong("system", "the row names no system")
        return self._system

    def _roles(self, system: SystemWords, said: dict[str, str]) -> list[int]:
        text = short(said, "role")
        found = find_roles(system, text)
        if found is None:
            names = ", ".join(name for _, name in system.roles)
            raise Wrong("role", f"{system.name} has no role “{text[:40]}”; it has: {names}")
        if not found and len(system.roles) == 1:
            return [system.roles[0][0]]
        return found

    def _past(self, said: dict[str, str], column: str) -> date | None:
        if said.get(column, "").lower() in UNKNOWN:
            return None
        found = self._cells.day(said, column)
        if found is not None and found > self._latest:
            raise Wrong(column, f"{found.isoformat()} lies in the future")
        if found is not None and found < _EARLIEST:
            raise Wrong(column, f"{found.isoformat()} is too long ago to be meant")
        return found
