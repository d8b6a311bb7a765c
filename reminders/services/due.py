"""What is due now, and who hears of it and has no reminder yet: found in temporary tables of this connection.

What is due is little beside all that is stored. So it is picked out first, with everything else looked up by its key,
and the further steps go on from there: what they cost hangs on what is due.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, Final

from django.db import connection

from accounts.models import Deadline
from reminders.concerned import columns_of, concerned
from reminders.holding import ADMINISTRATORS, THERE
from reminders.holding import HEARD as HOLDING
from reminders.ladder import Audience
from reminders.leaving import LEFT
from reminders.rungs import NOT_YET, Climb, begun, members_of, steps_of

_TABLES: Final = (
    "reminders_due (id bigint NOT NULL, organization_id bigint NOT NULL, cycle integer NOT NULL, account_id bigint,"
    " person_id bigint, facility_id bigint, system_id bigint, deciding_id bigint, shared integer NOT NULL,"
    " climb integer NOT NULL, step smallint NOT NULL, first integer NOT NULL, holder integer NOT NULL,"
    " approver integer NOT NULL, facility integer NOT NULL, organization integer NOT NULL, has_left boolean NOT NULL)",
    "reminders_there (id bigint NOT NULL, organization_id bigint NOT NULL, cycle integer NOT NULL,"
    " climb integer NOT NULL, step smallint NOT NULL, facility integer NOT NULL, facility_id bigint NOT NULL,"
    " today date NOT NULL)",
    "reminders_administrators (facility_id bigint NOT NULL, organization_id bigint NOT NULL, today date NOT NULL,"
    " person_id bigint NOT NULL)",
    "reminders_heard (deadline_id bigint NOT NULL, organization_id bigint NOT NULL, cycle integer NOT NULL,"
    " climb integer NOT NULL, step smallint NOT NULL, recipient_id bigint NOT NULL, joins integer NOT NULL)",
)
# CASE over columns of a materialized part: else it would be written out again wherever it is used.
_DUE: Final = """
INSERT INTO reminders_due
WITH running AS MATERIALIZED (
    SELECT d.id, d.organization_id, d.cycle, d.account_id, {person} AS person_id, {place} AS facility_id,
           {system} AS system_id, {deciding} AS deciding_id, {shared} AS shared, {climb} AS climb, d.due_on,
           d.{day} AS day
      FROM accounts_deadline d {joined} JOIN facilities_organization o ON o.id = d.organization_id {windows}
     WHERE d.closed_at IS NULL AND NOT d.muted AND d.account_id IS {account} AND d.zone = %s AND d.{day} <= %s
       AND d.target_on IS {target} AND {running} AND {whose} AND ({begun})
), stepped AS MATERIALIZED (
    SELECT w.*, {step} AS step FROM running w WHERE w.climb IS NOT NULL
)
SELECT w.id, w.organization_id, w.cycle, w.account_id, w.person_id, w.facility_id, w.system_id, w.deciding_id, w.shared,
       w.climb, w.step, {first}, {holder}, {approver}, {facility}, {organization}, {left}
  FROM stepped w WHERE w.step < {not_yet}
"""
_WINDOWS: Final = (
    "LEFT JOIN accounts_housewindow h ON h.organization_id = d.organization_id AND h.system_id = a.system_id"
)
_HEARD: Final = """
INSERT INTO reminders_heard (deadline_id, organization_id, cycle, climb, step, recipient_id, joins)
WITH {heard}
SELECT id, organization_id, cycle, climb, step, recipient_id, max(joins) FROM heard h
 WHERE NOT EXISTS (SELECT 1 FROM reminders_reminder x WHERE x.deadline_id = h.id AND x.cycle = h.cycle
                      AND x.step = h.step AND x.recipient_id = h.recipient_id)
 GROUP BY id, organization_id, cycle, climb, step, recipient_id
"""


def begin(cursor: Any) -> None:
    """Make the temporary tables, which are empty between two looks."""
    for table in _TABLES:
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table}")


def hear(
    cursor: Any,
    group: Sequence[Climb],
    *,
    days: Sequence[str],
    zone: str,
    on: date,
    whose: str,
    values: Sequence[Any] = (),
) -> int:
    """Add to ``reminders_heard`` who hears of what now and has no reminder of it; return how many rows.

    ``days``: the columns that steps are counted against; ``whose``: a condition on deadline ``d``, organization ``o``
    and where the group is about accounts account ``a``, with its values.
    """
    far = connection.ops.adapt_datefield_value(on + timedelta(days=max(climb.ladder.first for climb in group)))
    found = 0
    with _by_key(cursor):
        for day in days:
            cursor.execute(_due(group, day, zone, on, whose), [zone, far, *values])
            found += int(cursor.rowcount)
    if not found:
        return 0
    _count(cursor, "reminders_due")
    names = {"rows": "reminders_due", "today": f"'{on.isoformat()}'"}
    subject = group[0].subject
    heard = _of_accounts(cursor, names) if subject == "account" else concerned(subject, **names)
    cursor.execute(_HEARD.format(heard=heard))
    rows = int(cursor.rowcount)
    _empty(cursor, "reminders_due", "reminders_there", "reminders_administrators")
    return rows


def _of_accounts(cursor: Any, names: dict[str, str]) -> str:
    """Find who administers where the accounts of what is due give access; return who hears, for `_HEARD`."""
    names = names | {"there": "reminders_there", "administrators": "reminders_administrators"}
    with _by_key(cursor):
        cursor.execute("INSERT INTO reminders_there" + THERE.format(**names))
        cursor.execute("INSERT INTO reminders_administrators" + ADMINISTRATORS.format(**names))
    return f"heard AS ({HOLDING.format(**names)})"


def _due(group: Sequence[Climb], day: str, zone: str, on: date, whose: str) -> str:
    """Return the statement that picks out what of a group has come to a step."""
    overdue = _overdue_daily(group, day, zone, on)
    subject = group[0].subject
    return _DUE.format(
        day=day,
        account="NOT NULL" if subject == "account" else "NULL",
        target="NULL" if day == "due_on" else "NOT NULL",
        whose=whose,
        windows=_WINDOWS if any(climb.windows_exist for climb in group) else "",
        not_yet=NOT_YET,
        begun=" OR ".join(begun(climb, day=day, on=on) for climb in group),
        climb=_case((members_of(climb), number) for number, climb in enumerate(group)),
        step=_case(
            (f"w.climb = {number} AND {days}", step)
            for number, climb in enumerate(group)
            for days, step in steps_of(climb.ladder, on=on, house_day=day == "target_on", overdue=overdue)
        ),
        first=_case((f"w.climb = {number}", climb.ladder.first) for number, climb in enumerate(group)),
        left=LEFT.format(who="w.person_id", today=f"'{on.isoformat()}'"),
        **{
            audience.value: _case(
                (f"w.climb = {number}", climb.ladder.joins(audience)) for number, climb in enumerate(group)
            )
            for audience in Audience
        },
        **columns_of(subject),
    )


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


@contextmanager
def _by_key(cursor: Any) -> Iterator[None]:
    """Let PostgreSQL look up by key what it would otherwise read whole, thinking that dear on a disk of long ago."""
    if connection.vendor != "postgresql":
        yield
        return
    cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
    yield
    cursor.execute("SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT")


def _count(cursor: Any, table: str) -> None:
    """Let PostgreSQL know what has just been put into the table; nothing else tells it of a temporary one."""
    if connection.vendor == "postgresql":
        cursor.execute(
            f"SET LOCAL default_statistics_target = 10; ANALYZE {table}; SET LOCAL default_statistics_target TO DEFAULT"
        )


def _empty(cursor: Any, *tables: str) -> None:
    for table in tables:
        cursor.execute(f"{'TRUNCATE' if connection.vendor == 'postgresql' else 'DELETE FROM'} {table}")
