"""Step two for what is there already: which of somebody's accounts and roles a kind of request may be about."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from accounts.models import PortalAccount, RoleGrant
from accounts.policy.offering import Surface, why_not
from accounts.policy.requesting import Kind
from accounts.services.requests.offered import late_certifications, surfaces
from accounts.words import day, listed
from audit.bulk import among
from facilities.access import Action, Scope
from facilities.models import Facility
from staff.models import Person
from systems.models import System
from web.requests.reach import is_me, places_to_ask
from web.requests.wanting import Pick

_STATUS = PortalAccount.Status
# These speak of a role, the others of an account as a whole.
OF_ROLES = frozenset({Kind.ROLE_CHANGE.value, Kind.CERTIFICATION.value})
_NONE_LATE: Final[Mapping[int, date]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose, in words."""

    pick: Pick
    words: str
    note: str = ""


class Options(list[Option]):
    """What there is to choose, and why something that somebody holds is not among it."""

    def __init__(self) -> None:
        super().__init__()
        self.without: dict[str, Surface] = {}  # systems on which somebody holds something and this is not offered

    def reasons(self, kind: str) -> list[str]:
        """Return why, one sentence a system; of certifications one for all."""
        if kind == Kind.CERTIFICATION and self.without:
            return [why_not(kind, Surface(name=listed(self.without)))]
        return [why_not(kind, surface) for surface in self.without.values()]


def options_for(scope: Scope, person: Person, kind: str, on: date) -> Options:
    """Return what somebody holds that a kind of request may be about, at facilities where the member may ask."""
    readable = PortalAccount.objects.visible_to(scope).filter(person=person).open()
    accounts = list(
        readable.select_related("system", "person__organization", "organization").order_by("system__position", "pk")
    )
    known_systems = surfaces(account.system_id for account in accounts)
    grants: dict[int, list[RoleGrant]] = defaultdict(list)
    able = places_to_ask(scope, person).order_by().values("pk")
    known = RoleGrant.objects.known().filter(account__in=accounts)
    elsewhere = set(
        RoleGrant.objects.in_force(on)
        .filter(account__in=accounts)
        .exclude(facility__in=able)
        .values_list("account_id", flat=True)
    )
    for grant in (
        known.filter(facility__in=able)
        .select_related("facility", "role")
        .order_by("facility__name", "role__position", "-pk")
    ):
        grants[grant.account_id].append(grant)
    found = Options()
    late = late_to_get_back(grants.values(), kind, on)
    for account in accounts:
        mine = grants[account.pk]
        for grant in mine:
            grant.account = account
        surface = known_systems[account.system_id]
        options = options_of(account, mine, kind, on, surface, whole=account.pk not in elsewhere, late=late)
        found += options
        if not options and why_not(kind, surface):
            found.without.setdefault(surface.name, surface)
    return found


def options_of(
    account: PortalAccount,
    grants: list[RoleGrant],
    kind: str,
    on: date,
    surface: Surface,
    *,
    whole: bool = True,
    late: Mapping[int, date] = _NONE_LATE,
) -> list[Option]:
    """Return what of one account a request may be about. ``grants``: those within reach, the newest of a role first.

    ``whole``: no other facility has a role in force on it, so that it may be asked to go as a whole. ``surface``: what
    there is to ask for on its system. ``late``: as `late_to_get_back`.
    """
    if kind == Kind.REACTIVATION:
        return _to_get_back(account, grants, on, late)
    # What was wanted until a day is to be taken away after it, too.
    past = kind == Kind.REMOVAL
    now = [grant for grant in grants if holds_on(grant, on) or (past and grant.temporary and grant.valid_from <= on)]
    if why_not(kind, surface):
        if kind != Kind.REMOVAL:
            return []
        return [_role(grant) for grant in now if not why_not(kind, surface, privileged=grant.role.privileged)]
    if kind in OF_ROLES:
        return [_role(grant) for grant in now] if account.status == _STATUS.ACTIVE else []
    if not grants and account.status != _STATUS.ACTIVE:
        return []
    if kind != Kind.REMOVAL:
        return [Option(Pick(account), account.system.name, _whole(account, now))]
    if not whole:
        return [_role(grant) for grant in now]
    roles = [_role(grant) for grant in now] if len(now) > 1 else []
    return [Option(Pick(account), f"{account.system.name}: the whole account", _whole(account, now)), *roles]


def late_to_get_back(grants: Iterable[list[RoleGrant]], kind: str, on: date) -> dict[int, date]:
    """Return as `late_certifications` which roles may come back although their account runs. One query at most."""
    if kind != Kind.REACTIVATION:
        return {}
    return late_certifications([grant.pk for mine in grants for grant in mine], on)


def holds_on(grant: RoleGrant, on: date) -> bool:
    """Return whether a grant is in force on a day."""
    return grant.valid_from <= on and (grant.valid_to is None or grant.valid_to >= on)


def grants_within_reach(
    scope: Scope, held: Sequence[PortalAccount], on: date
) -> tuple[dict[int, list[RoleGrant]], set[int]]:
    """Return by account the roles within reach, and the accounts with a role in force beyond it. Two queries."""
    places = scope.acts_at(Action.REQUEST_ACCESS)
    open_ones = set(Facility.objects.filter(organization=scope.organization).open().values_list("pk", flat=True))
    grants: dict[int, list[RoleGrant]] = defaultdict(list)
    elsewhere: set[int] = set()
    accounts = {account.pk: account for account in held}
    known = RoleGrant.objects.known().filter(account__in=among(accounts)).select_related("facility", "role")
    for grant in known.order_by("facility__name", "role__position", "-pk"):
        grant.account = accounts[grant.account_id]
        able = places is None or grant.facility_id in places or is_me(scope, grant.account.person)
        if able and grant.facility_id in open_ones:
            grants[grant.account_id].append(grant)
        elif holds_on(grant, on):
            elsewhere.add(grant.account_id)
    return grants, elsewhere


def account_on(person: Person, system: System) -> PortalAccount | None:
    """Return somebody's account on a system, as `accounts_on` finds it."""
    return accounts_on([person], system).get(person.pk)


def accounts_on(people: Iterable[Person], system: System) -> dict[int, PortalAccount]:
    """Return by person the account on a system: one that is in use before others, the newest of several. One query."""
    found: dict[int, PortalAccount] = {}
    mine = PortalAccount.objects.open().filter(person__in=among(person.pk for person in people), system=system)
    for account in mine.order_by("-pk"):
        known = found.setdefault(account.person_id, account)
        if is_there(account) and not is_there(known):
            found[account.person_id] = account
    return found


def is_there(account: PortalAccount) -> bool:
    """Return whether an account exists on its system, be it lost: a deleted or only planned one has to be made."""
    if account.status == PortalAccount.Status.LOST:
        return account.loss != PortalAccount.Loss.DELETED
    return account.status == PortalAccount.Status.ACTIVE


def _to_get_back(account: PortalAccount, grants: list[RoleGrant], on: date, late: Mapping[int, date]) -> list[Option]:
    """Return the roles of an account that was or seems lost: those in force, and those that ended with the loss.

    A role that was not certified in time counts as lost, whatever its account.

    What was taken away before is asked for as a new role (`accounts.services.requests.drafting`).
    """
    lost = account.status == _STATUS.LOST or _seems_lapsed(account, on)
    since = account.lost_at if account.status == _STATUS.LOST else None
    options, seen = [], set()
    for grant in grants:
        place = (grant.facility_id, grant.role_id)
        ended = since is not None and grant.valid_to is not None and grant.recorded_at >= since
        if place not in seen and (ended or (grant.valid_to is None and (lost or grant.pk in late))):
            seen.add(place)
            options.append(_role(grant, _how_lost(account, grant, late, ended=ended)))
    if lost and not options:
        return [Option(Pick(account), account.system.name, _lost(account))]
    return options


def _how_lost(account: PortalAccount, grant: RoleGrant, late: Mapping[int, date], *, ended: bool) -> str:
    if ended:
        return f"Ended on {day(grant.valid_to)}."
    if grant.pk in late:
        return f"Presumed removed: it was to be certified by {day(late[grant.pk])}."
    return _lost(account)


def _seems_lapsed(account: PortalAccount, on: date) -> bool:
    return account.status == _STATUS.ACTIVE and account.lapses_on is not None and account.lapses_on < on


def _lost(account: PortalAccount) -> str:
    if account.status != _STATUS.LOST:
        return f"Presumed lapsed: the last safe day was {day(account.lapses_on)}."
    return f"Lost: {account.get_loss_display().lower()}."


def _role(grant: RoleGrant, note: str = "") -> Option:
    words = f"{grant.account.system.name}: {grant.role.name} at {grant.facility.name}"
    return Option(Pick(grant.account, grant), words, note)


def _whole(account: PortalAccount, now: list[RoleGrant]) -> str:
    held = [f"{grant.role.name} at {grant.facility.name}" for grant in now]
    return " ".join(
        filter(None, [_lost(account) if account.status == _STATUS.LOST else "", f"{listed(held)}." if held else ""])
    )
