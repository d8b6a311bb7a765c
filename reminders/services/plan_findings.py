"""Plan what is told of findings: one statement per zone of organizations. `reminders.found` says to whom and when.

Like everything planned it waits for its recipient's morning, and joins the mail about dates.
"""

from datetime import datetime
from typing import Final

from django.db import connection, transaction

from audit.services import Ref
from facilities.models import Organization
from reminders.found import heard
from reminders.services.plan import newest_reminder, record_planned
from reminders.zones import local_time

RULE: Final = Ref("rule:findings", "Steps of findings")
_PLANNED: Final = """
INSERT INTO reminders_reminder (organization_id, finding_id, cycle, step, recipient_id, state, planned_at)
SELECT t.organization_id, t.finding_id, t.cycle, t.step, t.recipient_id, 'planned', {instant}
  FROM ({heard}) t WHERE true
    ON CONFLICT (finding_id, cycle, step, recipient_id) WHERE finding_id IS NOT NULL DO NOTHING
"""


def plan_findings(*, at: datetime) -> int:
    """Plan what is to be told of findings at an instant and was not yet. Returns how many; safe to repeat.

    Only for organizations that have started reminders. Recorded with one audit event per organization.
    """
    now = connection.ops.adapt_datetimefield_value(at)
    instant = "CAST(%s AS timestamptz)" if connection.vendor == "postgresql" else "%s"
    planned = 0
    with transaction.atomic(), connection.cursor() as cursor:
        newest = newest_reminder()
        started = Organization.objects.filter(reminders_started_at__lte=at)
        for zone in started.order_by().values_list("zone", flat=True).distinct():
            statement = heard(local_time(at, zone).date(), started="o.reminders_started_at <= %s")
            cursor.execute(_PLANNED.format(instant=instant, heard=statement), [now, now, zone])
            planned += cursor.rowcount
        if planned:
            record_planned(newest, rule=RULE, at=at)
    return planned


def would_hear_of_findings(*, organization: Organization, at: datetime) -> list[tuple[int, int]]:
    """Return (person, finding) of what would be told at once if reminders started."""
    return [(recipient, finding) for finding, _, _, recipient in _would_be_told(organization, at)]


def would_be_told_of_findings(*, organization: Organization, person: int, at: datetime) -> list[tuple[int, int, int]]:
    """Return (finding, cycle, step) of what one person would be told at once if reminders started."""
    return [(finding, cycle, step) for finding, cycle, step, to in _would_be_told(organization, at) if to == person]


def _would_be_told(organization: Organization, at: datetime) -> list[tuple[int, int, int, int]]:
    statement = heard(local_time(at, organization.zone).date(), started="o.id = %s")
    with connection.cursor() as cursor:
        cursor.execute(statement, [organization.pk, organization.zone])
        return [row[1:] for row in cursor.fetchall()]
