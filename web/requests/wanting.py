"""What a member wants so far, as the address of the page says it: every step is an address, so Back works."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.http import Http404, QueryDict

from accounts.models import PortalAccount, RoleGrant
from accounts.policy.requesting import Kind
from accounts.sheets import ON_ONE_FORM
from facilities.access import Scope
from facilities.models import Facility
from staff.models import Person
from systems.models import System, SystemRole
from web.requests.kinds import ACCESS, UNRECORDED, kind_asked
from web.requests.reach import check_may_ask, is_me, places_to_ask

AT_MOST = 200  # facilities, roles or picks in one bundle made by hand: more than a page offers


@dataclass(frozen=True, slots=True)
class Pick:
    """An account that is there, or one of its roles (then with the role's facility)."""

    account: PortalAccount
    grant: RoleGrant | None = None

    @property
    def value(self) -> str:
        """Return how a form names it."""
        return f"grant-{self.grant.pk}" if self.grant else f"account-{self.account.pk}"


@dataclass(frozen=True, slots=True)
class Wanting:
    """The answers so far. Access: ``system``, ``facilities``, ``roles``; all else is about ``picks`` that are there.

    ``successor``: who takes over what is removed; ``leaving``: what is removed where the person takes over.
    """

    person: Person | None = None
    kind: str = ""
    system: System | None = None
    facilities: tuple[Facility, ...] = ()
    roles: tuple[SystemRole, ...] = ()
    picks: tuple[Pick, ...] = ()
    still: bool = False  # a system that has closed there is needed all the same
    successor: Person | None = None
    leaving: tuple[Pick, ...] = ()

    @property
    def is_access(self) -> bool:
        """Whether something is wanted that is not there yet."""
        return self.kind == ACCESS

    def pairs(self, *, besides: Sequence[str] = ()) -> list[tuple[str, str]]:
        """Return the answers as parameters of the address, without those named."""
        found = [("person", str(self.person.pk))] if self.person else []
        found += [("kind", self.kind)] if self.kind else []
        found += [("system", self.system.slug)] if self.system else []
        found += [("facility", str(place.pk)) for place in self.facilities]
        found += [("pick", pick.value) for pick in self.picks]
        found += [("role", role.slug) for role in self.roles]
        found += [("still", "1")] if self.still else []
        found += [("successor", str(self.successor.pk))] if self.successor else []
        found += [("leaving", pick.value) for pick in self.leaving]
        return [(name, value) for name, value in found if name not in besides]

    def query(self, *, besides: Sequence[str] = (), **more: str) -> str:
        """Return the answers as a query, with more or other parameters."""
        return "?" + urlencode([*self.pairs(besides=[*besides, *more]), *more.items()])


@dataclass(slots=True)
class _Reading:
    scope: Scope
    asked: QueryDict
    found: Wanting = field(default_factory=Wanting)


def wanting_of(scope: Scope, asked: QueryDict) -> Wanting:
    """Return what the address asks for. What makes no sense is left out.

    Raises Http404 for what is not the member's to see, NotAllowed for somebody she may not ask for.
    """
    named = [f"{kind}-{key}" for kind in ("grant", "account") for key in asked.getlist(kind)]
    picks = _picks(scope, [*asked.getlist("pick"), *named])
    person = _person(scope, asked.get("person", "")) or (picks[0].account.person if picks else None)
    if person is not None:
        check_may_ask(scope, person)
    found = Wanting(person=person, kind=kind_asked(asked.get("kind", "")), still=asked.get("still") == "1")
    picks = [pick for pick in picks if person is not None and pick.account.person_id == person.pk]
    if person is not None and found.kind == Kind.REMOVAL:
        picks = _within_reach(scope, person, picks)
    if found.is_access:
        found = replace(found, system=_system(asked) or (picks[0].account.system if picks else None))
    elif found.kind:
        system = picks[0].account.system if picks else _system(asked) if found.kind in UNRECORDED else None
        found = replace(found, system=system, picks=tuple(picks))
    else:  # a link may name the place before anybody has said what is wanted
        found = replace(found, system=_system(asked), picks=tuple(picks))
    found = replace(found, facilities=_facilities(scope, asked, person))
    if found.picks and found.kind != "":
        found = replace(found, facilities=())
    return _beside(scope, asked, replace(found, roles=_roles(asked, found)))


def on_one_form(wanting: Wanting) -> bool:
    """Return whether who goes and who comes stand on one form for what is wanted (R-37)."""
    if wanting.is_access:
        return wanting.system is not None and wanting.system.slug in ON_ONE_FORM
    return wanting.kind == Kind.REMOVAL and any(pick.account.system.slug in ON_ONE_FORM for pick in wanting.picks)


def _beside(scope: Scope, asked: QueryDict, found: Wanting) -> Wanting:
    """Return the wish with who comes or goes on the same form. Raises as `wanting_of`."""
    if found.person is None or not on_one_form(found):
        return found
    if not found.is_access:
        successor = _person(scope, asked.get("successor", ""))
        if successor is not None:
            check_may_ask(scope, successor)
        return replace(found, successor=successor if successor != found.person else None)
    leaving = [pick for pick in _picks(scope, asked.getlist("leaving")) if pick.account.person_id != found.person.pk]
    kept: list[Pick] = []
    by_person: dict[Person, list[Pick]] = {}
    for pick in leaving:
        if pick.account.system.slug in ON_ONE_FORM:
            by_person.setdefault(pick.account.person, []).append(pick)
    for person, picks in by_person.items():
        check_may_ask(scope, person)
        able = set(places_to_ask(scope, person).values_list("pk", flat=True))
        whole = _within_reach(scope, person, picks)
        kept += [pick for pick in whole if pick.grant is None or pick.grant.facility_id in able]
    return replace(found, leaving=tuple(kept))


def key_of(text: str) -> int | None:
    """Return a key as addresses carry it, or None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _keys(values: Sequence[str]) -> list[int]:
    return list(dict.fromkeys(key for value in values[:AT_MOST] if (key := key_of(value)) is not None))


def _person(scope: Scope, text: str) -> Person | None:
    key = key_of(text)
    if key is None:
        return None
    found = Person.objects.visible_to(scope).select_related("organization").filter(pk=key).first()
    if found is None:
        raise Http404("No such person among yours.")
    return found


def _system(asked: QueryDict) -> System | None:
    slug = asked.get("system", "")
    return None if "\0" in slug else System.objects.current().filter(slug=slug).first()


def _facilities(scope: Scope, asked: QueryDict, person: Person | None) -> tuple[Facility, ...]:
    keys = _keys(asked.getlist("facility"))
    if not keys:
        return ()
    mine = Facility.objects.filter(organization=scope.organization).order_by("name", "pk")
    found = list(mine.filter(pk__in=keys))
    if len(found) != len(keys):
        raise Http404("No such facility among yours.")
    if person is None:
        return tuple(found)
    able = set(places_to_ask(scope, person).filter(pk__in=keys).values_list("pk", flat=True))
    readable = set(Facility.objects.visible_to(scope).filter(pk__in=keys).values_list("pk", flat=True)) | able
    if set(keys) - readable:
        raise Http404("No such facility among yours.")
    return tuple(place for place in found if place.pk in able)


def _picks(scope: Scope, picked: Sequence[str]) -> list[Pick]:
    grant_keys, account_keys = (
        _keys([each.removeprefix(kind) for each in picked if each.startswith(kind)]) for kind in ("grant-", "account-")
    )
    if not grant_keys and not account_keys:
        return []
    seen = PortalAccount.objects.visible_to(scope)
    read_with = ("system", "person__organization", "organization")
    of_grants = RoleGrant.objects.known().filter(pk__in=grant_keys, account__in=seen).order_by("pk")
    held = list(of_grants.select_related("facility", "role", *(f"account__{each}" for each in read_with)))
    alone = list(seen.filter(pk__in=account_keys).select_related(*read_with).order_by("pk"))
    if len(held) != len(grant_keys) or len(alone) != len(account_keys):
        raise Http404("No such account among yours.")
    return [*(Pick(grant.account, grant) for grant in held), *(Pick(account) for account in alone)]


def _within_reach(scope: Scope, person: Person, picks: list[Pick]) -> list[Pick]:
    """Leave out accounts as a whole where a role is in force at a facility for which the member may not ask."""
    whole = [pick.account.pk for pick in picks if pick.grant is None]
    if not whole:
        return picks
    held = RoleGrant.objects.to_end().filter(account__in=whole)
    beyond = set(held.exclude(facility__in=places_to_ask(scope, person).order_by().values("pk")).values_list("account"))
    return [pick for pick in picks if pick.grant is not None or (pick.account.pk,) not in beyond]


def _roles(asked: QueryDict, found: Wanting) -> tuple[SystemRole, ...]:
    slugs = [slug for slug in asked.getlist("role")[:AT_MOST] if "\0" not in slug]
    if found.system is None or not slugs or found.kind not in (ACCESS, Kind.ROLE_CHANGE, ""):
        return ()
    mine = SystemRole.objects.current().filter(system=found.system, slug__in=slugs).order_by("position", "pk")
    roles = list(mine.select_related("approved_by"))
    return tuple(roles[:1] if found.kind == Kind.ROLE_CHANGE else roles)


def asked_by_me(scope: Scope, wanting: Wanting) -> bool:
    """Return whether it is wanted for the acting member herself."""
    return wanting.person is not None and is_me(scope, wanting.person)
