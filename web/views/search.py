"""Search over everything a member may read: people, facilities, accounts, systems."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from systems.policy import EASTERN, day_in
from web.keyset import asked_for
from web.scope import ScopedRequest, organization_page
from web.searching.search import LONGEST, SHORTEST, Found, search, told

TYPED = "typed-hits"  # the part of the top bar in which hits appear while one types
_FIRST = 5  # of each group are shown there


@require_safe
@vary_on_headers("HX-Request", "HX-Target")
@organization_page
def find(request: ScopedRequest) -> HttpResponse:
    """Show what is called so, in groups, each with a link to the list that shows the rest; to the top bar the first."""
    asked = " ".join(asked_for(request)[:LONGEST].split())
    on = day_in(timezone.now(), EASTERN)
    enough = len(asked) >= SHORTEST
    found = search(request.scope, asked, on) if enough else Found()
    if request.headers.get("HX-Target") == TYPED:
        part = {
            "asked": asked,
            "said": told(found, asked, _FIRST) if enough else "",
            "first": f":{_FIRST}",
            "groups": found.exact or found.near,
            "page_url": f"{request.path}?{urlencode({'q': asked})}",
        }
        return render(request, "frame/typed_hits.html", part)
    context = {
        "asked": asked,
        "too_short": bool(asked) and not enough,
        "found": found,
        "said": told(found, asked) if enough else "",
        "searching": True,  # the page has the field; the top bar needs none
    }
    return render(request, "web/search.html", context)
