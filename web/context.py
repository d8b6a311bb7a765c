"""What the frame around every page needs: the rail, the switcher, the day."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from facilities.access import Scope
from facilities.models import Facility, Organization
from web.templatetags.words import EASTERN

SWITCHER_FACILITIES = 8  # more are one click away on their own page


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the rail: its page, and the pages that belong to it."""

    label: str
    icon: str
    url_name: str
    pages: tuple[str, ...] = ()
    primary: bool = False  # shown in the bottom bar of small screens


# In the order of ui.md; a page joins when it exists.
RAIL = (
    Entry("Today", "today", "web:today", primary=True),
    Entry("Facilities", "facilities", "web:facilities", ("web:facility",), primary=True),
    Entry("People", "people", "web:people", ("web:person",), primary=True),
    Entry("Accounts", "accounts", "web:accounts", ("web:account",), primary=True),
    Entry("Settings", "settings", "web:settings"),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return ``nav``, ``organization``, ``switcher``, ``now`` and ``today`` (US Eastern) for base.html.

    Pages outside an organization (sign-in, errors) get no rail and cost no query. A view may set
    ``request.waiting``, counts by URL name of what waits for this member; nothing else is counted.
    """
    now = timezone.now()
    scope: Scope | None = getattr(request, "scope", None)
    found: dict[str, Any] = {"now": now, "today": now.astimezone(ZoneInfo(EASTERN)).date()}
    if scope is None:
        return found | {"nav": [], "organization": None}
    return found | {
        "nav": rail(request, scope.organization),
        "organization": scope.organization,
        "switcher": SimpleLazyObject(lambda: switcher(scope)),
    }


def rail(request: HttpRequest, organization: Organization) -> list[dict[str, Any]]:
    """Return the entries that exist, as base.html draws them."""
    here = request.resolver_match.view_name if request.resolver_match else ""
    waiting: dict[str, int] = getattr(request, "waiting", {})
    return [
        {
            "label": entry.label,
            "icon": entry.icon,
            "url": url,
            "primary": entry.primary,
            "active": here == entry.url_name or here in entry.pages,
            "count": waiting.get(entry.url_name, 0),
        }
        for entry in RAIL
        if (url := _address(entry.url_name, organization))
    ]


def switcher(scope: Scope) -> dict[str, Any]:
    """Return the first facilities the member reads and the organizations she belongs to. Two queries."""
    facilities = Facility.objects.visible_to(scope).open().select_related("organization").order_by("name", "pk")
    first = list(facilities[: SWITCHER_FACILITIES + 1])
    mine = Organization.objects.filter(memberships__user=scope.user_id, memberships__ended_at=None)
    return {
        "facilities": first[:SWITCHER_FACILITIES],
        "all_url": _address("web:facilities", scope.organization) if len(first) > SWITCHER_FACILITIES else "",
        "organizations": mine.distinct().order_by("name", "pk"),
    }


def _address(url_name: str, organization: Organization) -> str:
    try:
        return reverse(url_name, args=[organization.slug])
    except NoReverseMatch:
        return ""
