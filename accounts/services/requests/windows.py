"""Steps that have to be through within a window of the catalogue, counted from an invitation (R-57).

Such a step names the invitation as what it comes after. Its limit is the system's policy of kind ``window``.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

from accounts.models import Deadline, RequestStep
from systems.models import Policy, Step
from systems.policy import Due, due
from systems.selectors import policy_chains

INVITATION: Final = Policy.Basis.INVITATION.value
WINDOW: Final = Deadline.Kind.WINDOW.value


class Windows:
    """The windows of the catalogue, read once, and only where a step counts from an invitation."""

    def __init__(self, steps: Iterable[RequestStep | Step]) -> None:
        self._chains = policy_chains() if any(step.after == INVITATION for step in steps) else {}

    def due(self, system_id: int, after: str, since: date) -> Due | None:
        """Return the end of the window of a step that counts from ``since``, None where it stands in none."""
        chain = self._chains.get((system_id, WINDOW), ()) if after == INVITATION else ()
        return due(since, chain) if chain else None
