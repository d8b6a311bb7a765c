"""Roles that were wanted until a day (R-54): until when, also once their account was lost, and opening them so."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db.models import F, Q

from accounts.models import PortalAccount, RoleGrant
from accounts.services.logins import end_grants
from audit.bulk import among
from facilities.models import Facility
from systems.models import SystemRole

RoleWanted = tuple[int, int, int]  # account, facility, role


def until_of(grants: Collection[RoleGrant]) -> dict[int, date]:
    """Return by key the last day of those roles that were wanted until a day, open or ended. One query.

    What ended is a row of its own, which says when that was; the day stands in the row that was voided for it.
    """
    before = RoleGrant.objects.filter(account__in={grant.account_id for grant in grants}, voided_at__isnull=False)
    rows = before.filter(Q(valid_to=None) | Q(temporary=True)).order_by("voided_at", "pk")
    known = {
        tuple(who): until
        for *who, until in rows.values_list("account_id", "facility_id", "role_id", "valid_from", "valid_to")
    }
    found: dict[int, date] = {}
    for grant in grants:
        ended = known.get((grant.account_id, grant.facility_id, grant.role_id, grant.valid_from))
        until = grant.valid_to if grant.temporary or grant.valid_to is None else ended
        if until is not None:
            found[grant.pk] = until
    return found


def until_when_back(wanted: Collection[RoleWanted]) -> dict[RoleWanted, date]:
    """Return until when roles were wanted that are to come back, without the lasting ones. Two queries at most."""
    if not wanted:
        return {}
    last: dict[RoleWanted, RoleGrant] = {}
    known = RoleGrant.objects.known().filter(account__in=among(account for account, _, _ in wanted))
    for grant in known.order_by(F("valid_to").desc(nulls_first=True), "-pk"):
        last.setdefault((grant.account_id, grant.facility_id, grant.role_id), grant)
    meant = {each: last[each] for each in wanted if each in last}
    until = until_of(list(meant.values()))
    return {each: until[grant.pk] for each, grant in meant.items() if grant.pk in until}


def grant_until(
    account: PortalAccount,
    facility: Facility,
    role: SystemRole,
    days: tuple[date, date],
    at: datetime,
    evidence: str,
) -> RoleGrant:
    """Open a role from a day until another, or return the one that is held. As `inventory.grant_role`."""
    held = RoleGrant.objects.to_end().filter(account=account, facility=facility, role=role)
    return held.order_by("temporary").first() or RoleGrant.objects.create(
        organization_id=account.organization_id, account=account, facility=facility, role=role,
        valid_from=days[0], valid_to=days[1], temporary=True, evidence=evidence[:200], recorded_at=at,
    )  # fmt: skip


def end_before(short: RoleGrant, on: date, at: datetime) -> None:
    """End a temporary role because it goes on in another from a day: never past the day until which it was wanted.

    Where that leaves no day of it, it is voided only.
    """
    assert short.valid_to is not None  # a check of the table
    last = min(short.valid_to, on - timedelta(days=1))
    if last >= short.valid_from:
        end_grants(account=short.account, on=last, at=at, only=short)
    else:
        RoleGrant.objects.filter(pk=short.pk).update(voided_at=at)
