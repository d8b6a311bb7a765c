"""Open accounts on a system that has closed for the facility (R-47): one finding per facility and system."""

from collections.abc import Iterator

from accounts.models import Finding
from accounts.models.watch import Severity
from accounts.policy.streams import closed_systems
from accounts.services.rules.found import Found, Rule, Slice
from accounts.services.rules.sites import places

_CLOSED = Finding.Kind.CLOSED_SYSTEM.value
_LISTED = 50  # accounts named in the facts; the page counts the others


def find(part: Slice) -> Iterator[Found]:
    """Yield a finding where accounts exist on a system whose streams of this facility have all ended."""
    catalogue, sites = places(part)
    for place in sites:
        for system, paths in closed_systems(place.site, catalogue.ways, part.on).items():
            accounts = sorted({each.account for each in place.held if each.system == system})
            if not accounts:
                continue
            last = [path.until_on for path in paths if path.until_on is not None]
            yield Found(
                kind=_CLOSED,
                subject_key=f"facility:{place.key}/system:{system}",
                severity=Severity.MEDIUM.value,
                facts={
                    "system": system,
                    "accounts": accounts[:_LISTED],
                    "count": len(accounts),
                    "streams": sorted({path.stream for path in paths}),
                    "last_on": max(last).isoformat() if last and len(last) == len(paths) else None,
                    "followers": sorted({path.replaced_by for path in paths if path.replaced_by}),
                },
                facility=place.key,
            )


RULE = Rule("closed-systems", "Open accounts on closed systems", (_CLOSED,), "facility", find)
