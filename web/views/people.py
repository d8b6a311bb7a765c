"""People: the list, and one person with everything she holds."""

from collections import defaultdict
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import PortalAccount, RoleGrant
from accounts.words import count_noun, day, listed
from accounts.words import day_in as day_in_words
from facilities.access import Action, Scope
from facilities.models import Facility
from staff.models import Employment, Person
from systems.policy import EASTERN, day_in
from web.forms.facilities import places_for
from web.keyset import asked_for, page_of
from web.scope import ScopedRequest, organization_page
from web.standings import Held, all_held, worst

FILTER_PLACES = 100  # more facilities than this are filtered from their own page


def today() -> date:
    """Return the day in US Eastern, in which CMS counts."""
    return day_in(timezone.now(), EASTERN)


@require_safe
@organization_page
def people(request: ScopedRequest) -> HttpResponse:
    """List people by name, with where they work, what they hold and the soonest date."""
    scope, on = request.scope, today()
    places = Facility.objects.visible_to(scope).open().order_by("name", "pk")
    found, place = _filtered(request, Person.objects.visible_to(scope), places, on)
    page = page_of(request, found, by=("last_name", "first_name", "pk"))
    columns = [{"label": label} for label in ("Person", "Works at", "Accounts", "Next date")]
    listed_places = list(places[: FILTER_PLACES + 1])
    if len(listed_places) > FILTER_PLACES:
        listed_places = [place] if place else []
    context = {
        "columns": columns,
        "rows": _people_rows(scope, page.rows, on),
        "page": page,
        "asked": asked_for(request),
        "place": place,
        "places": listed_places,
        "gone": request.GET.get("gone") == "yes",
        "may_add": places_for(scope, Action.EDIT_PERSON).exists(),
    }
    return render(request, "web/people.html", context)


def _filtered(
    request: HttpRequest, found: QuerySet[Person], places: QuerySet[Facility], on: date
) -> tuple[QuerySet[Person], Facility | None]:
    """Apply ``q`` (beginnings of names, or an employee number), ``facility`` and ``gone`` (left, access open)."""
    for word in asked_for(request).split()[:5]:
        found = found.filter(
            Q(first_name__istartswith=word) | Q(last_name__istartswith=word) | Q(employee_number__iexact=word)
        )
    if request.GET.get("gone") == "yes":
        open_ones = PortalAccount.objects.open().values("person")
        working = Employment.objects.in_force(on).values("person")
        found = found.filter(pk__in=open_ones).exclude(pk__in=working)
    key = request.GET.get("facility", "")
    place = places.filter(pk=int(key)).first() if key.isascii() and key.isdecimal() and len(key) < 19 else None
    if place is not None:
        here = Employment.objects.known().filter(facility=place)
        granted = RoleGrant.objects.in_force(on).filter(facility=place)
        found = found.filter(Q(pk__in=here.values("person")) | Q(pk__in=granted.values("account__person")))
    return found, place


def _people_rows(scope: Scope, rows: list[Person], on: date) -> list[dict[str, Any]]:
    """Return the table's rows. Three queries, whatever their number."""
    jobs: dict[int, list[Employment]] = defaultdict(list)
    known = Employment.objects.known().filter(person__in=rows, facility__in=Facility.objects.visible_to(scope))
    for job in known.select_related("facility").order_by("facility__name", "pk"):
        jobs[job.person_id].append(job)
    held: dict[int, list[Held]] = defaultdict(list)
    accounts = PortalAccount.objects.visible_to(scope).open().filter(person__in=rows)
    for each in all_held(accounts, on):
        held[each.account.person_id].append(each)
    return [
        {
            "cells": [
                {
                    "text": str(person),
                    "url": reverse("web:person", args=[scope.organization.slug, person.pk]),
                    "note": ", ".join(dict.fromkeys(job.job_title for job in jobs[person.pk] if job.job_title)),
                },
                _place_cell(jobs[person.pk], on),
                {"text": count_noun(len(held[person.pk]), "account,accounts").capitalize()},
                _date_cell(held[person.pk], on),
            ]
        }
        for person in rows
    ]


def _place_cell(jobs: list[Employment], on: date) -> dict[str, Any]:
    current = [job for job in jobs if _works(job, on)]
    if current:
        return {"text": listed(dict.fromkeys(job.facility.name for job in current))}
    past = [job.valid_to for job in jobs if job.valid_to and job.valid_to < on]
    if past:
        return {"text": f"Left on {day(max(past))}"}
    ahead = [job for job in jobs if job.valid_from > on]
    if ahead:
        first = min(ahead, key=lambda job: job.valid_from)
        return {"text": first.facility.name, "note": f"From {day(first.valid_from)}"}
    return {"text": "No place of work"}


def _works(job: Employment, on: date) -> bool:
    return job.valid_from <= on and (job.valid_to is None or job.valid_to >= on)


def _date_cell(held: list[Held], on: date) -> dict[str, Any]:
    if not held:
        return {"text": "Nothing to watch"}
    soonest = min((each.next_on for each in held if each.next_on), default=None)
    return {
        "standing": worst(each.standing for each in held),
        "text": day_in_words(soonest, on) if soonest else "No date",
    }


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
        .order_by("system__position", "pk")
    )
    grants: dict[int, list[RoleGrant]] = defaultdict(list)
    in_force = RoleGrant.objects.in_force(on).filter(account__in=accounts)
    for grant in in_force.select_related("facility", "role").order_by("facility__name", "role__position", "pk"):
        grants[grant.account_id].append(grant)
    held = all_held(accounts, on)
    running = [each for each in held if each.account.status != PortalAccount.Status.REMOVED]
    here = [job for job in jobs if _works(job, on)]
    ended = [job.valid_to for job in jobs if job.valid_to and job.valid_to < on]
    places = [job.facility_id for job in jobs]
    return render(
        request,
        "web/person.html",
        {
            "person": who,
            "works_here": bool(here),
            "left_on": max(ended) if ended and not here else None,
            "rows": [_account_row(each, grants[each.account.pk], on) for each in held],
            "columns": [{"label": label} for label in ("System", "Roles", "Standing", "Next date", "User ID")],
            "stays_open": [_stays_open(each, grants[each.account.pk]) for each in running],
            "timeline": [_job_item(job, on) for job in jobs],
            "ending": [job for job in jobs if scope.may(Action.END_EMPLOYMENT, [job.facility_id])],
            "may_edit": scope.may(Action.EDIT_PERSON, places),
            "may_employ": places_for(scope, Action.EDIT_PERSON).exists(),
            "may_add": scope.may(Action.EDIT_ACCOUNT, places),
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
            {"text": day_in_words(each.next_on, on) if each.next_on else "No date"},
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
