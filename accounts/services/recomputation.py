"""After a change of the catalogue: whose dates it would move, and moving them in slices that commit alone.

Which rules changed is told by their revisions (design 9.2): the caller knows up to which one everything was
followed. A run that dies is simply repeated, for what is in line already is read and not written.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import CharField, Count, Exists, F, Max, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Concat

from accounts.models import Deadline, PortalAccount, RoleGrant
from accounts.services import clock_tables as tables
from accounts.services.clock_tables import CLOCK_KINDS, Chosen
from accounts.services.clocks import Answer, Chains, Moved, as_day, bring_in_line, changed, published, said
from accounts.services.lapses import restate_severity
from accounts.services.replaying import replay_logins
from audit.services import Ref, record_digest
from systems.models import Policy, System
from systems.policy import day_in, overdue
from systems.selectors import chain_revisions, newest_revision, policy_chains

RECOMPUTATION: Final = Ref("system:recomputation", "recomputation after a change of the catalogue")
FIRST_REVISION: Final = 1  # of the first load; no account is older, so no date can have been computed before it
SLICE: Final = 20_000  # accounts per transaction
_REPLAYED: Final = 1_000  # accounts whose histories are read at a time
_END: Final = 2**63 - 1
Clock = tuple[int, str]  # (system's key, kind of deadline)


@dataclass(frozen=True, slots=True)
class Affected:
    """What a change of one rule does to stored deadlines. ``deadlines`` counts those that open, move or close."""

    system: str
    kind: str
    deadlines: int = 0
    newly_overdue: int = 0
    opened: int = 0
    closed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of the contract's ``affected``."""
        return {name: getattr(self, name) for name in ("system", "kind", "deadlines", "newly_overdue")}


def newest_clock_revision() -> int:
    """Return the newest revision of any rule that stored dates follow."""
    return Policy.objects.filter(kind__in=CLOCK_KINDS).aggregate(newest=Max("revision"))["newest"] or 0


def outdated_clocks(*, since: int) -> list[Clock]:
    """Return the clocks whose rule changed after a revision, withdrawn versions and vanished rules included."""
    since = max(since, FIRST_REVISION)
    changed = [
        (system, kind)
        for (system, kind), revision in chain_revisions().items()
        if system is not None and kind in CLOCK_KINDS and revision > since
    ]
    return sorted({*changed, *left_behind()})


def left_behind() -> list[Clock]:
    """Return clocks with an open deadline of an older revision: written by an act that began before the change.

    One probe of an index per policy, whatever is stored.
    """
    older = Deadline.objects.open().filter(policy=OuterRef("pk"), revision__lt=OuterRef("of_rule"))
    rules = Policy.objects.filter(kind__in=CLOCK_KINDS, system__isnull=False)
    found = rules.annotate(of_rule=Subquery(newest_revision())).filter(Exists(older)).order_by()
    return sorted(set(found.values_list("system_id", "kind")))


def recompute_outdated(*, at: datetime, since: int) -> Iterator[Moved]:
    """Bring deadlines in line with rules that changed after revision ``since``; each slice commits alone.

    Every slice is told in the audit chain, one event per organization and rule with count and digest of the
    deadlines that opened, moved or closed. Repeating it writes nothing.
    """
    chains = policy_chains()
    systems = System.objects.in_bulk()
    for system, kind in outdated_clocks(since=since):
        for part in slices(system):
            yield _recompute_slice(part, systems[system], kind, at, chains)
        restate_severity(system=system, kind=kind, at=at)


@dataclass(frozen=True, slots=True)
class Slice:
    """Accounts of one system that are brought in line in one transaction: whole organizations, or part of one."""

    system: int
    first_organization: int
    last_organization: int
    after: int = 0  # keys of accounts, for an organization too large for one transaction
    last: int = _END

    @property
    def chosen(self) -> Chosen:
        """The accounts, for `accounts.services.clock_tables`."""
        values = [self.system, self.first_organization, self.last_organization, self.after, self.last]
        return Chosen("a.system_id = %s AND a.organization_id BETWEEN %s AND %s AND a.id > %s AND a.id <= %s", values)


def slices(system: int) -> list[Slice]:
    """Return a system's accounts in parts of at most `SLICE`.

    Small organizations stay whole, so that each gets one audit event, committed with the rows that it tells of.
    """
    found: list[Slice] = []
    some: list[int] = []
    room = SLICE
    of_system = PortalAccount.objects.filter(system=system).order_by("organization_id")
    for organization, count in of_system.values_list("organization_id").annotate(count=Count("pk")):
        if some and count > room:
            found.append(Slice(system, some[0], some[-1]))
            some, room = [], SLICE
        if count > SLICE:
            found += _parts(system, organization)
        else:
            some.append(organization)
            room -= count
    return [*found, Slice(system, some[0], some[-1])] if some else found


def _parts(system: int, organization: int) -> list[Slice]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM accounts_portalaccount"
            " WHERE system_id = %s AND organization_id = %s) AS numbered WHERE n %% %s = 0 ORDER BY id",
            [system, organization, SLICE],
        )
        edges = [row[0] for row in cursor.fetchall()]
    return [
        Slice(system, organization, organization, after, last)
        for after, last in zip([0, *edges], [*edges, _END], strict=True)
    ]


def _recompute_slice(part: Slice, system: System, kind: str, at: datetime, chains: Chains) -> Moved:
    with transaction.atomic():
        lock_accounts(part.chosen)
        # First what the logins come to under the changed rule, then dates, so that each deadline moves once.
        again = _count_again(part, chains) if kind == Deadline.Kind.INACTIVITY else []
        moved = _bring(system, kind, part.chosen, at, chains)
        for start in range(0, len(again), _REPLAYED):  # the deletion clock counts from the same login
            some = again[start : start + _REPLAYED]
            chosen = Chosen(f"a.id IN ({', '.join(['%s'] * len(some))})", some)
            moved += _bring(system, Deadline.Kind.DELETION.value, chosen, at, chains)
    return moved


def _bring(system: System, kind: str, chosen: Chosen, at: datetime, chains: Chains) -> Moved:
    def tell(moved: Moved) -> None:
        if moved:
            _record(system, kind, at)

    return bring_in_line(chosen=chosen, kinds=[kind], at=at, chains=chains, meanwhile=tell)


def _count_again(part: Slice, chains: Chains) -> list[int]:
    """Replay the logins of accounts with one that did not count so far; return the accounts it moved."""
    asked = PortalAccount.objects.filter(
        system=part.system,
        organization__gte=part.first_organization,
        organization__lte=part.last_organization,
        pk__gt=part.after,
        pk__lte=part.last,
        last_login_on__gt=F("counts_from_on"),
    )
    ids = list(asked.order_by("pk").values_list("pk", flat=True))
    moved: list[int] = []
    for start in range(0, len(ids), _REPLAYED):
        moved += replay_logins(ids[start : start + _REPLAYED], chains=chains)
    return moved


def lock_accounts(chosen: Chosen) -> None:
    """Lock chosen accounts in the order in which services lock them, so that no two wait for each other."""
    if connection.features.has_select_for_no_key_update:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM (SELECT a.id FROM accounts_portalaccount a"  # noqa: S608
                f" WHERE {chosen.sql} ORDER BY a.id FOR NO KEY UPDATE) AS locked",
                chosen.params,
            )


def _record(system: System, kind: str, at: datetime) -> None:
    # The rule names system and kind, so that the key of what the deadline hangs on is enough to tell it.
    model, prefix = (RoleGrant, "grant:") if kind == Deadline.Kind.CERTIFICATION else (PortalAccount, "account:")
    rows = changed(model).annotate(
        chain=Concat(Value("organization:"), Cast("organization_id", CharField())),
        subject_key=Concat(Value(prefix), Cast("pk", CharField())),
    )
    rule = Ref(f"rule:{system.slug}/{kind}", f"{system}, {kind}")
    record_digest(action="deadline.recomputed", actor=RECOMPUTATION, subject=rule, at=at, rows=rows)


def affected(*, before: Chains, at: datetime) -> list[Affected]:
    """Return what following the catalogue would do to stored deadlines, per clock whose rule differs from ``before``.

    For inside the trial of `check_catalogue` only, which takes back the logins counted again here. Reads distinct
    bases, not rows. *Newly overdue* are deadlines that are not past their last safe day on the day of ``at`` in their
    zone, but would be. Deletion clocks are told, too, where logins would count again.
    """
    after = policy_chains()
    clocks = [
        (system, kind)
        for system, kind in {*before, *after}
        if system is not None and kind in CLOCK_KINDS and _rule(before, system, kind) != _rule(after, system, kind)
    ]
    for system in [system for system, kind in clocks if kind == Deadline.Kind.INACTIVITY]:
        deletion = (system, Deadline.Kind.DELETION.value)
        if _count_again(Slice(system, 0, _END), after) and deletion in after and deletion not in clocks:
            clocks.append(deletion)
    slugs = dict(System.objects.values_list("pk", "slug"))
    return [
        _would(slugs[system], system, kind, after, at)
        for system, kind in sorted(clocks, key=lambda clock: (slugs[clock[0]], clock[1]))
    ]


def _rule(chains: Chains, system: int, kind: str) -> list[tuple[Any, ...]]:
    """Return what of a rule decides dates and what follows from them."""
    return [
        (version.key, version.limit_days, version.limit_years, version.boundary, version.zone, version.consequence,
         version.effective_from, version.effective_to)
        for version in chains.get((system, kind), ())
    ]  # fmt: skip


def _would(slug: str, system: int, kind: str, chains: Chains, at: datetime) -> Affected:
    chosen = Chosen("a.system_id = %s", [system])
    counted: dict[str, int] = defaultdict(int)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT house_days, basis_on, was_open, was_due_on, was_zone, count(*) FROM"  # noqa: S608
            f" ({tables.facts(kind, published(kind, chains), chosen)}) AS facts"
            " GROUP BY house_days, basis_on, was_open, was_due_on, was_zone",
            chosen.params,
        )
        for house, basis, was_open, was_due_on, was_zone, count in cursor.fetchall():
            new = said(chains, kind, system, house, as_day(basis)) if basis else None
            old = (as_day(was_due_on), was_zone) if was_open else None
            for name in _verdicts(old, new, at):
                counted[name] += count
    return Affected(slug, kind, **counted)


def _verdicts(old: tuple[date, str] | None, new: Answer | None, at: datetime) -> Iterator[str]:
    if (old[0] if old else None) != (new.due_on if new else None):
        yield "deadlines"
    if old is None and new is not None:
        yield "opened"
    if old is not None and new is None:
        yield "closed"
    late = old is not None and overdue(old[0], day_in(at, old[1]))
    if new is not None and not late and overdue(new.due_on, day_in(at, new.zone)):
        yield "newly_overdue"
