"""Deadlines follow facts: one recomputation serves a single login, a bulk import and a new policy version.

No rule is written in SQL (design 9.2): the distinct basis days of the accounts concerned are asked of
`systems.policy` once each, loaded into a temporary table, and joined in one UPDATE and one INSERT per kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from accounts.models import Deadline, Finding, PortalAccount
from systems.policy import EASTERN, PolicyVersion, due, target_on
from systems.selectors import policy_chains

HOUSE_FLAG_DAYS = 90  # default window where no limit was published (design section 4)
Chains = Mapping[tuple[int | None, str], Sequence[PolicyVersion]]

# An account that was given back and not used since counts from that day, not from its first opening.
_LOGIN_BASIS = (
    "CASE a.login_state WHEN 'known' THEN a.counts_from_on"
    " WHEN 'never' THEN COALESCE(a.history_from_on, a.opened_on) END"
)
# kind -> (SQL of the basis day, statuses in which the clock runs)
_CLOCKS: dict[str, tuple[str, str]] = {
    Deadline.Kind.INACTIVITY: (_LOGIN_BASIS, "('active')"),
    Deadline.Kind.DELETION: (_LOGIN_BASIS, "('active', 'lost')"),
    Deadline.Kind.PASSWORD: ("a.password_changed_on", "('active')"),
}
_TABLE = """
CREATE TEMPORARY TABLE IF NOT EXISTS accounts_due_by_basis (
    system_id bigint NOT NULL, house_days integer NOT NULL, basis_on date NOT NULL, zone varchar(40) NOT NULL,
    due_on date NOT NULL, target_on date NULL, policy_id bigint NULL, revision integer NOT NULL,
    PRIMARY KEY (system_id, house_days, basis_on)
)"""
_JOIN = (
    "facts f JOIN accounts_due_by_basis d"
    " ON d.system_id = f.system_id AND d.house_days = f.house_days AND d.basis_on = f.basis_on"
)


@dataclass(frozen=True, slots=True)
class Moved:
    """How many deadlines one recomputation opened, moved and closed."""

    opened: int = 0
    moved: int = 0
    closed: int = 0

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(self.opened + other.opened, self.moved + other.moved, self.closed + other.closed)


def recompute(*, accounts: QuerySet[PortalAccount], at: datetime, chains: Chains | None = None) -> Moved:
    """Bring inactivity, deletion and password deadlines of these accounts in line with their facts.

    Runs inside the caller's transaction. Repeating it changes no row. `cycle` rises where `due_on` changed or a
    closed deadline opens again. ``check_on`` appears while the newest login did not count.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("recompute() belongs inside the transaction of the act that changed the facts")
    if chains is None:
        chains = policy_chains()
    chosen, chosen_params = accounts.order_by().values("pk").query.sql_with_params()
    total = Moved()
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
        for kind in _CLOCKS:
            total += _recompute_kind(cursor, kind, chains, chosen, list(chosen_params), at)
        cursor.execute(_LAPSES.format(chosen=chosen), chosen_params)
    return total


# A join, not a subquery per account: without statistics, PostgreSQL would read all deadlines for each account.
_LAPSES = """
UPDATE accounts_portalaccount SET lapses_on = w.due_on
FROM (SELECT a.id, x.due_on FROM accounts_portalaccount a
      LEFT JOIN accounts_deadline x ON x.account_id = a.id AND x.kind = 'inactivity' AND x.closed_at IS NULL
      WHERE a.id IN ({chosen})) w
WHERE accounts_portalaccount.id = w.id
    AND COALESCE(accounts_portalaccount.lapses_on, '0001-01-01') <> COALESCE(w.due_on, '0001-01-01')
"""


def _recompute_kind(cursor: Any, kind: str, chains: Chains, chosen: str, params: list[Any], at: datetime) -> Moved:
    facts, facts_params = _facts(kind, chains, chosen, params)
    cursor.execute(
        f"WITH {facts} SELECT DISTINCT system_id, house_days, basis_on FROM facts WHERE basis_on IS NOT NULL",
        facts_params,
    )
    bases = [(system, house, _day(basis)) for system, house, basis in cursor.fetchall()]
    rows = [row for system, house, basis in bases if (row := _row(kind, chains, system, house, basis))]
    cursor.execute("DELETE FROM accounts_due_by_basis")
    if rows:
        cursor.executemany(
            "INSERT INTO accounts_due_by_basis (system_id, house_days, basis_on, zone, due_on, target_on, policy_id,"
            " revision) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            rows,
        )
    # The CTE stands inside: sqlite3 counts changed rows only for statements that begin with their verb.
    cursor.execute(_UPDATE.format(facts=facts), [*facts_params, kind])
    moved = cursor.rowcount
    cursor.execute(_INSERT.format(facts=facts), [*facts_params, kind, kind])
    opened = cursor.rowcount
    now = connection.ops.adapt_datetimefield_value(at)
    cursor.execute(_CLOSE.format(facts=facts, chosen=chosen), [now, kind, *params, *facts_params])
    return Moved(opened, moved, cursor.rowcount)


def _facts(kind: str, chains: Chains, chosen: str, params: list[Any]) -> tuple[str, list[Any]]:
    """Return the CTE of one row per account whose clock of this kind runs: basis, house window, pending check."""
    basis, statuses = _CLOCKS[kind]
    published = sorted(system for system, of in chains if of == kind and system is not None)
    if kind != Deadline.Kind.INACTIVITY:
        house, check, joins = "0", "CAST(NULL AS date)", ""
        only = f" AND a.system_id IN ({_numbers(published)})"
    else:
        joins = (
            " LEFT JOIN accounts_housewindow h ON h.organization_id = a.organization_id AND h.system_id = a.system_id"
        )
        house = (
            "CASE WHEN h.enabled THEN h.flag_days WHEN h.id IS NOT NULL THEN 0"
            f" WHEN a.system_id IN ({_numbers(published)}) THEN 0 ELSE {HOUSE_FLAG_DAYS} END"
        )
        check = "CASE WHEN a.login_state = 'known' AND a.last_login_on > a.counts_from_on THEN a.last_login_on END"
        only = ""
    sql = (
        f"facts AS (SELECT a.id, a.organization_id, a.system_id, {basis} AS basis_on, {house} AS house_days,"
        f" {check} AS check_on FROM accounts_portalaccount a{joins}"
        f" WHERE a.id IN ({chosen}) AND a.status IN {statuses}{only})"
    )
    return sql, params


def _numbers(ids: Sequence[int]) -> str:
    return ", ".join(str(int(i)) for i in ids) or "0"


def _row(kind: str, chains: Chains, system: int, house: int, basis: date) -> tuple[Any, ...] | None:
    chain = chains.get((system, kind), ())
    found = due(basis, chain) if chain else None
    wanted = target_on(basis_on=basis, due_on=found.due_on if found else None, house_days=house or None)
    if found is None:
        # Nothing published: the organization's own window is the only date, and says so by having no policy.
        return None if wanted is None else (system, house, _text(basis), EASTERN, _text(wanted), None, None, 0)
    revision = max(version.revision for version in chain)
    stricter = _text(wanted) if wanted is not None and wanted != found.due_on else None
    version = found.version
    return system, house, _text(basis), version.zone, _text(found.due_on), stricter, version.policy_id, revision


def _text(day: date) -> str:
    return day.isoformat()


def _day(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


_UPDATE = f"""
UPDATE accounts_deadline AS x SET basis_on = w.basis_on, due_on = w.due_on, target_on = w.target_on,
    zone = w.zone, policy_id = w.policy_id, revision = w.revision, check_on = w.check_on,
    cycle = x.cycle + CASE WHEN x.due_on <> w.due_on OR x.closed_at IS NOT NULL THEN 1 ELSE 0 END,
    closed_at = NULL, close_reason = ''
FROM (WITH {{facts}} SELECT f.id, f.check_on, d.* FROM {_JOIN}) w
WHERE x.kind = %s AND x.account_id = w.id AND (
    x.due_on <> w.due_on OR x.basis_on <> w.basis_on OR x.revision <> w.revision OR x.closed_at IS NOT NULL
    OR COALESCE(x.target_on, x.due_on) <> COALESCE(w.target_on, w.due_on)
    OR COALESCE(x.check_on, '0001-01-01') <> COALESCE(w.check_on, '0001-01-01')
    OR COALESCE(x.policy_id, 0) <> COALESCE(w.policy_id, 0))
"""
_INSERT = f"""
INSERT INTO accounts_deadline (organization_id, kind, subject_key, account_id, zone, basis_on, policy_id, revision,
    due_on, target_on, check_on, cycle, close_reason)
WITH {{facts}} SELECT f.organization_id, %s, 'account:' || f.id, f.id, d.zone, d.basis_on, d.policy_id, d.revision,
    d.due_on, d.target_on, f.check_on, 1, ''
FROM {_JOIN}
WHERE NOT EXISTS (SELECT 1 FROM accounts_deadline x WHERE x.kind = %s AND x.account_id = f.id)
"""
_CLOSE = f"""
UPDATE accounts_deadline SET closed_at = %s, close_reason = 'no clock runs', check_on = NULL
WHERE kind = %s AND closed_at IS NULL AND account_id IN ({{chosen}})
    AND account_id NOT IN (WITH {{facts}} SELECT f.id FROM {_JOIN})
"""


def close_cured_findings(*, accounts: QuerySet[PortalAccount], at: datetime, on: date) -> int:
    """Close lapse findings of these accounts whose deadline lies ahead again or is closed. Returns how many."""
    return (
        Finding.objects.open()
        .filter(kind=Finding.Kind.LAPSE, account__in=accounts)
        .filter(Q(deadline__due_on__gte=on) | Q(deadline__closed_at__isnull=False))
        .update(closed_at=at)
    )
