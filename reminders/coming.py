"""Who will be told of a date or a finding, and on which day: asked of the ladders and statements that plan it.

What is written here are only the days on which they are asked; on each, `reminders.holding`, `reminders.concerned` and
`reminders.found` say who hears. They go by what is known today: a login or a new administrator changes the answer.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef

from accounts.models import Deadline, Finding
from audit.bulk import among
from facilities.models import Membership, Organization
from facilities.models.tenancy import Role
from reminders.concerned import columns_of, concerned
from reminders.found import CYCLES, STEPS
from reminders.found import heard as heard_of_findings
from reminders.holding import holding
from reminders.ladder import Audience, Ladder
from reminders.leaving import LEFT
from reminders.models import Digest, Reminder
from reminders.rungs import ladders_of, subject_of
from reminders.zones import local_time
from staff.models import Person
from systems.policy import day_in

# A row of ``asked`` is one deadline on one day; its number stands for both and is the ``id`` of what follows. What is
# planned already and waits for its recipient's morning is still to come.
_COMING: Final = """
WITH asked (number, deadline_id, today, step, first, holder, approver, facility, organization) AS (VALUES {asked}
), stepped AS (
    SELECT k.number AS id, d.id AS deadline_id, d.organization_id, d.cycle, d.account_id, {person} AS person_id,
           {place} AS facility_id, {system} AS system_id, {deciding} AS deciding_id, {shared} AS shared, 0 AS climb,
           k.today, k.step, k.first, k.holder, k.approver, k.facility, k.organization
      FROM asked k JOIN accounts_deadline d ON d.id = k.deadline_id {joined}
     WHERE d.closed_at IS NULL AND NOT d.muted AND {running}
), reached AS MATERIALIZED (
    SELECT s.*, {left} AS has_left FROM stepped s
), {heard}
SELECT min(r.id), p.id, p.first_name, p.last_name, r.person_id = p.id,
       EXISTS (SELECT 1 FROM facilities_membership m WHERE m.user_id = p.user_id
                  AND m.organization_id = r.organization_id AND m.role = 'administrator' AND m.ended_at IS NULL),
       max(CASE WHEN {approves} THEN 1 ELSE 0 END)
  FROM heard h JOIN reached r ON r.id = h.id JOIN staff_person p ON p.id = h.recipient_id
 WHERE NOT EXISTS (SELECT 1 FROM reminders_reminder x WHERE x.deadline_id = r.deadline_id AND x.cycle = r.cycle
                      AND x.step = r.step AND x.recipient_id = p.id AND x.state <> 'planned')
 GROUP BY r.deadline_id, r.step, r.organization_id, r.person_id, p.id, p.first_name, p.last_name, p.user_id
 ORDER BY p.last_name, p.first_name, p.id
"""
_APPROVES: Final = "EXISTS (SELECT 1 FROM approvers v WHERE v.id = r.id AND v.person_id = p.id)"
_AUDIENCES: Final = (Audience.HOLDER, Audience.APPROVER, Audience.FACILITY, Audience.ORGANIZATION)


@dataclass(frozen=True, slots=True)
class Hearer:
    """Somebody who will read of it.

    ``owner``: whom it is about; ``administers``: somewhere in the organization; ``approves``: decides on CMS's side.
    """

    person: int
    name: str
    owner: bool = False
    administers: bool = False
    approves: bool = False


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
    """Return the days on which each deadline will be told of, and to whom.

    ``deadlines``: open ones, read with policy and account, of organizations that have started. One query for those of
    accounts, and one more where one has no policy; two for each other kind of subject; one where somebody is to be told
    today. What climbs no ladder has no day.
    """
    running = [each for each in deadlines if not each.muted]
    ladders = ladders_of(running)
    by_subject: dict[str, list[Deadline]] = defaultdict(list)
    for each in running:
        if each.pk in ladders:
            by_subject[subject_of(each)].append(each)
    found: Coming = {}
    for subject, these in by_subject.items():
        days = [(each, on, step) for each in these for on, step in _days(each, ladders[each.pk], at)]
        found |= _told(subject, days, ladders)
    today = {each.pk: day_in(at, each.zone) for each in running}
    return _behind_todays_mail(found, today)


def _behind_todays_mail(found: Coming, today: Mapping[int, date]) -> Coming:
    """Return the days with those moved to tomorrow who have had their one mail of today. One query at most."""
    now = [(key, each) for key, days in found.items() for each in days if each.on == today[key]]
    if not now:
        return found
    named = {hearer.person for _, each in now for hearer in each.people}
    mails = Digest.objects.filter(person__in=among(named), local_on__in={each.on for _, each in now})
    had = set(mails.values_list("person_id", "local_on"))
    for key, first in now:
        late = tuple(each for each in first.people if (each.person, first.on) in had)
        if late:
            days = {each.on: each.people for each in found[key]}
            days[first.on] = tuple(each for each in first.people if each not in late)
            then = first.on + timedelta(days=1)
            known = days.get(then, ())
            heard = {each.person for each in known}
            days[then] = (*known, *(each for each in late if each.person not in heard))
            found[key] = [Telling(on, people) for on, people in sorted(days.items()) if people]
    return found


def _days(deadline: Deadline, ladder: Ladder, at: datetime) -> Iterator[tuple[date, int]]:
    """Yield every day from today to the last step with its step: on each somebody may begin or cease to hear.

    Of a daily part that has begun only today.
    """
    today, day = day_in(at, deadline.zone), deadline.target_on or deadline.due_on
    for number in range(max((ladder.last_on(deadline.due_on) - today).days, 0) + 1):
        on = today + timedelta(days=number)
        step = ladder.step_on(on, day=day, due_on=deadline.due_on)
        if step is not None:
            yield on, step


def _told(subject: str, days: Sequence[tuple[Deadline, date, int]], ladders: Mapping[int, Ladder]) -> Coming:
    if not days:
        return {}
    own, names = subject == "account", {"rows": "reached", "today": "r.today"}
    sql = _COMING.format(
        asked=", ".join(
            _row(number, deadline.pk, on, step, ladders[deadline.pk])
            for number, (deadline, on, step) in enumerate(days)
        ),
        heard=holding(**names) if own else concerned(subject, **names),
        approves="1 = 0" if own else _APPROVES,
        left=LEFT.format(who="s.person_id", today="s.today"),
        **columns_of(subject),
    )
    told: dict[tuple[int, date], list[Hearer]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(sql)
        for number, person, first, last, owner, administers, approves in cursor.fetchall():
            deadline, on, _ = days[number]
            hearer = Hearer(person, f"{first} {last}".strip(), bool(owner), bool(administers), bool(approves))
            told[deadline.pk, on].append(hearer)
    found: Coming = defaultdict(list)
    for (key, on), people in sorted(told.items(), key=lambda item: item[0]):
        found[key].append(Telling(on, tuple(people)))
    return found


def _row(number: int, key: int, on: date, step: int, ladder: Ladder) -> str:
    """Return a row of ``asked``; numbers and days of ours, nothing that was typed."""
    literal = f"DATE '{on.isoformat()}'" if connection.vendor == "postgresql" else f"'{on.isoformat()}'"
    joins = ", ".join(str(ladder.joins(each)) for each in _AUDIENCES)
    return f"({number}, {int(key)}, {literal}, {step}, {ladder.first}, {joins})"


def coming_for_finding(finding: Finding, at: datetime) -> list[Telling]:
    """Return the days on which an open finding will be told of, and to whom.

    ``finding`` is read with its organization, which has started, and its account. At most six queries: one per day,
    one of what waits already, one of names and one of today's mails.
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
    named = _named(finding, heard)
    return _behind_todays_mail({finding.pk: named}, {finding.pk: today})[finding.pk]


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
