"""Logins in bulk, from a file: evidence of grade D as sets, then what they come to for each account."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from accounts.models import LoginEvent, PortalAccount
from accounts.services.clock_tables import LOGIN_KINDS
from accounts.services.clocks import CLOCK_KINDS, Chains, close_cured_findings
from accounts.services.contradictions import forget_contradictions
from accounts.services.logins import count_again
from accounts.services.replayed_clocks import recompute_replayed
from accounts.services.replaying import replayed
from audit.bulk import among, insert_rows, reserve_keys
from facilities.models import Organization
from systems.policy import EASTERN, day_in

_AT_ONCE: Final = 10_000  # accounts of one statement
_EVENT: Final = (
    "id", "organization", "account", "happened_on", "grade", "source", "via", "recorded_by", "recorded_at",
)  # fmt: skip


def feed_logins(
    *, organization: Organization, days: Mapping[int, date], above: Mapping[int, int], recorded_by: str, at: datetime
) -> dict[int, int]:
    """Write one login per account (key -> day) where the file did not say so before; return account -> event key.

    A login that counts at the sign-in authority is written there, too (``above``: see `counting_above`). Clocks
    stay behind: see `follow_logins`.
    Inside the caller's transaction.
    """
    new = [account for account, _ in _not_known(days.items(), LoginEvent.Source.FILE)]
    keys = dict(zip(new, reserve_keys(LoginEvent, len(new)), strict=True))
    rows: list[list[Any]] = [
        [key, organization.pk, account, days[account], "D", "file", None, recorded_by, at]
        for account, key in keys.items()
    ]
    insert_rows(LoginEvent, _EVENT, rows)
    # Each of them counts above: when one is taken back, the others still do.
    counted = {(above[account], days[account]): keys[account] for account in new if account in above}
    also = _not_known(counted, LoginEvent.Source.AUTHORITY)
    insert_rows(
        LoginEvent,
        _EVENT,
        (
            [key, organization.pk, *place, "D", "authority", counted[place], recorded_by, at]
            for place, key in zip(also, reserve_keys(LoginEvent, len(also)), strict=True)
        ),
    )
    return keys


def counting_above(accounts: Iterable[int]) -> dict[int, int]:
    """Return account -> the account at its sign-in authority, where a login here counts there as well."""
    below = PortalAccount.objects.filter(pk__in=among(accounts), identity__isnull=False).order_by()
    rows = below.filter(system__counts_at_authority=True).exclude(identity__status=PortalAccount.Status.REMOVED)
    return {account: above for account, above in rows.values_list("pk", "identity_id") if above}


def follow_logins(
    *,
    accounts: Iterable[int],
    above: Mapping[int, int],
    at: datetime,
    chains: Chains,
    signed_in_only: Iterable[int] = (),
) -> None:
    """Bring login states, deadlines and lapse findings of these accounts, and those ``above`` them, in line.

    ``signed_in_only``: accounts of which nothing but logins changed, so that only clocks that logins move are read.
    Inside the transaction that holds the accounts.
    """
    changed, only = set(accounts), set(signed_in_only)
    only.update(above.values())
    for touched, kinds in ((changed, CLOCK_KINDS), (only - changed, LOGIN_KINDS)):
        ordered = sorted(touched)
        for start in range(0, len(ordered), _AT_ONCE):
            part = ordered[start : start + _AT_ONCE]
            recompute_replayed(come=replayed(part, chains=chains), kinds=kinds, at=at, chains=chains)
            rows = PortalAccount.objects.filter(pk__in=among(part))
            close_cured_findings(accounts=rows, at=at, on=day_in(at, EASTERN))


def void_logins(keys: Iterable[int], *, at: datetime) -> None:
    """Void logins of a file with what they counted for at authorities; clocks stay behind: see `follow_logins`.

    Where another surface's login of that day still stands, it counts at the authority instead.
    Inside the caller's transaction.
    """
    ordered = sorted(set(keys))
    for start in range(0, len(ordered), _AT_ONCE):
        part = ordered[start : start + _AT_ONCE]
        forget_contradictions(part)
        standing = LoginEvent.objects.standing()
        counted = list(standing.filter(via__in=among(part)).values_list("account_id", "happened_on"))
        standing.filter(via__in=among(part)).update(voided_at=at)
        standing.filter(pk__in=among(part)).update(voided_at=at)
        below = standing.filter(
            account__identity__in={authority for authority, _ in counted},
            account__system__counts_at_authority=True,
            happened_on__in={day for _, day in counted},
        )
        others = set(below.values_list("account__identity_id", "happened_on").distinct())
        for authority, day in sorted(set(counted) & others):
            count_again(authority, day, at)


def _not_known(told: Iterable[tuple[int, date]], source: LoginEvent.Source) -> list[tuple[int, date]]:
    """Return the accounts and days that this source has not told yet."""
    wanted = sorted(told)
    between = (min(days), max(days)) if (days := {day for _, day in wanted}) else ()
    new: list[tuple[int, date]] = []
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        rows = LoginEvent.objects.standing().filter(account__in=among(account for account, _ in part), source=source)
        rows = rows.filter(happened_on__range=between)
        known = set(rows.order_by().values_list("account_id", "happened_on"))
        new += [each for each in part if each not in known]
    return new
