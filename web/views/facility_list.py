"""The cover grid: facilities down, systems across, each cell with its people, standing and soonest date."""

from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import PortalAccount, RoleGrant
from accounts.sentences import short_day
from accounts.words import count_noun
from facilities.access import Action, Scope
from facilities.models import Facility
from facilities.models.tenancy import FacilityQuerySet
from staff.models import Employment
from systems.models import System
from systems.policy import EASTERN, day_in
from web.account_filters import held_there, narrowed
from web.burning import overview
from web.cover import Cover, cover_of, together
from web.forms.facilities import FacilityFilter
from web.keyset import asked_for, page_of
from web.scope import ScopedRequest, organization_page
from web.searching.places import place_called

PAGE_ROWS = 40


@require_safe
@organization_page
def facilities(request: ScopedRequest) -> HttpResponse:
    """List the member's facilities by name with what their people hold on each system."""
    scope, on = request.scope, day_in(timezone.now(), EASTERN)
    everywhere = Facility.objects.visible_to(scope).open()
    form = FacilityFilter(request.GET, places=everywhere)
    chosen = form.cleaned_data if form.is_valid() else {}
    asked = asked_for(request)
    page = page_of(request, _narrowed(everywhere, scope, asked, chosen, on), by=("name", "pk"), size=PAGE_ROWS)
    held = RoleGrant.objects.in_force(on).filter(facility__in=page.rows)
    held = held.exclude(account__status=PortalAccount.Status.REMOVED)
    grid = cover_of(held, on)
    used = System.objects.filter(pk__in={system for _, system in grid}).order_by("position", "slug")
    systems = list(used)
    working = Employment.objects.in_force(on).filter(facility__in=page.rows)
    people = dict(working.values_list("facility_id").annotate(count=Count("person", distinct=True)))
    return render(
        request,
        "web/facilities.html",
        {
            "form": form,
            "systems": systems,
            "rows": [_row(scope, place, systems, grid, people.get(place.pk, 0), on) for place in page.rows],
            "page": page,
            "asked": asked,
            "filtered": bool(asked) or any(chosen.values()),
            "may_register": scope.may(Action.REGISTER_FACILITY),
            "reads_all": scope.reads is None,
        },
    )


@require_safe
@organization_page
def burning(request: ScopedRequest) -> HttpResponse:
    """Show where it burns: the figures of everything, the worst facilities first."""
    now = timezone.now()
    return render(request, "web/burning.html", {"overview": overview(request.scope, on=day_in(now, EASTERN), at=now)})


def _narrowed(places: FacilityQuerySet, scope: Scope, asked: str, chosen: dict[str, Any], on: date) -> FacilityQuerySet:
    if asked:
        places = places.filter(place_called(asked) | Q(ccn__istartswith=asked))
    if chosen.get("state"):
        places = places.filter(state=chosen["state"])
    if chosen.get("standing"):
        standing_so = narrowed(PortalAccount.objects.filter(organization=scope.organization), chosen["standing"], on)
        there = RoleGrant.objects.in_force(on).filter(facility=OuterRef("pk"), account__in=standing_so.values("pk"))
        places = places.filter(Exists(there))
    return places


def _row(
    scope: Scope,
    place: Facility,
    systems: list[System],
    grid: dict[tuple[int, int], Cover],
    people: int,
    on: date,
) -> dict[str, Any]:
    slug = scope.organization.slug
    where = ", ".join(filter(None, [place.city, place.state]))
    number = f"CCN {place.ccn}" if place.ccn else "Licensed only"
    total = together(cover for (facility, _), cover in grid.items() if facility == place.pk)
    return {
        "name": place.name,
        "url": reverse("web:facility", args=[slug, place.pk]),
        "note": " · ".join(filter(None, [number, where])),
        "people": count_noun(people, "person,people").capitalize(),
        "total": _counted(total, total.accounts, "account,accounts", on) if total else None,
        "cells": [_cell(slug, place, system, grid.get((place.pk, system.pk)), on) for system in systems],
    }


def _cell(slug: str, place: Facility, system: System, cover: Cover | None, on: date) -> dict[str, Any]:
    cell: dict[str, Any] = {"label": system.name}
    if cover is None:
        return cell
    counted = _counted(cover, cover.people, "person,people", on)
    if cover.accounts != cover.people:
        counted["text"] += f", {count_noun(cover.accounts, 'account,accounts')}"
    return cell | counted | {"url": held_there(slug, place.pk, system.slug)}


def _counted(cover: Cover, count: int, nouns: str, on: date) -> dict[str, Any]:
    dated = "no date"
    if cover.next_on is not None:
        dated = f"{'next' if cover.next_on >= on else 'since'} {short_day(cover.next_on, on)}"
    return {"standing": cover.standing, "text": count_noun(count, nouns).capitalize(), "note": dated}
