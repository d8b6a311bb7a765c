"""What the passing of a day opens by itself: what to do when a step is late."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts.models import AccessRequest, RequestStep
from accounts.policy.requesting import State
from accounts.services.requests.carrying import open_steps
from accounts.services.requests.pairs import follow_pairs
from audit.bulk import among
from systems.policy import EASTERN, day_in

_RUNNING: Final = [State.APPROVED.value, State.IN_PROGRESS.value]
_CLOSED: Final = [RequestStep.State.WAITING, RequestStep.State.SKIPPED, RequestStep.State.DONE]
_AT_ONCE: Final = 500


def open_cures(*, at: datetime) -> int:
    """Open what mends steps whose day has passed. Returns in how many requests; safe to repeat."""
    on = day_in(at, EASTERN)
    cures = RequestStep.objects.filter(
        Q(cure_for=OuterRef("key_in_list")) | Q(cure_for=OuterRef("together")),
        request=OuterRef("request"),
        state__in=_CLOSED,
    ).exclude(cure_for="")
    late = RequestStep.objects.filter(state=RequestStep.State.OPEN, due_on__lt=on, request__state__in=_RUNNING)
    keys = sorted(set(late.filter(Exists(cures), cure_for="").values_list("request_id", flat=True)))
    for start in range(0, len(keys), _AT_ONCE):
        these = keys[start : start + _AT_ONCE]
        with transaction.atomic():
            held = AccessRequest.objects.filter(pk__in=among(these), state__in=_RUNNING).order_by("pk")
            open_steps([row.pk for row in held.select_for_update()], on=on, at=at)
    return len(keys)


def late_halves(*, at: datetime) -> tuple[int, int]:
    """Open and close what is wrong where only one of two e-mails came. Returns how many; safe to repeat."""
    with transaction.atomic():
        return follow_pairs(at=at)
