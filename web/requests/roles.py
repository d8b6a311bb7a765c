"""Step three: roles in plain words, what each may do for which data, and who decides on CMS's side."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from accounts.models import RoleGrant
from accounts.words import listed
from facilities.models import Facility
from staff.models import Person
from systems.models import Ability, RoleAbility, System, SystemRole
from web.guides.roles import role_facts, roles_of


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """One role to choose: what it may do, what else to know, and where the person holds it already."""

    role: SystemRole
    may: list[str]
    facts: str
    held_at: str = ""


def roles_offered(
    system: System, person: Person, facilities: Collection[Facility], on: date, besides: Collection[int] = ()
) -> list[RoleChoice]:
    """Return the roles of a system that are in use on a day, without those in ``besides``. Three queries."""
    held: dict[int, list[str]] = defaultdict(list)
    mine = RoleGrant.objects.in_force(on).filter(account__person=person, account__system=system)
    at = {place.pk for place in facilities}
    for role, place, name in mine.order_by("facility__name").values_list("role_id", "facility_id", "facility__name"):
        if place in at:
            held[role].append(name)
    return [
        RoleChoice(role, may_do(role), " ".join(role_facts(role, on)), listed(held[role.pk]))
        for role in in_use(system, on)
        if role.pk not in besides
    ]


def in_use(system: System, on: date) -> list[SystemRole]:
    """Return the roles of a system that are in use on a day. Two queries."""
    return [role for role in roles_of(system) if role.usable_until is None or role.usable_until >= on]


def may_do(role: SystemRole) -> list[str]:
    """Return what a role (read by `roles_of`) may do: ``MDS and PBJ: upload files, view data``, data alike together."""
    by_stream: dict[str, list[RoleAbility]] = defaultdict(list)
    order: dict[str, int] = {}
    for row in role.abilities.all():
        if row.allowed:
            name = row.stream.name if row.stream else ""
            by_stream[name].append(row)
            order[name] = row.stream.position if row.stream else -1
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in sorted(by_stream, key=lambda each: (order[each], each)):
        told = {row.ability for row in by_stream[name]}
        alike[tuple(ability.label for ability in Ability if ability in told)].append(name)
    return [_told(names, abilities) for abilities, names in alike.items()]


def _told(names: list[str], abilities: tuple[str, ...]) -> str:
    words = ", ".join(abilities)
    named = [name for name in names if name]
    return f"{listed(named)}: {words}" if named else words[0].upper() + words[1:]
