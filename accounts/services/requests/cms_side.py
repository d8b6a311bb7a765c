"""What officials and CMS still had to do when a request is finished: whether they did, and when.

None of their steps ends unsaid. Those of the person, the facility and a help desk need no answer: they are not needed
any more once it is finished.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from django.db.models import Q

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, RequestStep
from accounts.services.logins import EARLIEST
from facilities.access import Scope
from systems.policy import latest_day

_States = RequestStep.State
NOT_NEEDED: Final = "CMS’s side had nothing to do or decide here."


class Outcome(StrEnum):
    """What came of a step on CMS's side."""

    DONE = "done"
    REFUSED = "refused"
    NOT_NEEDED = "not-needed"


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one step; ``on``: the day, where it was done."""

    outcome: str
    on: date | None = None


def open_on_cms_side(request: AccessRequest) -> list[RequestStep]:
    """Return the steps that officials or CMS have not done, in order; what mends others only where it is open.

    One query.
    """
    left = RequestStep.objects.filter(
        request=request,
        actor__in=[RequestStep.Actor.OFFICIAL, RequestStep.Actor.CMS],
        state__in=[_States.OPEN, _States.WAITING, _States.FAILED],
    )
    return list(left.exclude(~Q(cure_for=""), state=_States.WAITING).order_by("position", "pk"))


def outcome_field(step: RequestStep) -> str:
    """Return how a form calls the field for what came of a step."""
    return f"outcome-{step.pk}"


def day_field_of(step: RequestStep) -> str:
    """Return how a form calls the field for the day of a step."""
    return f"on-{step.pk}"


def settle(scope: Scope, request: AccessRequest, said: Mapping[int, Said], at: datetime) -> dict[str, str]:
    """Record what is said of the open steps on CMS's side, by key; return it for the audit chain.

    Raises AccountRefused, with the field of the step, for one of which nothing is said, one that was refused there, and
    a day that is missing or cannot be.
    """
    told = {}
    for step in open_on_cms_side(request):
        answer = said.get(step.pk)
        _refuse(step, answer, at)
        assert answer is not None
        done = answer.outcome == Outcome.DONE
        RequestStep.objects.filter(pk=step.pk).update(
            state=_States.DONE if done else _States.SKIPPED,
            done_on=answer.on if done else None,
            done_at=at if done else None,
            done_by=scope.actor.label,
            note="" if done else NOT_NEEDED,
        )
        told[step.key_in_list] = answer.on.isoformat() if done and answer.on else Outcome.NOT_NEEDED.value
    return told


def _refuse(step: RequestStep, answer: Said | None, at: datetime) -> None:
    if answer is None or answer.outcome not in set(Outcome):
        raise AccountRefused(
            f"“{step.title}” is still open. Say whether CMS’s side did it, and when.",
            field=outcome_field(step),
            code="cms_open",
        )
    if answer.outcome == Outcome.REFUSED:
        raise AccountRefused(
            "What CMS’s side refused is not done. Go back to the request and record that it cannot be done.",
            field=outcome_field(step),
            code="cms_refused",
        )
    if answer.outcome == Outcome.NOT_NEEDED:
        return
    if answer.on is None:
        raise AccountRefused(f"“{step.title}”: say on which day it was done.", field=day_field_of(step))
    if answer.on > latest_day(at):
        raise AccountRefused("A step cannot have been done in the future.", field=day_field_of(step))
    if answer.on < EARLIEST:
        raise AccountRefused("That day is before any of these systems existed.", field=day_field_of(step))
