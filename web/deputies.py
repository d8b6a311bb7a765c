"""Lasting deputies in words, for the pages of both people."""

from datetime import date
from typing import Any

from django.db.models import Q

from accounts.words import day
from facilities.access import Scope
from reminders.audience import has_left
from staff.models import Deputy, Person


def deputies_of(scope: Scope, who: Person, on: date) -> list[dict[str, Any]]:
    """Return who stands in for a person for good, and for whom she does, in words, with the deed that fits. One query.

    For whom she stands in is told as far as the member sees them; she herself knows all of them.
    """
    other_way = Q(deputy=who)
    if scope.user_id is None or who.user_id != scope.user_id:
        other_way &= Q(person__in=Person.objects.visible_to(scope))
    lasting = Deputy.objects.known().filter(Q(person=who) | other_way, absence=None).exclude(valid_to__lt=on)
    rows = lasting.annotate(gone=has_left(on, "deputy")).select_related("person", "deputy")
    told = []
    for row in rows.order_by("valid_from", "pk"):
        mine = row.person_id == who.pk
        words = f"{row.deputy} always stands in" if mine else f"Always stands in for {row.person}"
        times = f"from {day(row.valid_from)}" if row.valid_from > on else f"since {day(row.valid_from)}"
        told.append(
            {
                "pk": row.pk if mine else None,
                "words": f"{words}, {times}{f', until {day(row.valid_to)}' if row.valid_to else ''}.",
                "gone": f"{row.deputy} has left, so nothing arrives: name somebody else." if mine and row.gone else "",
                "deed": "Correct the last day" if row.valid_to else "End…",
                "name": str(row.deputy),
            }
        )
    return told
