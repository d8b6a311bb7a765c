"""Steps of a request as they are carried out: which is next, what came of it, and by when."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import F

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, RequestStep
from accounts.policy.requesting import State
from accounts.policy.step_dates import step_due
from accounts.services.requests.acts import lock_request
from accounts.services.requests.dates import follow_dates
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from systems.policy import EASTERN, day_in, latest_day

Steps = RequestStep.State
_THROUGH = frozenset({Steps.DONE, Steps.SKIPPED})


def is_own_request(scope: Scope, request: AccessRequest) -> bool:
    """Return whether a request (read with its people) is by or for the acting member."""
    people = (request.requester_person, request.beneficiary_person)
    return scope.user_id is not None and any(person.user_id == scope.user_id for person in people)


def record_outcome(
    *, scope: Scope, step: RequestStep, worked: bool, on: date, note: str = "", at: datetime
) -> RequestStep:
    """Record what came of a step; the next ones open. The same outcome again changes nothing.

    A failed step says why and opens what mends it; a step that was recorded by mistake is recorded anew. Raises
    NotAllowed, and AccountRefused for our own decision, a step that waits, a day ahead, and a failure without reason.
    """
    request = step.request
    authorize(scope, Action.CARRY_OUT_REQUEST, [request.facility_id], own=is_own_request(scope, request))
    note = note.strip()
    if step.actor == RequestStep.Actor.APPROVER:
        raise AccountRefused("This step is the decision here; it is made at the top of the page.", code="decision")
    if on > latest_day(at):
        raise AccountRefused("A step cannot have been done in the future.", field="on")
    if not worked and not note:
        raise AccountRefused("Say what happened, so that the next person knows.", field="note")
    wanted = Steps.DONE if worked else Steps.FAILED
    with transaction.atomic():
        held = lock_request(scope, request.pk)
        if held.state not in (State.APPROVED, State.IN_PROGRESS):
            raise AccountRefused("Steps can be recorded while the request is being carried out.", code="not_running")
        current = RequestStep.objects.get(pk=step.pk)
        if (current.state, current.done_on, current.note) == (wanted, on, note):
            return current
        if current.state == Steps.WAITING:
            raise AccountRefused("The steps before it come first.", code="waiting")
        if held.state == State.APPROVED:
            AccessRequest.objects.filter(pk=held.pk).update(state=State.IN_PROGRESS, version=F("version") + 1)
        RequestStep.objects.filter(pk=step.pk).update(
            state=wanted, done_on=on, done_at=at, done_by=scope.actor.label, note=note
        )
        open_steps([held.pk], on=on, at=at)
        record(
            chain=scope.organization.key,
            action="request.step-done" if worked else "request.step-failed",
            actor=scope.actor,
            subject=Ref(held.key, current.title),
            at=at,
            payload={"step": current.key_in_list, "on": on.isoformat(), "note": note},
        )
    step.refresh_from_db()
    return step


def open_steps(request_ids: Iterable[int], *, on: date, at: datetime) -> None:
    """Open the steps whose turn it is, with the day by which they are through; their dates follow.

    A step's turn comes when all before it are through, those that belong together at once. What mends another step is
    asked for only when that failed, or its day has passed.
    """
    today = day_in(at, EASTERN)
    by_request: dict[int, list[RequestStep]] = {}
    for step in RequestStep.objects.filter(request__in=list(request_ids)).order_by("request", "position"):
        by_request.setdefault(step.request_id, []).append(step)
    changed: list[RequestStep] = []
    for steps in by_request.values():
        changed += _opened(steps, on, today)
    RequestStep.objects.bulk_update(changed, ["state", "started_on", "due_on"], batch_size=500)
    follow_dates(by_request, at)


def _opened(steps: Sequence[RequestStep], on: date, today: date) -> list[RequestStep]:
    """Return the waiting steps of one request that open now, changed but not saved."""
    done = {step.key_in_list: step.done_on for step in steps if step.state in _THROUGH}
    opened = []
    through = True
    group = ""
    for step in steps:
        if step.cure_for:
            if step.state == Steps.WAITING and _is_needed(step, steps, today):
                opened.append(_open(step, today))
            continue
        if step.state == Steps.WAITING and (through or (group and step.together == group)):
            opened.append(_open(step, done.get(step.after) or on))
        if through and step.state not in _THROUGH:
            through, group = False, step.together
        elif not through and step.together != group:
            group = ""
    return opened


def _open(step: RequestStep, since: date) -> RequestStep:
    step.state = Steps.OPEN
    step.started_on = since
    step.due_on = step_due(since, duration=step.duration, unit=step.unit, actor=step.actor)
    return step


def _is_needed(cure: RequestStep, steps: Sequence[RequestStep], today: date) -> bool:
    """Return whether what a step mends failed, or is still open after its day."""
    meant = [step for step in steps if cure.cure_for in (step.key_in_list, step.together) and step.pk != cure.pk]
    return any(
        step.state == Steps.FAILED or (step.state == Steps.OPEN and step.due_on is not None and step.due_on < today)
        for step in meant
    )
