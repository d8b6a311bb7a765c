"""Dates in a member's own calendar: the page on which the secret address is made, and the address itself."""

from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from facilities.access import Scope
from reminders.calendar_entries import MOST, entries_for
from reminders.errors import FeedRefused
from reminders.ical import calendar_bytes
from reminders.services.calendar_feeds import (
    choose_dates,
    end_feed,
    feed_of,
    looking_after,
    make_feed,
    person_with_dates,
    usable_feed,
)
from systems.policy import EASTERN, day_in
from web.forms.settings import CalendarForm
from web.limits import limited, too_often
from web.scope import ScopedRequest, organization_page
from web.second_factor import asked_for_factor
from web.toasts import say
from web.views.settings import settings_crumbs

MADE = "calendar-made"  # in the session: the address that waits to be shown
MADE_A_MINUTE = 6  # by one member
ASKED_A_MINUTE = 120  # by one address: the calendars of a whole office may stand behind it


@require_safe
@organization_page
def dates_in_calendar(request: ScopedRequest) -> HttpResponse:
    """Show whether the member's calendar may ask for her dates, and the deeds for that."""
    return render(request, "web/calendar.html", _context(request.scope))


def _context(scope: Scope) -> dict[str, Any]:
    context: dict[str, Any] = {"crumbs": settings_crumbs(scope), "most": MOST}
    try:
        context["person"] = person_with_dates(scope, timezone.now())
    except FeedRefused as exc:
        return context | {"refused": exc}
    feed = feed_of(scope)
    context["feed"] = feed
    if looking_after(scope) is not None:
        which = CalendarForm.ALL if feed and feed.facilities else CalendarForm.OWN
        context["form"] = CalendarForm(initial={"dates": which})
    return context


@require_POST
@organization_page
def calendar_make(request: ScopedRequest) -> HttpResponse:
    """Make the address and go on to the page that shows it once; an earlier one ends."""
    scope = request.scope
    wide = _wide(request)
    if wide and (first := _asked_first(request)):
        return first
    if too_often("calendar-make", f"{scope.organization.pk}:{scope.user_id}", MADE_A_MINUTE):
        said = "Too many links were made within a minute. The newest one works; wait a minute before you make another."
        say(request, said, level=messages.WARNING)
        return render(request, "web/calendar.html", _context(scope), status=429)
    try:
        issued = make_feed(scope=scope, facilities=wide, at=timezone.now())
    except FeedRefused:
        return redirect("web:calendar", scope.organization.slug)
    # Encrypted: whoever reads the table of sessions must not be able to read the calendar.
    request.session[MADE] = {"organization": scope.organization.pk, "token": get_mfa_adapter().encrypt(issued.token)}
    return redirect("web:calendar-made", scope.organization.slug)


@never_cache
@require_GET  # a HEAD would use the one showing up
@organization_page
def calendar_made(request: ScopedRequest) -> HttpResponse:
    """Show the address just made, this once; afterwards the page leads back to where another can be made."""
    scope = request.scope
    made = request.session.get(MADE)
    if made is None or made["organization"] != scope.organization.pk:
        return redirect("web:calendar", scope.organization.slug)
    del request.session[MADE]
    token = get_mfa_adapter().decrypt(made["token"])
    if usable_feed(token=token, at=timezone.now()) is None:  # ended or replaced in another window
        return redirect("web:calendar", scope.organization.slug)
    link = settings.SITE_URL.rstrip("/") + reverse("web:calendar-feed", args=[token])
    parts = urlsplit(link)
    scheme = "webcals" if parts.scheme == "https" else "webcal"  # the latter would send the secret in the clear
    context = {"link": link, "device_link": f"{scheme}://{parts.netloc}{parts.path}", "crumbs": _crumbs(scope)}
    return render(request, "web/calendar_made.html", context)


@require_POST
@organization_page
def calendar_choose(request: ScopedRequest) -> HttpResponse:
    """Change which dates the address gives; the address stays."""
    wide = _wide(request)
    if wide and (first := _asked_first(request)):
        return first
    if choose_dates(scope=request.scope, facilities=wide, at=timezone.now()):
        whose = "your own dates and your facilities’" if wide else "your own dates"
        say(request, f"Your calendar gets {whose} the next time it asks.")
    return redirect("web:calendar", request.scope.organization.slug)


@require_POST
@organization_page
def calendar_stop(request: ScopedRequest) -> HttpResponse:
    """End the address at once."""
    if end_feed(scope=request.scope, at=timezone.now()):
        say(request, "Your calendar gets no more dates from here. What it fetched before, it forgets by itself.")
    return redirect("web:calendar", request.scope.organization.slug)


@login_not_required
@limited("calendar", ASKED_A_MINUTE)
@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """Answer a calendar program with the dates behind its address; whatever is not in force does not exist."""
    at = timezone.now()
    found = usable_feed(token=token, at=at)
    if found is None:
        raise Http404
    feed, scope = found
    around = looking_after(scope) if feed.facilities else None
    dates = entries_for(feed.person, scope, around=around, at=at)
    name = f"CMS dates, {scope.organization.name}"
    answer = HttpResponse(calendar_bytes(name, dates, day_in(at, EASTERN)), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'inline; filename="cms-dates.ics"'
    answer["Cache-Control"] = "private, no-store"
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _wide(request: ScopedRequest) -> bool:
    """Return whether other people's dates were asked for, by somebody who looks after them."""
    return request.POST.get("dates") == CalendarForm.ALL and looking_after(request.scope) is not None


def _asked_first(request: ScopedRequest) -> HttpResponse | None:
    """Other people's dates leave the sign-in behind, as an export does: a second factor comes first."""
    back = reverse("web:calendar", args=[request.scope.organization.slug])
    return asked_for_factor(request, deed="send your facilities’ dates to a calendar", back=back)


def _crumbs(scope: Scope) -> list[dict[str, str]]:
    page = reverse("web:calendar", args=[scope.organization.slug])
    return [*settings_crumbs(scope), {"label": "Dates in my calendar", "url": page}]
