"""Reads over several tables of the catalogue, as plain values for `systems.policy`."""

from collections import defaultdict

from django.db.models import Max, Q, QuerySet

from systems.models import Policy, StreamPath
from systems.paths import Path
from systems.policy import PolicyVersion

ChainKey = tuple[int | None, str]  # (system's key or None for rules of no single system, policy kind)


def clock_policies() -> QuerySet[Policy]:
    """Return the policy versions that set a date: applied, in the catalogue, limited in days or years."""
    limited = Q(limit_days__isnull=False) | Q(limit_years__isnull=False)
    return Policy.objects.filter(limited, applied=True, withdrawn=False).order_by("system", "kind", "effective_from")


def version_of(policy: Policy) -> PolicyVersion:
    """Return the plain values of a policy row. Raises ValueError for one without a limit in days or years."""
    return PolicyVersion(
        key=policy.key,
        limit_days=policy.limit_days,
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
    """Return all dated versions of every rule that sets a date, oldest first, in one query."""
    chains: dict[ChainKey, list[PolicyVersion]] = defaultdict(list)
    for policy in clock_policies():
        chains[policy.system_id, policy.kind].append(version_of(policy))
    return {
        key: tuple(sorted(versions, key=lambda each: (each.effective_from is not None, each.effective_from)))
        for key, versions in chains.items()
    }


def chain_revisions() -> dict[ChainKey, int]:
    """Return the newest revision of each rule; withdrawn versions count, for their leaving moves dates too."""
    rows = Policy.objects.values("system_id", "kind").annotate(latest=Max("revision"))
    return {(row["system_id"], row["kind"]): row["latest"] for row in rows}


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
