"""Who was sent a mail about a date or a finding, and who will be, on which day."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import F

from accounts.models import Deadline, Finding
from accounts.words import count_noun, listed
from accounts.words import day_in as in_words
from reminders.coming import Hearer, Telling, coming_for_deadlines, coming_for_finding, started
from reminders.found import CYCLES
from reminders.models import Reminder
from systems.policy import EASTERN, day_in

Told = dict[int, list[dict[str, Any]]]  # key of the subject -> who, at
Coming = dict[str, Any]  # as `components/why_coming.html` prints it: days [{on, who}], or none (a sentence)
_NAMED: Final = 6  # of one day; with more administrators than that the others are counted
_NOT_STARTED: Final = "Nobody: reminders have not been started."


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


def will_be_told_of_deadlines(deadlines: Sequence[Deadline], at: datetime) -> dict[int, Coming]:
    """Return by key who will be told of each open deadline of accounts of one organization, in words.

    Read them with policy, account and organization. One query, two where one has no policy.
    """
    running = [each for each in deadlines if started(each.organization, at)]
    found = coming_for_deadlines(running, at) if running else {}
    return {each.pk: _deadline(each, found.get(each.pk, []), at) for each in deadlines}


def _deadline(deadline: Deadline, days: Sequence[Telling], at: datetime) -> Coming:
    if deadline.muted:
        return {"none": "Nobody: the system has closed there, so its dates are quiet."}
    if not started(deadline.organization, at):
        return {"none": _NOT_STARTED}
    return _words(days, at, "Nobody: no further day is left on which somebody hears of it.")


def will_be_told_of_finding(finding: Finding, at: datetime) -> Coming:
    """Return who will be told of an open finding, in words; read it with organization, account and deadline.

    A date that has passed has mails of its own; a finding of low severity only stands here.
    """
    if finding.deadline is not None:
        return will_be_told_of_deadlines([finding.deadline], at)[finding.deadline.pk]
    if not started(finding.organization, at):
        return {"none": _NOT_STARTED}
    if finding.severity not in CYCLES:
        return {"none": "Nobody: of what is less than medium no mails go out."}
    return _words(coming_for_finding(finding, at), at, "Nobody: everybody who hears of it was told.")


def _words(days: Sequence[Telling], at: datetime, nobody: str) -> Coming:
    if not days:
        return {"none": nobody}
    today = day_in(at, EASTERN)
    return {"days": [{"on": in_words(each.on, today), "who": _names(each.people)} for each in days]}


def _names(people: Sequence[Hearer]) -> str:
    # Whom it is about stands first, then who is told because she looks after others.
    names = [_name(each) for each in sorted(people, key=lambda each: not each.owner)]
    rest = len(names) - _NAMED
    return listed([*names[:_NAMED], count_noun(rest, "other,others")] if rest > 0 else names)


def _name(hearer: Hearer) -> str:
    if hearer.owner:
        return hearer.name
    if hearer.approves:
        return f"{hearer.name} (approves there)"
    return f"{hearer.name} ({'administrator' if hearer.administers else 'stands in'})"
