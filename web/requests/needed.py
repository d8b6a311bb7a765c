"""The way from a step of a request to the other system that it speaks of: to ask there, or how that stands already."""

from collections.abc import Iterable, Sequence
from typing import Any

from accounts.models import AccessRequest, PortalAccount
from accounts.policy.requesting import Kind
from facilities.access import Scope
from systems.models import System
from web.requests.foreseen import addable, ways_to_first
from web.requests.ways import Link


def put_in_ways(
    scope: Scope, request: AccessRequest, steps: Sequence[dict[str, Any]], needed: Iterable[System | None]
) -> None:
    """Give ``ways`` to the steps of a new account that are still to do and name a system that has to be there first.

    ``steps``: as `web.requests.steps.steps_of`; ``needed``: the systems. Three queries at most, none where there is no
    such step.
    """
    for system in dict.fromkeys(needed):
        naming = [step for step in steps if system and step["unanswered"] and system.name in step["title"]]
        if system is not None and naming and request.kind == Kind.NEW_ACCOUNT:
            ways = _ways(scope, request, system)
            for step in naming:
                step["ways"] = ways


def _ways(scope: Scope, request: AccessRequest, system: System) -> list[Link]:
    who = request.beneficiary_person_id
    asked = AccessRequest.objects.visible_to(scope).pending().filter(beneficiary_person=who, system=system)
    running = asked.filter(kind=Kind.NEW_ACCOUNT).select_related("organization").order_by("-pk").first()
    if running is not None:
        said = running.get_state_display().lower()
        return [{"label": f"Open the request for {system.name} ({said})", "url": running.get_absolute_url()}]
    mine = PortalAccount.objects.visible_to(scope).running().filter(person=who, system=system)
    account = mine.select_related("organization").order_by("-pk").first()
    if account is not None:
        return [{"label": f"Open the {system.name} account", "url": account.get_absolute_url()}]
    return ways_to_first(scope, request, system, addable(scope, [request]))
