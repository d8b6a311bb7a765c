"""All matching rows of a list as a file."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from audit.secrets import found_secret
from facilities.access import Scope
from systems.policy import EASTERN, day_in
from web.exporting import ACCOUNT_COLUMNS, PEOPLE_COLUMNS, account_lines, csv_file, people_lines, record_export
from web.lists import Listing, accounts_as_asked, people_as_asked
from web.scope import ScopedRequest, organization_page
from web.second_factor import asked_for_factor
from web.toasts import say

Lines = Iterable[tuple[object, ...]]
Rows = TypeVar("Rows", bound=QuerySet[Any])


@require_POST
@organization_page
def accounts_export(request: ScopedRequest) -> HttpResponseBase:
    """Send every account that matches the filters sent along."""
    return _export(
        request, "accounts", accounts_as_asked, ACCOUNT_COLUMNS, lambda scope, listing, on: account_lines(listing, on)
    )


@require_POST
@organization_page
def people_export(request: ScopedRequest) -> HttpResponseBase:
    """Send everybody who matches the filters sent along."""
    return _export(request, "people", people_as_asked, PEOPLE_COLUMNS, people_lines)


def _export(
    request: ScopedRequest,
    which: str,
    asked: Callable[[Scope, QueryDict], Listing[Rows]],
    columns: Iterable[str],
    lines: Callable[[Scope, Listing[Rows], date], Lines],
) -> HttpResponseBase:
    scope, now = request.scope, timezone.now()
    listing = asked(scope, request.POST)
    back = f"{reverse(f'web:{which}', args=[scope.organization.slug])}?{listing.form.query}".rstrip("?")
    first = asked_for_factor(request, deed=f"export {which}", back=back)
    if first is not None:
        return first
    if listing.form.errors:
        return _refused(request, back, "part of the filter makes no sense. Choose it again, then export")
    if kind := found_secret(listing.form.chosen.get("q", "")):
        return _refused(request, back, f"what is searched for looks like {kind}, and the filter would be kept")
    on = day_in(now, EASTERN)
    record_export(scope=scope, action=f"{which}.exported", listing=listing, at=now)
    return csv_file(f"{scope.organization.slug}-{which}-{on.isoformat()}", columns, lines(scope, listing, on))


def _refused(request: ScopedRequest, back: str, why: str) -> HttpResponse:
    say(request, f"Nothing was exported: {why}.", level=messages.ERROR)
    return redirect(back)
