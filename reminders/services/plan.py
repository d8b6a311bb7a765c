"""Plan reminders set-wise: what is heard now goes through a temporary table into the ledger; no loop over rows.

A deadline has one latest due step. Where its reminder is missing it is planned, and only for what is planned just
now the steps behind it are recorded as skipped. So a later run of the day meets each deadline once, sees that its
reminder is there, and writes nothing.

No rule is written in SQL: `reminders.ladder` says its steps, which stand in the statement as days.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from accounts.models import Deadline
from accounts.services.lapses import days_by_zone
from audit.services import Ref, record_digest
from reminders.models import Reminder
from reminders.rungs import Climb, climbs
from reminders.services.due import begin, hear

SWEEP: Final = Ref("system:reminders", "reminder sweep")
RULE: Final = Ref("rule:ladder", "Steps of the ladder")

_INTO_LEDGER: Final = """
INSERT INTO reminders_reminder (organization_id, deadline_id, cycle, step, recipient_id, state, planned_at)
{rows}
    ON CONFLICT (deadline_id, cycle, step, recipient_id) WHERE deadline_id IS NOT NULL DO NOTHING
"""
_PLANNED: Final = _INTO_LEDGER.format(
    rows="SELECT organization_id, deadline_id, cycle, step, recipient_id, 'planned', {instant}"
    " FROM reminders_heard WHERE true"
)
_SKIPPED: Final = _INTO_LEDGER.format(
    rows="WITH behind (climb, step) AS (VALUES {behind})"
    " SELECT h.organization_id, h.deadline_id, h.cycle, b.step, h.recipient_id, 'skipped', {instant}"
    " FROM reminders_heard h JOIN behind b ON b.climb = h.climb AND b.step > h.step AND b.step <= h.joins WHERE true"
)


def plan_due(*, at: datetime) -> int:
    """Plan the reminders that are due at an instant and not there yet. Returns how many; safe to repeat.

    Only for organizations that have started reminders. Recorded with one audit event per organization.
    """
    planned = 0
    with transaction.atomic(), connection.cursor() as cursor:
        newest = newest_reminder()
        groups = climbs()
        begin(cursor)
        for zone, on in days_by_zone(at).items():
            # A statement for each, not COALESCE: each is a range on a partial index of open deadlines.
            days = ["due_on"]
            if Deadline.objects.open().filter(zone=zone, target_on__isnull=False).exists():
                days.append("target_on")
            planned += sum(_plan(cursor, group, days, zone, on, at) for group in groups)
        if planned:
            record_planned(newest, rule=RULE, at=at)
    return planned


def newest_reminder() -> int:
    """Return the key of the newest reminder, 0 where there is none."""
    return Reminder.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def record_planned(newest: int, *, rule: Ref, at: datetime) -> None:
    """Record what has been planned since ``newest`` was the newest reminder, with one event per organization."""
    rows = Reminder.objects.filter(pk__gt=newest, state=Reminder.State.PLANNED).annotate(
        chain=Concat(Value("organization:"), Cast("organization_id", CharField())),
        subject_key=Concat(Value("reminder:"), Cast("pk", CharField())),
    )
    record_digest(action="reminders.planned", actor=SWEEP, subject=rule, at=at, rows=rows)


def would_hear(*, organization: int, at: datetime) -> list[tuple[int, int]]:
    """Return (person, deadline) of what hangs on anything but accounts and would be planned if reminders started."""
    found: list[tuple[int, int]] = []
    with transaction.atomic(), connection.cursor() as cursor:
        begin(cursor)
        for zone, on in days_by_zone(at).items():
            for group in climbs():
                if group[0].subject != "account":
                    hear(cursor, group, days=("due_on",), zone=zone, on=on, whose=f"o.id = {int(organization)}")
        cursor.execute("SELECT DISTINCT recipient_id, deadline_id FROM reminders_heard")
        found = cursor.fetchall()
        cursor.execute("DELETE FROM reminders_heard")
    return found


def would_be_told(*, organization: int, person: int, at: datetime) -> list[tuple[int, int, int]]:
    """Return (deadline, cycle, step) of what one person would be reminded of now, were reminders started.

    What is in the ledger already is left out, as `plan_due` leaves it out.
    """
    mine = f"o.id = {int(organization)}"
    with transaction.atomic(), connection.cursor() as cursor:
        begin(cursor)
        for zone, on in days_by_zone(at).items():
            for group in climbs():
                days = ("due_on", "target_on") if group[0].subject == "account" else ("due_on",)
                hear(cursor, group, days=days, zone=zone, on=on, whose=mine)
        cursor.execute(
            "SELECT DISTINCT deadline_id, cycle, step FROM reminders_heard WHERE recipient_id = %s", [person]
        )
        found: list[tuple[int, int, int]] = cursor.fetchall()
        cursor.execute("DELETE FROM reminders_heard")
    return found


def would_plan(*, organization: int, system: int, at: datetime) -> set[tuple[int, int, int]]:
    """Return (person, deadline, step) of what would be planned now about accounts on a system, were reminders started.

    What is in the ledger already is left out, as `plan_due` leaves it out.
    """
    found: set[tuple[int, int, int]] = set()
    mine = f"o.id = {int(organization)} AND a.system_id = {int(system)}"
    with transaction.atomic(), connection.cursor() as cursor:
        begin(cursor)
        for zone, on in days_by_zone(at).items():
            for group in climbs():
                if group[0].subject == "account":
                    hear(cursor, group, days=("due_on", "target_on"), zone=zone, on=on, whose=mine)
        cursor.execute("SELECT recipient_id, deadline_id, step FROM reminders_heard")
        found.update(cursor.fetchall())
        cursor.execute("DELETE FROM reminders_heard")
    return found


def _plan(cursor: Any, group: Sequence[Climb], days: Sequence[str], zone: str, on: date, at: datetime) -> int:
    now = connection.ops.adapt_datetimefield_value(at)
    started = "o.reminders_started_at <= %s"
    if not hear(cursor, group, days=days, zone=zone, on=on, whose=started, values=[now]):
        return 0
    instant = "CAST(%s AS timestamptz)" if connection.vendor == "postgresql" else "%s"
    cursor.execute(_PLANNED.format(instant=instant), [now])
    planned = cursor.rowcount
    behind = ", ".join(f"({number}, {step})" for number, climb in enumerate(group) for step in climb.ladder.behind)
    cursor.execute(_SKIPPED.format(instant=instant, behind=behind), [now])
    cursor.execute("DELETE FROM reminders_heard")
    return int(planned)
