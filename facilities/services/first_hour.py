"""The steps of a facility's first hour that facts do not answer: set aside with a reason, and taken up again."""

from datetime import datetime

from django.db import transaction

from audit.secrets import found_secret
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.errors import FacilitiesError
from facilities.models import Facility, FirstHourMark


class StepRefused(FacilitiesError):
    """A step that cannot be set aside as asked."""


def mark_step(
    *, scope: Scope, facility: Facility, step: str, state: str, reason: str = "", at: datetime
) -> FirstHourMark:
    """Set one step of the facility's first hour aside; the same again writes nothing, another answer replaces it.

    Raises NotAllowed, and StepRefused for an unknown step or state, a missing reason or one that holds a secret.
    """
    authorize(scope, Action.LEAD_FIRST_HOUR, [facility.pk])
    reason = reason.strip()
    _check(scope, facility, step, state, reason)
    said = {"state": state, "reason": reason}
    with transaction.atomic():
        Facility.objects.select_for_update().get(pk=facility.pk)
        mark = FirstHourMark.objects.filter(facility=facility, step=step).first()
        if mark is not None and (mark.state, mark.reason) == (state, reason):
            return mark
        mark, _ = FirstHourMark.objects.update_or_create(
            organization=scope.organization,
            facility=facility,
            step=step,
            defaults=said | {"marked_by": scope.actor.label, "marked_at": at},
        )
        _record(scope, mark, "facility.step-set-aside", at)
    return mark


def unmark_step(*, scope: Scope, facility: Facility, step: str, at: datetime) -> bool:
    """Take a step up again. Returns False where it was not set aside. Raises NotAllowed."""
    authorize(scope, Action.LEAD_FIRST_HOUR, [facility.pk])
    with transaction.atomic():
        Facility.objects.select_for_update().get(pk=facility.pk)
        mark = (
            FirstHourMark.objects.filter(organization=scope.organization, facility=facility, step=step)
            .select_related("facility")
            .first()
        )
        if mark is None:
            return False
        FirstHourMark.objects.filter(pk=mark.pk).delete()
        _record(scope, mark, "facility.step-taken-up", at)
    return True


def _check(scope: Scope, facility: Facility, step: str, state: str, reason: str) -> None:
    if facility.organization_id != scope.organization.pk:
        raise StepRefused("This facility belongs to another organization.")
    if step not in FirstHourMark.Step.values:
        raise StepRefused("There is no such step.", field="step")
    if state not in FirstHourMark.State.values:
        raise StepRefused("Say whether it was done elsewhere or is not needed.", field="state")
    if state == FirstHourMark.State.NOT_NEEDED and not reason:
        raise StepRefused("Say in a few words why it is not needed here.", field="reason")
    if len(reason) > 300:
        raise StepRefused("Please say it in 300 characters or fewer.", field="reason")
    kind = found_secret(reason)
    if kind:
        raise StepRefused(f"This looks like {kind}, which is never kept here. Please write it without.", field="reason")


def _record(scope: Scope, mark: FirstHourMark, action: str, at: datetime) -> None:
    record(
        chain=scope.organization.key,
        action=action,
        actor=scope.actor,
        subject=Ref(mark.facility.key, mark.facility.label),
        at=at,
        reason=mark.reason,
        payload=mark.payload,
    )
