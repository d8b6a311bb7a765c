"""If somebody left today: the page of one person."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from web import quits
from web.scope import ScopedRequest, organization_page
from web.views.people import people_crumbs, person_crumb, person_of


@require_safe
@organization_page
def person_quits(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show what would follow if the person left today: accounts, gaps, cover, and what to do first."""
    who = person_of(request.scope, pk)
    context = {
        "person": who,
        "page": quits.page(request.scope, who, timezone.now()),
        "crumbs": [*people_crumbs(request.scope), person_crumb(who)],
    }
    return render(request, "web/person_quits.html", context)
