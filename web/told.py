"""Who was sent a mail about a date or a finding, and when."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import F

from accounts.models import Deadline, Finding
from reminders.models import Reminder

Told = dict[int, list[dict[str, Any]]]  # key of the subject -> who, at


def told_of_deadlines(deadlines: Sequence[Deadline]) -> Told:
    """Return who was sent what each deadline's present cycle says, oldest first. One query."""
    return _told("deadline", Reminder.objects.filter(deadline__in=deadlines, cycle=F("deadline__cycle")))


def told_of_findings(findings: Sequence[Finding]) -> Told:
    """Return who was sent what about each finding, oldest first. One query."""
    return _told("finding", Reminder.objects.filter(finding__in=findings))


def _told(subject: str, reminders: Any) -> Told:
    told: Told = defaultdict(list)
    sent = reminders.filter(digest__sent_at__isnull=False).select_related("recipient", "digest")
    for reminder in sent.order_by("digest__sent_at", "pk"):
        told[getattr(reminder, f"{subject}_id")].append({"who": str(reminder.recipient), "at": reminder.digest.sent_at})
    return told
