"""The backup record of a facility: to print, as a file, and which keeper has which copy."""

from contextlib import suppress

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import RecordKeeper
from accounts.services.places import PlaceRefused
from accounts.services.record_copies import confirm_copy, record_taken_along
from facilities.access import Action
from facilities.models import Facility
from web.backup_record import COLUMNS, lines, own_keeping, printed
from web.exporting import csv_file
from web.scope import ScopedRequest, organization_page
from web.second_factor import asked_for_factor
from web.toasts import say
from web.views.facilities import facility_crumbs, place_crumb


def _place(request: ScopedRequest, pk: int) -> Facility:
    visible = Facility.objects.visible_to(request.scope).select_related("organization")
    return get_object_or_404(visible, pk=pk)


@require_safe
@organization_page
def facility_record(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show the record as it is printed today, and who has a copy of it."""
    place = _place(request, pk)
    return render(
        request,
        "web/facility_record.html",
        {
            "facility": place,
            "printed": printed(request.scope, place, timezone.now()),
            "may_edit": request.scope.may(Action.EDIT_FACILITY, [place.pk]),
            "crumbs": [*facility_crumbs(request), place_crumb(place)],
        },
    )


@require_POST
@organization_page
def facility_record_file(request: ScopedRequest, pk: int) -> HttpResponseBase:
    """Send the record as a file; a keeper who takes it has the newest copy with that."""
    scope, now = request.scope, timezone.now()
    place = _place(request, pk)
    back = reverse("web:facility-record", args=[scope.organization.slug, place.pk])
    first = asked_for_factor(request, deed="take the backup record along", back=back)
    if first is not None:
        return first
    record = printed(scope, place, now)
    rows = list(lines(record))
    record_taken_along(scope=scope, facility=place, lines=len(rows), at=now)
    mine = own_keeping(scope, record)
    if mine is not None:
        with suppress(PlaceRefused):  # it changed in this moment: she is told of the newer one
            confirm_copy(scope=scope, facility=place, person=mine.person, shown=record.digest, at=now)
    name = f"{scope.organization.slug}-backup-record-{place.ccn or place.pk}-{record.on.isoformat()}"
    return csv_file(name, COLUMNS, rows)


@require_POST
@organization_page
def facility_record_have(request: ScopedRequest, pk: int, keeper: int) -> HttpResponse:
    """Take a keeper's word that she has the record as it was shown."""
    place = _place(request, pk)
    known = RecordKeeper.objects.known().filter(facility=place).select_related("person")
    keeping = get_object_or_404(known, pk=keeper)
    shown = request.POST.get("record", "")
    try:
        confirm_copy(scope=request.scope, facility=place, person=keeping.person, shown=shown, at=timezone.now())
    except PlaceRefused as exc:
        say(request, exc.message, level=messages.ERROR)
    else:
        say(request, f"{keeping.person} has the backup record of {place.name} as it stands.")
    return redirect("web:facility-record", request.scope.organization.slug, place.pk)
