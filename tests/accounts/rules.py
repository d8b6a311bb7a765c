"""Runs of the rules in tests: all of them, or only those that a test is about."""

from accounts.models import Finding
from accounts.services.rules import sweep
from accounts.services.rules.sweep import check_rules
from tests.conftest import NOON


def only(monkeypatch, *keys):
    """Let the sweep know only these rules: what it does is tested without counting what other rules find."""
    monkeypatch.setattr(sweep, "RULES", tuple(rule for rule in sweep.RULES if rule.key in keys))


def found(kind, at=NOON):
    """Look at everything; return the open findings of a kind by subject, their facts as text."""
    check_rules(at=at, since=None, full=True)
    return {finding.subject_key: finding for finding in Finding.objects.open().filter(kind=kind)}
