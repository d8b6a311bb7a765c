"""Who takes over from whom: one form takes who goes and who comes (R-37), so both are asked for together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse

from accounts.models import PortalAccount, RoleGrant
from accounts.policy.requesting import Kind
from accounts.services.requests.drafting import Ask
from accounts.services.requests.offered import surfaces
from accounts.sheets import ON_ONE_FORM
from facilities.access import Action, Scope
from facilities.models import Facility
from staff.models import Person
from staff.names import people_called, people_nearly_called
from systems.models import System, SystemRole
from web.forms.facilities import places_for
from web.requests.kinds import ACCESS
from web.requests.picks import Option, account_on, grants_within_reach, is_there, options_of
from web.requests.reach import may_ask_for_others, people_to_ask_for, places_to_ask
from web.requests.wanting import Wanting, on_one_form

FOUND_AT_MOST: Final = 8
_HOLDERS_AT_MOST: Final = 40


def people_named(scope: Scope, text: str) -> list[Person]:
    """Return the people called so for whom the member may ask; nearly so where nobody is."""
    if "\0" in text:
        return []
    readable = people_to_ask_for(scope)
    exact = people_called(readable, text, FOUND_AT_MOST)
    return exact or people_nearly_called(readable, scope.organization, text, FOUND_AT_MOST)


def taken_over(scope: Scope, successor: Person, asks: Sequence[Ask], on: date) -> list[Wanting]:
    """Return what a successor wants of what goes: the same roles at the same places, as far as the member may ask.

    Who has no account yet through which the system is signed in to gets that one: the form makes it.
    """
    able = frozenset(places_to_ask(scope, successor).values_list("pk", flat=True))
    gone = [ask for ask in asks if ask.kind == Kind.REMOVAL and ask.system.slug in ON_ONE_FORM]
    held, form = _held(gone, able, on), _Form(successor, on)
    found: dict[tuple[int, int], Wanting] = {}
    for ask in gone:
        for place, role in _roles_that_go(ask, able, held):
            system, wanted = form.takes(ask.system, role)
            if wanted is not None:
                one = Wanting(person=successor, kind=ACCESS, system=system, facilities=(place,), roles=(wanted,))
                found.setdefault((place.pk, wanted.pk), one)
    return list(found.values())


def _held(asks: Sequence[Ask], able: Collection[int], on: date) -> dict[int, list[RoleGrant]]:
    """Return the roles in force of accounts that go as a whole, at these places. One query."""
    accounts = {ask.account.pk for ask in asks if ask.grant is None and ask.account is not None}
    rows = RoleGrant.objects.in_force(on).filter(account__in=accounts, facility__in=able)
    found: dict[int, list[RoleGrant]] = {}
    for grant in rows.select_related("facility", "role__approved_by").order_by("facility__name", "pk"):
        found.setdefault(grant.account_id, []).append(grant)
    return found


def _roles_that_go(
    ask: Ask, able: Collection[int], held: Mapping[int, Sequence[RoleGrant]]
) -> list[tuple[Facility, SystemRole | None]]:
    if ask.grant is not None:
        return [(ask.grant.facility, ask.grant.role)] if ask.grant.facility_id in able else []
    mine = held.get(ask.account.pk, ()) if ask.account is not None else ()
    roles: list[tuple[Facility, SystemRole | None]] = [(grant.facility, grant.role) for grant in mine]
    return roles or ([(ask.facility, None)] if ask.facility.pk in able else [])


class _Form:
    """What the form makes for a person: the account at the authority, with its role, where she has none there yet.

    What is the same for many roles is read once: two queries a system.
    """

    def __init__(self, person: Person, on: date) -> None:
        self._person, self._on = person, on
        self._there: dict[int, bool] = {}
        self._first: dict[int, SystemRole | None] = {}

    def takes(self, system: System, role: SystemRole | None) -> tuple[System, SystemRole | None]:
        """Return the system and the role that are asked for with the form where ``role`` goes."""
        authority = system.sign_in_via
        if authority is not None and authority.slug in ON_ONE_FORM and not self._is_on(authority):
            system, role = authority, None
        if role is not None and (role.usable_until is None or role.usable_until >= self._on):
            return system, role
        # what has ended is not taken over
        return system, None if role is not None else self._first_role(system)

    def _is_on(self, system: System) -> bool:
        if system.pk not in self._there:
            above = account_on(self._person, system)
            self._there[system.pk] = above is not None and is_there(above)
        return self._there[system.pk]

    def _first_role(self, system: System) -> SystemRole | None:
        if system.pk not in self._first:
            in_use = Q(usable_until=None) | Q(usable_until__gte=self._on)
            roles = SystemRole.objects.current().filter(in_use, system=system).select_related("approved_by")
            self._first[system.pk] = roles.order_by("position", "pk").first()
        return self._first[system.pk]


def form_with_both(scope: Scope, wanting: Wanting, text: str, on: date) -> dict[str, Any]:
    """Return what the last step says of who takes over, or is taken over from; empty where no form takes both.

    ``text``: a name that was typed; ``go`` is where to go on when it names exactly one.
    """
    if not may_ask_for_others(scope) or not on_one_form(wanting):
        return {}
    if wanting.is_access:
        return _from_whom(scope, wanting, on)
    return _who_takes_over(scope, wanting, text.strip()[:80])


def _who_takes_over(scope: Scope, wanting: Wanting, text: str) -> dict[str, Any]:
    mine = wanting.person.pk if wanting.person else 0
    found = [person for person in people_named(scope, text) if person.pk != mine] if text else []
    alone = replace(wanting, successor=None)
    return {
        "asks": "successor",
        "leaver": wanting.person,
        "successor": wanting.successor,
        "find": text,
        "found": found if len(found) > 1 else [],
        "go": replace(wanting, successor=found[0]).query() if len(found) == 1 else "",
        "nobody": f"Nobody of yours is called “{text}”." if text and not found else "",
        "add_url": _add_url(scope, alone, text) if text and not found else "",
        "kept": alone.pairs(),
        "without": alone.query(),
    }


def _add_url(scope: Scope, wanting: Wanting, text: str) -> str:
    """Return the page on which a new person is added, from which it goes on here; empty for who may not add her."""
    places = places_for(scope, Action.EDIT_PERSON)
    if not places.exists():
        return ""
    first, _, last = text.rpartition(" ")
    held = [pick.grant.facility_id for pick in wanting.picks if pick.grant]
    held += (
        RoleGrant.objects.known()
        .filter(account__in=[pick.account.pk for pick in wanting.picks])
        .values_list("facility_id", flat=True)
    )
    here = places.filter(pk__in=held).values_list("pk", flat=True).first()
    answers = {"first_name": first, "last_name": last, "facility": here or "", "asking": wanting.query()[1:]}
    return f"{reverse('web:person-add', args=[scope.organization.slug])}?{urlencode(answers)}"


def back_to_asking(scope: Scope, asking: str, successor: Person) -> str:
    """Return the step from which a new person was added, with her as the successor. ``asking``: its query."""
    answers = QueryDict(asking, mutable=True)
    answers["successor"] = str(successor.pk)
    return f"{reverse('web:request-new', args=[scope.organization.slug])}?{answers.urlencode()}"


def _from_whom(scope: Scope, wanting: Wanting, on: date) -> dict[str, Any]:
    options = _holders(scope, wanting, on)
    if not options and not wanting.leaving:
        return {}
    return {
        "asks": "leaving",
        "successor": wanting.person,
        "options": options,
        "ticked": {pick.value for pick in wanting.leaving},
        "kept": replace(wanting, leaving=()).pairs(),
        "without": replace(wanting, leaving=()).query(),
    }


def _holders(scope: Scope, wanting: Wanting, on: date) -> list[tuple[str, Option]]:
    """Return what others hold on the form's systems at the places asked for, and the member may have removed."""
    places = [place.pk for place in wanting.facilities]
    here = RoleGrant.objects.in_force(on).filter(facility__in=places, account__system__slug__in=ON_ONE_FORM)
    readable = PortalAccount.objects.visible_to(scope).open().filter(pk__in=here.values("account"))
    rows = readable.exclude(person=wanting.person).filter(person__in=people_to_ask_for(scope).order_by().values("pk"))
    rows = rows.select_related("system", "person__organization", "organization")
    held = list(rows.order_by("person__last_name", "person__first_name", "person", "pk")[:_HOLDERS_AT_MOST])
    grants, elsewhere = grants_within_reach(scope, held, on)
    known = surfaces(account.system_id for account in held)
    found = []
    for account in held:
        whole, surface = account.pk not in elsewhere, known[account.system_id]
        for option in options_of(account, grants[account.pk], Kind.REMOVAL, on, surface, whole=whole):
            if option.pick.grant is None or option.pick.grant.facility_id in places:
                found.append((str(account.person), option))
    return found
