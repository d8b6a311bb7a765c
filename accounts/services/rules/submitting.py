"""Who can submit: nobody (R-25), one person only (R-26), nobody on the system that took over (R-48)."""

from collections.abc import Iterator
from typing import Any

from accounts.models import Finding
from accounts.models.watch import Severity
from accounts.policy.cover import able_to_submit
from accounts.policy.streams import moved_on
from accounts.policy.submission import QUARTERLY, near_due
from accounts.services.rules.catalogue_read import Known
from accounts.services.rules.found import Found, Rule, Slice
from accounts.services.rules.sites import Place, Sending, places, sendings
from systems.models import Policy, PolicyKind

_KIND = Finding.Kind


def find(part: Slice) -> Iterator[Found]:
    """Yield one finding per facility and stream that fewer than two people can submit.

    Nobody: on the new system after a move, where somebody holds an account there or held over one on the old system;
    else nobody at all.
    """
    catalogue, sites = places(part)
    for place in sites:
        for sending in sendings(place, catalogue, part):
            able = able_to_submit(place.held, catalogue.roles, sending.stream, sending.systems, part.on)
            if len(able) > 1:
                continue
            facts = _facts(sending, place, catalogue)
            if able:
                yield _found(_KIND.NO_BACKUP, Severity.HIGH, place, sending, facts | {"people": sorted(able)})
                continue
            around = {each.system for each in place.held if each.counts}
            if sending.replaced and around & (sending.systems | sending.replaced):
                yield _no_successor(place, sending, facts, part)
            if not (sending.replaced and around & sending.systems):
                yield _found(_KIND.NO_ACCOUNT, Severity.CRITICAL, place, sending, facts)


def _no_successor(place: Place, sending: Sending, facts: dict[str, Any], part: Slice) -> Found:
    """Return what is found where the stream has moved: worse while its data are due soon."""
    more: dict[str, Any] = {"replaced": sorted(sending.replaced)}
    fact = QUARTERLY.get(sending.stream)
    days = days_left_for(fact) if fact else None
    due_on = near_due(part.on, days) if days else None
    if due_on is not None:
        more |= {"due_on": due_on.isoformat(), "fact": fact}
    severity = Severity.CRITICAL if due_on else Severity.HIGH
    return _found(_KIND.NO_SUCCESSOR, severity, place, sending, facts | more)


def days_left_for(fact: str) -> int | None:
    """Return how many days after the end of a quarter its data may come, as the catalogue has it. One query."""
    known = Policy.objects.filter(kind=PolicyKind.OBLIGATION, fact_id=fact, applied=True, withdrawn=False)
    return known.values_list("limit_days", flat=True).first()


def _facts(sending: Sending, place: Place, catalogue: Known) -> dict[str, Any]:
    since = moved_on(sending.stream, sending.systems, place.site, catalogue.ways)
    systems = sorted(sending.systems)
    return {
        "stream": sending.stream,
        "stream_name": catalogue.names[sending.stream],
        "system": systems[0],
        "systems": systems,
        "since": since.isoformat() if since else None,
        "stated": sending.stream in place.site.stated,
    }


def _found(kind: Finding.Kind, severity: Severity, place: Place, sending: Sending, facts: dict[str, Any]) -> Found:
    key = f"facility:{place.key}/stream:{sending.stream}"
    return Found(kind.value, key, severity.value, facts, facility=place.key)


RULE = Rule(
    "submitting",
    "Who can submit",
    (_KIND.NO_ACCOUNT.value, _KIND.NO_BACKUP.value, _KIND.NO_SUCCESSOR.value),
    "facility",
    find,
)
