"""Many logins typed for others within an hour (design 9.12): found as they are typed, closed a week later."""

import json
from datetime import datetime

from django.db import transaction
from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat

from accounts.models import Finding, LoginEvent
from accounts.models.watch import Severity
from accounts.policy.typing import WITHIN, many_typed, told_from
from accounts.services.lapses import SWEEP
from audit.services import Ref, record_digest
from facilities.access import Scope
from staff.models import Person
from systems.policy import EASTERN, day_in

_KIND = Finding.Kind.MANY_TYPED
_RULE = Ref("rule:many-typed", "Many logins typed for others")


def watch_typing(*, scope: Scope, at: datetime) -> None:
    """Open a finding about the acting member where she has typed too many. Inside the transaction of her act."""
    if scope.user_id is None:  # an operator's command
        return
    typed = LoginEvent.objects.standing().filter(
        organization=scope.organization,
        recorded_at__gt=at - WITHIN,
        recorded_at__lte=at,
        source=LoginEvent.Source.COLLEAGUE,
        recorded_by=scope.actor.label,
    )
    if not many_typed(typed.count()):
        return
    finding, created = Finding.objects.open().get_or_create(
        kind=_KIND,
        subject_key=f"{scope.organization.key}/{scope.actor.key}",
        defaults={
            "organization": scope.organization,
            "person": Person.objects.filter(organization=scope.organization, user=scope.user_id).first(),
            "facts": json.dumps({"member": scope.actor.key, "typed_on": day_in(at, EASTERN).isoformat()}),
            "severity": Severity.MEDIUM.value,
            "opened_on": day_in(at, EASTERN),
        },
    )
    if created:
        _record("finding.many-typed-opened", Finding.objects.filter(pk=finding.pk), scope.actor, at)


def close_old_typing(*, at: datetime) -> int:
    """Close what was found more than a week ago; return how many. A repeated run writes nothing."""
    with transaction.atomic():
        old = Finding.objects.open().filter(kind=_KIND, opened_on__lt=told_from(day_in(at, EASTERN)))
        _record("finding.many-typed-closed", old, SWEEP, at)
        return old.update(closed_at=at)


def _record(action: str, findings: "QuerySet[Finding]", actor: Ref, at: datetime) -> None:
    rows = findings.annotate(chain=Concat(Value("organization:"), Cast("organization_id", CharField())))
    record_digest(action=action, actor=actor, subject=_RULE, at=at, rows=rows)
