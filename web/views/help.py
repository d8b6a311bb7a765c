"""Help: a glossary of words and one-page guides, for every member."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from facilities.access import Action
from imports.models import UNDO_WITHIN
from systems.policy import EASTERN, day_in
from web.guides.citing import Bibliography
from web.guides.glossary import glossary as terms_of
from web.guides.leaflets import LEAFLETS, mails, told
from web.keyset import asked_for
from web.scope import ScopedRequest, organization_page


@require_safe
@organization_page
def help_page(request: ScopedRequest) -> HttpResponse:
    """List the one-page guides and lead to the glossary and the guides to systems."""
    return render(request, "web/help.html", {"leaflets": LEAFLETS})


@require_safe
@organization_page
def glossary(request: ScopedRequest) -> HttpResponse:
    """Show the words of the catalogue, or those that hold ``?q=``."""
    asked, bibliography = asked_for(request), Bibliography()
    context: dict[str, Any] = {"terms": terms_of(asked, bibliography), "asked": asked, "crumbs": _crumbs(request)}
    return render(request, "web/help_glossary.html", context | {"sources": bibliography.entries()})


@require_safe
@organization_page
def leaflet(request: ScopedRequest, leaflet: str) -> HttpResponse:
    """Show one guide that fits a printed page; 404 for one that does not exist."""
    this = next((each for each in LEAFLETS if each.slug == leaflet), None)
    if this is None:
        raise Http404("No such guide.")
    bibliography = Bibliography()
    context: dict[str, Any] = {
        "leaflet": this,
        "facts": told(this, bibliography, day_in(timezone.now(), EASTERN)),
        "mails": mails(),
        "undo_days": UNDO_WITHIN.days,
        "may_import": request.scope.may(Action.IMPORT_PEOPLE),
        "crumbs": _crumbs(request),
    }
    return render(request, this.template, context | {"sources": bibliography.entries()})


def _crumbs(request: ScopedRequest) -> list[dict[str, str]]:
    return [{"label": "Help", "url": reverse("web:help", args=[request.scope.organization.slug])}]
