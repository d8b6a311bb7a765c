"""What stands against a request before it is submitted, and what to do instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import AccessRequest


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard that did not pass. ``blocks``: the request cannot go on; else it is something to know.

    ``code``: such as ``no_ccn``; ``rule``: such as ``R-30``; ``cure``: what to do instead; ``fact``: what says so.
    """

    code: str
    rule: str
    blocks: bool
    message: str
    cure: str
    fact: str = ""


def guards_of(requests: Sequence[AccessRequest], at: datetime) -> dict[int, list[Guard]]:
    """Return by key what stands against each request (read with system, facility, role, people)."""
    return {request.pk: [] for request in requests}
