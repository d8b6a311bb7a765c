"""The next 13 weeks: how many logins and other dates run out in each."""

from datetime import date

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Deadline, RoleGrant
from accounts.models.watch import DeadlineQuerySet
from facilities.access import Scope
from systems.policy import EASTERN, day_in
from web.forecast import forecast
from web.forms.lists import PlaceAndSystem
from web.scope import ScopedRequest, organization_page


@require_safe
@organization_page
def coming_weeks(request: ScopedRequest) -> HttpResponse:
    """Draw the weeks, with the same as a table; system and facility are part of the address."""
    scope, on = request.scope, _today()
    form = PlaceAndSystem(request.GET, scope=scope)
    chosen = form.chosen
    deadlines = _running(scope)
    if chosen.get("system"):
        deadlines = deadlines.filter(account__system=chosen["system"])
    if chosen.get("facility"):
        there = RoleGrant.objects.in_force(on).filter(facility=chosen["facility"])
        deadlines = deadlines.filter(account__in=there.values("account"))
    context = {"form": form, "chips": form.chips(), "forecast": forecast(deadlines, on)}
    return render(request, "web/forecast.html", context)


@require_safe
@organization_page
def weeks_beside(request: ScopedRequest) -> HttpResponse:
    """Return the weeks as a small drawing with its sentence: Today asks for it once it stands."""
    return render(request, "web/forecast_beside.html", {"forecast": forecast(_running(request.scope), _today())})


def _running(scope: Scope) -> DeadlineQuerySet:
    return Deadline.objects.visible_to(scope).open().filter(muted=False)


def _today() -> date:
    return day_in(timezone.now(), EASTERN)
