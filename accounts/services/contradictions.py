"""Logins that what was seen in the system contradicts: kept, voided, and back when that is taken back (design 4)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import Q, QuerySet

from accounts.errors import LoginRejected
from accounts.models import LoginEvent, PortalAccount, RoleGrant
from accounts.policy.sightings import Sighting, contradicting
from accounts.words import day as words_of
from audit.bulk import among
from facilities.access import NotAllowed, Scope
from facilities.models import Organization
from systems.policy import EASTERN, day_in
from systems.selectors import official_roles


def may_see(scope: Scope, account: PortalAccount, at: datetime) -> bool:
    """Return whether the member is a Security Official on this system at one of the account's facilities.

    Nobody is one for the own account: that would be the holder's own word.
    """
    if scope.user_id is None or account.person.user_id == scope.user_id:
        return False
    on = day_in(at, EASTERN)
    places = RoleGrant.objects.in_force(on).filter(account=account).values("facility")
    mine = RoleGrant.objects.in_force(on).filter(
        account__person__user=scope.user_id,
        account__organization=scope.organization,
        account__system=account.system_id,
        account__status=PortalAccount.Status.ACTIVE,
    )
    return mine.filter(role__in=official_roles(), facility__in=places).exists()


def refuse_unofficial(scope: Scope, account: PortalAccount, at: datetime) -> None:
    """Raise NotAllowed for a member who cannot have seen it in the system."""
    if not may_see(scope, account, at):
        raise NotAllowed(
            f"Only a Security Official of {account.system.name} at the same facility can state what the system shows."
        )


def sightings_of(accounts: Iterable[int]) -> dict[int, list[Sighting]]:
    """Return what was seen of these accounts in the system. One query."""
    return _by_account(LoginEvent.objects.seen().filter(account__in=among(accounts)))


def sightings_in(organization: Organization) -> dict[int, list[Sighting]]:
    """Return what was seen of an organization's accounts in their systems. One query."""
    return _by_account(LoginEvent.objects.seen().filter(organization=organization))


def _by_account(seen: QuerySet[LoginEvent]) -> dict[int, list[Sighting]]:
    found: dict[int, list[Sighting]] = defaultdict(list)
    for account, last, on in seen.order_by("pk").values_list("account_id", "happened_on", "seen_on"):
        if on is not None:
            found[account].append(Sighting(last, on))
    return found


def contradicted(accounts: Iterable[int], day: date) -> dict[int, Sighting]:
    """Return the accounts for which a login on this day cannot be, each with what was seen."""
    found = {account: contradicting(day, seen) for account, seen in sightings_of(accounts).items()}
    return {account: against for account, against in found.items() if against is not None}


def refuse_contradicted(accounts: Iterable[PortalAccount], day: date) -> None:
    """Raise LoginRejected for a login that cannot have been by what was seen in the system."""
    by_key = {account.pk: account for account in accounts}
    for key, against in contradicted(by_key, day).items():
        account = by_key[key]
        raise LoginRejected(
            f"On {words_of(against.seen_on)} a Security Official saw in {account.system.name} that {account.person}"
            f" last signed in on {words_of(against.last_login_on)}; a login between these days does not count. If"
            " that was a mistake, have it taken back on the account’s page.",
            field="happened_on",
            code="contradicted",
        )


def contradict(event: LoginEvent, at: datetime) -> list[tuple[int, date]]:
    """Void the weaker logins that a sighting contradicts, with what they counted for at authorities.

    Returns (authority, day) of the latter, where other surfaces may still count. Inside the caller's transaction.
    """
    standing = LoginEvent.objects.standing()
    between = standing.filter(account=event.account_id, happened_on__gt=event.happened_on)
    weaker = between.filter(happened_on__lte=event.seen_on, via=None).exclude(grade=LoginEvent.Grade.A)
    keys = list(weaker.values_list("pk", flat=True))
    above = standing.filter(via__in=keys)
    counted = list(above.values_list("account_id", "happened_on"))
    above.update(voided_at=at, contradicted_by=event)
    standing.filter(pk__in=keys).update(voided_at=at, contradicted_by=event)
    return counted


def forget_contradictions(keys: Iterable[int]) -> None:
    """Let logins that are taken back themselves stay voided, whatever becomes of what contradicted them."""
    hidden = LoginEvent.objects.filter(contradicted_by__isnull=False)
    hidden.filter(Q(pk__in=among(keys)) | Q(via__in=among(keys))).update(contradicted_by=None)


def restore(event: LoginEvent) -> set[int]:
    """Let count again what only this sighting, voided now, contradicted; return the accounts that it touched.

    What was told once more meanwhile stands already. Inside the caller's transaction.
    """
    mine = LoginEvent.objects.filter(account=event.account_id, contradicted_by=event)
    above = LoginEvent.objects.filter(via__in=mine.values("pk"), contradicted_by=event)
    rows = list(LoginEvent.objects.filter(Q(pk__in=mine.values("pk")) | Q(pk__in=above.values("pk"))).order_by("pk"))
    others = sightings_of([event.account_id])[event.account_id]
    standing = LoginEvent.objects.standing().filter(account__in={row.account_id for row in rows})
    told = set(standing.values_list("account_id", "happened_on", "source"))
    again = [
        row
        for row in rows
        if (row.account_id, row.happened_on, row.source) not in told and not contradicting(row.happened_on, others)
    ]
    LoginEvent.objects.filter(pk__in=[row.pk for row in again]).update(voided_at=None, contradicted_by=None)
    return {row.account_id for row in again}
