"""Changing people: adding somebody with all accounts, more accounts, corrections, further work, leaving."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import AccountRefused
from accounts.models import PortalAccount, RoleGrant
from accounts.services.inventory import add_accounts
from accounts.services.joining import add_person_with_accounts
from accounts.words import count_noun, day, listed
from facilities.access import Action, Scope, authorize
from facilities.models import Facility
from staff.models import Employment, Person
from staff.services.people import (
    PersonRefused,
    correct_person,
    employ_person,
    end_employment,
    present_workplaces,
)
from systems.policy import day_in, latest_day
from web.forms.facilities import places_for
from web.forms.people import (
    AccountRow,
    EmploymentForm,
    JoinerForm,
    LeavingForm,
    PersonForm,
    PlaceForm,
    account_row,
    account_rows,
)
from web.requests.successors import back_to_asking
from web.requests.wanting import key_of
from web.scope import ScopedRequest, organization_page
from web.stale import both_versions
from web.toasts import say
from web.views.people import jobs_of, people_crumbs, person_crumb, person_of, today


@require_http_methods(["GET", "POST"])
@organization_page
def person_add(request: ScopedRequest) -> HttpResponse:
    """Add somebody with all her accounts on one page: all of it is stored, or nothing."""
    scope, on = request.scope, today()
    places = places_for(scope, Action.EDIT_PERSON)
    if not places.exists():
        authorize(scope, Action.EDIT_PERSON)
        return render(request, "web/person_add.html", {"no_places": True, "crumbs": people_crumbs(scope)})
    data = request.POST if request.method == "POST" else None
    initial: dict[str, Any] = {name: request.GET.get(name, "")[:80] for name in ("first_name", "last_name")}
    initial |= {"facility": place} if (place := key_of(request.GET.get("facility", ""))) is not None else {}
    form = JoinerForm(data, scope=scope, places=places, today=on, initial=initial)
    rows = account_rows(data, latest=latest_day(timezone.now()))
    # Every row is looked at, so that all remarks come at once.
    if data is not None and all([form.is_valid(), *(row.is_valid() for row in rows)]):
        added = _add_person(scope, form, [row for row in rows if row.ticked], rows)
        if added is not None:
            say(request, _added(added, sum(row.ticked for row in rows)))
            asking = request.GET.get("asking", "")  # the request for which somebody new was wanted
            return redirect(back_to_asking(scope, asking, added) if asking else added)
    context = {"form": form, "rows": rows, "wrong": [row for row in rows if row.errors]}
    return render(request, "web/person_add.html", context | {"crumbs": people_crumbs(scope)})


def _added(who: Person, accounts: int) -> str:
    if not accounts:
        return f"{who} is added, without accounts so far."
    return f"{who} is added with {count_noun(accounts, 'account,accounts')}."


def _add_person(scope: Scope, form: JoinerForm, ticked: list[AccountRow], rows: list[AccountRow]) -> Person | None:
    data = form.cleaned_data
    try:
        return add_person_with_accounts(
            scope=scope,
            facility=data["facility"],
            facts=form.facts,
            job_title=data["job_title"],
            starts_on=data["starts_on"],
            accounts=[row.facts for row in ticked],
            at=timezone.now(),
        )
    except PersonRefused as exc:
        form.add_error(exc.field if exc.field in form.fields else None, exc.message)
    except AccountRefused as exc:
        _blame(rows, form, exc)
    return None


def _blame(rows: list[AccountRow], form: Any, exc: AccountRefused) -> None:
    """Put a refusal of the service on the row it speaks of, else on the form."""
    for row in rows:
        if row.ticked and exc.message.startswith(f"{row.system.name}:"):
            row.add_error(exc.field if exc.field in row.fields else None, exc.message)
            return
    form.add_error(None, exc.message)


@require_http_methods(["GET", "POST"])
@organization_page
def person_accounts_add(request: ScopedRequest, pk: int) -> HttpResponse:
    """Add accounts, or further roles on known ones, at a facility where somebody works."""
    scope = request.scope
    who = person_of(scope, pk)
    jobs = jobs_of(scope, who)
    authorize(scope, Action.EDIT_ACCOUNT, [job.facility_id for job in jobs])
    places = places_for(scope, Action.EDIT_ACCOUNT).filter(pk__in=[job.facility_id for job in jobs])
    data = request.POST if request.method == "POST" else None
    form = PlaceForm(data, places=places)
    rows = account_rows(data, latest=latest_day(timezone.now()), person=who)
    ticked = [row for row in rows if row.ticked]
    if data is not None and all([form.is_valid(), *(row.is_valid() for row in rows)]):
        if not ticked:
            form.add_error(None, "Tick at least one system.")
        else:
            place = form.cleaned_data["facility"]
            facts = [row.facts for row in ticked]
            try:
                add_accounts(scope=scope, person=who, facility=place, accounts=facts, at=timezone.now())
            except AccountRefused as exc:
                _blame(rows, form, exc)
            else:
                say(request, f"{listed(row.system.name for row in ticked)} added for {who} at {place.name}.")
                return redirect(who)
    context = {"form": form, "rows": rows, "wrong": [row for row in rows if row.errors], "person": who}
    return render(
        request, "web/person_accounts_add.html", context | {"crumbs": [*people_crumbs(scope), person_crumb(who)]}
    )


@require_safe
@organization_page
def account_fields(request: ScopedRequest, system: str) -> HttpResponse:
    """Return what is asked about an account at one of the seldom systems, for the form in which it was ticked."""
    if not places_for(request.scope, Action.EDIT_ACCOUNT).exists():
        authorize(request.scope, Action.EDIT_ACCOUNT)
    row = account_row(system, latest=latest_day(timezone.now()))
    if row is None:
        raise Http404("The catalogue has no such system.")
    return render(request, "web/person_account_fields.html", {"row": row})


@require_http_methods(["GET", "POST"])
@organization_page
def person_edit(request: ScopedRequest, pk: int) -> HttpResponse:
    """Correct names and contact data; a stale save shows both versions."""
    scope = request.scope
    who = person_of(scope, pk)
    authorize(scope, Action.EDIT_PERSON, present_workplaces(who, day_in(timezone.now())))
    names = ("version", "first_name", "last_name", "email", "phone", "employee_number", "affiliation")
    form = PersonForm(
        request.POST if request.method == "POST" else None, initial={name: getattr(who, name) for name in names}
    )
    differing: list[dict[str, str]] = []
    if form.is_valid():
        try:
            version = form.cleaned_data["version"] or 0
            correct_person(scope=scope, person=who, version=version, facts=form.facts, at=timezone.now())
        except PersonRefused as exc:
            if exc.code == "stale":
                who.refresh_from_db()
                differing = both_versions(form, who)
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            who.refresh_from_db()
            say(request, f"{who} is saved.")
            return redirect(who)
    context = {"form": form, "person": who, "differing": differing}
    return render(request, "web/person_edit.html", context | {"crumbs": [*people_crumbs(scope), person_crumb(who)]})


@require_http_methods(["GET", "POST"])
@organization_page
def person_employ(request: ScopedRequest, pk: int) -> HttpResponse:
    """Let somebody work at a further facility."""
    scope = request.scope
    who = person_of(scope, pk)
    places = places_for(scope, Action.EDIT_PERSON)
    if not places.exists():
        authorize(scope, Action.EDIT_PERSON)
    data = request.POST if request.method == "POST" else None
    form = EmploymentForm(data, places=places, today=today())
    if form.is_valid():
        try:
            job = employ_person(scope=scope, person=who, at=timezone.now(), **form.cleaned_data)
        except PersonRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            say(request, f"{who} works at {job.facility.name} from {day(job.valid_from)}.")
            return redirect(who)
    context = {"form": form, "person": who}
    return render(request, "web/person_employ.html", context | {"crumbs": [*people_crumbs(scope), person_crumb(who)]})


@require_http_methods(["GET", "POST"])
@organization_page
def employment_end(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record somebody's last day at a facility; the page says which accounts stay open there."""
    scope, on = request.scope, today()
    mine = Employment.objects.known().filter(organization=scope.organization)
    job = get_object_or_404(
        mine.filter(facility__in=Facility.objects.visible_to(scope)).select_related("person__organization", "facility"),
        pk=pk,
    )
    authorize(scope, Action.END_EMPLOYMENT, [job.facility_id])
    initial = {"last_day_on": job.valid_to or max(on, job.valid_from)}
    form = LeavingForm(request.POST if request.method == "POST" else None, initial=initial)
    open_here = RoleGrant.objects.in_force(on).filter(account__person=job.person, facility=job.facility)
    left_open = PortalAccount.objects.filter(person=job.person).left_open(on)
    open_here = open_here.filter(account__in=left_open).select_related("account__system")
    systems = list(
        dict.fromkeys(grant.account.system.name for grant in open_here.order_by("account__system__position"))
    )
    if form.is_valid():
        try:
            ended = end_employment(scope=scope, employment=job, at=timezone.now(), **form.cleaned_data)
        except PersonRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            say(request, _left(ended, systems, on))
            return redirect(job.person)
    context = {"form": form, "job": job, "person": job.person, "systems": systems}
    return render(
        request, "web/employment_end.html", context | {"crumbs": [*people_crumbs(scope), person_crumb(job.person)]}
    )


def _left(job: Employment, systems: list[str], on: date) -> str:
    verb = "left" if job.valid_to and job.valid_to < on else "leaves"
    said = f"{job.person} {verb} {job.facility.name}, last day {day(job.valid_to)}."
    return said + (f" Still open there: {listed(systems)}." if systems else "")
