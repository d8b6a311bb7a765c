"""What the frame around every page needs: the rail, the switcher, the day."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from facilities.access import Action, Scope
from facilities.models import Facility, Organization
from reminders.selectors import recalculating
from systems.policy import EASTERN

SWITCHER_FACILITIES = 8  # more are one click away on their own page

# Deeds whose addresses begin with what they change stand in the rail under whose page leads to them.
BELONGS = {
    "absences": "web:people",
    "acknowledgements": "web:people",
    "deputies": "web:people",
    "employments": "web:people",
    "keepers": "web:facilities",
    "obligations": "web:facilities",
    "deadlines": "web:accounts",
    "profile-checks": "web:accounts",
    "roles": "web:accounts",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the rail, which also stands for the pages below its address."""

    label: str
    icon: str
    url_name: str
    readers: bool = False  # only for those who read facilities; holders see their own accounts elsewhere
    primary: bool = True  # shown in the bottom bar of small screens, else under More
    action: Action | None = None  # only for those who may do this
    also: str = ""  # URL name of further pages that it stands for


# In the order of ui.md; a page joins when it exists.
RAIL = (
    Entry("Today", "today", "web:today"),
    Entry("Facilities", "facilities", "web:facilities", readers=True, primary=False, also="web:moves"),
    Entry("People", "people", "web:people", readers=True),
    Entry("Accounts", "accounts", "web:accounts"),
    Entry("Requests", "requests", "web:requests"),
    Entry("Findings", "late", "web:findings", primary=False),
    Entry("Systems", "systems", "web:systems", primary=False),
    Entry("Imports", "imports", "web:imports", primary=False, action=Action.IMPORT_PEOPLE),
    Entry("Settings", "settings", "web:settings", primary=False),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return ``nav``, ``organization``, ``switcher``, ``now`` and ``today`` (US Eastern) for base.html.

    ``recalculating`` is for pages that show stored dates (frame/recalculating.html); asked by those only.

    Pages outside an organization (sign-in, errors) get no rail and cost no query. A view may set
    ``request.waiting``, counts by URL name of what waits for this very member; nothing else is counted. It may set
    ``request.rail_path``, the address under whose entry the page stands where its own does not tell.
    """
    now = timezone.now()
    scope: Scope | None = getattr(request, "scope", None)
    found: dict[str, Any] = {"now": now, "today": now.astimezone(ZoneInfo(EASTERN)).date()}
    if scope is None:
        return found | {"nav": [], "organization": None}
    return found | {
        "nav": rail(scope, getattr(request, "rail_path", request.path), getattr(request, "waiting", {})),
        "organization": scope.organization,
        "switcher": SimpleLazyObject(lambda: switcher(scope)),
        "recalculating": SimpleLazyObject(recalculating),
    }


def rail(scope: Scope, path: str, waiting: dict[str, int]) -> list[dict[str, Any]]:
    """Return the entries the member may open, as base.html draws them; the one ``path`` belongs to is active."""
    reads = scope.reads is None or bool(scope.reads)
    shown = [
        (entry, reverse(entry.url_name, args=[scope.organization.slug]))
        for entry in RAIL
        if (reads or not entry.readers) and (entry.action is None or scope.may(entry.action))
    ]
    path = _belongs_to(scope, path)
    # Today's address is the beginning of every other one, so the longest that fits wins; a page of none is of Today.
    here = max((url for _, url in shown if path.startswith(url)), key=len, default="")
    for entry, url in shown:
        if entry.also and path.startswith(reverse(entry.also, args=[scope.organization.slug])):
            here = url
    if path.startswith(reverse("web:help", args=[scope.organization.slug])):
        here = ""  # Help stands in the top bar
    if path == reverse("web:search", args=[scope.organization.slug]):  # it belongs to all of them
        here = ""
    return [
        {
            "label": entry.label,
            "icon": entry.icon,
            "url": url,
            "primary": entry.primary,
            "active": url == here,
            "count": waiting.get(entry.url_name, 0),
        }
        for entry, url in shown
    ]


def _belongs_to(scope: Scope, path: str) -> str:
    """Return the address below which a page stands in the rail, its own unless it is a deed kept elsewhere."""
    home = reverse("web:today", args=[scope.organization.slug])
    head = path.removeprefix(home).partition("/")[0]
    return reverse(BELONGS[head], args=[scope.organization.slug]) if path.startswith(home) and head in BELONGS else path


def switcher(scope: Scope) -> dict[str, Any]:
    """Return the first facilities the member reads and the organizations she belongs to. Two queries."""
    facilities = Facility.objects.visible_to(scope).open().select_related("organization").order_by("name", "pk")
    first = list(facilities[: SWITCHER_FACILITIES + 1])
    mine = Organization.objects.filter(memberships__user=scope.user_id, memberships__ended_at=None)
    more = len(first) > SWITCHER_FACILITIES
    return {
        "facilities": first[:SWITCHER_FACILITIES],
        "all_url": reverse("web:facilities", args=[scope.organization.slug]) if more else "",
        "organizations": mine.distinct().order_by("name", "pk"),
    }
