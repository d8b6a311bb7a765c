"""Facilities: the list, one place with its people and what is due there, registering, correcting."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Deadline, PortalAccount, RoleGrant
from accounts.words import count_noun
from accounts.words import day_in as day_in_words
from facilities.access import Action, authorize
from facilities.ccn import type_descriptions
from facilities.checks import FacilityCheck, check_facility
from facilities.models import Facility
from facilities.services.places import FacilityFacts, FacilityRefused, correct_facility, register_facility
from staff.models import Employment, Person
from systems.policy import EASTERN, day_in
from web.forms.facilities import FIELD_OF_PROBLEM, FacilityForm, RegisterForm, zone_words
from web.keyset import asked_for, page_of
from web.scope import ScopedRequest, organization_page
from web.stale import both_versions
from web.standings import PlaceStanding, places_standing
from web.tables import next_dates, people_by_systems
from web.toasts import say

DUE_ROWS = 5
REMOVED = PortalAccount.Status.REMOVED


@require_safe
@organization_page
def facilities(request: ScopedRequest) -> HttpResponse:
    """List the member's facilities by name, each with the soonest date there."""
    on = day_in(timezone.now(), EASTERN)
    mine = Facility.objects.visible_to(request.scope).open()
    asked = asked_for(request)
    if asked:
        mine = mine.filter(Q(name__icontains=asked) | Q(ccn__istartswith=asked) | Q(city__istartswith=asked))
    page = page_of(request, mine, by=("name", "pk"))
    people = dict(
        Employment.objects.in_force(on)
        .filter(facility__in=page.rows)
        .values_list("facility_id")
        .annotate(count=Count("person", distinct=True))
    )
    held = RoleGrant.objects.in_force(on).filter(facility__in=page.rows).exclude(account__status=REMOVED)
    standings = places_standing(held, on)
    rows = [
        {
            "cells": [
                {
                    "text": place.name,
                    "url": reverse("web:facility", args=[request.scope.organization.slug, place.pk]),
                    "note": f"CCN {place.ccn}" if place.ccn else "Licensed only",
                },
                {"text": ", ".join(filter(None, [place.city, place.state]))},
                {"text": count_noun(people.get(place.pk, 0), "person,people").capitalize()},
                _standing_cell(standings.get(place.pk), on),
            ]
        }
        for place in page.rows
    ]
    return render(
        request,
        "web/facilities.html",
        {
            "columns": [{"label": label} for label in ("Facility", "Place", "People", "Accounts and next date")],
            "rows": rows,
            "page": page,
            "asked": asked,
            "may_register": request.scope.may(Action.REGISTER_FACILITY),
        },
    )


def _standing_cell(held: PlaceStanding | None, on: date) -> dict[str, Any]:
    if held is None:
        return {"text": "No accounts yet"}
    return {
        "standing": held.standing,
        "text": count_noun(held.accounts, "account,accounts").capitalize(),
        "note": f"Next date {day_in_words(held.next_on, on)}" if held.next_on else "",
    }


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
        .filter(account__in=granted.values("account"))
        .select_related("account__person", "account__system", "policy__source")
        .order_by("due_on", "pk")[:DUE_ROWS]
    )
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
            "may_edit": scope.may(Action.EDIT_FACILITY, [place.pk]),
            "may_add": scope.may(Action.EDIT_PERSON, [place.pk]),
            "crumbs": _crumbs(request),
        },
    )


@require_http_methods(["GET", "POST"])
@organization_page
def facility_register(request: ScopedRequest) -> HttpResponse:
    """Check a place against CMS's directory, show what it knows and doubts, and store it when confirmed."""
    authorize(request.scope, Action.REGISTER_FACILITY)
    context: dict[str, Any] = {"crumbs": _crumbs(request)}
    if request.method == "GET":
        return render(request, "web/facility_register.html", context | {"form": RegisterForm()})
    data = request.POST.copy()
    if data.get("take_ccn"):
        data["ccn"] = str(data["take_ccn"])  # "Did you mean ...?" answered with one click
    form = RegisterForm(data)
    if form.is_valid():
        check, place = _check(form), form.place  # before remarks take fields out of the cleaned data
        confirmed = data.get("confirm") == place
        if confirmed:
            stored = _register(request, form)
            if stored is not None:
                say(request, f"{stored.name} is registered.")
                return redirect(stored)
        form.fill_in(check)
        overruled = bool(form.cleaned_data["override_reason"].strip())
        if confirmed and check.problems and _usable(check) and not overruled and not check.ok:
            form.add_error("override_reason", "Say why it is right all the same, or correct what is doubted.")
        _remark(form, check, overruled=overruled)
        context |= _checked(check, place)
    return render(request, "web/facility_register.html", context | {"form": form})


def _check(form: RegisterForm) -> FacilityCheck:
    data = form.cleaned_data
    ccn = "N/A" if data["licensed_only"] else data["ccn"]
    return check_facility(ccn=ccn, state=data["state"], zip_code=data["zip_code"])


def _register(request: ScopedRequest, form: RegisterForm) -> Facility | None:
    data = form.cleaned_data
    facts = FacilityFacts(
        ccn=data["ccn"],
        state=data["state"],
        zip_code=data["zip_code"],
        name=data["name"],
        licensed_only=data["licensed_only"],
        address=data["address"],
        city=data["city"],
    )
    try:
        return register_facility(
            scope=request.scope, facts=facts, override_reason=data["override_reason"], at=timezone.now()
        )
    except FacilityRefused as exc:
        # Doubts of the directory are added by `_remark`; what else the service refuses is added here.
        doubts = {problem.message for problem in exc.check.problems} if exc.check else set()
        if exc.message not in doubts:
            form.add_error(FIELD_OF_PROBLEM.get(exc.field), exc.message)
        return None


def _remark(form: RegisterForm, check: FacilityCheck, *, overruled: bool) -> None:
    """Put each problem beside its field, unless a reason overrules what can be overruled."""
    usable = _usable(check)
    for problem in check.problems:
        if problem.code == "licensed_only" or (overruled and usable):
            continue
        form.add_error(FIELD_OF_PROBLEM[problem.field], problem.message)


def _usable(check: FacilityCheck) -> bool:
    """Return whether the place could be stored at all, doubts aside."""
    numbered = check.normalized_ccn is not None or any(each.code == "licensed_only" for each in check.problems)
    return bool(numbered and check.state and check.zip_code)


def _checked(check: FacilityCheck, place: str) -> dict[str, Any]:
    proposal = any(problem.code == "restored" for problem in check.problems)
    doubts = [problem for problem in check.problems if problem.code != "licensed_only"]
    usable = _usable(check)
    return {
        "check": check,
        "doubts": doubts,
        "proposal": check.normalized_ccn if proposal else "",
        "confirm": place if usable else "",
        "may_overrule": usable and bool(doubts),
        "kind": type_descriptions().get(check.provider_type or "", ""),
    }


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
    return render(request, "web/facility_edit.html", context | {"crumbs": [*_crumbs(request), _crumb(place)]})


def _crumbs(request: ScopedRequest) -> list[dict[str, str]]:
    return [{"label": "Facilities", "url": reverse("web:facilities", args=[request.scope.organization.slug])}]


def _crumb(place: Facility) -> dict[str, str]:
    return {"label": place.name, "url": place.get_absolute_url()}
