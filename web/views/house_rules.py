"""Rules that an organization switches on or off: what each does, since when it counts, and the switch."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.house_words import HOUSE_RULES
from accounts.models import HouseRule
from accounts.services.duties import switch_rule
from accounts.words import day
from facilities.access import Action, authorize
from systems.policy import EASTERN, day_in
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.settings import settings_crumbs


@require_safe
@organization_page
def house_rules(request: ScopedRequest) -> HttpResponse:
    """Show every rule that may be switched, and how it stands."""
    scope = request.scope
    on = day_in(timezone.now(), EASTERN)
    switched = {each.rule: each for each in HouseRule.objects.known().filter(organization=scope.organization)}
    context = {
        "rules": [_rule(rule, switched.get(rule), on) for rule in HOUSE_RULES],
        "may_switch": scope.may(Action.SWITCH_RULES),
        "crumbs": settings_crumbs(scope),
    }
    return render(request, "web/house_rules.html", context)


def _rule(rule: str, current: HouseRule | None, on: date) -> dict[str, Any]:
    words = HOUSE_RULES[rule]
    return {
        "rule": rule,
        "words": words,
        "by": current.recorded_by if current else "",
        "counts": words.counts(current.enabled_on) if current else "",
        "would_count": words.counts(on),
    }


@require_POST
@organization_page
def house_rule_switch(request: ScopedRequest, rule: str) -> HttpResponse:
    """Switch a rule on from today, or off."""
    scope, now = request.scope, timezone.now()
    authorize(scope, Action.SWITCH_RULES)
    if rule not in HOUSE_RULES or request.POST.get("switch") not in {"on", "off"}:
        raise Http404
    wanted = request.POST["switch"] == "on"
    stands = HouseRule.objects.known().filter(organization=scope.organization, rule=rule).exists() == wanted
    turned = switch_rule(scope=scope, rule=rule, on=wanted, at=now)
    name = f"{HOUSE_RULES[rule].name[0].lower()}{HOUSE_RULES[rule].name[1:]}"
    already, level = (" already", messages.INFO) if stands else ("", messages.SUCCESS)
    if turned is None:
        say(request, f"Off{already}: {name}. Nobody is asked for it any more.", level=level)
    else:
        say(request, f"On{already} from {day(turned.enabled_on)}: {name}.", level=level)
    return redirect("web:house-rules", scope.organization.slug)
