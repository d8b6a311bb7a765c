"""Steps of a request as they are carried out: which is next, what came of it, and by when."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import F

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, RequestStep
from accounts.policy.requesting import State
from accounts.policy.step_order import Stand, arrange, tried_again
from accounts.services.logins import EARLIEST
from accounts.services.requests.acts import lock_request
from accounts.services.requests.dates import follow_dates
from accounts.services.requests.handing import hand_turns
from accounts.services.requests.pairs import follow_pairs
from accounts.services.requests.rights import authorize_step, carries_own_removal
from audit.bulk import among
from audit.services import Ref, record
from facilities.access import Scope
from systems.policy import EASTERN, day_in, latest_day

Steps = RequestStep.State


def record_outcome(
    *, scope: Scope, step: RequestStep, worked: bool, on: date, note: str = "", at: datetime
) -> RequestStep:
    """Record what came of a step; the next ones open. The same outcome again changes nothing.

    A failed step says why and opens what mends it; that done, it is tried again. A step that was recorded by mistake
    is recorded anew, and the dates of what follows with it. Raises NotAllowed, and AccountRefused for our own decision,
    a step that waits or is not needed, a day ahead, and a failure without reason.
    """
    request = step.request
    authorize_step(scope, request, step.actor)
    note = note.strip()
    if step.actor == RequestStep.Actor.APPROVER:
        raise AccountRefused("This step is the decision here; it is made at the top of the page.", code="decision")
    if on > latest_day(at):
        raise AccountRefused("A step cannot have been done in the future.", field="on")
    if on < EARLIEST:
        raise AccountRefused("That day is before any of these systems existed.", field="on")
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
        _refuse_out_of_turn(current)
        if held.state == State.APPROVED:
            AccessRequest.objects.filter(pk=held.pk).update(state=State.IN_PROGRESS, version=F("version") + 1)
        RequestStep.objects.filter(pk=step.pk).update(
            state=wanted, done_on=on, done_at=at, done_by=scope.actor.label, note=note
        )
        if worked and current.cure_for:
            _mend(current)
        open_steps([held.pk], on=on, at=at, scope=scope)
        follow_pairs(at=at, requests=[held.pk])
        record(
            chain=scope.organization.key,
            action="request.step-done" if worked else "request.step-failed",
            actor=scope.actor,
            subject=Ref(held.key, current.title),
            at=at,
            payload={"step": current.key_in_list, "on": on.isoformat(), "note": note}
            | ({"own_removal": True} if carries_own_removal(scope, request) else {}),
        )
    step.refresh_from_db()
    return step


def _refuse_out_of_turn(step: RequestStep) -> None:
    if step.state == Steps.SKIPPED:
        raise AccountRefused("This step is not needed any more.", code="not_needed")
    if step.state != Steps.WAITING:
        return
    if step.cure_for:
        raise AccountRefused("This is done only where another step did not work or is late.", code="waiting")
    raise AccountRefused("The steps before it come first.", code="waiting")


def open_steps(request_ids: Iterable[int], *, on: date, at: datetime, scope: Scope | None = None) -> None:
    """Let the steps of requests stand as `arrange` says, with the day by which they are through; their dates follow.

    ``on``: the day from which a first step counts. ``scope``: who acts; whose turn it is now hears of it.
    """
    by_request: dict[int, list[RequestStep]] = {}
    for step in RequestStep.objects.filter(request__in=among(request_ids)).order_by("request", "position", "pk"):
        by_request.setdefault(step.request_id, []).append(step)
    today = day_in(at, EASTERN)
    changed: list[RequestStep] = []
    was_open = {step.pk for steps in by_request.values() for step in steps if step.state == Steps.OPEN}
    for steps in by_request.values():
        arranged = arrange([stand_of(step) for step in steps], on=on, today=today)
        changed += [step for step, stand in zip(steps, arranged, strict=True) if _take_over(step, stand)]
    fields = ["state", "started_on", "due_on", "done_on", "done_at"]
    RequestStep.objects.bulk_update(changed, fields, batch_size=500)
    follow_dates(by_request, at)
    hand_turns([step for step in changed if step.state == Steps.OPEN and step.pk not in was_open], scope=scope, at=at)


def stand_of(step: RequestStep) -> Stand:
    """Return a step as the plain values of `accounts.policy.step_order`."""
    return Stand(
        step.key_in_list,
        actor=step.actor,
        duration=step.duration,
        unit=step.unit,
        after=step.after,
        together=step.together,
        cure_for=step.cure_for,
        takes=step.takes,
        state=step.state,
        started_on=step.started_on,
        due_on=step.due_on,
        done_on=step.done_on,
    )


def _take_over(step: RequestStep, stand: Stand) -> bool:
    """Change a step to how it stands; return whether that changed anything."""
    if stand == stand_of(step):
        return False
    step.state, step.started_on, step.due_on, step.done_on = stand.state, stand.started_on, stand.due_on, stand.done_on
    step.done_at = step.done_at if stand.done_on else None
    return True


def _mend(step: RequestStep) -> None:
    """Let what failed and is mended by a step wait for its turn again."""
    steps = list(RequestStep.objects.filter(request=step.request_id).order_by("position", "pk"))
    again = tried_again([stand_of(each) for each in steps], step.key_in_list)
    keys = [each.pk for each, stand in zip(steps, again, strict=True) if stand.state != each.state]
    RequestStep.objects.filter(pk__in=keys).update(state=Steps.WAITING, done_on=None, done_at=None)
