"""The deadlines of steps: one row for life per step, open while the step is and has a day."""

from collections.abc import Iterable
from datetime import date, datetime

from accounts.models import Deadline, RequestStep
from accounts.policy.requesting import ENDED
from accounts.services.requests.windows import Windows
from audit.bulk import among
from systems.policy import EASTERN, Due

_KIND = Deadline.Kind.REQUEST_STEP


def follow_dates(request_ids: Iterable[int], at: datetime) -> None:
    """Let the deadlines of requests' steps be as the steps are; a changed day is a new cycle. Five statements at most.

    A step within a window of the catalogue has a deadline of that kind, with its policy (R-57).
    """
    steps = list(RequestStep.objects.filter(request__in=among(request_ids)).select_related("request").order_by("pk"))
    stored = Deadline.objects.filter(request_step__in=among(step.pk for step in steps))
    known = {(row.request_step_id, row.kind): row for row in stored}
    windows = Windows(steps)
    new, moved = [], []
    for step in steps:
        due = step.due_on if step.state == RequestStep.State.OPEN and step.request.state not in ENDED else None
        window = windows.due(step.request.system_id, step.after, step.started_on or due) if due else None
        wanted = Deadline.Kind.WINDOW if window else _KIND
        for kind in (_KIND, Deadline.Kind.WINDOW):
            row, until = known.get((step.pk, kind)), due if kind == wanted else None
            if row is None and until is not None:
                new.append(_row(step, until, window))
            elif row is not None and _moved(row, step, until, at):
                moved.append(row)
    Deadline.objects.bulk_create(new, batch_size=500)
    fields = ["basis_on", "due_on", "cycle", "closed_at", "close_reason"]
    Deadline.objects.bulk_update(moved, fields, batch_size=500)


def _row(step: RequestStep, due: date, window: Due | None) -> Deadline:
    return Deadline(
        organization_id=step.organization_id,
        kind=Deadline.Kind.WINDOW if window else _KIND,
        subject_key=step.key,
        request_step=step,
        zone=EASTERN,
        basis_on=step.started_on or due,
        policy_id=window.version.policy_id if window else None,
        revision=window.version.revision if window else 0,
        due_on=due,
    )


def _moved(row: Deadline, step: RequestStep, due: date | None, at: datetime) -> bool:
    """Change an existing deadline to what its step says; return whether that changed anything."""
    if due is None:
        if row.closed_at is not None:
            return False
        row.closed_at, row.close_reason = at, step.state
        return True
    if row.closed_at is None and row.due_on == due:
        return False
    row.cycle += 1
    row.basis_on, row.due_on, row.closed_at, row.close_reason = step.started_on or due, due, None, ""
    return True
