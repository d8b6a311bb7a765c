"""Who covers which system at which facility: people, the worst standing and the soonest date, cell by cell."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Min, Q, QuerySet

from accounts.models import PortalAccount, RoleGrant
from systems.policy import Standing
from web.standings import Clock, limit_in_days, worst

Place = tuple[int, int]  # keys of facility and system


@dataclass(frozen=True, slots=True)
class Cover:
    """What some accounts come to: accounts, the people who hold them, the worst standing, the soonest date."""

    accounts: int
    people: int
    standing: Standing
    next_on: date | None


def cover_of(grants: QuerySet[RoleGrant], on: date) -> dict[Place, Cover]:
    """Return by facility and system what the accounts behind these grants come to. Two queries, whatever their number.

    Within one rule the earliest date is the worst one, so the database answers with one row per cell and rule and
    `systems.policy` still decides what each means.
    """
    status, state = PortalAccount.Status, PortalAccount.LoginState
    unknown = Q(account__status=status.ACTIVE, account__login_state=state.UNKNOWN)
    totals = grants.values("facility_id", "account__system_id").annotate(
        accounts=Count("account", distinct=True),
        people=Count("account__person", distinct=True),
        unknown=Count("account", filter=unknown),
        lost=Count("account", filter=Q(account__status=status.LOST)),
    )
    clocks = _rules_at(grants)
    found = {}
    for row in totals.order_by():
        place = (row["facility_id"], row["account__system_id"])
        standings = [clock.standing(on) for clock in clocks[place]]
        standings += [Standing.UNKNOWN] if row["unknown"] else []
        standings += [Standing.LATE] if row["lost"] else []
        running = [clock for clock in clocks[place] if not clock.closed]
        soonest = min((clock.target_on or clock.due_on for clock in running), default=None)
        found[place] = Cover(row["accounts"], row["people"], worst(standings), soonest)
    return found


def together(covers: Iterable[Cover]) -> Cover | None:
    """Return what several systems of one facility come to; people are counted by the system with the most of them."""
    rows = list(covers)
    if not rows:
        return None
    return Cover(
        sum(row.accounts for row in rows),
        max(row.people for row in rows),
        worst(row.standing for row in rows),
        min((row.next_on for row in rows if row.next_on), default=None),
    )


def _rules_at(grants: QuerySet[RoleGrant]) -> dict[Place, list[Clock]]:
    """Return by facility and system the earliest clock of each rule."""
    deadline = "account__deadlines__"
    running = grants.filter(account__deadlines__isnull=False, account__deadlines__closed_at=None)
    limits = (f"{deadline}policy__consequence", f"{deadline}policy__limit_days", f"{deadline}policy__limit_years")
    rules = running.order_by().values_list(
        "facility_id", "account__system_id", f"{deadline}kind", f"{deadline}muted", *limits
    )
    earliest = rules.annotate(
        due=Min(f"{deadline}due_on"), target=Min(f"{deadline}target_on"), checks=Count(f"{deadline}check_on")
    )
    found: dict[Place, list[Clock]] = defaultdict(list)
    for facility, system, kind, muted, consequence, days, years, due_on, target_on, checks in earliest:
        limit = limit_in_days(days, years)
        found[facility, system].append(Clock(kind, due_on, target_on, bool(checks), consequence, limit, muted))
    return found
