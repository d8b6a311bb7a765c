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
    """The panels; what is empty is left out. ``kept``: the figures of the day, for who reads all they are about."""

    away: Away | None
    kept: OrganizationFigures | None

    @property
    def burning(self) -> str:
        """Where it burns, in a sentence."""
        return brief(self.kept) if self.kept is not None else ""


def beside(scope: Scope, on: date) -> Beside:
    """Return the panels of Today's right column. Three queries at most."""
    mine = Person.objects.filter(organization=scope.organization, user=scope.user_id).first()
    return Beside(Away(mine, absences_of(mine, on)) if mine else None, _kept(scope, on))


def _kept(scope: Scope, on: date) -> OrganizationFigures | None:
    if scope.reads is not None:
        return None
    return OrganizationFigures.objects.filter(organization=scope.organization, counted_on=on).first()
