"""How long an account may have been idle to be fine, soon or late on a day: asked of the policies, never typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from accounts.services.clocks import HOUSE_FLAG_DAYS, Chains
from reminders.ladder import first_step, house_ladder
from reminders.rungs import HOUSE_MENTION_DAYS
from systems.policy import PolicyVersion, due, login_restarts_clock, target_on

_LONGEST = 450  # days idle looked at; beyond the longest clock of the catalogue
_LATE_DAYS = 30  # how long ago a deadline may have passed


@dataclass(frozen=True, slots=True)
class Idleness:
    """Days since the basis, by how the deadline then stands on the day asked about.

    ``left``: days left by days idle. ``needs_check``: a login after the last safe day does not count by itself.
    """

    fine: tuple[int, ...]
    soon: tuple[int, ...]
    late: tuple[int, ...]
    left: tuple[int, ...]
    needs_check: bool

    @property
    def due(self) -> tuple[int, ...]:
        """Inside the ladder or past it."""
        return self.soon + self.late


def idleness(*, system_id: int, kind: str, chains: Chains, on: date) -> Idleness | None:
    """Return the days idle of a system's clock, None for a kind whose clock does not run there."""
    chain = chains.get((system_id, kind), ())
    if not chain and kind != "inactivity":
        return None
    fine, soon, late, left = [], [], [], []
    needs_check = False
    for idle in range(_LONGEST):
        days, first, strict = _standing(on - timedelta(days=idle), on, kind, chain)
        left.append(days)
        needs_check = needs_check or strict
        if days > first:
            fine.append(idle)
        elif days >= 0:
            soon.append(idle)
        elif days >= -_LATE_DAYS:
            late.append(idle)
    if not (fine and soon and late):
        raise ValueError(f"system {system_id}: no {kind} within {_LONGEST} days idle")
    return Idleness(tuple(fine), tuple(soon), tuple(late), tuple(left), needs_check)


def _standing(basis_on: date, on: date, kind: str, chain: Sequence[PolicyVersion]) -> tuple[int, int, bool]:
    """Return days left, the ladder's first step, and whether a login on ``on`` would need a check."""
    found = due(basis_on, chain) if chain else None
    if found is None:
        wanted = target_on(basis_on=basis_on, due_on=None, house_days=HOUSE_FLAG_DAYS) or on
        ladder = house_ladder(mention_days=HOUSE_MENTION_DAYS, flag_days=HOUSE_FLAG_DAYS)
        return (wanted - on).days, ladder.first, False
    version = found.version
    counts = login_restarts_clock(login_on=on, due_on=found.due_on, consequence=version.consequence)
    return (
        (found.due_on - on).days,
        first_step(kind, version.limit_days or (version.limit_years or 1) * 365),
        not counts,
    )
