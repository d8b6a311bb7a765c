"""One person with everything she holds."""

from collections import defaultdict
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import PortalAccount, RoleGrant
from accounts.policy.requesting import Kind
from accounts.words import day, in_days, listed
from facilities.access import Action, Scope
from facilities.models import Facility
from staff.models import Employment, Person
from staff.services.people import present_workplaces
from systems.policy import EASTERN, day_in
from web.absences import absences_of
from web.deputies import deputies_of
from web.duties import concerning, duty_rows
from web.forms.facilities import places_for
from web.looks import acknowledged, jobs_to_look_at
from web.people_list import works
from web.requests.beside import of_person
from web.requests.ways import ask_url
from web.scope import ScopedRequest, organization_page
from web.standings import Held, all_held


def today() -> date:
    """Return the day in US Eastern, in which CMS counts."""
    return day_in(timezone.now(), EASTERN)


@require_safe
@organization_page
def person(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show everything somebody holds, where she worked when, and what stays open if she leaves today."""
    scope, on = request.scope, today()
    who = person_of(scope, pk)
    jobs = list(jobs_of(scope, who))
    accounts = list(
        PortalAccount.objects.visible_to(scope)
        .filter(person=who)
        .select_related("system", "identity", "organization")
        .annotate(stays=Exists(PortalAccount.objects.filter(pk=OuterRef("pk")).left_open(on)))
        .order_by("system__position", "pk")
    )
    grants: dict[int, list[RoleGrant]] = defaultdict(list)
    in_force = RoleGrant.objects.in_force(on).filter(account__in=accounts)
    for grant in in_force.select_related("facility", "role").order_by("facility__name", "role__position", "pk"):
        grants[grant.account_id].append(grant)
    stays = {account.pk for account in accounts if account.stays}
    held = all_held(accounts, on)
    here = [job for job in jobs if works(job, on)]
    ended = [job.valid_to for job in jobs if job.valid_to and job.valid_to < on]
    places = [job.facility_id for job in jobs]
    present = [job.facility_id for job in jobs if job.valid_to is None or job.valid_to >= on]
    now_at, own = present_workplaces(who, on), who.user_id == scope.user_id is not None
    may_ask = scope.may(Action.REQUEST_ACCESS, places, own=own)
    may_acknowledge = scope.may(Action.KEEP_ACCOUNT, present, own=own)
    return render(
        request,
        "web/person.html",
        {
            "person": who,
            "works_here": bool(here),
            "duties": duty_rows(concerning(scope, on).filter(person=who), scope=scope, on=on),
            "left_on": max(ended) if ended and not here else None,
            "rows": [_account_row(each, grants[each.account.pk], on) for each in held],
            "columns": [{"label": label} for label in ("System", "Roles", "Standing", "Next date", "User ID")],
            "stays_open": [_stays_open(each, grants[each.account.pk]) for each in held if each.account.pk in stays],
            "timeline": [_job_item(job, on) for job in jobs],
            "ending": [job for job in jobs if scope.may(Action.END_EMPLOYMENT, [job.facility_id])],
            "running": of_person(scope, who, on),
            "jobs_to_look_at": jobs_to_look_at(scope, who),
            "acknowledged": acknowledged(scope, who, may=may_acknowledge),
            "may_acknowledge": may_acknowledge,
            "absences": absences_of(who, on),
            "may_be_away": scope.may(Action.RECORD_ABSENCE, now_at, own=own),
            "deputies": deputies_of(scope, who, on),
            "may_name_deputy": scope.may(Action.NAME_DEPUTY, now_at, own=own),
            "may_edit": scope.may(Action.EDIT_PERSON, now_at),
            "may_employ": places_for(scope, Action.EDIT_PERSON).exists(),
            "may_add": scope.may(Action.EDIT_ACCOUNT, places),
            "ask_url": ask_url(scope, person=who.pk) if may_ask else "",
            "removal_url": ask_url(scope, person=who.pk, kind=Kind.REMOVAL.value) if may_ask else "",
            "crumbs": people_crumbs(scope),
        },
    )


def person_of(scope: Scope, pk: int) -> Person:
    """Return a person the member may see, or 404."""
    return get_object_or_404(Person.objects.visible_to(scope).select_related("organization"), pk=pk)


def jobs_of(scope: Scope, who: Person) -> QuerySet[Employment]:
    """Return the employments the member may see, newest first: those at her facilities, and all of her own."""
    known = Employment.objects.known().filter(person=who).select_related("facility").order_by("-valid_from", "-pk")
    if who.user_id is not None and who.user_id == scope.user_id:
        return known
    return known.filter(facility__in=Facility.objects.visible_to(scope))


def _account_row(each: Held, grants: list[RoleGrant], on: date) -> dict[str, Any]:
    account = each.account
    by_place: dict[str, list[str]] = defaultdict(list)
    for grant in grants:
        by_place[grant.facility.name].append(grant.role.name)
    user_id = account.identity.user_id if account.identity else account.user_id
    return {
        "cells": [
            {"text": account.system.name, "url": account.get_absolute_url()},
            {"text": "; ".join(f"{listed(roles)} at {place}" for place, roles in by_place.items()) or "No role now"},
            {"standing": each.standing, "words": each.words, "text": ""},
            {"text": day(each.next_on) or "No date", "note": in_days(each.next_on, on), "date": True},
            {"text": user_id or "Not known"},
        ]
    }


def _stays_open(each: Held, grants: list[RoleGrant]) -> dict[str, Any]:
    privileged = [grant for grant in grants if grant.role.privileged]
    return {
        "system": each.account.system.name,
        "url": each.account.get_absolute_url(),
        "places": listed(dict.fromkeys(grant.facility.name for grant in grants)),
        "privileged": listed(dict.fromkeys(grant.role.name for grant in privileged)),
    }


def _job_item(job: Employment, on: date) -> dict[str, Any]:
    if job.valid_to is None:
        until = "Until further notice."
    else:
        until = f"{'Last day' if job.valid_to >= on else 'Until'} {day(job.valid_to)}."
    return {
        "on": job.valid_from,
        "title": f"{job.job_title or 'Works'} at {job.facility.name}",
        "text": until,
        "future": job.valid_from > on,
    }


def people_crumbs(scope: Scope) -> list[dict[str, str]]:
    """Return the way back to the list."""
    return [{"label": "People", "url": reverse("web:people", args=[scope.organization.slug])}]


def person_crumb(who: Person) -> dict[str, str]:
    """Return the way back to a person."""
    return {"label": str(who), "url": who.get_absolute_url()}
