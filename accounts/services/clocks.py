"""Deadlines follow facts: one recomputation serves a single login, a bulk import and a new policy version.

No rule is written in SQL (design 9.2): the distinct basis days of the accounts concerned are asked of
`systems.policy` once each, loaded into a temporary table, and joined in one UPDATE, one INSERT and one closing UPDATE.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Model, Q, QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import Deadline, Finding, PortalAccount, RoleGrant
from accounts.policy.certifying import certification_due
from accounts.policy.terms import ends_on
from accounts.services import clock_tables as tables
from accounts.services.clock_tables import CLOCK_KINDS, HOUSE_FLAG_DAYS, Chosen
from facilities.services.rechecks import recheck
from staff.models import Absence
from systems.policy import EASTERN, Due, PolicyVersion, day_in, due, target_on
from systems.selectors import policy_chains

_EPOCH: Final = date(1970, 1, 1)
Chains = Mapping[tuple[int | None, str], Sequence[PolicyVersion]]


@dataclass(frozen=True, slots=True)
class Moved:
    """How many deadlines one recomputation opened, moved and closed."""

    opened: int = 0
    moved: int = 0
    closed: int = 0

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(self.opened + other.opened, self.moved + other.moved, self.closed + other.closed)

    def __bool__(self) -> bool:
        return bool(self.opened or self.moved or self.closed)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the policy, or an organization's own window, says of one basis day. No policy: the window alone."""

    due_on: date
    target_on: date | None
    zone: str
    policy_id: int | None
    revision: int


Says = Callable[[str, int, int, date], Answer | None]


def recompute(*, accounts: QuerySet[PortalAccount], at: datetime, chains: Chains | None = None) -> Moved:
    """Bring the deadlines of these accounts and of their grants in line with their facts.

    Runs inside the caller's transaction. Repeating it changes no row. `cycle` rises where `due_on` changed or a
    closed deadline opens again. ``check_on`` appears while the newest login did not count.
    """
    sql, params = accounts.order_by().values("pk").query.sql_with_params()
    chains = policy_chains() if chains is None else chains
    chosen = Chosen(f"a.id IN ({sql})", params)
    return bring_in_line(
        chosen=chosen, kinds=CLOCK_KINDS, at=at, chains=chains, meanwhile=partial(recheck_holders, at=at)
    )


def recheck_holders(moved: Moved, *, at: datetime) -> None:
    """Look again at facilities where somebody privileged (R-18) or away (R-40) has another last safe day."""
    if moved:
        keys = RawSQL(f"{tables.CHANGED} AND n.kind = 'inactivity'", [])  # noqa: S611  # nosec B611  (constants)
        grants = RoleGrant.objects.known().filter(account__in=keys).order_by()
        over = day_in(at, EASTERN) - timedelta(days=1)  # the day there may lie a day behind
        away = Absence.objects.known().exclude(valid_to__lt=over).values("person")
        for those in (grants.filter(role__privileged=True), grants.filter(account__person__in=away)):
            recheck(those.values_list("facility_id", flat=True).distinct())


def bring_in_line(
    *,
    chosen: Chosen,
    kinds: Sequence[str],
    at: datetime,
    chains: Chains,
    meanwhile: Callable[[Moved], object] | None = None,
    selects: Sequence[str] = (),
    says: Says | None = None,
) -> Moved:
    """Do what `recompute` promises for some kinds of clock. Taking on a new revision alone counts as moved, too.

    ``meanwhile`` is called while the temporary tables still tell what was found (`changed`). ``selects`` read the
    facts where they hang on anything but an account, and ``says`` answers for their distinct bases.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("recompute() belongs inside the transaction of the act that changed the facts")
    selects = selects or [tables.facts(kind, published(kind, chains), chosen) for kind in kinds]
    says = says or partial(said, chains)
    with connection.cursor() as cursor:
        filled = tables.fill(cursor, selects, chosen)
        cursor.execute(tables.BASES)
        tables.fill_due(cursor, [row for found in cursor.fetchall() if (row := _due_row(says, *found))])
        tables.know(cursor, filled)
        cursor.execute(tables.UPDATE)
        moved = cursor.rowcount
        cursor.execute(tables.INSERT)
        opened = cursor.rowcount
        cursor.execute(tables.CLOSE, [connection.ops.adapt_datetimefield_value(at)])
        total = Moved(opened, moved, cursor.rowcount)
        if Deadline.Kind.INACTIVITY in kinds:
            cursor.execute(chosen.lapses)
        if meanwhile is not None:
            meanwhile(total)
        tables.empty(cursor, filled)
    return total


def changed(model: type[Model] = PortalAccount) -> QuerySet[Any]:
    """Return, inside ``meanwhile``, the rows of a model with a deadline that opened, moved or closed."""
    keys = RawSQL(tables.CHANGED, [])  # noqa: S611  # nosec B611  (a constant)
    return model._default_manager.filter(pk__in=keys)


def published(kind: str, chains: Chains) -> list[int]:
    """Return the systems with a limit of this kind."""
    return [system for system, of in chains if of == kind and system is not None]


def answer(kind: str, chains: Chains, system: int, house: int, basis: date) -> Answer | None:
    """Return what is due for one basis day under a house window, by its key (0: none); None: nothing ever."""
    chain = chains.get((system, kind), ())
    found = due(basis, chain) if chain else None
    since, days = divmod(house, tables.HOUSE_DAY)
    wanted = target_on(
        basis_on=basis,
        due_on=found.due_on if found else None,
        house_days=days or None,
        house_from=_EPOCH + timedelta(days=since) if since else None,
    )
    if found is None:
        # Nothing published: the organization's own window is the only date, and says so by having no policy.
        return None if wanted is None else Answer(wanted, None, EASTERN, None, 0)
    stricter = wanted if wanted != found.due_on else None
    version = found.version
    return Answer(found.due_on, stricter, version.zone, version.policy_id, version.revision)


def said(chains: Chains, kind: str, system: int, house: int, basis: date) -> Answer | None:
    """Return what the rule of one kind says of one basis day; what ``house`` means is told by `clock_tables`."""
    if kind == Deadline.Kind.TEMPORARY:
        return temporary(chains, house, basis)
    if kind == tables.TEMPORARY_ROLE:
        return Answer(_numbered(house), None, EASTERN, None, 0)
    if kind == Deadline.Kind.CERTIFICATION:
        return certification(chains, system, house, basis)
    return answer(kind, chains, system, house, basis)


def temporary(chains: Chains, house: int, basis: date) -> Answer | None:
    """Return until when an account may live that was not meant to last (R-54)."""
    chain = chains.get((None, "emergency" if house == tables.EMERGENCY else "temporary"), ())
    found = of_version(due(basis, chain) if chain else None)
    if found is None or house <= tables.EMERGENCY:
        return found
    return replace(found, due_on=ends_on(said_on=_numbered(house), allowed_on=found.due_on))


def certification(chains: Chains, system: int, house: int, basis: date) -> Answer | None:
    """Return by when a role has to be certified again; the house key tells when it was recorded, see `clock_tables`."""
    recorded_on = _numbered(house) if house else None
    found = certification_due(
        certified_on=None if recorded_on else basis,
        granted_on=basis,
        recorded_on=recorded_on or basis,
        chain=chains.get((system, Deadline.Kind.CERTIFICATION.value), ()),
    )
    return of_version(found)


def _numbered(number: int) -> date:
    """Return the day of a house key such as 20261203."""
    return date(number // 10_000, number // 100 % 100, number % 100)


def of_version(found: Due | None) -> Answer | None:
    """Return what the policy says, with no stricter day of the organization's own."""
    if found is None:
        return None
    return Answer(found.due_on, None, found.version.zone, found.version.policy_id, found.version.revision)


def _due_row(says: Says, kind: str, system: int, house: int, basis: date | str) -> tuple[Any, ...] | None:
    found = says(kind, system, house, as_day(basis))
    if found is None:
        return None
    target = found.target_on.isoformat() if found.target_on else None
    key = (kind, system, house, as_day(basis).isoformat())
    return *key, found.zone, found.due_on.isoformat(), target, found.policy_id, found.revision


def as_day(value: date | str) -> date:
    """Return a day as raw SQL gives it: SQLite knows text only."""
    return value if isinstance(value, date) else date.fromisoformat(value)


def close_cured_findings(*, accounts: QuerySet[PortalAccount], at: datetime, on: date) -> int:
    """Close lapse findings of these accounts whose deadline lies ahead again or is closed. Returns how many."""
    return (
        Finding.objects.open()
        .filter(kind=Finding.Kind.LAPSE, account__in=accounts)
        .filter(Q(deadline__due_on__gte=on) | Q(deadline__closed_at__isnull=False))
        .update(closed_at=at)
    )


__all__ = [
    "CLOCK_KINDS", "HOUSE_FLAG_DAYS", "Answer", "Chains", "Moved", "Says", "answer", "said", "as_day", "bring_in_line",
    "changed", "close_cured_findings", "of_version", "published", "recheck_holders", "recompute",
]  # fmt: skip
