"""What stands beside Today: the weeks to come, whether I am away, and where it burns for who looks after many."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from accounts.models import OrganizationFigures
from facilities.access import Scope
from staff.models import Person
from web.absences import absences_of
from web.burning import brief


@dataclass(frozen=True, slots=True)
class Away:
    """My own absences that go on or lie ahead."""

    person: Person
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Beside:
    """The panels; what is empty is left out."""

    away: Away | None
    burning: str


def beside(scope: Scope, on: date) -> Beside:
    """Return the panels of Today's right column. Three queries at most."""
    mine = Person.objects.filter(organization=scope.organization, user=scope.user_id).first()
    return Beside(Away(mine, absences_of(mine, on)) if mine else None, _burning(scope, on))


def _burning(scope: Scope, on: date) -> str:
    if scope.reads is not None:
        return ""
    kept = OrganizationFigures.objects.filter(organization=scope.organization).first()
    return brief(kept) if kept is not None and kept.counted_on == on else ""
