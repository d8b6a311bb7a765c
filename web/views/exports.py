"""All matching rows of a list as a file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from audit.secrets import found_secret
from systems.policy import EASTERN, day_in
from web.exporting import ACCOUNT_COLUMNS, PEOPLE_COLUMNS, account_lines, csv_file, people_lines, record_export
from web.lists import Listing, accounts_as_asked, people_as_asked
from web.scope import ScopedRequest, organization_page
from web.second_factor import asked_for_factor
from web.toasts import say


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A list as a file. ``words`` continue "Before you can export", ``home`` is the list's page.

    ``about`` goes into the audit chain beside the filter.
    """

    words: str
    action: str
    name: str
    home: str
    columns: Iterable[str]
    about: Mapping[str, str] = field(default_factory=dict)


@require_POST
@organization_page
def accounts_export(request: ScopedRequest) -> HttpResponseBase:
    """Send every account that matches the filters sent along."""
    listing = accounts_as_asked(request.scope, request.POST)
    export = _of_page(request, "accounts", ACCOUNT_COLUMNS)
    return send_listing(request, export, listing, lambda on: account_lines(listing, on))


@require_POST
@organization_page
def people_export(request: ScopedRequest) -> HttpResponseBase:
    """Send everybody who matches the filters sent along."""
    listing = people_as_asked(request.scope, request.POST)
    export = _of_page(request, "people", PEOPLE_COLUMNS)
    return send_listing(request, export, listing, lambda on: people_lines(request.scope, listing, on))


def _of_page(request: ScopedRequest, which: str, columns: Iterable[str]) -> Export:
    home = reverse(f"web:{which}", args=[request.scope.organization.slug])
    return Export(words=which, action=f"{which}.exported", name=which, home=home, columns=columns)


def send_listing(
    request: ScopedRequest,
    export: Export,
    listing: Listing[Any],
    lines: Callable[[date], Iterable[Iterable[object]]],
) -> HttpResponseBase:
    """Send all rows of a list as a file, to those who signed in with a second factor, and record it."""
    scope, now = request.scope, timezone.now()
    back = f"{export.home}?{listing.form.query}".rstrip("?")
    first = asked_for_factor(request, deed=f"export {export.words}", back=back)
    if first is not None:
        return first
    if listing.form.errors:
        return _refused(request, back, "part of the filter makes no sense. Choose it again, then export")
    if kind := found_secret(listing.form.chosen.get("q", "")):
        return _refused(request, back, f"what is searched for looks like {kind}, and the filter would be kept")
    on = day_in(now, EASTERN)
    record_export(scope=scope, action=export.action, listing=listing, at=now, about=export.about)
    return csv_file(f"{scope.organization.slug}-{export.name}-{on.isoformat()}", export.columns, lines(on))


def _refused(request: ScopedRequest, back: str, why: str) -> HttpResponse:
    say(request, f"Nothing was exported: {why}.", level=messages.ERROR)
    return redirect(back)
