"""Absences in words, for the person's page and for Today."""

from datetime import date
from typing import Any

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Concat

from accounts.words import day
from staff.models import Absence, Deputy, Person


def absences_of(who: Person, on: date) -> list[dict[str, Any]]:
    """Return absences that go on or lie ahead, in words, with the deed that fits. One query."""
    standing_in = Deputy.objects.known().filter(absence=OuterRef("pk"))
    name = Concat("deputy__first_name", Value(" "), "deputy__last_name")
    known = Absence.objects.known().filter(person=who).exclude(valid_to__lt=on).order_by("valid_from")
    rows = known.annotate(deputy=Subquery(standing_in.values(name=name)[:1]))
    return [
        {
            "pk": row.pk,
            "words": f"Away from {day(row.valid_from)}"
            + (f" to {day(row.valid_to)}." if row.valid_to else "; nobody knows yet until when.")
            + (f" {row.deputy} stands in." if row.deputy else ""),
            "deed": "Correct the last day" if row.valid_to else "Tell the last day",
        }
        for row in rows
    ]
