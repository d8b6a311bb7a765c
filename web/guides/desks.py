"""Help desks with every way to reach them, and whether somebody is there now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from systems.models import Contact, ContactPoint, System
from web.demands import hours, url_of
from web.guides.citing import Bibliography


def desks_of(systems: Sequence[System], bibliography: Bibliography, at: datetime) -> list[dict[str, Any]]:
    """Return the help desks of the first of these systems that has any. Two queries, none left over for a second."""
    points = ContactPoint.objects.current().select_related("source").order_by("position", "pk")
    rows = list(
        Contact.objects.current()
        .filter(systems__in=systems)
        .select_related("source")
        .prefetch_related(Prefetch("points", points), "systems")
        .order_by("position", "key")
        .distinct()
    )
    for system in systems:
        own = [row for row in rows if system in row.systems.all()]
        if own:
            return [_desk(row, "" if system is systems[0] else system.name, bibliography, at) for row in own]
    return []


def _desk(row: Contact, of: str, bibliography: Bibliography, at: datetime) -> dict[str, Any]:
    told = [_point(point, bibliography) for point in row.points.all()]
    return {
        "name": row.name,
        "helps_with": row.helps_with,
        "of": of,  # the sign-in authority whose desk it is, where the system has none of its own
        "hours": hours(row, at),
        "hours_note": row.hours_note,
        "points": [point for point in told if point["current"]],
        "former": [point for point in told if not point["current"]],
        "phone": next((point for point in told if point["current"] and point["kind"] == "phone"), None),
        "cite": bibliography.cite(row),
    }


def _point(point: ContactPoint, bibliography: Bibliography) -> dict[str, Any]:
    label = ContactPoint.Kind(point.kind).label
    return {
        "kind": point.kind,
        "label": label[0].upper() + label[1:],
        "value": point.value,
        "note": point.note,
        "current": point.current,
        "url": url_of(point),
        "cite": bibliography.cite(point),
    }
