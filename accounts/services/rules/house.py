"""Rules that count only from the day on which an organization switched them on."""

from datetime import date

from accounts.models import HouseRule
from accounts.services.rules.found import Slice


def wanted_since(part: Slice, rule: str) -> date | None:
    """Return since when the organization wants a rule, None where it does not (yet). One query."""
    known = HouseRule.objects.known().filter(organization=part.organization, rule=rule, enabled_on__lte=part.on)
    return known.values_list("enabled_on", flat=True).first()
