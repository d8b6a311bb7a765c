"""manage.py as_of DATE: who held which role where on a day, as known today or as known on another day."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import CommandParser

from accounts.models import RoleGrant
from audit.commands import ContractCommand, Outcome, Refused, calendar_day
from facilities.models import Organization
from systems.policy import EASTERN

_COLUMNS = (
    "account__person__first_name",
    "account__person__last_name",
    "account__person__employee_number",
    "account__system__slug",
    "role__slug",
    "facility__ccn",
    "valid_from",
    "valid_to",
    "evidence",
)


class Command(ContractCommand):
    help = "Tell who held which role where on a day, by what is known now or was known at the end of another day."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("on", type=calendar_day, metavar="DATE", help="the day asked about")
        parser.add_argument(
            "--known-on", type=calendar_day, metavar="DATE", help="what was recorded by the end of that day, US Eastern"
        )
        parser.add_argument("--organization", required=True, metavar="SLUG")

    def run(self, **options: Any) -> Outcome:
        on, known_on = options["on"], options["known_on"]
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            message = f"there is no organization {options['organization']!r}"
            raise Refused("unknown_organization", message, "--organization", {"grants": []})
        held = RoleGrant.objects.filter(organization=organization).as_of(on, end_of(known_on) if known_on else None)
        rows = held.order_by("account__person__last_name", "account__person__first_name", "account__person", "pk")
        grants = [_grant(*row) for row in rows.values_list(*_COLUMNS)]
        document = {"organization": organization.slug, "on": on, "known_on": known_on, "grants": grants}
        return Outcome(document, [_line(grant) for grant in grants] or [f"Nobody held a role on {on}."])


def end_of(day: date) -> datetime:
    """Return the instant at which a day ends in US Eastern; at the end of the calendar its last instant."""
    zone = ZoneInfo(EASTERN)
    if day >= date.max - timedelta(days=1):
        return datetime.combine(day, time.min, ZoneInfo("UTC"))
    return datetime.combine(day + timedelta(days=1), time.min, zone)


def _grant(first: str, last: str, *rest: Any) -> dict[str, Any]:
    keys = ("employee_number", "system", "role", "ccn", "valid_from", "valid_to", "evidence")
    return {"person": f"{first} {last}".strip(), **dict(zip(keys, rest, strict=True))}


def _line(grant: dict[str, Any]) -> str:
    until = f" to {grant['valid_to']}" if grant["valid_to"] else ""
    where = grant["ccn"] or "no CCN"
    return f"{grant['person']}: {grant['system']} {grant['role']} at {where}, from {grant['valid_from']}{until}"
