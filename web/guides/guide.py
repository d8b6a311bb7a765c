"""One system from end to end: everything its page says, by a fixed number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from accounts.words import day
from systems.models import Milestone, Note, Policy, RequestKind, System, SystemAddress
from systems.policy import EASTERN, day_in
from web.guides import roles, steps
from web.guides.citing import Bibliography, Entry
from web.guides.desks import desks_of
from web.guides.limits import Limit, limit_of_guide, limits, rule_words, today_of
from web.guides.ways import Ways, ways_of


@dataclass(slots=True)
class Guide:
    """What `web/system.html` prints; every list may be empty."""

    system: System
    on: date
    slug: str  # of the organization, for links to other guides
    bibliography: Bibliography
    policies: list[Policy] = field(default_factory=list)
    authority_policies: list[Policy] = field(default_factory=list)
    parts: dict[str, Any] = field(default_factory=dict)

    @property
    def sources(self) -> list[Entry]:
        """Return the documents cited; ask last, when every mark has been given out."""
        return self.bibliography.entries()


def system_rows() -> QuerySet[System]:
    """Return the systems of the catalogue as guides read them."""
    return System.objects.current().select_related("sign_in_via", "successor", "source")


def guide_of(system: System, slug: str, at: datetime) -> Guide:
    """Return the guide to a system read by `system_rows`, as of an instant."""
    on, bibliography = day_in(at, EASTERN), Bibliography()
    guide = Guide(system, on, slug, bibliography)
    authority = system.sign_in_via
    owners = [each for each in (system, authority) if each is not None]
    rows = Policy.objects.current().filter(system__in=owners).select_related("source")
    for row in rows:
        (guide.policies if row.system_id == system.pk else guide.authority_policies).append(row)
    ways = ways_of(system, bibliography, on)
    requests = steps.requests_of(system, bibliography, on)
    desks = desks_of(owners, bibliography, at)
    granted = roles.roles_of(system)
    notes = notes_by_topic(Note.objects.filter(system=system), bibliography)
    history, unpublished = _milestones(system, bibliography)
    guide.parts = {
        "cite": bibliography.cite(system),
        "addresses": _addresses(system, bibliography),
        "glance": glance(guide, requests, desks),
        "ways": ways,
        "successor": successor_words(system, ways),
        "who": [note for topic in notes if topic["topic"] == Note.Topic.WHO for note in topic["notes"]],
        "prerequisites": steps.prerequisites_of(system, slug, bibliography, on),
        "quotas": steps.quotas_of(system, bibliography),
        "requests": requests,
        "phrases": steps.phrases_of(system, bibliography),
        "roles": roles.described(granted, bibliography, on),
        "matrices": roles.matrices(granted, bibliography),
        "limits": limits(guide.policies, bibliography, on),
        "notes": [topic for topic in notes if topic["topic"] != Note.Topic.WHO],
        "desks": desks,
        "history": history,
        "unpublished": unpublished,
    }
    return guide


def glance(guide: Guide, requests: Sequence[dict[str, Any]], desks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what somebody needs at once: the limit, what follows, the way back, who answers the phone."""
    own = today_of(guide.policies, "inactivity", guide.on)
    told = limit_of_guide(own, guide.bibliography, guide.on) if own else None
    authority = None if own else today_of(guide.authority_policies, "inactivity", guide.on)
    return {
        "limit": told,
        "looked_for": None if own else _looked_for(guide),
        "authority": limit_of_guide(authority, guide.bibliography, guide.on) if authority else None,
        "back": any(request["kind"] == RequestKind.REACTIVATE for request in requests),
        "desk": desks[0] if desks else None,
    }


def _looked_for(guide: Guide) -> Limit | None:
    """Return the row that says that nobody found a limit, if somebody looked."""
    row = next((row for row in guide.policies if row.kind == "inactivity"), None)
    return limit_of_guide(row, guide.bibliography, guide.on) if row else None


def limit_phrase(policies: Sequence[Policy], on: date) -> tuple[str, Policy | None]:
    """Return the limit of a system in one phrase and the policy that says it; also where none was published."""
    row = today_of(policies, "inactivity", on)
    if row is None:
        looked = next((each for each in policies if each.kind == "inactivity"), None)
        return "No limit was published.", looked
    after = row.get_consequence_display()
    return f"{rule_words(row)} Otherwise: {after}.", row


def successor_words(system: System, ways: Ways) -> str:
    """Return the heading above the moves of a system's streams; nothing where none has moved."""
    if ways.all_gone:
        return f"Everything that we know to have run over {system.name} has moved elsewhere"
    if system.successor:
        return f"{system.name} is being replaced by {system.successor.name}"
    return f"Some of what ran over {system.name} has moved elsewhere" if ways.moves else ""


def _addresses(system: System, bibliography: Bibliography) -> list[dict[str, Any]]:
    rows = SystemAddress.objects.current().filter(system=system).select_related("source").order_by("position", "pk")
    return [
        {"url": row.url, "current": row.status == "current", "note": row.note, "cite": bibliography.cite(row)}
        for row in rows
    ]


def notes_by_topic(rows: QuerySet[Note], bibliography: Bibliography) -> list[dict[str, Any]]:
    """Return notes under their topics, in the order of a guide. One query."""
    found = list(rows.filter(withdrawn=False).select_related("source").order_by("position", "key"))
    groups = []
    for topic in Note.Topic:
        notes = [{"text": row.text, "cite": bibliography.cite(row)} for row in found if row.topic == topic]
        if notes:
            groups.append({"topic": topic.value, "title": topic.label, "notes": notes})
    return groups


def _milestones(system: System, bibliography: Bibliography) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what happened, in order, and what was looked for about the system's end and not found. One query."""
    rows = Milestone.objects.current().filter(systems=system).select_related("source").order_by("on", "key")
    told = [{"when": _when(row), "iso": row.on, "text": row.text, "cite": bibliography.cite(row)} for row in rows]
    return [each for each in told if each["iso"]], [each for each in told if not each["iso"]]


def _when(row: Milestone) -> str:
    if row.on is None:
        return ""
    if row.precision == Milestone.Precision.MONTH:
        return f"{row.on:%B %Y}"
    return f"{day(row.on)}, {row.time_note} ET" if row.time_note else day(row.on)
