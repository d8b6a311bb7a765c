"""Reviews of a facility's access: recorded as done, and taken back."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import AccountRefused
from accounts.models import AccessReview
from accounts.services.access_reviews import record_review, void_review
from accounts.words import day
from facilities.access import Action, authorize
from facilities.models import Facility
from web.forms.duties import ReviewedForm
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.facilities import facility_crumbs, place_crumb


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def facility_reviewed(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record that access at a facility was reviewed; ``?extent=`` says which review is asked about."""
    scope, now = request.scope, timezone.now()
    place = get_object_or_404(Facility.objects.visible_to(scope).select_related("organization"), pk=pk)
    authorize(scope, Action.RECORD_REVIEW, [place.pk])
    asked = request.GET.get("extent", AccessReview.Extent.ACCOUNTS)
    form = ReviewedForm(request.POST or None, label="Reviewed on", at=now, initial={"extent": asked})
    if form.is_valid():
        typed = form.cleaned_data
        try:
            record_review(scope=scope, facility=place, extent=typed["extent"], reviewed_on=typed["on"], at=now)
        except AccountRefused as exc:
            form.add_error("on" if exc.field == "reviewed_on" else None, exc.message)
        else:
            say(request, f"{place.name}: the review is recorded.")
            return redirect(place)
    known = AccessReview.objects.known().filter(facility=place).order_by("-reviewed_on", "extent")
    context = {"facility": place, "form": form, "reviews": known[:10]}
    crumbs = [*facility_crumbs(request), place_crumb(place)]
    return render(request, "web/facility_reviewed.html", context | {"crumbs": crumbs})


@require_POST
@organization_page
def review_void(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take back that access was reviewed."""
    scope = request.scope
    mine = AccessReview.objects.filter(facility__in=Facility.objects.visible_to(scope))
    review = get_object_or_404(mine.select_related("facility__organization"), pk=pk)
    void_review(scope=scope, review=review, at=timezone.now())
    say(request, f"Taken back: the review of {day(review.reviewed_on)} at {review.facility.name}.")
    return redirect(review.facility)
