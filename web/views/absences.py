"""Leaves: who is away from when until when, and that somebody is back."""

from datetime import date

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.words import day
from facilities.access import Action, Scope, authorize
from staff.models import Absence, Employment, Person
from staff.services.absences import AbsenceRefused, end_absence, record_absence
from staff.services.people import present_workplaces
from systems.policy import EASTERN, day_in
from web.forms.people import AbsenceForm, LeavingForm
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.people import people_crumbs, person_crumb


@require_http_methods(["GET", "POST"])
@organization_page
def person_away(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record an absence; a holder may record her own."""
    scope = request.scope
    people = Person.objects.visible_to(scope).select_related("organization")
    who = get_object_or_404(people, pk=pk)
    authorize(scope, Action.RECORD_ABSENCE, present_workplaces(who, _today()), own=_own(request, who))
    initial = {"away_from_on": _today()}
    form = AbsenceForm(
        request.POST if request.method == "POST" else None, initial=initial, colleagues=_colleagues(request, who)
    )
    if form.is_valid():
        try:
            record_absence(scope=scope, person=who, at=timezone.now(), **form.cleaned_data)
        except AbsenceRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            say(request, f"{who} is away from {day(form.cleaned_data['away_from_on'])}.")
            return redirect(who)
    return render(request, "web/person_away.html", {"form": form, "person": who, "crumbs": _crumbs(scope, who)})


@require_http_methods(["GET", "POST"])
@organization_page
def absence_end(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record the last day away."""
    scope = request.scope
    mine = Absence.objects.known().filter(person__in=Person.objects.visible_to(scope))
    absence = get_object_or_404(mine.select_related("person__organization"), pk=pk)
    who = absence.person
    authorize(scope, Action.RECORD_ABSENCE, present_workplaces(who, _today()), own=_own(request, who))
    initial = {"last_day_on": absence.valid_to or _today()}
    form = LeavingForm(request.POST if request.method == "POST" else None, initial=initial)
    form.fields["last_day_on"].label, form.fields["last_day_on"].help_text = "Last day away", "It may lie ahead."
    if form.is_valid():
        try:
            ended = end_absence(scope=scope, absence=absence, at=timezone.now(), **form.cleaned_data)
        except AbsenceRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            said = f"away until {day(ended.valid_to)}" if ended else "not away"
            say(request, f"{who} is {said}.")
            return redirect(who)
    context = {"form": form, "person": who, "absence": absence, "crumbs": _crumbs(scope, who)}
    return render(request, "web/absence_end.html", context)


def _crumbs(scope: Scope, who: Person) -> list[dict[str, str]]:
    """Return the way back; the list of people only for who reads it, as a holder's own absence is recorded too."""
    reads = scope.reads is None or bool(scope.reads)
    return [*(people_crumbs(scope) if reads else []), person_crumb(who)]


def _colleagues(request: ScopedRequest, who: Person) -> QuerySet[Person]:
    """Return who works where the person works, as far as the member may see them."""
    on = _today()
    there = Employment.objects.in_force(on).filter(facility__in=present_workplaces(who, on)).values("person")
    found = Person.objects.visible_to(request.scope).filter(pk__in=there).exclude(pk=who.pk)
    return found.order_by("last_name", "first_name", "pk")


def _today() -> date:
    return day_in(timezone.now(), EASTERN)


def _own(request: ScopedRequest, who: Person) -> bool:
    return who.user_id is not None and who.user_id == request.scope.user_id
