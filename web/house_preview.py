"""What an organization's own window would do, tried in a transaction that is taken back."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.functions import Coalesce

from accounts.models import Deadline
from accounts.services.house_windows import set_window
from audit.bulk import among
from facilities.access import Scope
from reminders.services.plan import would_plan
from staff.models import Person
from systems.models import System
from systems.policy import EASTERN, day_in


@dataclass(frozen=True, slots=True)
class Preview:
    """Deadlines that move, those too late today that are not now, and who would get mail about how many dates.

    ``relieved``: too late now, and not any more; ``begun``: reminders are started, so that mail does go out.
    """

    moves: int
    overdue: int
    relieved: int
    people: list[tuple[Person, int]]
    begun: bool


def preview(*, scope: Scope, system: System, at: datetime, **wanted: Any) -> Preview:
    """Set the window, look, and take everything back. Raises as `accounts.services.house_windows.set_window` does."""
    asked = partial(would_plan, organization=scope.organization.pk, system=system.pk, at=at)
    with transaction.atomic():
        known, late = asked(), _late(scope, system, at)
        moved = set_window(scope=scope, system=system, at=at, **wanted).moved
        told, now_late = asked() - known, _late(scope, system, at)
        transaction.set_rollback(True)
    heard = Counter(person for person, _ in {(person, deadline) for person, deadline, _ in told})
    people = Person.objects.filter(pk__in=among(heard)).order_by("last_name", "first_name", "pk")
    return Preview(
        moves=moved.opened + moved.moved + moved.closed,
        overdue=len(now_late - late),
        relieved=len(late - now_late),
        people=sorted(((person, heard[person.pk]) for person in people), key=lambda pair: -pair[1]),
        begun=scope.organization.reminders_started_at is not None,
    )


def _late(scope: Scope, system: System, at: datetime) -> set[int]:
    """Return the running deadlines whose day to aim at has passed."""
    running = Deadline.objects.open().filter(
        organization=scope.organization, account__system=system, kind=Deadline.Kind.INACTIVITY, muted=False
    )
    late = running.annotate(aim=Coalesce("target_on", "due_on")).filter(aim__lt=day_in(at, EASTERN))
    return set(late.values_list("pk", flat=True))
