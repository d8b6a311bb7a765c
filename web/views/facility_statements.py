"""What people state of a facility: who submits which data, who keeps the backup record, what is still in use there."""

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.models import PortalAccount, RecordKeeper, RoleGrant
from accounts.models.register import SystemInUse
from accounts.selectors import closed_here, place_here
from accounts.services.places import (
    PlaceRefused,
    end_in_use,
    end_keeper,
    keep_in_use,
    name_keeper,
    state_streams,
)
from accounts.words import count_noun, day
from facilities.access import Action, authorize
from facilities.models import Facility
from staff.models import Employment, Person
from systems.models import System
from systems.policy import day_in
from web.forms.statements import InUseForm, KeeperEndForm, KeeperForm, stream_forms
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.facilities import facility_crumbs, place_crumb


def _place(request: ScopedRequest, pk: int, action: Action) -> Facility:
    visible = Facility.objects.visible_to(request.scope).select_related("organization")
    place = get_object_or_404(visible, pk=pk)
    authorize(request.scope, action, [place.pk])
    return place


def _crumbs(request: ScopedRequest, place: Facility) -> list[dict[str, str]]:
    return [*facility_crumbs(request), place_crumb(place)]


@require_http_methods(["GET", "POST"])
@organization_page
def facility_streams(request: ScopedRequest, pk: int) -> HttpResponse:
    """State who submits which data of a facility."""
    place = _place(request, pk, Action.EDIT_FACILITY)
    at = timezone.now()
    streams = place_here(place, day_in(at, place.zone)).streams
    forms = stream_forms(request.POST if request.method == "POST" else None, streams)
    refused = ""
    # Every form is looked at, so that all remarks come at once.
    if request.method == "POST" and not [form for form in forms if not form.is_valid()]:
        try:
            new = [form.statement for form in forms if form.typed]
            changed = state_streams(scope=request.scope, facility=place, statements=new, at=at)
        except PlaceRefused as exc:
            refused = exc.message
        else:
            said = count_noun(changed, "answer is,answers are").capitalize()
            say(request, f"{said} new for {place.name}." if changed else "Nothing was changed.")
            return redirect(place)
    here = [form for form in forms if form.here.usual or form.here.stated]
    context = {
        "facility": place,
        "here": here,
        "others": [form for form in forms if form not in here],
        "wrong": [form for form in forms if form.errors],
        "refused": refused,
        "crumbs": _crumbs(request, place),
    }
    return render(request, "web/facility_streams.html", context)


def _working(place: Facility) -> QuerySet[Person]:
    today = day_in(timezone.now(), place.zone)
    there = Employment.objects.in_force(today).filter(person=OuterRef("pk"), facility=place)
    people = Person.objects.filter(Exists(there), organization=place.organization_id)
    return people.order_by("last_name", "first_name", "pk")


@require_http_methods(["GET", "POST"])
@organization_page
def facility_keepers(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show who keeps the backup record, and name further people."""
    place = _place(request, pk, Action.EDIT_FACILITY)
    at = timezone.now()
    today = day_in(at, place.zone)
    form = KeeperForm(request.POST if request.method == "POST" else None, people=_working(place), today=today)
    if form.is_valid():
        try:
            keeper = name_keeper(scope=request.scope, facility=place, at=at, **form.cleaned_data)
        except PlaceRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            say(request, f"{keeper.person} keeps the backup record of {place.name} from {day(keeper.valid_from)}.")
            return redirect("web:facility-keepers", request.scope.organization.slug, place.pk)
    keepers = RecordKeeper.objects.known().filter(facility=place).select_related("person")
    running = keepers.exclude(valid_to__lt=today).order_by("person__last_name", "person__first_name", "pk")
    context = {"facility": place, "form": form, "keepers": running, "crumbs": _crumbs(request, place)}
    return render(request, "web/facility_keepers.html", context)


@require_http_methods(["GET", "POST"])
@organization_page
def keeper_end(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record the last day on which somebody keeps the record."""
    scope = request.scope
    mine = RecordKeeper.objects.known().filter(facility__in=Facility.objects.visible_to(scope))
    keeper = get_object_or_404(mine.select_related("person", "facility__organization"), pk=pk)
    place = keeper.facility
    authorize(scope, Action.EDIT_FACILITY, [place.pk])
    at = timezone.now()
    form = KeeperEndForm(request.POST if request.method == "POST" else None, today=day_in(at, place.zone))
    if form.is_valid():
        try:
            ended = end_keeper(scope=scope, keeper=keeper, at=at, **form.cleaned_data)
        except PlaceRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            say(request, f"{ended.person} keeps the backup record until {day(ended.valid_to)}.")
            return redirect("web:facility-keepers", scope.organization.slug, place.pk)
    context = {"facility": place, "keeper": keeper, "form": form, "crumbs": _crumbs(request, place)}
    return render(request, "web/facility_keeper_end.html", context)


@require_http_methods(["GET", "POST"])
@organization_page
def facility_in_use(request: ScopedRequest, pk: int, system: str) -> HttpResponse:
    """State, with a reason, that a closed system is still in use at a facility, or take that back."""
    place = _place(request, pk, Action.KEEP_IN_USE)
    surface = get_object_or_404(System.objects.all(), slug=system)
    at = timezone.now()
    stated = SystemInUse.objects.known().filter(facility=place, system=surface).first()
    form = InUseForm(request.POST if request.method == "POST" and stated is None else None)
    if request.method == "POST" and stated is not None:
        end_in_use(scope=request.scope, facility=place, system=surface, at=at)
        say(request, f"{surface.name} counts as closed at {place.name} again.")
        return redirect(place)
    if form.is_valid():
        try:
            keep_in_use(scope=request.scope, facility=place, system=surface, at=at, **form.cleaned_data)
        except PlaceRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            say(request, f"{surface.name} is treated as a live system at {place.name} from now on.")
            return redirect(place)
    today = day_in(at, place.zone)
    held = RoleGrant.objects.in_force(today).filter(facility=place, account__system=surface)
    accounts = held.exclude(account__status=PortalAccount.Status.REMOVED).values("account").distinct().count()
    context = {
        "facility": place,
        "system": surface,
        "stated": stated,
        "form": form,
        "closed": stated is not None or surface.slug in closed_here(place, today),
        "accounts": accounts,
        "crumbs": _crumbs(request, place),
    }
    return render(request, "web/facility_in_use.html", context)
