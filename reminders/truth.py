"""What of the planned is not to be told any more: untrue by now, not theirs to hear, or said better by another."""

from collections.abc import Iterator
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import HandOver
from reminders import audience, found, handed
from reminders.models import Reminder


def true(reminders: QuerySet[Reminder], on: date) -> Iterator[QuerySet[Reminder]]:
    """Yield what of these reminders is true and theirs to hear: about dates, findings, hand-overs."""
    yield reminders.filter(audience.truthful(on), deadline__isnull=False)
    yield reminders.filter(found.truthful(on), finding__isnull=False)
    yield reminders.filter(handed.truthful(on), hand_over__isnull=False)


def untrue(reminders: QuerySet[Reminder], on: date) -> Iterator[QuerySet[Reminder]]:
    """Yield the rest of them, apart by subject: a condition across an empty one would be neither true nor false."""
    yield reminders.filter(deadline__isnull=False).exclude(audience.truthful(on))
    yield reminders.filter(finding__isnull=False).exclude(found.truthful(on))
    yield reminders.filter(hand_over__isnull=False).exclude(handed.truthful(on))


def said_by_another() -> Q:
    """Return the condition on planned reminders that another one tells their recipient of the same, later or worse."""
    other = Reminder.objects.filter(recipient=OuterRef("recipient"), state=Reminder.State.PLANNED)
    later = other.filter(deadline=OuterRef("deadline"), cycle=OuterRef("cycle"), step__lt=OuterRef("step"))
    worse = Q(cycle__gt=OuterRef("cycle")) | Q(cycle=OuterRef("cycle"), step__lt=OuterRef("step"))
    return (
        Q(Exists(later))
        | Q(Exists(other.filter(worse, finding=OuterRef("finding"))))
        | (Q(hand_over__isnull=False) & ~Q(hand_over__what=HandOver.What.COMMENT) & Q(Exists(other.filter(_again()))))
    )


def _again() -> Q:
    """Return the condition that the same was handed over again later: sent back twice, or the same step opened anew."""
    same = Q(hand_over__request=OuterRef("hand_over__request"), hand_over__what=OuterRef("hand_over__what"))
    step = Q(hand_over__step=OuterRef("hand_over__step")) | Q(hand_over__step=None)
    return same & step & Q(hand_over__gt=OuterRef("hand_over"))
