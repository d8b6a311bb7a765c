"""Step two for what is there already: which of somebody's accounts and roles a kind of request may be about."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from accounts.models import PortalAccount, RoleGrant
from accounts.policy.requesting import Kind
from accounts.words import day, listed
from audit.bulk import among
from facilities.access import Action, Scope
from facilities.models import Facility
from staff.models import Person
from systems.models import PolicyKind, System
from systems.selectors import clock_policies
from web.requests.reach import is_me, places_to_ask
from web.requests.wanting import Pick

_STATUS = PortalAccount.Status
# These speak of a role, the others of an account as a whole.
OF_ROLES = frozenset({Kind.ROLE_CHANGE.value, Kind.CERTIFICATION.value})


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose, in words."""

    pick: Pick
    words: str
    note: str = ""


def options_for(scope: Scope, person: Person, kind: str, on: date) -> list[Option]:
    """Return what somebody holds that a kind of request may be about, at facilities where the member may ask."""
    readable = PortalAccount.objects.visible_to(scope).filter(person=person).open()
    if kind == Kind.CERTIFICATION:  # only where a rule asks for one every year
        asked = clock_policies().filter(kind=PolicyKind.CERTIFICATION).order_by().values("system")
        readable = readable.filter(system__in=asked)
    accounts = list(
        readable.select_related("system", "person__organization", "organization").order_by("system__position", "pk")
    )
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
    found: list[Option] = []
    for account in accounts:
        mine = grants[account.pk]
        for grant in mine:
            grant.account = account
        found += options_of(account, mine, kind, on, whole=account.pk not in elsewhere)
    return found


def options_of(
    account: PortalAccount, grants: list[RoleGrant], kind: str, on: date, *, whole: bool = True
) -> list[Option]:
    """Return what of one account a request may be about. ``grants``: those within reach, the newest of a role first.

    ``whole``: no other facility has a role in force on it, so that it may be asked to go as a whole.
    """
    if kind == Kind.REACTIVATION:
        return _to_get_back(account, grants, on)
    # What was wanted until a day is to be taken away after it, too.
    past = kind == Kind.REMOVAL
    now = [grant for grant in grants if holds_on(grant, on) or (past and grant.temporary and grant.valid_from <= on)]
    if kind in OF_ROLES:
        return [_role(grant) for grant in now] if account.status == _STATUS.ACTIVE else []
    if not grants and account.status != _STATUS.ACTIVE:
        return []
    if kind == Kind.PROOFING and (account.identity_id or account.system.sign_in_via_id):
        return []
    if kind != Kind.REMOVAL:
        return [Option(Pick(account), account.system.name, _whole(account, now))]
    if not whole:
        return [_role(grant) for grant in now]
    roles = [_role(grant) for grant in now] if len(now) > 1 else []
    return [Option(Pick(account), f"{account.system.name}: the whole account", _whole(account, now)), *roles]


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
    """Return somebody's account on a system: one that is in use before others, the newest of several."""
    open_ones = PortalAccount.objects.open().filter(person=person, system=system).order_by("-pk")
    return min(open_ones, key=lambda each: not is_there(each), default=None)


def is_there(account: PortalAccount) -> bool:
    """Return whether an account exists on its system, be it lost: a deleted or only planned one has to be made."""
    if account.status == PortalAccount.Status.LOST:
        return account.loss != PortalAccount.Loss.DELETED
    return account.status == PortalAccount.Status.ACTIVE


def _to_get_back(account: PortalAccount, grants: list[RoleGrant], on: date) -> list[Option]:
    """Return the roles of an account that was or seems lost: those in force, and those that ended with the loss.

    What was taken away before is asked for as a new role (`accounts.services.requests.drafting`).
    """
    lost = account.status == _STATUS.LOST or _seems_lapsed(account, on)
    since = account.lost_at if account.status == _STATUS.LOST else None
    options, seen = [], set()
    for grant in grants:
        place = (grant.facility_id, grant.role_id)
        ended = since is not None and grant.valid_to is not None and grant.recorded_at >= since
        if place not in seen and (ended or (lost and grant.valid_to is None)):
            seen.add(place)
            options.append(_role(grant, f"Ended on {day(grant.valid_to)}." if ended else _lost(account)))
    if lost and not options:
        return [Option(Pick(account), account.system.name, _lost(account))]
    return options


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
