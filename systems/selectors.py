"""Reads over several tables of the catalogue, as plain values for `systems.policy`."""

from collections import defaultdict
from dataclasses import replace
from typing import Any, Final

from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from systems.models import Ability, Policy, PolicyKind, Quota, RoleAbility, StreamPath, SystemRole
from systems.paths import Path
from systems.policy import PolicyVersion

HOURS_OF_A_DAY: Final = 24
ChainKey = tuple[int | None, str]  # (system's key or None for rules of no single system, policy kind)


def clock_policies() -> QuerySet[Policy]:
    """Return the policy versions that set a date: applied, in the catalogue, limited in days, years or whole days."""
    in_whole_days = Q(kind=PolicyKind.EMERGENCY, limit_hours__gte=HOURS_OF_A_DAY)
    limited = Q(limit_days__isnull=False) | Q(limit_years__isnull=False) | in_whole_days
    return Policy.objects.filter(limited, applied=True, withdrawn=False).order_by("system", "kind", "effective_from")


def version_of(policy: Policy) -> PolicyVersion:
    """Return the plain values of a policy row. Raises ValueError for one without a limit in days or years.

    A limit of whole days in hours counts in days: of an opening only the day is known.
    """
    return PolicyVersion(
        key=policy.key,
        limit_days=policy.limit_days or (policy.limit_hours or 0) // HOURS_OF_A_DAY or None,
        limit_years=policy.limit_years,
        boundary=policy.boundary,
        zone=policy.zone,
        consequence=policy.consequence,
        effective_from=policy.effective_from,
        effective_to=policy.effective_to,
        policy_id=policy.pk,
        revision=policy.revision,
    )


def policy_chains() -> dict[ChainKey, tuple[PolicyVersion, ...]]:
    """Return all dated versions of every rule that sets a date, oldest first, in one query.

    The versions of a system's rule carry the revision of the rule (see `chain_revisions`), not their own.
    """
    of_rule = Coalesce(Subquery(newest_revision()), F("revision"))
    chains: dict[ChainKey, list[PolicyVersion]] = defaultdict(list)
    for policy in clock_policies().annotate(of_rule=of_rule):
        chains[policy.system_id, policy.kind].append(replace(version_of(policy), revision=policy.of_rule))
    return {
        key: tuple(sorted(versions, key=lambda each: (each.effective_from is not None, each.effective_from)))
        for key, versions in chains.items()
    }


def newest_revision() -> QuerySet[Any]:
    """Return the newest revision of the rule that an outer query's policy is a version of, for a Subquery."""
    same = Policy.objects.filter(system=OuterRef("system"), kind=OuterRef("kind"))
    return same.order_by("-revision").values("revision")[:1]


def chain_revisions() -> dict[ChainKey, int]:
    """Return the newest revision of each rule; withdrawn versions count, for their leaving moves dates too."""
    rows = Policy.objects.values("system_id", "kind").annotate(latest=Max("revision"))
    return {(row["system_id"], row["kind"]): row["latest"] for row in rows}


def official_roles() -> set[int]:
    """Return the roles whose holders decide on CMS's side about the access of others, in one query."""
    return set(roles_of_officials().values_list("pk", flat=True))


def roles_of_officials() -> QuerySet[SystemRole]:
    """As `official_roles`, to be asked as part of another query."""
    able = RoleAbility.objects.filter(ability=Ability.APPROVE, allowed=True)
    decides = Q(pk__in=able.values("role")) | Q(approves__isnull=False)
    return SystemRole.objects.filter(decides, privileged=True).order_by()


def systems_that_need_officials() -> QuerySet[Quota]:
    """Return the quotas that ask for officials at each facility (not those that only advise), one row a system."""
    return Quota.objects.current().filter(role__in=roles_of_officials(), least__gte=1, recommended=False).order_by()


def stream_paths() -> list[Path]:
    """Return every way of a stream over a system, each with the first day of its follower, in one query."""
    rows = list(StreamPath.objects.current().select_related("stream", "system", "replaced_by"))
    starts = {(row.stream_id, row.provider_type, row.system_id): row.from_on for row in rows}
    return [
        Path(
            stream=row.stream.slug,
            provider_type=row.provider_type,
            system=row.system.slug,
            from_on=row.from_on,
            until_on=row.until_on,
            replaced_by=row.replaced_by.slug if row.replaced_by else None,
            follower_from_on=starts.get((row.stream_id, row.provider_type, row.replaced_by_id)),
        )
        for row in rows
    ]
