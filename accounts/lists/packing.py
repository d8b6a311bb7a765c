"""The rows of a long list of accounts, each as bytes: as values they would be four times as large. Pure."""

import marshal
from functools import lru_cache
from typing import Final

from accounts.lists.cleaning import AccountRow
from accounts.lists.words import State, Systems
from staff.policy.packing import day_of, loaded, ordinal

_STATES: Final = {state.value: state for state in State}


@lru_cache(maxsize=4_096)
def _one(roles: tuple[int, ...]) -> tuple[int, ...]:
    """Return the same object for the same roles, of which a list has few."""
    return roles


def packed_account(row: AccountRow) -> bytes:
    """Return a row as bytes."""
    days = row.granted_on, row.requested_on, row.last_login_on, row.certified_on
    system, state = row.system.key, row.state.value
    return marshal.dumps(
        (*row[2:8], row.never, row.approver, row.riddle, row.line, system, row.roles, state, *map(ordinal, days))
    )


def account_of(packed: bytes, systems: Systems) -> AccountRow:
    """Return the row that was packed."""
    *said, never, approver, riddle, line, system, roles, state, granted, requested, login, certified = loaded(packed)
    return AccountRow._make((
        line, systems.by_key[system], *said, _one(roles), _STATES[state], day_of(granted), day_of(requested),
        day_of(login), never, day_of(certified), approver, riddle,
    ))  # fmt: skip
