"""Reviews of access at a facility (R-52): recorded as done by an administrator, and taken back."""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from accounts.errors import AccountRefused
from accounts.models import AccessReview, Deadline, Finding
from accounts.services.further_clocks import recompute_reviews
from accounts.services.logins import EARLIEST
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.models import Facility
from systems.policy import EASTERN, day_in, eastern_day, latest_day


def record_review(*, scope: Scope, facility: Facility, extent: str, reviewed_on: date, at: datetime) -> AccessReview:
    """Record that all accounts, or all privileged roles, of a facility were looked at. The same day changes nothing.

    Raises NotAllowed, and AccountRefused for an unknown extent, a day in the future or another organization's facility.
    """
    authorize(scope, Action.RECORD_REVIEW, [facility.pk])
    if facility.organization_id != scope.organization.pk:
        raise AccountRefused("The facility must belong to this organization.")
    if extent not in AccessReview.Extent.values:
        raise AccountRefused("Say what was reviewed.", field="extent")
    if reviewed_on > latest_day(at):
        raise AccountRefused("A review cannot lie in the future.", field="reviewed_on")
    if reviewed_on < EARLIEST:
        raise AccountRefused("That day is before any of these systems existed.", field="reviewed_on")
    day = eastern_day(reviewed_on, at)
    same = AccessReview.objects.filter(facility=facility, extent=extent, reviewed_on=day, voided_at=None)
    with transaction.atomic():
        known = same.first()
        if known is not None:
            return known
        try:
            with transaction.atomic():
                made = same.create(
                    organization=scope.organization,
                    facility=facility,
                    extent=extent,
                    reviewed_on=day,
                    recorded_at=at,
                    recorded_by=scope.actor.label,
                )
        except IntegrityError:  # told twice at the same moment
            return same.get()
        _follow(scope, made, "access.reviewed", at)
    return made


def void_review(*, scope: Scope, review: AccessReview, at: datetime) -> None:
    """Take back a review that was recorded by mistake; the row stays. Safe to repeat. Raises NotAllowed."""
    authorize(scope, Action.RECORD_REVIEW, [review.facility_id])
    with transaction.atomic():
        known = AccessReview.objects.known().filter(pk=review.pk, organization=scope.organization)
        if known.update(voided_at=at):
            _follow(scope, review, "access.review-voided", at)


def _follow(scope: Scope, review: AccessReview, action: str, at: datetime) -> None:
    recompute_reviews(facilities=[review.facility_id], at=at)
    ahead = Deadline.objects.filter(
        facility=review.facility_id, kind=Deadline.Kind.REVIEW, due_on__gte=day_in(at, EASTERN)
    )
    Finding.objects.open().filter(kind=Finding.Kind.LAPSE, deadline__in=ahead).update(closed_at=at)
    record(
        chain=scope.organization.key,
        action=action,
        actor=scope.actor,
        subject=Ref(review.facility.key, review.facility.name),
        at=at,
        payload={"extent": review.extent, "reviewed_on": review.reviewed_on.isoformat()},
    )
