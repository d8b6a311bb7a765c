"""What a rule is given and what it answers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from facilities.models import Organization


@dataclass(frozen=True, slots=True)
class Slice:
    """Some facilities of one organization in one zone, with everybody who works or holds access there.

    ``on`` is the day at the facilities, ``at`` the instant. A rule looks at these facilities, or at these people
    wherever they hold something, and at nothing else.
    """

    organization: Organization
    facilities: tuple[int, ...]
    people: tuple[int, ...]
    on: date
    at: datetime
    removed: frozenset[int] = frozenset()  # accounts that are taken as removed (`accounts.services.rules.without`)
    # What was read of it once and serves several rules; lives as long as the slice does.
    read: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that is wrong now. ``facts``: what the rule used, for the "why?"; days as ISO text.

    ``subject_key`` with the kind says what it is about and stays the same as long as it is wrong. Exactly the
    subject that the rule looks at is set: a facility, or a person (with an account where it is about one).
    """

    kind: str
    subject_key: str
    severity: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    facility: int | None = None
    person: int | None = None
    account: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name in the audit chain, the kinds it may answer, and whether it looks at facilities or people.

    ``after_marks``: it reads which clocks are quiet, which follows from what the other rules of the run have found.
    """

    key: str
    label: str
    kinds: tuple[str, ...]
    about: str  # "facility" or "person"
    find: Callable[[Slice], Iterable[Found]]
    after_marks: bool = False
