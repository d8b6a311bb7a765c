"""Clocks of accounts whose system has closed at all their facilities: shown, but quiet (design 4, only streams end).

The mark stands on the deadline, so that mails and lists need no join; it follows the findings of R-47 in their run.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from accounts.models import Deadline, Finding, PortalAccount, RoleGrant
from accounts.models.watch import DeadlineQuerySet
from accounts.services.lapses import SWEEP, restate
from accounts.services.rules.found import Slice
from audit.bulk import among
from audit.services import Ref, record_digest

_RULE: Final = Ref("rule:closed-system", "Clocks of systems that have closed")
Place = tuple[int, str]  # facility and slug of a system


def mute(part: Slice, at: datetime) -> int:
    """Mark the deadlines of accounts at the slice's facilities quiet, or loud again. Returns how many changed.

    An account is quiet when each of its grants in force lies at a facility for which its system has closed. A few
    queries; nothing is read of accounts on other systems.
    """
    there = RoleGrant.objects.known().filter(facility__in=part.facilities).order_by()
    was = set(
        Deadline.objects.open()
        .filter(muted=True, account__in=there.values("account"))
        .values_list("account", flat=True)
    )
    systems = {system for _, system in _closed(part.facilities)}
    asked = RoleGrant.objects.in_force(part.on).filter(facility__in=part.facilities, account__system__slug__in=systems)
    quiet = _quiet(set(asked.order_by().values_list("account_id", flat=True)), part)
    waking = Deadline.objects.open().filter(account__in=among(was - quiet), muted=True)
    muting = Deadline.objects.open().filter(account__in=among(quiet), muted=False)
    _record(waking, "deadline.loud", at)
    _record(muting, "deadline.quiet", at)
    changed = waking.update(muted=False) + muting.update(muted=True)
    if changed:
        restate(Finding.objects.filter(account__in=among(was | quiet)), at)
    return changed


def _record(deadlines: DeadlineQuerySet, action: str, at: datetime) -> None:
    rows = deadlines.annotate(chain=Concat(Value("organization:"), Cast("organization_id", CharField())))
    record_digest(action=action, actor=SWEEP, subject=_RULE, at=at, rows=rows)


def _closed(facilities: Collection[int]) -> set[Place]:
    """Return where a system has closed and accounts are still open: what R-47 has found."""
    found = Finding.objects.open().filter(kind=Finding.Kind.CLOSED_SYSTEM, facility__in=among(facilities))
    return {(place, key.rpartition("/system:")[2]) for place, key in found.values_list("facility_id", "subject_key")}


def _quiet(accounts: set[int], part: Slice) -> set[int]:
    places: dict[int, set[Place]] = defaultdict(set)
    held = RoleGrant.objects.in_force(part.on).filter(account__in=among(accounts))
    held = held.exclude(account__status=PortalAccount.Status.REMOVED)
    for account, place, system in held.order_by().values_list("account_id", "facility_id", "account__system__slug"):
        places[account].add((place, system))
    closed = _closed({place for held_at in places.values() for place, _ in held_at})
    return {account for account, held_at in places.items() if held_at <= closed}
