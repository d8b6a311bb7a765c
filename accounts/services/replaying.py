"""What the logins of accounts come to, replayed by the policy: state, last login, the day the clock counts from."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from functools import cache, partial
from typing import Final, NamedTuple

from accounts.models import Deadline, LoginEvent, PortalAccount, RoleGrant
from accounts.policy import counted_login
from accounts.services.clocks import Chains
from audit.bulk import among, update_rows
from facilities.services.rechecks import recheck

COLUMNS: Final = ("login_state", "last_login_on", "counts_from_on")


class _Facts(NamedTuple):
    """What the logins of an account come to depends on, besides the logins."""

    system_id: int
    history_from_on: date | None
    confirmed_on: date | None


Come = tuple[str, date | None, date | None]  # login state, last login, the day the clock counts from


class Replayed(NamedTuple):
    """What is stored of an account's logins, and what they come to."""

    account: int
    was: Come
    come: Come


def replay_logins(account_ids: Sequence[int], *, chains: Chains) -> list[int]:
    """Set on these accounts what their logins come to, and return those it moved; their deadlines stay behind.

    Inside the caller's transaction.
    """
    moved = {each.account: each.come for each in replayed(account_ids, chains=chains) if each.come != each.was}
    update_rows(PortalAccount, ("id",), COLUMNS, ([pk, *map(_stored, come)] for pk, come in moved.items()))
    return list(moved)


def replayed(account_ids: Sequence[int], *, chains: Chains) -> list[Replayed]:
    """Lock these accounts and return what their logins come to; the caller writes it, in the same transaction.

    Replaying a history needs the policy, which is never written in SQL; of the same facts and days it is asked once.
    """
    facts = ("system_id", "history_from_on", "confirmed_on")
    accounts = PortalAccount.objects.filter(pk__in=among(account_ids)).order_by("pk").select_for_update()
    locked = list(accounts.values_list("pk", *COLUMNS, *facts))
    days: dict[int, list[date]] = defaultdict(list)
    standing = LoginEvent.objects.standing().filter(account__in=among(account_ids))
    for pk, day in standing.order_by("account", "happened_on").values_list("account", "happened_on"):
        days[pk].append(day)
    replay = cache(partial(_replay, chains=chains))
    found = [
        Replayed(pk, (state, last, counts), replay(_Facts(*rest), tuple(days.get(pk, ()))))
        for pk, state, last, counts, *rest in locked
    ]
    turned = [each.account for each in found if each.come[0] != each.was[0]]
    if turned:  # whose last login is unknown is a matter of the facility (the finding "last login unknown")
        grants = RoleGrant.objects.known().filter(account__in=among(turned))
        recheck(grants.values_list("facility_id", flat=True).distinct())
    return found


def _stored(value: str | date | None) -> str | None:
    return value.isoformat() if isinstance(value, date) else value


def _replay(facts: _Facts, days: Sequence[date], *, chains: Chains) -> Come:
    """Return what the logins of an account come to."""
    if not days:
        never = facts.history_from_on is not None
        return PortalAccount.LoginState.NEVER if never else PortalAccount.LoginState.UNKNOWN, None, None
    counts = counted_login(
        days,
        history_from_on=facts.history_from_on,
        confirmed_on=facts.confirmed_on,
        chain=chains.get((facts.system_id, Deadline.Kind.INACTIVITY), ()),
    )
    return PortalAccount.LoginState.KNOWN, max(days), counts
