"""The list of accounts, as long as a chain has them."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from facilities.access import Action, Scope
from systems.policy import EASTERN, day_in
from web.account_filters import dated_after
from web.account_list import COLUMNS, account_rows, page_of_accounts
from web.forms.facilities import places_for
from web.keyset import count_of
from web.lists import accounts_as_asked
from web.saved_views import views_of
from web.scope import ScopedRequest, organization_page
from web.teaching import Deed, towards_accounts


@require_safe
@organization_page
def accounts(request: ScopedRequest) -> HttpResponse:
    """List accounts by last safe day or by name; filters are part of the address."""
    scope, on = request.scope, day_in(timezone.now(), EASTERN)
    listing = accounts_as_asked(scope, request.GET)
    form = listing.form
    page = page_of_accounts(
        request,
        listing.rows.select_related("person", "system"),
        form.chosen.get("sort", ""),
        later_than=dated_after(scope.organization, form.chosen.get("standing", ""), on),
    )
    return render(
        request,
        "web/accounts.html",
        {
            "form": form,
            "views": views_of(scope, "accounts", form.query),
            "chips": form.chips(),
            "columns": [{"label": label} for label in COLUMNS],
            "rows": account_rows(scope, page.rows, on),
            "count": count_of(listing.rows),
            "page": page,
            "filtered": bool(form.filters),
            "record_url": _many_url(scope, Action.RECORD_LOGIN, "web:logins-bulk"),
            "request_url": _many_url(scope, Action.REQUEST_ACCESS, "web:requests-bulk"),
            "first": _first(scope) if not page.rows and not form.filters else {},
            "reads": scope.reads is None or bool(scope.reads),
            "may_import": scope.may(Action.IMPORT_ACCOUNTS),
        },
    )


def _first(scope: Scope) -> Deed:
    """Return what fills the list, for those who may do it."""
    return towards_accounts(scope, places_for(scope, Action.EDIT_PERSON))


def _many_url(scope: Scope, action: Action, page: str) -> str:
    """Return where many are acted on; nothing for those who act on their own accounts at most."""
    places = [place for _, place in scope.roles if place is not None]
    return reverse(page, args=[scope.organization.slug]) if scope.may(action, places) else ""
