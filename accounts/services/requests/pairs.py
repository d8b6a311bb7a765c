"""Steps that belong together of which some came and others are late: only one of two e-mails (R-29)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from django.db.models import CharField, DateField, Exists, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat

from accounts.models import AccessRequest, Finding, RequestStep
from accounts.models.watch import Severity
from accounts.policy.requesting import State
from accounts.services.lapses import SWEEP
from audit.bulk import among, insert_from
from audit.services import Ref, record_digest
from systems.policy import EASTERN, day_in

_KIND: Final = Finding.Kind.ONE_OF_TWO_MAILS
_RUNNING: Final = [State.APPROVED.value, State.IN_PROGRESS.value]


def follow_pairs(*, at: datetime, requests: Iterable[int] | None = None) -> tuple[int, int]:
    """Open a finding where one of the steps that belong together came and another is late; close it once it came.

    Returns how many were opened and closed; safe to repeat. ``requests``: only these.
    """
    on = day_in(at, EASTERN)
    here = AccessRequest.objects.all()
    findings = Finding.objects.open().filter(kind=_KIND)
    if requests is not None:
        keys = list(requests)
        here = here.filter(pk__in=among(keys))
        findings = findings.filter(subject_key__in=[f"request:{key}" for key in keys])
    halves = _halves(here, on)
    still = halves.annotate(subject=Concat(Value("request:"), Cast("pk", CharField()))).values("subject")
    gone = findings.exclude(subject_key__in=still)
    closing = list(gone.values_list("pk", flat=True))
    if closing:
        gone = Finding.objects.filter(pk__in=among(closing))
        _record("finding.closed", gone, at)
        gone.update(closed_at=at)
    newest = Finding.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    known = Finding.objects.open().filter(kind=_KIND, subject_key=Concat(Value("request:"), _own_key()))
    opened = _open(halves.filter(~Exists(known)), on)
    if opened:
        _record("finding.opened", Finding.objects.filter(pk__gt=newest, kind=_KIND), at)
    return opened, len(closing)


def _own_key() -> Cast:
    return Cast(OuterRef("pk"), CharField())


def _halves(requests: QuerySet[AccessRequest], on: date) -> QuerySet[AccessRequest]:
    """Return the running requests of which one step of a pair came and the other is late."""
    came = RequestStep.objects.filter(
        request=OuterRef("request"), together=OuterRef("together"), state=RequestStep.State.DONE
    )
    late = RequestStep.objects.filter(
        Q(state=RequestStep.State.FAILED) | Q(state=RequestStep.State.OPEN, due_on__lt=on),
        request=OuterRef("pk"),
    ).exclude(together="")
    return requests.filter(Exists(late.filter(Exists(came))), state__in=_RUNNING)


def _open(requests: QuerySet[AccessRequest], on: date) -> int:
    pk = Cast("pk", CharField())
    return insert_from(
        Finding,
        requests.order_by("pk"),
        {
            "organization": F("organization_id"),
            "kind": Value(_KIND.value),
            "subject_key": Concat(Value("request:"), pk),
            "facility": F("facility_id"),
            "person": F("beneficiary_person_id"),
            "facts": Concat(Value('{"request": '), pk, Value("}"), output_field=TextField()),
            "severity": Value(Severity.MEDIUM.value),
            "opened_on": Value(on, output_field=DateField()),
        },
        conflict=["kind", "subject_key"],
        where="closed_at IS NULL",
    )


def _record(action: str, findings: QuerySet[Finding], at: datetime) -> None:
    rows = findings.annotate(chain=Concat(Value("organization:"), Cast("organization_id", CharField())))
    subject = Ref("rule:one-of-two-mails", "Only one of two e-mails")
    record_digest(action=action, actor=SWEEP, subject=subject, at=at, rows=rows)
