"""One facility: the place with its people and what is due there, correcting."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Deadline, FacilityStream, Finding, PortalAccount, RecordKeeper, RoleGrant
from accounts.selectors import place_here
from facilities.access import Action, Scope, authorize
from facilities.ccn import type_descriptions
from facilities.models import Facility
from facilities.services.places import FacilityRefused, correct_facility
from staff.models import Employment, Person
from systems.models import System
from systems.policy import EASTERN, day_in
from web.duties import concerning, duty_rows
from web.finding_list import finding_rows, page_rows, ranked
from web.forms.facilities import FacilityForm, zone_words
from web.keyset import page_of
from web.requests.beside import of_facility
from web.requests.ways import ask_url
from web.scope import ScopedRequest, organization_page
from web.stale import both_versions
from web.tables import next_dates, people_by_systems
from web.toasts import say

DUE_ROWS = 5
REMOVED = PortalAccount.Status.REMOVED


@require_safe
@organization_page
def facility(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show one place: who works there, what they hold, and what is due soonest."""
    scope = request.scope
    now = timezone.now()
    on = day_in(now, EASTERN)
    place = get_object_or_404(Facility.objects.visible_to(scope).select_related("organization"), pk=pk)
    granted = RoleGrant.objects.in_force(on).filter(facility=place).exclude(account__status=REMOVED)
    working = Employment.objects.in_force(on).filter(facility=place)
    there = Person.objects.filter(organization=scope.organization).filter(
        Q(pk__in=working.values("person")) | Q(pk__in=granted.values("account__person"))
    )
    page = page_of(request, there, by=("last_name", "first_name", "pk"))
    table = people_by_systems(scope=scope, people=page.rows, grants=granted, employments=working, on=on)
    due = (
        Deadline.objects.open()
        .filter(account__in=granted.values("account"), muted=False)
        .select_related("account__person", "account__system", "policy__source")
        .order_by("due_on", "pk")[:DUE_ROWS]
    )
    wrong = Finding.objects.visible_to(scope).open().filter(facility=place)
    return render(
        request,
        "web/facility.html",
        {
            "facility": place,
            "kind": type_descriptions().get(place.provider_type, place.provider_type),
            "zone": zone_words(place.zone),
            "local_clock": now.astimezone(ZoneInfo(place.zone)),
            "other_clock": place.zone != EASTERN,
            "table": table,
            "page": page,
            "due": next_dates(due, scope=scope, on=on),
            "wrong": finding_rows(scope, list(page_rows(ranked(wrong))[:DUE_ROWS]), on),
            "wrong_url": f"{reverse('web:findings', args=[scope.organization.slug])}?facility={place.pk}",
            "running": of_facility(scope, place, on),
            "stated": _stated(place, granted, on),
            "may_keep_in_use": scope.may(Action.KEEP_IN_USE, [place.pk]),
            "duties": duty_rows(_owed(scope, place, on)[:DUE_ROWS], scope=scope, on=on),
            "may_edit": scope.may(Action.EDIT_FACILITY, [place.pk]),
            "may_add": scope.may(Action.EDIT_PERSON, [place.pk]),
            "ask_url": ask_url(scope, facility=place.pk) if scope.may(Action.REQUEST_ACCESS, [place.pk]) else "",
            "may_lead": scope.may(Action.LEAD_FIRST_HOUR, [place.pk]),
            "crumbs": facility_crumbs(request),
        },
    )


def _stated(place: Facility, granted: QuerySet[RoleGrant], on: date) -> dict[str, Any]:
    """Return what the facility sends and through whom, who keeps the record, and closed systems with accounts."""
    here = place_here(place, on)
    keepers = RecordKeeper.objects.in_force(on).filter(facility=place).select_related("person__organization")
    told = granted.filter(account__system__slug__in=here.closed).values("account__system")
    systems = System.objects.filter(Q(pk__in=told) | Q(slug__in=here.still)).order_by("position", "slug")
    return {
        "streams": [each for each in here.streams if each.through not in ("", FacilityStream.Through.NONE)],
        "keepers": [keeper.person for keeper in keepers.order_by("person__last_name", "person__first_name", "pk")],
        "closed": [{"system": system, "still": system.slug in here.still} for system in systems],
    }


def _owed(scope: Scope, place: Facility, on: date) -> QuerySet[Deadline]:
    """Return what the place itself owes, however far off, and the certifications due there."""
    here = Q(obligation__facility=place) | Q(facility=place)
    owed = Deadline.objects.open().filter(here, organization=scope.organization)
    return (owed | concerning(scope, on).filter(grant__facility=place)).order_by("due_on", "pk")


@require_http_methods(["GET", "POST"])
@organization_page
def facility_edit(request: ScopedRequest, pk: int) -> HttpResponse:
    """Correct name, address and clock; a stale save shows both versions."""
    scope = request.scope
    place = get_object_or_404(Facility.objects.visible_to(scope).select_related("organization"), pk=pk)
    authorize(scope, Action.EDIT_FACILITY, [place.pk])
    stored = {name: getattr(place, name) for name in ("version", "name", "address", "city", "zone")}
    form = FacilityForm(request.POST if request.method == "POST" else None, initial=stored, zone=place.zone)
    differing: list[dict[str, str]] = []
    if form.is_valid():
        try:
            correct_facility(scope=scope, facility=place, at=timezone.now(), **form.cleaned_data)
        except FacilityRefused as exc:
            if exc.code == "stale":
                place.refresh_from_db()
                differing = both_versions(form, place)
            form.add_error(exc.field or None, exc.message)
        else:
            say(request, f"{place.name} is saved.")
            return redirect(place)
    context = {"form": form, "facility": place, "differing": differing}
    return render(
        request, "web/facility_edit.html", context | {"crumbs": [*facility_crumbs(request), place_crumb(place)]}
    )


def facility_crumbs(request: ScopedRequest) -> list[dict[str, str]]:
    return [{"label": "Facilities", "url": reverse("web:facilities", args=[request.scope.organization.slug])}]


def place_crumb(place: Facility) -> dict[str, str]:
    return {"label": place.name, "url": place.get_absolute_url()}
