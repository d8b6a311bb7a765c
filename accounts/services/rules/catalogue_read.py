"""The catalogue as the rules about facilities need it: ways, roles and limits as plain values, in five queries."""

from collections import defaultdict
from dataclasses import dataclass

from accounts.policy.cover import Role
from accounts.policy.quotas import Limit
from accounts.policy.streams import Ways
from systems.models import Ability, Quota, RoleAbility, Stream, SystemRole
from systems.selectors import stream_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialsWanted:
    """How many officials a facility needs on a system; ``advised`` is CMS's advice, ``fact`` who says so."""

    system: str
    roles: tuple[int, ...]
    least: int
    advised: bool
    fact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything of the catalogue that rules about facilities read. ``names``: of streams, for sentences."""

    ways: Ways
    roles: dict[int, Role]
    names: dict[str, str]
    limits: tuple[Limit, ...]
    officials: tuple[OfficialsWanted, ...]


def known() -> Known:
    """Return the catalogue's current rows."""
    streams = list(Stream.objects.current().values_list("slug", "group", "name"))
    roles = _roles()
    quotas = list(Quota.objects.current().select_related("system", "stream").order_by("system", "key"))
    return Known(
        ways=Ways(paths=tuple(stream_paths()), groups={slug: group for slug, group, _ in streams}),
        roles=roles,
        names={slug: name for slug, _, name in streams},
        limits=tuple(
            Limit(
                key=quota.key,
                system=quota.system.slug,
                most=quota.most,
                role=quota.role_id,
                stream=quota.stream.slug if quota.stream else None,
                kind=quota.provider_type,
                cure=quota.cure,
            )
            for quota in quotas
            if quota.most is not None and not quota.recommended
        ),
        officials=tuple(
            OfficialsWanted(
                system=quota.system.slug,
                roles=(quota.role_id,),
                least=quota.least,
                advised=quota.recommended,
                fact=quota.fact_id,
            )
            for quota in quotas
            if quota.least is not None and quota.role_id in roles and roles[quota.role_id].official
        ),
    )


def _roles() -> dict[int, Role]:
    """Return all roles by key, also those that left the catalogue: somebody may still hold them."""
    able: dict[int, set[tuple[str, str | None]]] = defaultdict(set)
    stated = set()
    for role, stream, ability, allowed in RoleAbility.objects.values_list(
        "role_id", "stream__slug", "ability", "allowed"
    ):
        stated.add(role)
        if allowed:
            able[role].add((ability, stream))
    rows = SystemRole.objects.select_related("system").order_by("pk")
    deciding = {row.approved_by_id for row in rows}
    return {
        row.pk: Role(
            system=row.system.slug,
            abilities=frozenset(able[row.pk]),
            stated=row.pk in stated,
            privileged=row.privileged,
            official=row.privileged and (row.pk in deciding or (Ability.APPROVE.value, None) in able[row.pk]),
            usable_from=row.usable_from,
            usable_until=row.usable_until,
        )
        for row in rows
    }
