"""Which data sheet a request needs, filled from the register and the catalogue's phrases."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from accounts.models import AccessRequest, PortalAccount, RoleGrant
from accounts.models.requests import AccessRequestQuerySet
from accounts.policy.data_sheets import (
    Change,
    Sheet,
    Site,
    Someone,
    account_request,
    call_sheet,
    cmsnet_request,
    epoc_removal,
    remove_all_but,
)
from accounts.policy.requesting import ENDED, Kind
from facilities.models import Facility
from staff.models import Person
from systems.models import Contact, ContactPoint, FormPhrase

_ADDS = frozenset({Kind.NEW_ACCOUNT, Kind.ADDITIONAL_ROLE})
# Systems whose form takes who goes and who comes: one user name opens both.
ON_ONE_FORM: Final = frozenset({"qies", "casper"})
_EPOC: Final = "epoc-user"
_HALF: Final = (
    "The same form has a second half, about another person, which you may not read. Whoever carries the request out at"
    " the facility has the whole form."
)


def sheet_of(request: AccessRequest, readable: AccessRequestQuerySet) -> Sheet | None:
    """Return the sheet of a request (read with system, facility, role, grant, people), None where none is needed.

    A removal and an addition at the same facility in one bundle share a form (R-37); of the other half it tells what
    is among the ``readable`` requests. Five queries at most.
    """
    slug, kind = request.system.slug, request.kind
    site = site_of(request.facility)
    if kind == Kind.FORGOTTEN_ID:
        return call_sheet(request.system.name, site, _who(request), _contact(request, ContactPoint.Kind.PHONE))
    if kind != Kind.REMOVAL and kind not in _ADDS:
        return None
    roles = _roles_removed(request) if slug == "qies" and kind == Kind.REMOVAL else set()
    desk = _contact(request, ContactPoint.Kind.EMAIL) if _EPOC in roles else ""
    if roles == {_EPOC}:
        return epoc_removal(Change(site, removed=_who(request), desk=desk))
    if slug == "cmsnet":
        who = _who(request)
        return cmsnet_request(Change(site, removed=who) if kind == Kind.REMOVAL else Change(site, added=who))
    if slug not in ON_ONE_FORM:
        return None
    other = _other_side(request)
    hidden = other is not None and not readable.filter(pk=other.pk).exists()
    other = None if hidden else other
    removed = request if kind == Kind.REMOVAL else other
    added = other if kind == Kind.REMOVAL else request
    sheet = account_request(
        Change(
            site,
            removed=_who(removed) if removed else None,
            added=_who(added) if added else None,
            reason=request.reason,
            phrases=phrases(),
            desk=desk,
            epoc=_EPOC in roles,
        )
    )
    return replace(sheet, hints=(_HALF, *sheet.hints)) if hidden else sheet


def _roles_removed(request: AccessRequest) -> set[str]:
    """Return the roles that go: the one that is asked about, else all that the account holds at the facility."""
    if request.grant is not None:
        return {request.grant.role.slug}
    held = RoleGrant.objects.to_end().filter(account=request.account_id, facility=request.facility_id)
    return set(held.values_list("role__slug", flat=True))


def people_with_access(facility: Facility) -> list[PortalAccount]:
    """Return the accounts on QIES with a role at a facility, also until a day, with their holders. One query."""
    held = RoleGrant.objects.to_end().filter(facility=facility, account__system__slug="qies")
    accounts = PortalAccount.objects.open().filter(pk__in=held.values("account"))
    return list(accounts.select_related("person").order_by("person__last_name", "person__first_name", "pk"))


def keep_sheet(facility: Facility, kept: Sequence[PortalAccount]) -> Sheet:
    """Return the request to remove everybody at a facility but the holders of these accounts (R-36).

    Raises SheetRefused as `remove_all_but`.
    """
    people = [_someone(account.person, account.user_id or "") for account in kept]
    return remove_all_but(site_of(facility), people, phrases())


def site_of(facility: Facility) -> Site:
    """Return a facility as it stands on a sheet."""
    return Site(facility.name, facility.ccn or None, facility.state, facility.zip_code)


def phrases() -> dict[str, str]:
    """Return the exact phrases of forms by fact ID."""
    return dict(FormPhrase.objects.current().values_list("fact_id", "text"))


def _other_side(request: AccessRequest) -> AccessRequest | None:
    """Return the removal or addition of another person that goes on the same form."""
    if request.bundle_id is None:
        return None
    wanted = _ADDS if request.kind == Kind.REMOVAL else {Kind.REMOVAL}
    ended = [state.value for state in ENDED]
    same = AccessRequest.objects.filter(
        bundle=request.bundle_id, facility=request.facility_id, system__slug__in=ON_ONE_FORM
    ).filter(kind__in=[kind.value for kind in wanted])
    others = same.exclude(beneficiary_person=request.beneficiary_person_id).exclude(state__in=ended)
    running = others.select_related("beneficiary_person", "account__identity").order_by("pk")
    return min(running, key=lambda each: each.system_id != request.system_id, default=None)


def _who(request: AccessRequest) -> Someone:
    account = request.account
    identity = account.identity if account is not None and account.identity_id else account
    return _someone(request.beneficiary_person, (identity.user_id or "") if identity is not None else "")


def _someone(person: Person, user_id: str) -> Someone:
    return Someone(str(person), person.phone, person.email, user_id)


def _contact(request: AccessRequest, kind: str) -> str:
    """Return the help desk of a system with its numbers or addresses in use."""
    desk = Contact.objects.current().filter(systems=request.system_id).prefetch_related("points").first()
    if desk is None:
        return "The help desk of the system"
    ways = [point.value for point in desk.points.all() if point.current and point.kind == kind]
    return f"{desk.name}: {', '.join(ways)}" if ways else desk.name
