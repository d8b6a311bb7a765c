"""Search over everything a member may read: people, facilities, accounts, systems."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from systems.policy import EASTERN, day_in
from web.keyset import asked_for
from web.scope import ScopedRequest, organization_page
from web.searching.search import LONGEST, SHORTEST, Found, search


@require_safe
@organization_page
def find(request: ScopedRequest) -> HttpResponse:
    """Show what is called so, in groups, each with a link to the list that shows the rest."""
    asked = " ".join(asked_for(request)[:LONGEST].split())
    on = day_in(timezone.now(), EASTERN)
    enough = len(asked) >= SHORTEST
    context = {
        "asked": asked,
        "too_short": bool(asked) and not enough,
        "found": search(request.scope, asked, on) if enough else Found(),
        "searching": True,  # the page has the field; the top bar needs none
    }
    return render(request, "web/search.html", context)
