"""Opens the accounts of a list: those at the sign-in authorities first, where user IDs stand, then the surfaces."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import IntegrityError
from django.db.models import F

from accounts.models import PortalAccount
from accounts.services.account_plans import Planned, Plans
from audit.bulk import among, insert_rows, reserve_keys, update_rows
from facilities.access import Scope
from systems.policy import EASTERN, day_in

_ACCOUNT: Final = (
    "id", "organization", "person", "system", "identity", "user_id", "status", "loss", "opened_on", "login_state",
    "history_from_on", "proofing", "second_factor", "note", "version", "created_at",
)  # fmt: skip
_AT_ONCE: Final = 2_000


@dataclass(slots=True)
class New:
    """An account to be opened, at a surface or at the authority above one."""

    person: int
    system: int
    opened_on: date
    never: bool = False
    user_id: str = ""
    above: int | None = None  # key of the account at the authority
    key: int = 0


def open_accounts(scope: Scope, planned: Sequence[Planned], at: datetime) -> list[New]:
    """Open accounts, those at the authorities first; set keys on ``planned``. Returns the new ones at authorities.

    Whoever is in ``planned`` is in it with all systems; the accounts that are known are held: see `hold_plans`.
    """
    places = {each.place for each in planned if each.asks_above}
    above = dict(_authority_accounts(scope, places))
    upper = _at_authorities(planned, above, day_in(at, EASTERN))
    for new, number in zip(upper.values(), reserve_keys(PortalAccount, len(upper)), strict=True):
        new.key = number
    insert_rows(PortalAccount, _ACCOUNT, _account_rows(scope, list(upper.values()), at))
    above |= {place: new.key for place, new in upper.items()}
    surfaces = [each for each in planned if each.change.account is None and each.system.authority is not None]
    for each, number in zip(surfaces, reserve_keys(PortalAccount, len(surfaces)), strict=True):
        each.account = number
    for each in planned:
        each.account = each.account or each.change.account or above[each.place]
    rows = [
        New(
            each.person, each.system.key, each.change.opened_on or day_in(at, EASTERN), each.change.never,
            above=above[each.place], key=each.account,
        )
        for each in surfaces
    ]  # fmt: skip
    insert_rows(PortalAccount, _ACCOUNT, _account_rows(scope, rows, at))
    _tell_user_ids(planned, above, set(upper))
    return list(upper.values())


def hold_plans(scope: Scope, planned: Plans) -> dict[int, int]:
    """Lock what the changes touch, all of it before the first is written; return versions by key."""
    above = (key for _, key in _authority_accounts(scope, planned.asking))
    return hold_accounts(planned.known.union(above))


def hold_accounts(keys: Iterable[int]) -> dict[int, int]:
    """Lock accounts and those that they sign in through, in the order of all services: nobody waits in a circle.

    Returns their versions by key.
    """
    named = PortalAccount.objects.filter(pk__in=among(set(keys))).order_by()
    above = named.filter(identity__isnull=False).values("identity_id")
    every = PortalAccount.objects.filter(pk__in=named.values("pk").union(above)).order_by("pk")
    return dict(every.select_for_update().values_list("pk", "version"))


def _at_authorities(
    planned: Sequence[Planned], above: dict[tuple[int, int], int], today: date
) -> dict[tuple[int, int], New]:
    """Return the accounts to be opened at the authorities, one per person, for themselves or below a surface."""
    found: dict[tuple[int, int], New] = {}
    for each in planned:
        if each.change.account is not None or each.place in above:
            continue
        opened = each.change.opened_on or today
        new = found.setdefault(each.place, New(*each.place, opened_on=opened))
        new.user_id = new.user_id or each.change.user_id
        new.opened_on = min(new.opened_on, opened)
        new.never = new.never or (each.change.never and each.system.authority is None)
    return found


def change_states(planned: Sequence[Planned]) -> None:
    """Let accounts that were only asked for work, and tell of known ones that they were never used."""
    known = [each for each in planned if each.change.account is not None]
    asked = [each.account for each in known if each.change.status == "active"]
    never = [each.account for each in known if each.change.never]
    for start in range(0, max(len(asked), len(never)), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        working = PortalAccount.objects.filter(pk__in=asked[part])
        working.update(status=PortalAccount.Status.ACTIVE, version=F("version") + 1)
        unused = PortalAccount.objects.filter(pk__in=never[part], history_from_on=None)
        unused.update(history_from_on=F("opened_on"), version=F("version") + 1)


def _authority_accounts(scope: Scope, places: set[tuple[int, int]]) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield (person, authority) and its open account, the older one last; nothing is asked where nothing is sought."""
    if not places:
        return
    people, systems = among({person for person, _ in places}), {system for _, system in places}
    rows = PortalAccount.objects.open().filter(organization=scope.organization, system__in=systems, person__in=people)
    for key, person, system in rows.order_by("-pk").values_list("pk", "person_id", "system_id").iterator():
        if (person, system) in places:
            yield (person, system), key


def _tell_user_ids(planned: Sequence[Planned], above: dict[tuple[int, int], int], new: set[tuple[int, int]]) -> None:
    """Keep user IDs at known accounts of the authorities that had none; IntegrityError where one has it meanwhile."""
    told = {each.place: each.change.user_id for each in planned if each.change.user_id and each.place not in new}
    keys = {above[place]: user_id for place, user_id in told.items()}
    rows: list[list[Any]] = []
    for start in range(0, len(keys), _AT_ONCE):
        unknown = PortalAccount.objects.filter(pk__in=list(keys)[start : start + _AT_ONCE], user_id=None, identity=None)
        rows += [[key, version, keys[key]] for key, version in unknown.values_list("pk", "version")]
    also = "version = accounts_portalaccount.version + 1"
    if update_rows(PortalAccount, ("id", "version"), ("user_id",), rows, also=also) != len(keys):
        raise IntegrityError("a user ID was told while the list was compared")


def _account_rows(scope: Scope, new: Sequence[New], at: datetime) -> Iterator[list[Any]]:
    for each in new:
        state = "never" if each.never else "unknown"
        yield [
            each.key, scope.organization.pk, each.person, each.system, each.above, each.user_id or None, "active", "",
            each.opened_on, state, each.opened_on if each.never else None, "unknown", "unknown", "", 1, at,
        ]  # fmt: skip
