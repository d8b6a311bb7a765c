"""More accounts than a system allows per facility (R-23, R-24); the limits are the catalogue's."""

from collections.abc import Iterator

from accounts.models import Finding
from accounts.models.watch import Severity
from accounts.policy.quotas import exceeded
from accounts.policy.streams import closed_systems
from accounts.services.rules.found import Found, Rule, Slice
from accounts.services.rules.sites import places

_QUOTA = Finding.Kind.QUOTA.value


def find(part: Slice) -> Iterator[Found]:
    """Yield one finding per facility and limit that is passed; where the system has closed, only as information."""
    catalogue, sites = places(part)
    for place in sites:
        closed = closed_systems(place.site, catalogue.ways, part.on)
        for excess in exceeded(place.site.kind, place.held, catalogue.limits):
            limit = excess.limit
            yield Found(
                kind=_QUOTA,
                subject_key=f"facility:{place.key}/quota:{limit.key}",
                severity=Severity.INFO.value if limit.system in closed else excess.severity,
                facts={
                    "system": limit.system,
                    "most": limit.most,
                    "people": list(excess.people),
                    "fact": limit.key,
                    "closed": limit.system in closed,
                },
                facility=place.key,
            )


RULE = Rule("quotas", "More accounts than allowed", (_QUOTA,), "facility", find)
