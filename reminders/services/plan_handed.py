"""Take up what was handed over in requests: each once, whether or not anybody is left to tell.

What is planned here waits for its recipient's morning and joins the mail about dates. What was handed over before an
organization started its reminders is taken up and told to nobody: no flood on the first day. That who asked has left
waits until somebody is there to hear it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet

from accounts.models import HandOver
from audit.bulk import among
from audit.services import Ref
from facilities.models import Organization
from reminders.handed import READ_WITH, recipients, stands
from reminders.models import Reminder
from reminders.services.plan import newest_reminder, record_planned
from systems.policy import EASTERN, day_in

RULE: Final = Ref("rule:hand-overs", "Hand-overs of requests")
_AT_ONCE: Final = 500


def plan_handed(*, at: datetime) -> int:
    """Plan what is to be told of hand-overs up to an instant. Returns how many; a repeated run finds nothing.

    Recorded with one audit event per organization.
    """
    planned = 0
    with transaction.atomic():
        newest = newest_reminder()
        waiting = HandOver.objects.filter(taken_at=None, at__lte=at).order_by("at", "pk")
        # one batch after the other: who hears takes a few queries for all of a batch, and memory stays flat
        unheard: list[int] = []
        while keys := list(waiting.exclude(pk__in=among(unheard)).values_list("pk", flat=True)[:_AT_ONCE]):
            rows = list(_told().filter(pk__in=among(keys)).order_by("at", "pk"))
            made = _reminders(rows, at)
            heard = {row.hand_over_id for row in made}
            unheard += [row.pk for row in rows if row.what == HandOver.What.LEFT and row.pk not in heard]
            HandOver.objects.filter(pk__in=among(set(keys) - set(unheard))).update(taken_at=at)
            planned += len(Reminder.objects.bulk_create(made, batch_size=500))
        if planned:
            record_planned(newest, rule=RULE, at=at)
    return planned


def would_be_told_of_hand_overs(*, organization: Organization, person: int, at: datetime) -> list[int]:
    """Return the hand-overs of which one person would be told if a run took them up now."""
    rows = list(_told().filter(organization=organization, taken_at=None, at__lte=at).order_by("at", "pk"))
    return [row.pk for row, recipient in recipients(rows, day_in(at, EASTERN)) if recipient == person]


def _told() -> QuerySet[HandOver]:
    """Return what is told at all: what still holds, handed over since the organization started its reminders."""
    started = HandOver.objects.filter(organization__reminders_started_at__lte=F("at"))
    return started.filter(stands()).select_related(*READ_WITH)


def _reminders(rows: Sequence[HandOver], at: datetime) -> list[Reminder]:
    return [
        Reminder(
            organization_id=row.organization_id, hand_over=row, cycle=1, step=0, recipient_id=person, planned_at=at
        )
        for row, person in recipients(rows, day_in(at, EASTERN))
    ]
