"""Written down at each hand-over, in the transaction of the act: what others have to hear of without a day of its own.

A step with a day has a deadline instead, a decision that is wanted as well (`accounts.services.requests.dates`).
"""

from collections.abc import Iterable
from datetime import datetime

from accounts.models import HandOver, RequestNote, RequestStep
from facilities.access import Scope
from staff.models import Person

What = HandOver.What


def hand_turns(steps: Iterable[RequestStep], *, scope: Scope | None, at: datetime) -> None:
    """Write down that steps without a day are to do now. ``scope``: whose act opened them, None for a sweep."""
    without_day = [step for step in steps if step.due_on is None and step.actor != RequestStep.Actor.APPROVER]
    if without_day:
        by = _person_of(scope)
        HandOver.objects.bulk_create(
            [
                HandOver(
                    organization_id=step.organization_id,
                    request_id=step.request_id,
                    step=step,
                    what=What.TURN,
                    by_person_id=by,
                    at=at,
                )
                for step in without_day
            ],
            batch_size=500,
        )


def hand_over(
    requests: Iterable[int], what: str, *, scope: Scope, note: RequestNote | None = None, at: datetime
) -> None:
    """Write down what became of requests (by key), or what was said about one."""
    keys, by = list(requests), _person_of(scope)
    HandOver.objects.bulk_create(
        [
            HandOver(organization=scope.organization, request_id=key, note=note, what=what, by_person_id=by, at=at)
            for key in keys
        ],
        batch_size=500,
    )


def _person_of(scope: Scope | None) -> int | None:
    if scope is None or scope.user_id is None:
        return None
    mine = Person.objects.filter(organization=scope.organization, user_id=scope.user_id)
    return mine.values_list("pk", flat=True).first()
