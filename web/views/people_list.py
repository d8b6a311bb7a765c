"""The list of people, as long as a chain has them."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from facilities.access import Action
from web.forms.facilities import places_for
from web.keyset import count_of, page_of
from web.lists import people_as_asked
from web.people_list import BY_NAME, COLUMNS, people_rows
from web.saved_views import views_of
from web.scope import ScopedRequest, organization_page
from web.teaching import towards_people
from web.views.people import today


@require_safe
@organization_page
def people(request: ScopedRequest) -> HttpResponse:
    """List people by name, with where they work, what they hold and the soonest date."""
    scope, on = request.scope, today()
    listing = people_as_asked(scope, request.GET)
    form = listing.form
    page = page_of(request, listing.rows, by=BY_NAME)
    places = places_for(scope, Action.EDIT_PERSON)
    context: dict[str, Any] = {
        "form": form,
        "views": views_of(scope, "people", form.query),
        "chips": form.chips(),
        "columns": [{"label": label} for label in COLUMNS],
        "rows": people_rows(scope, page.rows, on),
        "count": count_of(listing.rows),
        "page": page,
        "filtered": bool(form.filters),
        "place": form.chosen.get("facility"),
        "may_import": scope.may(Action.IMPORT_PEOPLE),
        "may_add": places.exists(),
        "reads_all": scope.reads is None,
    }
    if not page.rows and not form.filters:
        context["first"] = towards_people(scope, places)
    return render(request, "web/people.html", context)
