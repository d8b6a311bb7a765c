"""What a filter of findings leaves."""

from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.models import Finding, RoleGrant
from accounts.models.watch import FindingQuerySet, Severity
from web.account_filters import NOW

SERIOUS = "serious"  # critical or high, which look late
WITHOUT = "without"  # passed dates of accounts, which are counted as late accounts


def narrowed(findings: FindingQuerySet, chosen: dict[str, Any], on: date) -> FindingQuerySet:
    """Return the findings that a filter (its ``chosen``) leaves on a day.

    At a facility are also those of people who have or had a role there; where ``held`` is now, only those of accounts
    that stand there (`RoleGrantQuerySet.placing`), which is what the figures of the facility count.
    """
    if chosen.get("kind"):
        findings = findings.filter(kind=chosen["kind"])
    if chosen.get("severity") == SERIOUS:
        findings = findings.filter(severity__in=(Severity.CRITICAL, Severity.HIGH))
    elif chosen.get("severity"):
        findings = findings.filter(severity=chosen["severity"])
    if chosen.get("late") == WITHOUT:
        findings = findings.exclude(kind=Finding.Kind.LAPSE, deadline__account__isnull=False)
    if chosen.get("facility"):
        place = chosen["facility"]
        there = RoleGrant.objects.known().filter(facility=place)
        at_account = Exists(there.filter(account=OuterRef("account")))
        of_person = Q(account=None) & Exists(there.filter(account__person=OuterRef("person")))
        held_now = Q(Exists(there.placing(on).filter(account=OuterRef("account"))))
        theirs = held_now if chosen.get("held") == NOW else Q(at_account) | Q(of_person)
        findings = findings.filter(Q(facility=place) | Q(facility=None) & theirs)
    return findings
