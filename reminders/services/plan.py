"""Plan reminders set-wise: what is heard now goes through a temporary table into the ledger; no loop over rows.

A deadline has one latest due step. Where its reminder is missing it is planned, and only for what is planned just
now the steps behind it are recorded as skipped. So a later run of the day meets each deadline once, sees that its
reminder is there, and writes nothing.

No rule is written in SQL: `reminders.ladder` says its steps, which stand in the statement as days.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from accounts.models import Deadline
from accounts.services.lapses import days_by_zone
from audit.services import Ref, record_digest
from reminders.concerned import HEARD, parts
from reminders.deputies import HEARD as DEPUTIES
from reminders.holding import HEARD as HOLDING
from reminders.ladder import Audience
from reminders.leaving import LEFT
from reminders.models import Reminder
from reminders.rungs import NOT_YET, Climb, begun, climbs, members_of, steps_of

SWEEP: Final = Ref("system:reminders", "reminder sweep")
RULE: Final = Ref("rule:ladder", "Steps of the ladder")

_TABLES: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS reminders_due ("
    " id bigint NOT NULL, organization_id bigint NOT NULL, cycle integer NOT NULL, account_id bigint NOT NULL,"
    " person_id bigint NOT NULL, climb integer NOT NULL, step smallint NOT NULL, holder integer NOT NULL,"
    " facility integer NOT NULL, organization integer NOT NULL, has_left boolean NOT NULL)",
    "CREATE TEMPORARY TABLE IF NOT EXISTS reminders_heard ("
    " deadline_id bigint NOT NULL, organization_id bigint NOT NULL, cycle integer NOT NULL, climb integer NOT NULL,"
    " step smallint NOT NULL, recipient_id bigint NOT NULL, joins integer NOT NULL)",
)
# What is due goes into a table of its own, and what is asked of its accounts and people is asked by key: joined with
# tables that hold ten times as many rows, PostgreSQL would read all of those. CASE over columns of a materialized part,
# as it would else be written out again wherever it is used.
_DUE: Final = """
INSERT INTO reminders_due
       (id, organization_id, cycle, account_id, person_id, climb, step, holder, facility, organization, has_left)
WITH running AS MATERIALIZED (
    SELECT d.id, d.organization_id, d.cycle, d.account_id, d.due_on, d.{day} AS day, {climb} AS climb,
           (SELECT a.person_id FROM accounts_portalaccount a WHERE a.id = d.account_id AND a.status <> 'removed')
           AS person_id
      FROM accounts_deadline d JOIN facilities_organization o ON o.id = d.organization_id {windows}
     WHERE d.closed_at IS NULL AND NOT d.muted AND d.zone = %s AND d.{day} <= %s AND d.target_on IS {target}
       AND {started} AND ({begun})
), stepped AS MATERIALIZED (
    SELECT w.*, {step} AS step, {holder} AS holder, {facility} AS facility, {organization} AS organization
      FROM running w WHERE w.person_id IS NOT NULL
)
SELECT s.id, s.organization_id, s.cycle, s.account_id, s.person_id, s.climb, s.step, s.holder, s.facility,
       s.organization, {left}
  FROM stepped s WHERE s.step < {not_yet}
"""
_WINDOWS: Final = (
    "LEFT JOIN accounts_housewindow h ON h.organization_id = d.organization_id"
    " AND h.system_id = (SELECT a.system_id FROM accounts_portalaccount a WHERE a.id = d.account_id)"
)
_HEARD: Final = """
INSERT INTO reminders_heard (deadline_id, organization_id, cycle, climb, step, recipient_id, joins)
WITH {heard}
SELECT id, organization_id, cycle, climb, step, recipient_id, max(joins) FROM heard h
 WHERE NOT EXISTS (SELECT 1 FROM reminders_reminder x WHERE x.deadline_id = h.id AND x.cycle = h.cycle
                      AND x.step = h.step AND x.recipient_id = h.recipient_id)
 GROUP BY id, organization_id, cycle, climb, step, recipient_id
"""
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
        _begin(cursor)
        for zone, on in days_by_zone(at).items():
            # A statement for each, not COALESCE: each is a range on a partial index of open deadlines.
            days = ["due_on"]
            if Deadline.objects.open().filter(zone=zone, target_on__isnull=False).exists():
                days.append("target_on")
            planned += sum(_plan(cursor, group, days, zone, on, at) for group in groups)
        if planned:
            record_planned(newest, rule=RULE, at=at)
    return planned


def _begin(cursor: Any) -> None:
    for statement in _TABLES:
        cursor.execute(statement)


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
        _begin(cursor)
        for zone, on in days_by_zone(at).items():
            for group in climbs():
                if group[0].subject != "account":
                    _hear(cursor, group, ["due_on"], zone, on, f"o.id = {int(organization)}", [])
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
        _begin(cursor)
        for zone, on in days_by_zone(at).items():
            for group in climbs():
                days = ("due_on", "target_on") if group[0].subject == "account" else ("due_on",)
                _hear(cursor, group, days, zone, on, mine, [])
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
    held = f"SELECT a.id FROM accounts_portalaccount a WHERE a.system_id = {int(system)}"  # noqa: S608
    mine = f"o.id = {int(organization)} AND d.account_id IN ({held})"
    with transaction.atomic(), connection.cursor() as cursor:
        _begin(cursor)
        for zone, on in days_by_zone(at).items():
            for group in climbs():
                if group[0].subject == "account":
                    _hear(cursor, group, ("due_on", "target_on"), zone, on, mine, [])
        cursor.execute("SELECT recipient_id, deadline_id, step FROM reminders_heard")
        found.update(cursor.fetchall())
        cursor.execute("DELETE FROM reminders_heard")
    return found


def _hear(
    cursor: Any, group: Sequence[Climb], days: Sequence[str], zone: str, on: date, whose: str, params: Sequence[Any]
) -> int:
    """Fill the table with who hears of what now and has no reminder of it; return how many rows.

    ``days``: the columns that steps are counted against; ``whose``: a condition on deadline ``d`` and organization
    ``o``, with its values.
    """
    far = connection.ops.adapt_datefield_value(on + timedelta(days=max(climb.ladder.first for climb in group)))
    values, today = [zone, far, *params], f"'{on.isoformat()}'"
    found = 0
    for day in days:
        cursor.execute(_reached(group, day, zone, on, whose), values)
        found += int(cursor.rowcount)
    if not found or group[0].subject != "account":
        return found
    rows = {"rows": "reminders_due", "today": today}
    cursor.execute(_HEARD.format(heard=HOLDING.format(deputies=DEPUTIES.format(**rows), **rows)))
    heard = int(cursor.rowcount)
    cursor.execute("DELETE FROM reminders_due")
    return heard


def _reached(group: Sequence[Climb], day: str, zone: str, on: date, whose: str) -> str:
    """Return the statement that finds what of a group has come to a step: into the table of what is due, or heard."""
    overdue = _overdue_daily(group, day, zone, on)
    subject, today = group[0].subject, f"'{on.isoformat()}'"
    windows = _WINDOWS if any(climb.windows_exist for climb in group) else ""
    account = {"windows": windows, "left": LEFT.format(who="s.person_id", today=today)}
    return (_DUE if subject == "account" else HEARD).format(
        day=day,
        target="NULL" if day == "due_on" else "NOT NULL",
        started=whose,
        not_yet=NOT_YET,
        begun=" OR ".join(begun(climb, day=day, on=on) for climb in group),
        climb=_case((members_of(climb), number) for number, climb in enumerate(group)),
        step=_case(
            (f"w.climb = {number} AND {days}", step)
            for number, climb in enumerate(group)
            for days, step in steps_of(climb.ladder, on=on, house_day=day == "target_on", overdue=overdue)
        ),
        first=_case((f"w.climb = {number}", climb.ladder.first) for number, climb in enumerate(group)),
        **{
            audience.value: _case(
                (f"w.climb = {number}", climb.ladder.joins(audience)) for number, climb in enumerate(group)
            )
            for audience in Audience
        },
        **(account if subject == "account" else parts(subject, today)),
    )


def _plan(cursor: Any, group: Sequence[Climb], days: Sequence[str], zone: str, on: date, at: datetime) -> int:
    now = connection.ops.adapt_datetimefield_value(at)
    if not _hear(cursor, group, days, zone, on, "o.reminders_started_at <= %s", [now]):
        return 0
    instant = "CAST(%s AS timestamptz)" if connection.vendor == "postgresql" else "%s"
    cursor.execute(_PLANNED.format(instant=instant), [now])
    planned = cursor.rowcount
    behind = ", ".join(f"({number}, {step})" for number, climb in enumerate(group) for step in climb.ladder.behind)
    cursor.execute(_SKIPPED.format(instant=instant, behind=behind), [now])
    cursor.execute("DELETE FROM reminders_heard")
    return int(planned)


def _overdue_daily(group: Sequence[Climb], day: str, zone: str, on: date) -> list[date]:
    """Return the passed days that occur among deadlines with a daily ladder: each is a step of its own."""
    kinds = [kind for climb in group if climb.ladder.daily for kind in climb.kinds]
    if not kinds:
        return []
    passed = Deadline.objects.open().filter(zone=zone, kind__in=kinds, **{f"{day}__lt": on})
    return list(passed.order_by(day).values_list(day, flat=True).distinct())


def _case(whens: Iterable[tuple[str, int]]) -> str:
    """Return a CASE of conditions and whole numbers, NULL where none holds; all made here, nothing typed by people."""
    return "CASE " + " ".join(f"WHEN {condition} THEN {number}" for condition, number in whens) + " END"
