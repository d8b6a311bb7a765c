"""Who will be told of a date or a finding, and on which day: asked of the ladders and statements that plan it.

What is written here are only the days on which they are asked; on each, `reminders.holding` and `reminders.found` say
who hears. They go by what is known today: a login, somebody who leaves or a new administrator changes the answer.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef

from accounts.models import Deadline, Finding
from facilities.models import Membership, Organization
from facilities.models.tenancy import Role
from reminders.deputies import HEARD as DEPUTIES
from reminders.found import CYCLES, STEPS
from reminders.found import heard as heard_of_findings
from reminders.holding import HEARD as HOLDING
from reminders.ladder import Audience, Ladder
from reminders.models import Reminder
from reminders.rungs import ladders_of
from reminders.zones import local_time
from staff.models import Person
from systems.policy import day_in

# What is planned already and waits for its recipient's morning is still to come. ``number`` counts the days from today,
# and travels in the column that planning uses for the ladder.
_COMING: Final = """
WITH asked (id, today, number, step, holder, facility, organization) AS (VALUES {asked}
), reached AS (
    SELECT d.id, d.organization_id, d.cycle, d.account_id, a.person_id, k.number AS climb, k.step, k.holder, k.facility,
           k.organization, k.today,
           EXISTS (SELECT 1 FROM staff_employment e WHERE e.person_id = a.person_id AND e.voided_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM staff_employment e WHERE e.person_id = a.person_id AND e.voided_at IS NULL
                              AND (e.valid_to IS NULL OR e.valid_to >= k.today)) AS has_left
      FROM asked k
      JOIN accounts_deadline d ON d.id = k.id
      JOIN accounts_portalaccount a ON a.id = d.account_id
     WHERE d.closed_at IS NULL AND NOT d.muted AND a.status <> 'removed'
), {heard}
SELECT h.id, min(h.climb), p.id, p.first_name, p.last_name, a.person_id = p.id,
       EXISTS (SELECT 1 FROM facilities_membership m WHERE m.user_id = p.user_id
                  AND m.organization_id = h.organization_id AND m.role = 'administrator' AND m.ended_at IS NULL)
  FROM heard h
  JOIN accounts_deadline d ON d.id = h.id
  JOIN accounts_portalaccount a ON a.id = d.account_id
  JOIN staff_person p ON p.id = h.recipient_id
 WHERE NOT EXISTS (SELECT 1 FROM reminders_reminder x WHERE x.deadline_id = h.id AND x.cycle = h.cycle
                      AND x.step = h.step AND x.recipient_id = h.recipient_id AND x.state <> 'planned')
 GROUP BY h.id, h.step, h.organization_id, a.person_id, p.id, p.first_name, p.last_name, p.user_id
 ORDER BY p.last_name, p.first_name, p.id
"""


@dataclass(frozen=True, slots=True)
class Hearer:
    """Somebody who will read of it. ``owner``: whom it is about; ``administers``: here or for the organization."""

    person: int
    name: str
    owner: bool = False
    administers: bool = False


@dataclass(frozen=True, slots=True)
class Telling:
    """One day on which people are told of something, unless it is settled before."""

    on: date
    people: tuple[Hearer, ...]


Coming = dict[int, list[Telling]]  # key of the subject -> days, soonest first


def started(organization: Organization, at: datetime) -> bool:
    """Return whether the organization's mails go out at all."""
    since = organization.reminders_started_at
    return since is not None and since <= at


def coming_for_deadlines(deadlines: Sequence[Deadline], at: datetime) -> Coming:
    """Return the days on which each account's deadline will be told of, and to whom.

    ``deadlines``: open ones of accounts, read with policy and account, of organizations that have started. One query,
    and one more where a deadline has no policy; what climbs no ladder has no day.
    """
    running = [each for each in deadlines if each.account_id is not None and not each.muted]
    ladders = ladders_of(running)
    today = {each.pk: day_in(at, each.zone) for each in running}
    asked = [row for each in running if each.pk in ladders for row in _rows(each, ladders[each.pk], today[each.pk])]
    if not asked:
        return {}
    told: dict[tuple[int, date], list[Hearer]] = defaultdict(list)
    sql = _COMING.format(
        asked=", ".join(asked),
        heard=HOLDING.format(today="r.today", deputies=DEPUTIES.format(rows="reached", today="r.today")),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        for deadline, number, person, first, last, owner, administers in cursor.fetchall():
            hearer = Hearer(person, f"{first} {last}".strip(), bool(owner), bool(administers))
            told[deadline, today[deadline] + timedelta(days=number)].append(hearer)
    found: Coming = defaultdict(list)
    for (deadline, on), people in sorted(told.items(), key=lambda item: item[0]):
        found[deadline].append(Telling(on, tuple(people)))
    return found


def _rows(deadline: Deadline, ladder: Ladder, today: date) -> Iterator[str]:
    """Yield a row of ``asked`` per day from today to the last step: on each somebody may begin or cease to hear.

    Of a daily part that has begun only today. Numbers and days of ours, nothing that was typed.
    """
    day = deadline.target_on or deadline.due_on
    joins = ", ".join(str(ladder.joins(each)) for each in (Audience.HOLDER, Audience.FACILITY, Audience.ORGANIZATION))
    for number in range(max((deadline.due_on - today).days + 1, 0) + 1):
        on = today + timedelta(days=number)
        step = ladder.step_on(on, day=day, due_on=deadline.due_on)
        if step is not None:
            literal = f"DATE '{on.isoformat()}'" if connection.vendor == "postgresql" else f"'{on.isoformat()}'"
            yield f"({int(deadline.pk)}, {literal}, {number}, {step}, {joins})"


def coming_for_finding(finding: Finding, at: datetime) -> list[Telling]:
    """Return the days on which an open finding will be told of, and to whom.

    ``finding`` is read with its organization, which has started, and its account. At most five queries: one per day,
    one of what waits already and one of names.
    """
    if finding.deadline_id is not None or finding.severity not in CYCLES:
        return []
    organization = finding.organization
    today = local_time(at, organization.zone).date()
    days = sorted({today, *(finding.opened_on - timedelta(days=step) for step in STEPS)})
    heard: dict[date, set[int]] = {today: _waiting(finding)}
    with connection.cursor() as cursor:
        for on in days:
            if on >= today:
                statement = heard_of_findings(on, started=f"o.id = %s AND f.id = {int(finding.pk)}")
                cursor.execute(statement, [organization.pk, organization.zone])
                heard[on] = heard.get(on, set()) | {recipient for *_, recipient in cursor.fetchall()}
    return _named(finding, heard)


def _waiting(finding: Finding) -> set[int]:
    rows = Reminder.objects.filter(finding=finding, state=Reminder.State.PLANNED, cycle=CYCLES[finding.severity])
    return set(rows.values_list("recipient_id", flat=True))


def _named(finding: Finding, heard: dict[date, set[int]]) -> list[Telling]:
    office = Membership.objects.open().filter(
        user=OuterRef("user"), organization=OuterRef("organization"), role=Role.ADMINISTRATOR
    )
    keys = {person for people in heard.values() for person in people}
    rows = Person.objects.filter(pk__in=keys).annotate(administers=Exists(office))
    whose = finding.person_id or (finding.account.person_id if finding.account else None)
    names = [
        Hearer(person.pk, str(person), person.pk == whose, person.administers)
        for person in rows.order_by("last_name", "first_name", "pk")
    ]
    found = [
        Telling(on, tuple(each for each in names if each.person in people)) for on, people in sorted(heard.items())
    ]
    return [each for each in found if each.people]
