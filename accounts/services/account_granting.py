"""Roles of a list's accounts, as sets: granted, ended with what was lost, certified. Facts are voided, never edited."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError
from django.db.models import F

from accounts.models import Certification, PortalAccount, RoleGrant
from accounts.services.account_opening import New
from accounts.services.account_plans import Planned
from audit.bulk import insert_rows, reserve_keys
from facilities.access import Scope
from imports.models import Import
from systems.models import SystemRole
from systems.policy import EASTERN, day_in

GRANT: Final = (
    "id", "organization", "account", "facility", "role", "valid_from", "valid_to", "evidence", "recorded_at",
)  # fmt: skip
_CERTIFICATION: Final = ("id", "organization", "grant", "certified_on", "certified_by", "recorded_at", "recorded_by")
_AT_ONCE: Final = 2_000


def parts(keys: Iterable[int]) -> Iterator[list[int]]:
    """Yield the keys some thousand at a time: SQLite takes a bounded number of values in a statement."""
    ordered = sorted(set(keys))
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


def write_grants(
    scope: Scope, source: Import, planned: Sequence[Planned], authorities: Sequence[New], at: datetime
) -> dict[int, list[int]]:
    """Grant what is new, also at new identities (their first role, wherever the surface is); account -> keys."""
    first_role: dict[int, int] = {}
    for role, system in SystemRole.objects.current().order_by("-position", "-pk").values_list("pk", "system_id"):
        first_role[system] = role
    granted = {each.account for each in planned if each.change.grants}
    wanted: list[list[Any]] = [
        [each.account, told.facility, told.role, told.since, None, f"{source.file_name}, line {told.line}"[:200]]
        for each in planned
        for told in sorted(each.change.grants)
    ]
    places: dict[tuple[int, int], set[int]] = {}  # where those sign in who sign in there
    for each in planned:
        places.setdefault(each.place, set()).update(told.facility for told in each.change.grants)
    for new in authorities:
        if new.key in granted:
            continue
        wanted += [
            [new.key, facility, first_role[new.system], new.opened_on, None, f"{source.file_name}, signs in there"]
            for facility in sorted(places[new.person, new.system])
        ]
    keys = reserve_keys(RoleGrant, len(wanted))
    rows = ([key, scope.organization.pk, *row, at] for key, row in zip(keys, wanted, strict=True))
    insert_rows(RoleGrant, GRANT, rows)
    found: dict[int, list[int]] = {}
    for key, row in zip(keys, wanted, strict=True):
        found.setdefault(row[0], []).append(key)
    return found


def end_and_lose(planned: Sequence[Planned], at: datetime) -> dict[int, int]:
    """End roles, and mark accounts lost whose every role the list calls gone; return voided grant -> ended one.

    A single role was last held yesterday, those of a lost account today. Raises IntegrityError where somebody
    corrected one of them meanwhile.
    """
    today = day_in(at, EASTERN)
    last_days = {
        key: today if each.change.lost else today - timedelta(days=1) for each in planned for key in each.change.ended
    }
    successors = _ended(last_days, at)
    for loss in {each.change.lost for each in planned} - {""}:
        for part in parts(each.account for each in planned if each.change.lost == loss):
            running = PortalAccount.objects.running().filter(pk__in=part)
            lost = {"status": PortalAccount.Status.LOST, "loss": loss, "lost_at": at}
            if running.update(**lost, version=F("version") + 1) != len(part):
                raise IntegrityError("an account was changed while the list was compared")
    return successors


def _ended(last_days: dict[int, date], at: datetime) -> dict[int, int]:
    successors = dict(zip(sorted(last_days), reserve_keys(RoleGrant, len(last_days)), strict=True))
    for part in parts(last_days):
        void_grants(part, at)
        old = RoleGrant.objects.filter(pk__in=part).order_by("pk")
        facts = old.values_list(
            "pk", "organization_id", "account_id", "facility_id", "role_id", "valid_from", "evidence"
        )
        insert_rows(
            RoleGrant,
            GRANT,
            [
                [successors[key], *who, since, max(since, last_days[key]), evidence, at]
                for key, *who, since, evidence in facts
            ],
        )
    return successors


def void_grants(keys: Iterable[int], at: datetime) -> None:
    """Void grants. Raises IntegrityError where one of them was voided meanwhile."""
    for part in parts(keys):
        if RoleGrant.objects.known().filter(pk__in=part).update(voided_at=at) != len(part):
            raise IntegrityError("a role was corrected meanwhile")


def grant_again(keys: Collection[int], at: datetime) -> None:
    """Insert ended roles once more: what they said holds again, known from now on, also who certified them when."""
    rows = RoleGrant.objects.filter(pk__in=keys).order_by("pk")
    facts = ("organization_id", "account_id", "facility_id", "role_id", "valid_from", "valid_to", "evidence")
    old = list(rows.values_list("pk", *facts, "temporary"))
    new = reserve_keys(RoleGrant, len(old))
    again_as = ((key, row) for key, row in zip(new, old, strict=True))
    insert_rows(RoleGrant, (*GRANT, "temporary"), ([key, *row[1:-1], at, row[-1]] for key, row in again_as))
    again = {row[0]: key for key, row in zip(new, old, strict=True)}
    said = Certification.objects.known().filter(grant__in=keys).order_by("pk")
    certified = said.values_list("organization_id", "grant_id", "certified_on", "certified_by", "recorded_by")
    columns = ("organization", "grant", "certified_on", "certified_by", "recorded_by", "recorded_at")
    insert_rows(Certification, columns, ([tenant, again[key], *what, at] for tenant, key, *what in list(certified)))


def certify(scope: Scope, planned: Sequence[Planned], at: datetime) -> dict[int, list[int]]:
    """Keep when roles were certified, and by whom where the list says it; account -> keys."""
    told = {
        (each.account, certified.facility, certified.role): (certified.on, certified.by)
        for each in planned
        for certified in each.change.certified
    }
    wanted: list[list[Any]] = []
    owners: list[int] = []
    for part in parts(account for account, _, _ in told):
        rows = RoleGrant.objects.to_end().filter(account__in=part).order_by("pk")
        for key, account, facility, role in rows.values_list("pk", "account_id", "facility_id", "role_id"):
            if (account, facility, role) in told:
                wanted.append([scope.organization.pk, key, *told[account, facility, role], at, scope.actor.label])
                owners.append(account)
    keys = reserve_keys(Certification, len(wanted))
    insert_rows(Certification, _CERTIFICATION, ([key, *row] for key, row in zip(keys, wanted, strict=True)))
    found: dict[int, list[int]] = {}
    for key, account in zip(keys, owners, strict=True):
        found.setdefault(account, []).append(key)
    return found
