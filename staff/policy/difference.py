"""What the comparison of a roster with the register returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from staff.policy.packing import Changes
from staff.policy.values import Rejection


@dataclass(slots=True)
class Difference:
    """What a roster changes. ``held_back`` are leavers that are not applied, with the reason in ``notes``."""

    changes: Changes = field(default_factory=Changes)
    rejected: list[Rejection] = field(default_factory=list)
    unchanged: int = 0
    merged: int = 0  # rows that repeat another row
    held_back: int = 0
    still_listed: list[int] = field(default_factory=list)  # lines of people whose end a person typed here
    notes: list[str] = field(default_factory=list)
    brakes: Mapping[int, tuple[int, int]] = field(default_factory=dict)  # facility -> (leavers, employed)
