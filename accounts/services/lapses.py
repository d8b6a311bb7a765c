"""The sweep: passed deadlines become findings, findings no longer true close."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Case, CharField, DateField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from accounts.models import Deadline, Finding
from accounts.models.watch import FindingQuerySet, Severity
from accounts.policy import lapse_severity
from accounts.policy.business_days import last_day_before
from audit.bulk import among, insert_from
from audit.services import Ref, record_digest
from systems.models import Policy
from systems.policy import EASTERN, day_in

STEP_WEIGHS_AFTER = 3  # business days after its day, when the ladder escalates as well
SWEEP = Ref("system:sweep", "nightly sweep")


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    opened: int = 0
    closed: int = 0


def days_by_zone(at: datetime) -> dict[str, date]:
    """Return each zone in which deadlines are counted with its calendar day at the instant."""
    zones = {EASTERN, *Policy.objects.order_by().values_list("zone", flat=True).distinct()}
    return {zone: day_in(at, zone) for zone in sorted(zones)}


def sweep_lapses(*, at: datetime) -> Swept:
    """Open a lapse finding for every open deadline past its last safe day, close those that lie ahead again.

    A few statements per zone, whatever is stored; a repeated run writes nothing.
    """
    with transaction.atomic():
        newest = Finding.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        days = days_by_zone(at)
        closed = _close(days, at)
        opened = sum(_open(zone, on) for zone, on in days.items())
        _weigh_steps(at)
        if opened:
            new = Finding.objects.filter(pk__gt=newest, kind=Finding.Kind.LAPSE)
            _record("finding.lapse-opened", new, at)
        if closed:
            _record("finding.lapse-closed", Finding.objects.filter(closed_at=at, kind=Finding.Kind.LAPSE), at)
    return Swept(opened, closed)


def _open(zone: str, on: date) -> int:
    known = Finding.objects.open().filter(kind=Finding.Kind.LAPSE, deadline=OuterRef("pk"))
    passed = Deadline.objects.open().filter(zone=zone, due_on__lt=on).filter(~Exists(known))
    return insert_from(
        Finding,
        passed.order_by("pk"),
        {
            "organization": F("organization_id"),
            "kind": Value(Finding.Kind.LAPSE.value),
            "subject_key": Concat(Value("deadline:"), Cast("pk", CharField())),
            "facility": Coalesce(
                "facility_id", "grant__facility_id", "obligation__facility_id", "request_step__request__facility_id"
            ),
            "person": F("person_id"),
            "account": Coalesce("account_id", "grant__account_id"),
            "deadline": F("pk"),
            "facts": Value("{}"),
            "severity": _severity(on),
            "opened_on": Value(on, output_field=DateField()),
        },
        conflict=["kind", "subject_key"],
        where="closed_at IS NULL",
    )


def _weigh_steps(at: datetime) -> None:
    """Let lapses of requests' steps weigh more once they are long overdue."""
    light = Finding.objects.open().filter(kind=Finding.Kind.LAPSE, severity=Severity.LOW)
    long = light.filter(_long_overdue(day_in(at, EASTERN), "deadline__"))
    if long.exists():
        restate(long, at)


def _close(days: Mapping[str, date], at: datetime) -> int:
    """Close lapses whose deadline lies ahead again or has ended.

    Those that still stand are left out first, by what has passed: nearly all, while nearly all deadlines lie ahead.
    """
    passed, ahead = Q(), Q()
    for zone, on in days.items():
        passed |= Q(zone=zone, due_on__lt=on)
        ahead |= Q(zone=zone) & (Q(due_on__gte=on) | Q(closed_at__isnull=False))
    # Not through the relation: Django would join the table with itself, in circles where nobody has counted it yet.
    own = Deadline.objects.filter(pk=OuterRef("deadline"))
    lapses = Finding.objects.open().filter(kind=Finding.Kind.LAPSE)
    others = list(lapses.filter(~Exists(own.open().filter(passed))).values_list("pk", flat=True))
    if not others:
        return 0
    return lapses.filter(Exists(own.filter(ahead)), pk__in=among(others)).update(closed_at=at)


def _severity(on: date) -> Coalesce:
    """Return the CASE that `accounts.policy.lapse_severity` spells out, value by value; quiet clocks only inform.

    A step of a request that is long overdue weighs more (R-28, R-50).
    """
    pairs = set(Policy.objects.order_by().values_list("kind", "consequence").distinct())
    whens = [When(muted=True, then=Value(Severity.INFO.value))]
    whens += [
        When(kind=kind, policy__consequence=consequence, then=Value(lapse_severity(kind, consequence)))
        for kind, consequence in sorted(pairs)
    ]
    whens.append(When(_long_overdue(on), then=Value(Severity.MEDIUM.value)))
    typed = Deadline.Kind.OBLIGATION.value
    whens.append(When(kind=typed, policy=None, then=Value(lapse_severity(typed, ""))))
    return Coalesce(Case(*whens, output_field=CharField()), Value(lapse_severity("", "")))


def _long_overdue(on: date, path: str = "") -> Q:
    """Return the condition on deadlines (by their path) of requests' steps that are late for three business days."""
    last = last_day_before(on, STEP_WEIGHS_AFTER)
    return Q(**{f"{path}kind": Deadline.Kind.REQUEST_STEP.value, f"{path}due_on__lte": last})


def _record(action: str, findings: "QuerySet[Finding]", at: datetime) -> None:
    rows = findings.annotate(chain=Concat(Value("organization:"), Cast("organization_id", CharField())))
    record_digest(action=action, actor=SWEEP, subject=Ref("rule:lapse", "Passed deadlines"), at=at, rows=rows)


def restate_severity(*, system: int, kind: str, at: datetime) -> int:
    """Let open lapse findings of one clock say how bad they are under the rule now in force. Returns how many."""
    return restate(Finding.objects.filter(account__system=system, deadline__kind=kind), at)


def restate(findings: FindingQuerySet, at: datetime) -> int:
    """Let those of the findings that are open lapses say how bad they are now. Returns how many said otherwise."""
    severity = _severity(day_in(at, EASTERN))
    of_deadline = Deadline.objects.filter(pk=OuterRef("deadline")).annotate(now=severity).values("now")
    lapses = findings.open().filter(kind=Finding.Kind.LAPSE)
    changed = lapses.annotate(now=Subquery(of_deadline)).exclude(severity=F("now"))
    with transaction.atomic():
        _record("finding.severity-restated", changed, at)
        return changed.update(severity=Subquery(of_deadline))
