"""SQL of the recomputation: two temporary tables, what fills them, and the statements that join them.

``accounts_clock_now`` holds one row per clock and what it hangs on with its facts and its stored deadline,
``accounts_clock_due`` what `systems.policy` answers per distinct basis. No rule stands in this SQL (design 9.2).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from accounts.models import Deadline

# An account that was given back and not used since counts from that day, not from its first opening.
_LOGIN_BASIS = (
    "CASE {logins}.login_state WHEN 'known' THEN {logins}.counts_from_on"
    " WHEN 'never' THEN COALESCE(a.history_from_on, a.opened_on) END"
)
# kind -> (SQL of the basis day, statuses in which the clock runs)
_CLOCKS: Final[dict[str, tuple[str, str]]] = {
    Deadline.Kind.INACTIVITY.value: (_LOGIN_BASIS, "('active')"),
    Deadline.Kind.DELETION.value: (_LOGIN_BASIS, "('active', 'lost')"),
    Deadline.Kind.PASSWORD.value: ("a.password_changed_on", "('active')"),
}
LOGIN_KINDS: Final = (Deadline.Kind.INACTIVITY.value, Deadline.Kind.DELETION.value)  # what logins move
TEMPORARY_ROLE: Final = "temporary-role"  # a temporary deadline that hangs on a role
CLOCK_KINDS: Final = (*_CLOCKS, Deadline.Kind.TEMPORARY.value, TEMPORARY_ROLE, Deadline.Kind.CERTIFICATION.value)


@dataclass(frozen=True, slots=True)
class Hook:
    """What the deadlines of one rule hang on: their column, and what their subject key is made of.

    ``kind``: of the deadline, where the rule of the catalogue has another name.
    """

    column: str
    prefix: str
    suffix: str = ""
    kind: str = ""


_ACCOUNT: Final = Hook("account_id", "account:")
HOOKS: Final[dict[str, Hook]] = {
    Deadline.Kind.CERTIFICATION.value: Hook("grant_id", "grant:"),
    TEMPORARY_ROLE: Hook("grant_id", "grant:", kind=Deadline.Kind.TEMPORARY.value),
    Deadline.Kind.ACKNOWLEDGEMENT.value: Hook("person_id", "person:", "/rules"),
    "addendum": Hook("person_id", "person:", "/addendum", Deadline.Kind.ACKNOWLEDGEMENT.value),
    Deadline.Kind.OBLIGATION.value: Hook("obligation_id", "obligation:"),
    "pickup": Hook("obligation_id", "obligation:", kind=Deadline.Kind.WINDOW.value),
    Deadline.Kind.REVIEW.value: Hook("facility_id", "facility:", "/accounts"),
    "privileges": Hook("facility_id", "facility:", "/privileges", Deadline.Kind.REVIEW.value),
}
HOUSE_FLAG_DAYS: Final = 90  # default window where no limit was published (design section 4)
# The house key of an inactivity clock: days of the window, plus this for each day from 1970 to when it was shortened.
HOUSE_DAY: Final = 10_000
EMERGENCY: Final = 1  # the house key of an account for an emergency; a larger one is a temporary one's day, YYYYMMDD
# The last columns of every select: the deadline ``x`` as it is stored.
STORED: Final = (
    "x.id AS deadline_id, x.due_on AS was_due_on, x.zone AS was_zone,"
    " CASE WHEN x.id IS NOT NULL AND x.closed_at IS NULL THEN 1 ELSE 0 END AS was_open"
)
_MANY = 1_000  # rows from which PostgreSQL empties a table more cheaply by TRUNCATE than by DELETE and its leftovers
_AT_ONCE = 100  # rows of one INSERT; SQLite takes a bounded number of values in a statement

CREATE: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS accounts_clock_now ("
    " kind varchar(15) NOT NULL, subject_id bigint NOT NULL, organization_id bigint NOT NULL,"
    " system_id bigint NOT NULL, basis_on date NULL, house_days integer NOT NULL, check_on date NULL,"
    " deadline_id bigint NULL, was_due_on date NULL, was_zone varchar(40) NULL, was_open integer NOT NULL)",
    "CREATE TEMPORARY TABLE IF NOT EXISTS accounts_clock_due ("
    " kind varchar(15) NOT NULL, system_id bigint NOT NULL, house_days integer NOT NULL, basis_on date NOT NULL,"
    " zone varchar(40) NOT NULL, due_on date NOT NULL, target_on date NULL, policy_id bigint NULL,"
    " revision integer NOT NULL, PRIMARY KEY (kind, system_id, house_days, basis_on))",
)
JOIN: Final = (
    "accounts_clock_due d ON d.kind = n.kind AND d.system_id = n.system_id"
    " AND d.house_days = n.house_days AND d.basis_on = n.basis_on"
)
BASES: Final = (
    "SELECT DISTINCT kind, system_id, house_days, basis_on FROM accounts_clock_now WHERE basis_on IS NOT NULL"
)
UPDATE: Final = f"""
UPDATE accounts_deadline AS x SET basis_on = w.basis_on, due_on = w.due_on, target_on = w.target_on,
    zone = w.zone, policy_id = w.policy_id, revision = w.revision, check_on = w.check_on,
    cycle = x.cycle + CASE WHEN x.due_on <> w.due_on OR x.closed_at IS NOT NULL THEN 1 ELSE 0 END,
    closed_at = NULL, close_reason = ''
FROM (SELECT n.deadline_id, n.check_on, d.* FROM accounts_clock_now n JOIN {JOIN}) w
WHERE x.id = w.deadline_id AND (
    x.due_on <> w.due_on OR x.basis_on <> w.basis_on OR x.revision <> w.revision OR x.closed_at IS NOT NULL
    OR COALESCE(x.target_on, x.due_on) <> COALESCE(w.target_on, w.due_on)
    OR COALESCE(x.check_on, '0001-01-01') <> COALESCE(w.check_on, '0001-01-01')
    OR COALESCE(x.policy_id, 0) <> COALESCE(w.policy_id, 0) OR x.zone <> w.zone)
"""  # noqa: S608  (constants only, as in what follows)


def _by_kind(column: str) -> str:
    """Return the key of what a deadline hangs on where it belongs into this column, else NULL."""
    theirs = [kind for kind, hook in HOOKS.items() if hook.column == column]
    others = ", ".join(f"'{kind}'" for kind in (theirs if column != _ACCOUNT.column else HOOKS))
    return f"CASE WHEN n.kind {'NOT ' if column == _ACCOUNT.column else ''}IN ({others}) THEN n.subject_id END"


def _spelled(part: str, *, otherwise: str) -> str:
    """Return a CASE that spells out one part of each hook."""
    whens = " ".join(f"WHEN '{kind}' THEN '{said}'" for kind, hook in HOOKS.items() if (said := getattr(hook, part)))
    return f"CASE n.kind {whens} ELSE {otherwise} END"


_COLUMNS: Final = (_ACCOUNT.column, "grant_id", "person_id", "obligation_id", "facility_id")
INSERT: Final = f"""
INSERT INTO accounts_deadline (organization_id, kind, subject_key, {", ".join(_COLUMNS)}, zone, basis_on, policy_id,
    revision, due_on, target_on, check_on, cycle, close_reason)
SELECT n.organization_id, {_spelled("kind", otherwise="n.kind")},
    {_spelled("prefix", otherwise=f"'{_ACCOUNT.prefix}'")} || n.subject_id || {_spelled("suffix", otherwise="''")},
    {", ".join(_by_kind(column) for column in _COLUMNS)},
    d.zone, d.basis_on, d.policy_id, d.revision, d.due_on, d.target_on, n.check_on, 1, ''
FROM accounts_clock_now n JOIN {JOIN} WHERE n.deadline_id IS NULL
"""  # noqa: S608
CLOSE: Final = f"""
UPDATE accounts_deadline SET closed_at = %s, close_reason = 'no clock runs', check_on = NULL
WHERE closed_at IS NULL AND id IN (
    SELECT n.deadline_id FROM accounts_clock_now n LEFT JOIN {JOIN} WHERE n.was_open = 1 AND d.due_on IS NULL)
"""  # noqa: S608
LAPSES: Final = f"""
UPDATE accounts_portalaccount AS a SET lapses_on = w.due_on
FROM (SELECT n.subject_id, d.due_on FROM accounts_clock_now n LEFT JOIN {JOIN} WHERE n.kind = 'inactivity') w
WHERE a.id = w.subject_id AND COALESCE(a.lapses_on, '0001-01-01') <> COALESCE(w.due_on, '0001-01-01')
"""  # noqa: S608
# What has a deadline that opened, moved or closed, as long as the two tables hold what led to it.
CHANGED: Final = f"""
SELECT n.subject_id FROM accounts_clock_now n LEFT JOIN {JOIN}
WHERE CASE WHEN d.due_on IS NULL THEN n.was_open = 1 ELSE n.was_open = 0 OR n.was_due_on <> d.due_on END
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is concerned: a condition on ``accounts_portalaccount a``, or on what `further_clocks` reads.

    ``source``: where accounts are read, ``logins``: the alias there that tells what their logins come to, and
    ``lapses``: what keeps the last safe day at the account.
    """

    sql: str
    params: Sequence[Any]
    source: str = "accounts_portalaccount a"
    logins: str = "a"
    lapses: str = LAPSES


def facts(kind: str, published: Iterable[int], chosen: Chosen) -> str:
    """Return the SELECT of one row per account chosen: the columns of ``accounts_clock_now``, in their order.

    ``basis_on`` is NULL where the clock of this kind does not run. ``published``: systems with a limit of this kind.
    """
    if kind == Deadline.Kind.CERTIFICATION:
        return _certifications(published, chosen)
    if kind == Deadline.Kind.TEMPORARY:
        return _temporary(chosen)
    if kind == TEMPORARY_ROLE:
        return _temporary_roles(chosen)
    basis, statuses = _CLOCKS[kind]
    basis = basis.format(logins=chosen.logins)
    limited = f"a.system_id IN ({_keys(published)})"
    house, check, windows, running = "0", "CAST(NULL AS date)", "", f"a.status IN {statuses}"
    only = ""
    if kind == Deadline.Kind.INACTIVITY:
        windows = (
            " LEFT JOIN accounts_housewindow h ON h.organization_id = a.organization_id AND h.system_id = a.system_id"
        )
        house = (
            f"CASE WHEN h.enabled THEN h.flag_days + {HOUSE_DAY} * {_epoch_days('h.counts_from_on')}"
            " WHEN h.id IS NOT NULL THEN 0"
            f" WHEN {limited} THEN 0 ELSE {HOUSE_FLAG_DAYS} END"
        )
        told = chosen.logins
        check = (
            f"CASE WHEN {told}.login_state = 'known' AND {told}.last_login_on > {told}.counts_from_on"
            f" THEN {told}.last_login_on END"
        )
    else:
        running += f" AND {limited}"
        only = f" AND ({limited} OR x.id IS NOT NULL)"
    return (
        f"SELECT '{kind}' AS kind, a.id AS subject_id, a.organization_id, a.system_id,"  # noqa: S608
        f" CASE WHEN {running} THEN {basis} END AS basis_on, {house} AS house_days, {check} AS check_on,"
        f" {STORED}"
        f" FROM {chosen.source}{windows}"
        f" LEFT JOIN accounts_deadline x ON x.account_id = a.id AND x.kind = '{kind}'"
        f" WHERE {chosen.sql}{only}"
    )


def _certifications(published: Iterable[int], chosen: Chosen) -> str:
    """Roles are certified by the year: basis is the last certification that we know, else the grant.

    In the latter case the house key is the day on which the grant was recorded, as the number YYYYMMDD.
    """
    last = (
        "(SELECT max(c.certified_on) FROM accounts_certification c"
        " WHERE c.grant_id = g.id AND c.voided_at IS NULL AND c.certified_on >= g.valid_from)"
    )
    limited = _keys(published)
    held = "g.voided_at IS NULL AND (g.valid_to IS NULL OR g.temporary)"  # as `RoleGrantQuerySet.to_end`
    running = f"{held} AND a.status = 'active' AND a.system_id IN ({limited})"
    return (
        f"SELECT 'certification' AS kind, g.id AS subject_id, a.organization_id, a.system_id,"  # noqa: S608
        f" CASE WHEN {running} THEN COALESCE({last}, g.valid_from) END AS basis_on,"
        f" CASE WHEN {last} IS NULL THEN {_day_number('g.recorded_at')} ELSE 0 END AS house_days,"
        f" CAST(NULL AS date) AS check_on, {STORED}"
        f" FROM {chosen.source} JOIN accounts_rolegrant g ON g.account_id = a.id"
        " LEFT JOIN accounts_deadline x ON x.grant_id = g.id AND x.kind = 'certification'"
        f" WHERE {chosen.sql} AND (({running}) OR x.id IS NOT NULL)"
    )


def _day_number(instant: str) -> str:
    """Return the SQL of an instant's UTC day as the number YYYYMMDD."""
    return _number(f"{instant} AT TIME ZONE 'UTC'" if connection.vendor == "postgresql" else instant)


def _number(day: str) -> str:
    """Return the SQL of a day as the number YYYYMMDD."""
    if connection.vendor == "postgresql":
        return f"CAST(to_char({day}, 'YYYYMMDD') AS integer)"
    # A literal percent sign is doubled where a statement takes parameters.
    return f"CAST(strftime('%%Y%%m%%d', {day}) AS integer)"


def _epoch_days(day: str) -> str:
    """Return the SQL of how many days lie between 1970 and a day, 0 for none."""
    if connection.vendor == "postgresql":
        return f"COALESCE({day} - DATE '1970-01-01', 0)"
    return f"CAST(COALESCE(julianday({day}) - julianday('1970-01-01'), 0) AS integer)"


def _temporary(chosen: Chosen) -> str:
    """Accounts that were not meant to last count from their opening.

    The house key tells which of the two limits, or the day that was said of a temporary one.
    """
    running = "a.status = 'active' AND a.term <> 'lasting'"
    return (
        f"SELECT 'temporary' AS kind, a.id AS subject_id, a.organization_id, a.system_id,"  # noqa: S608
        f" CASE WHEN {running} THEN a.opened_on END AS basis_on,"
        f" CASE WHEN a.term = 'emergency' THEN {EMERGENCY}"
        f" WHEN a.lasts_until IS NOT NULL THEN {_number('a.lasts_until')} ELSE 0 END AS house_days,"
        f" CAST(NULL AS date) AS check_on, {STORED}"
        f" FROM {chosen.source}"
        " LEFT JOIN accounts_deadline x ON x.account_id = a.id AND x.kind = 'temporary'"
        f" WHERE {chosen.sql} AND (a.term <> 'lasting' OR x.id IS NOT NULL)"
    )


def _temporary_roles(chosen: Chosen) -> str:
    """Roles on a lasting account that were wanted until a day; the house key is that day, as the number YYYYMMDD.

    The clock runs on after the day, until somebody says that the role was taken away, or wanted for longer.
    """
    return (
        f"SELECT '{TEMPORARY_ROLE}' AS kind, g.id AS subject_id, a.organization_id, a.system_id,"  # noqa: S608
        " CASE WHEN g.voided_at IS NULL AND a.status = 'active' THEN g.valid_from END AS basis_on,"
        f" {_number('g.valid_to')} AS house_days, CAST(NULL AS date) AS check_on, {STORED}"
        f" FROM {chosen.source} JOIN accounts_rolegrant g ON g.account_id = a.id AND g.temporary"
        " LEFT JOIN accounts_deadline x ON x.grant_id = g.id AND x.kind = 'temporary'"
        f" WHERE {chosen.sql}"
    )


def _keys(keys: Iterable[int]) -> str:
    return ", ".join(str(int(key)) for key in sorted(keys)) or "0"


def fill(cursor: Any, selects: Sequence[str], chosen: Chosen) -> int:
    """Make the tables where this connection has none, and write what the selects find; return how many rows."""
    for statement in CREATE:
        cursor.execute(statement)
    union = " UNION ALL ".join(selects)
    cursor.execute(f"INSERT INTO accounts_clock_now {union}", [*chosen.params] * len(selects))
    return int(cursor.rowcount)


def fill_due(cursor: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write the answers of the policy: the columns of ``accounts_clock_due``, in their order."""
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        marks = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s, %s)"] * len(some))
        values = [value for row in some for value in row]
        cursor.execute(f"INSERT INTO accounts_clock_due VALUES {marks}", values)  # noqa: S608


def know(cursor: Any, filled: int) -> None:
    """Tell the planner how much is there; without, it would go through all answers once per account."""
    if filled > _MANY and connection.vendor == "postgresql":
        cursor.execute("ANALYZE accounts_clock_now, accounts_clock_due")


def empty(cursor: Any, filled: int, *names: str) -> None:
    """Empty both tables, or those named, for the next recomputation of this connection."""
    for table in names or ("accounts_clock_now", "accounts_clock_due"):
        if filled > _MANY and connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {table}")
        else:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608


__all__ = [
    "BASES", "CHANGED", "CLOCK_KINDS", "CLOSE", "EMERGENCY", "HOOKS", "HOUSE_DAY", "HOUSE_FLAG_DAYS", "INSERT", "JOIN",
    "LAPSES", "LOGIN_KINDS", "STORED", "TEMPORARY_ROLE", "UPDATE", "Chosen", "empty", "facts", "fill", "fill_due",
    "know",
]  # fmt: skip
