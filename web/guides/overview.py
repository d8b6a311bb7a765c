"""The list of systems, grouped by how one signs in: purpose, limit and how many accounts are there."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db.models import Count, Q
from django.urls import reverse

from accounts.models import PortalAccount
from facilities.access import Scope
from systems.models import Policy, StreamPath, System
from web.guides.citing import Bibliography
from web.guides.guide import limit_phrase, system_rows

PORTAL: Final = "ep-"  # applications of the Enterprise Portal, which mostly have a help desk and nothing else


@dataclass(slots=True)
class Group:
    """Systems under one heading; `compact` ones have no more to say than name and purpose."""

    key: str
    title: str
    text: str = ""
    compact: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)
    term: str = ""  # the word of the heading that wants explaining

    @property
    def asks(self) -> str:
        """Return the question that the hint answers."""
        return f"What is {self.term}?"


def overview(scope: Scope, on: date, asked: str = "") -> list[Group]:
    """Return the groups that have anything to show. Four queries, whatever is stored."""
    systems = [system for system in system_rows() if _matches(system, asked)]
    policies: dict[int | None, list[Policy]] = defaultdict(list)
    for row in Policy.objects.current().filter(kind="inactivity", system__isnull=False).select_related("source"):
        policies[row.system_id].append(row)
    mine = PortalAccount.objects.visible_to(scope).exclude(status=PortalAccount.Status.REMOVED)
    counted = dict(mine.order_by().values_list("system").annotate(Count("pk")))
    streams = _streams(on)
    groups = _groups()
    for group in groups.values():
        for system in [each for each in systems if _group_of(each, groups) is group]:
            row = _row(system, policies, scope.organization.slug, on)
            group.rows.append(row | {"accounts": counted.get(system.pk, 0), "kinds": streams.get(system.pk, [])})
    return [group for group in groups.values() if group.rows]


def _matches(system: System, asked: str) -> bool:
    texts = (system.slug, system.name, system.full_name, system.purpose)
    return not asked or any(asked.casefold() in text.casefold() for text in texts)


def _groups() -> dict[str, Group]:
    return {
        "harp": Group(
            "harp", "You sign in with HARP", "One user ID for all of these; roles are asked for in each.", term="HARP"
        ),
        "idm": Group(
            "idm",
            "You sign in through the Enterprise Portal (IDM)",
            "One user ID, a role for each application.",
            term="IDM",
        ),
        "own": Group("own", "With a sign-in of their own", "Each has its own user ID and its own rules."),
        "moved": Group(
            "moved",
            "Replaced or being replaced",
            "Accounts here still have their clocks until they are removed.",
            term="QIES",
        ),
        "portal": Group(
            "portal",
            "Applications of the Enterprise Portal",
            "Reached through IDM, whose rules hold for all of them; of their own little was published.",
            compact=True,
            term="Enterprise Portal",
        ),
    }


def _group_of(system: System, groups: dict[str, Group]) -> Group:
    via = system.sign_in_via.slug if system.sign_in_via else system.slug
    if system.slug.startswith(PORTAL):
        return groups["portal"]
    if system.successor_id or via in {"qies", "cmsnet"}:
        return groups["moved"]
    return groups.get(via, groups["own"])


def _row(system: System, policies: dict[int | None, list[Policy]], slug: str, on: date) -> dict[str, Any]:
    url = reverse("web:system", args=[slug, system.slug])
    bibliography = Bibliography(url)
    phrase, policy = limit_phrase(policies[system.pk], on)
    authority = policies[system.sign_in_via_id] if system.sign_in_via_id and policy is None else []
    return {
        "name": system.name,
        "full_name": system.full_name if system.full_name != system.name else "",
        "purpose": system.purpose,
        "url": url,
        "cite": bibliography.cite(system),
        "limit": phrase,
        "limit_cite": bibliography.cite(policy, words=False) if policy else None,
        "published": bool(policy and policy.limit_days),
        "authority": system.sign_in_via.name if system.sign_in_via and authority else "",
        "successor": system.successor.name if system.successor else "",
        "slug": system.slug,
    }


def _streams(on: date) -> dict[int, list[str]]:
    """Return the kinds of provider that use each system today. One query."""
    going_on = Q(replaced_by=None) | Q(until_on__gte=on)
    rows = StreamPath.objects.current().exclude(until_on__lt=on).filter(going_on)
    found: dict[int, list[str]] = defaultdict(list)
    for system_id, kind in rows.order_by("pk").values_list("system_id", "provider_type"):
        label = StreamPath(provider_type=kind).get_provider_type_display()
        if label not in found[system_id]:
            found[system_id].append(label)
    return found
