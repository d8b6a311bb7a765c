"""What may become of a request, and who may decide. Pure: plain values in, plain values out.

The database refuses every other change of state as well (`accounts.request_triggers`); a test holds both side by side.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What can be asked for."""

    NEW_ACCOUNT = "new-account"
    ADDITIONAL_ROLE = "additional-role"
    ROLE_CHANGE = "role-change"
    REMOVAL = "removal"
    REACTIVATION = "reactivation"
    FORGOTTEN_ID = "forgotten-id"
    CONTACT_CHANGE = "contact-change"
    UNLOCK = "unlock"
    PROOFING = "proofing"
    CERTIFICATION = "certification"


class State(StrEnum):
    """Where a request stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    FAILED = "failed"


class Approved(StrEnum):
    """Whether our own decision is needed. CMS's side decides in any case: that is a step of the request."""

    NEEDED = "needed"
    NOT_NEEDED = "not_needed"
    UNAPPROVED = "unapproved"


CARRIED_OUT: Final = (State.APPROVED.value, State.IN_PROGRESS.value)

# Value -> the words that people read.
KIND_WORDS: Final[dict[str, str]] = {
    Kind.NEW_ACCOUNT.value: "New account",
    Kind.ADDITIONAL_ROLE.value: "Additional role",
    Kind.ROLE_CHANGE.value: "Change of role",
    Kind.REMOVAL.value: "Removal",
    Kind.REACTIVATION.value: "Reactivation",
    Kind.FORGOTTEN_ID.value: "Forgotten user ID",
    Kind.CONTACT_CHANGE.value: "Change of contact data",
    Kind.UNLOCK.value: "Unlock",
    Kind.PROOFING.value: "Identity proofing again",
    Kind.CERTIFICATION.value: "Yearly certification",
}
STATE_WORDS: Final[dict[str, str]] = {
    State.DRAFT.value: "Draft",
    State.SUBMITTED.value: "Waiting for a decision",
    State.APPROVED.value: "Approved",
    State.REJECTED.value: "Rejected",
    State.WITHDRAWN.value: "Withdrawn",
    State.IN_PROGRESS.value: "In progress",
    State.DONE.value: "Done",
    State.FAILED.value: "Did not work",
}
APPROVED_WORDS: Final[dict[str, str]] = {
    Approved.NEEDED.value: "To be approved",
    Approved.NOT_NEEDED.value: "No approval needed",
    Approved.UNAPPROVED.value: "No second person",
}

# Access that somebody did not have before. Reactivation gives back what was held when it lapsed.
NEEDS_APPROVAL: Final = frozenset({Kind.NEW_ACCOUNT, Kind.ADDITIONAL_ROLE, Kind.ROLE_CHANGE})

# They take away what somebody holds: she herself has no say in how they end, unless she asked for it.
ABOUT_WHAT_IS_HELD: Final = frozenset({Kind.REMOVAL, Kind.ROLE_CHANGE})

# From -> to. "Sent back" returns to the draft; a change of what is asked for returns to the decision; a failed request
# may be tried again; one that was done by mistake goes back to its steps.
TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    State.DRAFT: frozenset({State.SUBMITTED, State.WITHDRAWN}),
    State.SUBMITTED: frozenset({State.APPROVED, State.REJECTED, State.WITHDRAWN, State.DRAFT, State.IN_PROGRESS}),
    State.APPROVED: frozenset({State.IN_PROGRESS, State.WITHDRAWN, State.SUBMITTED}),
    State.IN_PROGRESS: frozenset({State.DONE, State.FAILED, State.WITHDRAWN}),
    State.DONE: frozenset({State.IN_PROGRESS}),
    State.FAILED: frozenset({State.IN_PROGRESS, State.WITHDRAWN}),
    State.REJECTED: frozenset(),
    State.WITHDRAWN: frozenset(),
}
ENDED: Final = frozenset({State.REJECTED, State.WITHDRAWN, State.DONE, State.FAILED})


def may_become(old: str, new: str, *, approval: str, approvals: int = 0, needed: int = 1) -> bool:
    """Return whether a request in one state may get another.

    ``approval``: as `Approved`; ``approvals``: unvoided ones of its present revision; ``needed``: how many it takes.
    Nothing leaves the decision without it: neither to *approved* nor, where approval is needed, to its steps.
    """
    if State(new) not in TRANSITIONS[State(old)]:
        return False
    enough = approval == Approved.NEEDED and approvals >= needed
    if new == State.APPROVED:
        return enough
    if new == State.IN_PROGRESS and old in (State.SUBMITTED, State.APPROVED):
        return enough if approval == Approved.NEEDED else old == State.SUBMITTED
    return True


def approval_of(kind: str) -> Approved:
    """Return whether a kind of request has to be approved here."""
    return Approved.NEEDED if kind in NEEDS_APPROVAL else Approved.NOT_NEEDED


def approvers_needed(*, privileged: bool, two_for_privileged: bool) -> int:
    """Return how many have to approve a role."""
    return 2 if privileged and two_for_privileged else 1


def may_decide(approver: int, *, requester: int, beneficiary: int, decided: Collection[int] = ()) -> bool:
    """Return whether a person may decide (R-21): not about her own, not for herself, and once only."""
    return approver not in {requester, beneficiary, *decided}
