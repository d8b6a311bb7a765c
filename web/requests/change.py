"""What a request would change, in words: abilities per data stream, who submits what, what stands against it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any, Final

from accounts.models import AccessRequest, PortalAccount
from accounts.policy.requesting import State
from accounts.services.requests.foreseen import Roles, StreamCover, changes_roles, cover_then, roles_then
from accounts.services.requests.guards import guards_of, slice_of
from accounts.words import count_noun, count_word, day_in, listed
from facilities.access import Scope
from staff.models import Person
from systems.models import Ability, RoleAbility, Stream
from web.requests.foreseen import first_ways

_ANY: Final = "Whatever the data"
Row = dict[str, Any]


def change_of(scope: Scope, request: AccessRequest, at: datetime, on: date) -> Row:
    """Return everything the page says about what will change: roles, who submits; and, until it is decided, the guards.

    Kinds that give or take no role change neither.
    """
    found: Row = {"last_login": last_login(request, on), "checked": request.state in (State.DRAFT, State.SUBMITTED)}
    part = None
    if found["checked"]:
        part = slice_of([request], at)
        guards = guards_of([request], at, part)
        found["guards"] = guards[request.pk]
        found["first"] = first_ways(scope, [request], guards).get(request.pk, [])
    if not changes_roles(request.kind):
        return found
    roles = roles_then(request, on)
    stated = _stated(roles)
    return found | {
        "roles": {"before": _names(roles.before), "after": _names(roles.after)},
        "abilities": abilities(roles, stated),
        "silent": _silent(roles, stated),
        "cover": cover_words(scope, request, cover_then(request, roles, at, part)),
    }


def _names(roles: Iterable[Any]) -> str:
    return listed(role.name for role in roles) or "no role"


def _stated(roles: Roles) -> list[RoleAbility]:
    """Return what was published about the roles before and after: what they may do, and what not. One query."""
    keys = {role.pk for role in (*roles.before, *roles.after)}
    return list(RoleAbility.objects.current().filter(role__in=keys).select_related("stream"))


def abilities(roles: Roles, stated: Iterable[RoleAbility]) -> list[Row]:
    """Return what may be done with data before and after: kept, gained, lost.

    A row for each stream; those with which the same may be done share one.
    """
    held: dict[bool, dict[Stream | None, set[str]]] = {False: defaultdict(set), True: defaultdict(set)}
    for row in stated:
        for then, some in ((False, roles.before), (True, roles.after)):
            if row.allowed and row.role_id in {role.pk for role in some}:
                held[then][row.stream].add(row.ability)
    streams = sorted({*held[False], *held[True]}, key=lambda each: (each is None, each.position if each else 0))
    alike: dict[tuple[frozenset[str], frozenset[str]], list[str]] = defaultdict(list)
    for stream in streams:
        name = stream.name if stream else _ANY
        alike[frozenset(held[False][stream]), frozenset(held[True][stream])].append(name)
    return [_ability_row(listed(names), before, after) for (before, after), names in alike.items()]


def _ability_row(label: str, before: frozenset[str], after: frozenset[str]) -> Row:
    return {
        "label": label,
        "before": _listed(before),
        "after": _listed(after),
        "gained": _listed(after - before),
        "lost": _listed(before - after),
    }


def _listed(abilities: Collection[str]) -> str:
    return listed(ability.label for ability in Ability if ability.value in abilities)


def _silent(roles: Roles, stated: Iterable[RoleAbility]) -> str:
    """Return the roles about whose abilities nothing was published."""
    both = {role.pk: role for role in (*roles.before, *roles.after)}
    spoken_of = {row.role_id for row in stated}
    return listed(role.name for key, role in both.items() if key not in spoken_of)


def cover_words(scope: Scope, request: AccessRequest, cover: list[StreamCover]) -> list[Row]:
    """Return per stream who can submit it before and after; only numbers for who reads no colleague. One query."""
    reads = scope.reads is None or request.facility_id in scope.reads
    keys = {person for each in cover for person in (*each.before, *each.after)} if reads else set()
    people = Person.objects.filter(organization=scope.organization, pk__in=keys).order_by("last_name", "first_name")
    names = {person.pk: str(person) for person in people} if keys else {}
    return [
        {
            "stream": each.stream,
            "before": _who(each.before, names, reads=reads),
            "after": _who(each.after, names, reads=reads),
            "same": each.before == each.after,
            "worse": len(each.after) < len(each.before),
            "said": _effect(each),
        }
        for each in cover
    ]


def _who(people: frozenset[int], names: dict[int, str], *, reads: bool) -> str:
    if not people:
        return "nobody"
    if not reads:
        return count_noun(len(people), "person,people")
    told = [name for key, name in names.items() if key in people]
    return listed([*told[:4], f"{count_word(len(told) - 4)} more"] if len(told) > 5 else told)


def _effect(each: StreamCover) -> str:
    if each.before == each.after:
        return "No change."
    if not each.before:
        return "Somebody can submit it then."
    if not each.after:
        return "Nobody can submit it any more."
    if len(each.after) == 1:
        return "Only one person is left."
    return "One person more." if len(each.after) > len(each.before) else "One person less."


def last_login(request: AccessRequest, on: date) -> str:
    """Return when the person last signed in to the system, in words. One query."""
    mine = PortalAccount.objects.filter(person=request.beneficiary_person_id, system=request.system_id)
    accounts = list(mine.exclude(status=PortalAccount.Status.REMOVED).order_by("pk"))
    who, system = request.beneficiary_person, request.system.name
    if not accounts:
        return f"{who} holds no {system} account so far."
    last_on = max((each.last_login_on for each in accounts if each.last_login_on), default=None)
    if last_on:
        return f"{who} last signed in to {system} on {day_in(last_on, on)}."
    if all(each.login_state == PortalAccount.LoginState.NEVER for each in accounts):
        return f"{who} never signed in to {system}."
    return f"Nobody knows when {who} last signed in to {system}."
