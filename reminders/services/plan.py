"""Plan reminders: one INSERT..SELECT per audience over the open deadlines in reach; no loop over rows.

A deadline has one latest due step. Where its reminder is missing it is planned, and only from what was planned just
now the steps behind it are followed down and recorded as skipped. So a later run of the day meets each deadline
once, sees that its reminder is there, and writes nothing.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, QuerySet, Value
from django.db.models.fields import DateTimeField
from django.db.models.functions import Cast, Concat

from accounts.models import Deadline, PortalAccount
from accounts.services.lapses import days_by_zone
from audit.bulk import insert_from
from audit.services import Ref, record_digest
from reminders.audience import RECIPIENTS, has_left
from reminders.ladder import Audience
from reminders.models import Reminder
from reminders.rungs import Climb, climbs, latest_step, previous_step, reached

SWEEP: Final = Ref("system:reminders", "reminder sweep")
RULE: Final = Ref("rule:ladder", "Steps of the ladder")


def plan_due(*, at: datetime) -> int:
    """Plan the reminders that are due at an instant and not there yet. Returns how many; safe to repeat.

    Only for organizations that have started reminders. Recorded with one audit event per organization.
    """
    planned = 0
    with transaction.atomic():
        newest = _newest()
        for zone, on in days_by_zone(at).items():
            running = _running(zone, at)
            for group in climbs():
                # Two selects, not COALESCE: each is a range on a partial index of open deadlines.
                planned += _plan(running.filter(target_on=None), group, "due_on", on, at)
                planned += _plan(running.filter(target_on__isnull=False), group, "target_on", on, at)
        if planned:
            rows = Reminder.objects.filter(pk__gt=newest, state=Reminder.State.PLANNED).annotate(
                chain=Concat(Value("organization:"), Cast("organization_id", CharField())),
                subject_key=Concat(Value("reminder:"), Cast("pk", CharField())),
            )
            record_digest(action="reminders.planned", actor=SWEEP, subject=RULE, at=at, rows=rows)
    return planned


def _newest() -> int:
    return Reminder.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _running(zone: str, at: datetime) -> QuerySet[Deadline]:
    return (
        Deadline.objects.open()
        .filter(zone=zone, account__isnull=False, organization__reminders_started_at__lte=at)
        .exclude(account__status=PortalAccount.Status.REMOVED)
    )


def _plan(running: QuerySet[Deadline], group: Sequence[Climb], day: str, on: date, at: datetime) -> int:
    overdue = _overdue_daily(running, group, day, on)
    step = latest_step(group, day=day, on=on, overdue=overdue)
    there = Reminder.objects.filter(
        deadline=OuterRef("pk"), cycle=OuterRef("cycle"), step=OuterRef("rung"), recipient=OuterRef("heard")
    )
    planned = 0
    for audience in Audience:
        within = reached(group, day=day, audience=audience, on=on)
        if audience is Audience.FACILITY:  # what would have gone to somebody who left goes here, at every step
            leavers = reached(group, day=day, audience=Audience.HOLDER, on=on) & has_left(on, "account__person")
            within |= leavers
        recipients = RECIPIENTS[audience](running.filter(within), on)
        missing = recipients.annotate(rung=step).filter(~Exists(there)).order_by()
        newest = _newest()
        new = _insert(missing, F("pk"), F("heard"), F("rung"), Reminder.State.PLANNED, at)
        if new:
            _record_skipped(group, audience, newest, at)
        planned += new
    return planned


def _overdue_daily(running: QuerySet[Deadline], group: Sequence[Climb], day: str, on: date) -> list[date]:
    kinds = [kind for climb in group if climb.ladder.daily for kind in climb.kinds]
    if not kinds:
        return []
    passed = running.filter(kind__in=kinds, **{f"{day}__lt": on})
    return list(passed.order_by(day).values_list(day, flat=True).distinct())


def _record_skipped(group: Sequence[Climb], audience: Audience, newest: int, at: datetime) -> None:
    """Follow the steps behind what was just planned until each has its row; usually the first look finds it."""
    behind = previous_step(group, audience=audience, path="deadline__")
    while True:
        fresh = Reminder.objects.filter(pk__gt=newest).annotate(behind=behind).filter(behind__isnull=False)
        newest = _newest()
        if not _insert(fresh, F("deadline_id"), F("recipient_id"), F("behind"), Reminder.State.SKIPPED, at):
            return


def _insert(rows: "QuerySet[Any, Any]", deadline: F, recipient: F, step: F, state: str, at: datetime) -> int:
    return insert_from(
        Reminder,
        rows,
        {
            "organization": F("organization_id"),
            "deadline": deadline,
            "cycle": F("cycle"),
            "step": step,
            "recipient": recipient,
            "state": Value(str(state)),
            "planned_at": Value(at, output_field=DateTimeField()),
        },
        conflict=["deadline", "cycle", "step", "recipient"],
        where="deadline_id IS NOT NULL",
    )
