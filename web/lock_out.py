"""What to do, and not to do, after wrong passwords: the lock-out policies as help beside a request to unlock (R-55)."""

from datetime import date
from typing import Any

from django.db.models import Q

from accounts.words import count_word
from systems.models import Confidence, Policy, PolicyKind, System
from web.dossiers import source_of
from web.guides.limits import rule_words


def lock_out_help(system: System, on: date) -> dict[str, Any] | None:
    """Return what the system, or the one that its users sign in with, says of wrong passwords; None if nothing.

    Printed by `web/lock_out.html`. One query.
    """
    in_force = Q(effective_from=None) | Q(effective_from__lte=on), Q(effective_to=None) | Q(effective_to__gte=on)
    rows = Policy.objects.filter(
        *in_force, Q(system=system) | Q(system=system.sign_in_via_id), kind=PolicyKind.LOCKOUT, withdrawn=False
    ).select_related("source", "system")
    policy = max(rows, key=lambda row: (row.system_id == system.pk, row.effective_from or date.min), default=None)
    if policy is None:
        return None
    tries = policy.limit_tries
    return {
        "limit": rule_words(policy),
        "stop": f"After {count_word(tries)} wrong passwords stop, and do not try on." if tries else "Do not try on.",
        "consequence": policy.consequence_text,
        "cure": policy.cure_text,
        "system": policy.system.name if policy.system else system.name,
        "source": source_of(policy),
        "unsourced": policy.confidence == Confidence.NOT_FOUND,
    }
