"""The first hour: from an empty organization to the first digest, step by step, for each facility."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from facilities.access import Action, authorize
from facilities.models import Facility, FirstHourMark
from facilities.services.first_hour import StepRefused, mark_step, unmark_step
from reminders.models import TrialMail
from reminders.services.trials import TrialRefused, real_address, send_trial
from systems.policy import EASTERN, day_in
from web.first_hour import STEPS, led, progress_of, unfinished, with_facts, without_facility
from web.first_hour_steps import checklist
from web.forms.first_hour import MarkForm
from web.hearing import who_hears
from web.keyset import page_of
from web.limits import too_often
from web.sample_files import FORMS, SAMPLES, sample_file
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.facilities import facility_crumbs, place_crumb

PAGE_ROWS = 40
TESTS_A_MINUTE = 1


@require_safe
@organization_page
def first_hours(request: ScopedRequest) -> HttpResponse:
    """Show the steps of an organization without a facility, else how far each facility is that is not through."""
    return _organization_page(request, timezone.now())


def _organization_page(request: ScopedRequest, at: datetime, status: int = 200) -> HttpResponse:
    scope = request.scope
    places, at_large = led(scope), scope.acts_at(Action.LEAD_FIRST_HOUR) is None
    context: dict[str, Any]
    if at_large and not places.exists():
        progress = without_facility(scope, at)
        context = {"progress": progress, "items": checklist(scope, progress, at, _address(request)), "facility": None}
        return render(request, "web/first_hour.html", context, status=status)
    authorize(scope, Action.LEAD_FIRST_HOUR, places.values_list("pk", flat=True)[:1])
    page = page_of(request, unfinished(places, scope, at), by=("name", "pk"), size=PAGE_ROWS)
    rows = [
        {
            "label": place.name,
            "hint": f"{capfirst(progress_of(place, scope).sentence)}.",
            "url": reverse("web:first-hour", args=[scope.organization.slug, place.pk]),
        }
        for place in page.rows
    ]
    context = {"rows": rows, "page": page, "at_large": at_large, "address": _address(request)}
    return render(request, "web/first_hours.html", context, status=status)


@require_safe
@organization_page
def first_hour(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show the five steps of one facility, computed from what is stored, and who hears what there."""
    return _facility_page(request, _place(request, pk), timezone.now())


def _facility_page(request: ScopedRequest, place: Facility, at: datetime, status: int = 200) -> HttpResponse:
    scope = request.scope
    marks = {mark.step: mark for mark in FirstHourMark.objects.filter(facility=place)}
    known = with_facts(Facility.objects.filter(pk=place.pk), scope, at).get()
    progress = progress_of(known, scope, marks)
    context: dict[str, Any] = {
        "facility": place,
        "progress": progress,
        "items": checklist(scope, progress, at, _address(request)),
        "hearers": who_hears(place, day_in(at, EASTERN)),
        "samples": [kind for kind, sample in SAMPLES.items() if scope.may(sample.action)],
        "crumbs": [*facility_crumbs(request), place_crumb(place)],
    }
    return render(request, "web/first_hour.html", context, status=status)


def _address(request: ScopedRequest) -> str:
    return str(request.user.email)  # type: ignore[union-attr]


def _place(request: ScopedRequest, pk: int) -> Facility:
    visible = Facility.objects.visible_to(request.scope).select_related("organization")
    place = get_object_or_404(visible, pk=pk)
    authorize(request.scope, Action.LEAD_FIRST_HOUR, [place.pk])
    return place


@require_http_methods(["GET", "POST"])
@organization_page
def first_hour_mark(request: ScopedRequest, pk: int, step: str) -> HttpResponse:
    """Set a step aside: done elsewhere, or not needed here and why."""
    scope = request.scope
    place = _place(request, pk)
    if step not in FirstHourMark.Step.values:
        raise Http404("There is no such step.")
    home = reverse("web:first-hour", args=[scope.organization.slug, place.pk])
    form = MarkForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            mark = mark_step(scope=scope, facility=place, step=step, at=timezone.now(), **form.cleaned_data)
        except StepRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            undo = reverse("web:first-hour-unmark", args=[scope.organization.slug, place.pk, step])
            say(request, f"{mark} at {place.name}.", undo_url=undo)
            return redirect(home)
    crumbs = [*facility_crumbs(request), place_crumb(place), {"label": "Getting started", "url": home}]
    context = {"form": form, "facility": place, "title": STEPS[step].title, "back": home, "crumbs": crumbs}
    return render(request, "web/first_hour_mark.html", context)


@require_POST
@organization_page
def first_hour_unmark(request: ScopedRequest, pk: int, step: str) -> HttpResponse:
    """Take a step up again that had been set aside."""
    scope = request.scope
    place = _place(request, pk)
    if unmark_step(scope=scope, facility=place, step=step, at=timezone.now()):
        say(request, f"{STEPS[step].title}: open again at {place.name}.")
    return redirect("web:first-hour", scope.organization.slug, place.pk)


@require_POST
@organization_page
def first_hour_test(request: ScopedRequest) -> HttpResponse:
    """Send the member a test digest, to the address of her sign-in alone."""
    scope, at = request.scope, timezone.now()
    asked = request.POST.get("facility", "")
    if asked and not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        raise Http404("No such facility.")
    place = _place(request, int(asked)) if asked else None
    authorize(scope, Action.LEAD_FIRST_HOUR, [place.pk] if place else [])
    if too_often("test-digest", f"{scope.organization.pk}:{scope.user_id}", TESTS_A_MINUTE):
        said = "A test digest was asked for less than a minute ago. Look in your mailbox; then ask again."
        say(request, said, level=messages.WARNING)
        return _facility_page(request, place, at, 429) if place else _organization_page(request, at, 429)
    try:
        _tell(request, send_trial(scope=scope, facility=place, at=at))
    except TrialRefused as exc:
        say(request, exc.message, level=messages.ERROR)
    if place:
        return redirect("web:first-hour", scope.organization.slug, place.pk)
    return redirect("web:first-hours", scope.organization.slug)


def _tell(request: ScopedRequest, trial: TrialMail) -> None:
    if trial.state != TrialMail.State.SENT:
        reason = trial.detail.rstrip(".") or "the mail server did not take it"
        say(request, f"The test digest did not leave: {reason}. Nothing else was changed.", level=messages.ERROR)
        return
    what = "nothing is due for you today, so it shows a sample" if trial.sample else "it says what is due for you today"
    elsewhere = real_address(trial)
    goes = f" Your digests go to {elsewhere}, the work e-mail under People." if elsewhere else ""
    say(request, f"A test digest is on its way to {trial.address}: {what}.{goes}")


@require_safe
@organization_page
def facility_sample(request: ScopedRequest, pk: int, kind: str, form: str) -> HttpResponseBase:
    """Serve a sample list for the importer, with this facility's CCN."""
    visible = Facility.objects.visible_to(request.scope)
    place = get_object_or_404(visible, pk=pk)
    if kind not in SAMPLES or form not in FORMS:
        raise Http404("There is no such sample.")
    authorize(request.scope, SAMPLES[kind].action)
    return sample_file(kind, form, place=place, on=day_in(timezone.now(), place.zone))
