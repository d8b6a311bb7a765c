"""Who would get what in the first mail: asked of the same ladders and audiences that plan it, nothing is written."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import Deadline, PortalAccount
from accounts.services.lapses import days_by_zone
from audit.bulk import among
from facilities.models import Organization
from reminders.audience import RECIPIENTS, administrators_of_leavers, has_left
from reminders.deputies import deputies
from reminders.ladder import Audience
from reminders.rungs import climbs, reached
from reminders.services.plan import would_hear
from reminders.services.plan_findings import would_hear_of_findings
from staff.models import Person


@dataclass(frozen=True, slots=True)
class FirstMail:
    """``people`` (first the fullest mail) with the numbers of dates and of findings each would read about.

    ``unreachable`` counts the people who hold something that is due, but have no address.
    """

    people: list[tuple[Person, int, int]]
    unreachable: int


def first_mail(*, organization: Organization, at: datetime) -> FirstMail:
    """Return what the first digests would hold if reminders started at ``at``.

    As many queries as there are ladders, audiences and zones, whatever is stored.
    """
    heard: dict[int, set[int]] = defaultdict(set)
    near: set[int] = set()
    for zone, on in days_by_zone(at).items():
        running = _running(organization).filter(zone=zone)
        for group in [these for these in climbs() if these[0].subject == "account"]:
            for day, rows in (
                ("due_on", running.filter(target_on=None)),
                ("target_on", running.filter(target_on__isnull=False)),
            ):
                for audience in RECIPIENTS:
                    within = rows.filter(reached(group, day=day, audience=audience, on=on))
                    for person_id, deadline_id in _heard(RECIPIENTS[audience](within, on)):
                        heard[person_id].add(deadline_id)
                holders = rows.filter(reached(group, day=day, audience=Audience.HOLDER, on=on))
                for person_id, deadline_id in _heard(administrators_of_leavers(holders, on)):
                    heard[person_id].add(deadline_id)
                third = rows.filter(reached(group, day=day, audience=Audience.FACILITY, on=on))
                staying = ~has_left(on, "account__person")
                for within, away in ((holders, True), (third, False)):
                    standing_in = deputies(within.filter(staying), on, away=away).exclude(has_left(on, "heard"))
                    for person_id, deadline_id in _heard(standing_in):
                        heard[person_id].add(deadline_id)
                silent = holders.filter(account__person__email="").exclude(has_left(on, "account__person"))
                near.update(silent.values_list("account__person_id", flat=True))
    for person_id, deadline_id in would_hear(organization=organization.pk, at=at):
        heard[person_id].add(deadline_id)
    wrong = Counter(person_id for person_id, _ in would_hear_of_findings(organization=organization, at=at))
    found = Person.objects.filter(pk__in=among({*heard, *wrong})).order_by("last_name", "first_name", "pk")
    people = [(person, len(heard.get(person.pk, ())), wrong[person.pk]) for person in found]
    return FirstMail(sorted(people, key=lambda row: -(row[1] + row[2])), len(near))


def _heard(recipients: "QuerySet[Any, Any]") -> "QuerySet[Any, Any]":
    """Return (person, deadline) keys; ``heard`` is annotated by the audience."""
    return recipients.values_list("heard", "pk")


def _running(organization: Organization) -> QuerySet[Deadline]:
    running = Deadline.objects.open().filter(organization=organization, account__isnull=False, muted=False)
    return running.exclude(account__status=PortalAccount.Status.REMOVED)
