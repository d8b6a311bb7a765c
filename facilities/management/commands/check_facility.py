from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from audit.commands import ContractCommand, Outcome
from facilities.checks import check_facility


class Command(ContractCommand):
    help = "Check a facility's CCN, state and ZIP Code as the CMSNet registration does. Exit 1 if something is open."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--ccn", default="", help="CMS Certification Number, or N/A")
        parser.add_argument("--state", default="", help="postal abbreviation or name")
        parser.add_argument("--zip", default="", help="ZIP Code, five or nine digits")

    def run(self, **options: Any) -> Outcome:
        check = check_facility(ccn=options["ccn"], state=options["state"], zip_code=options["zip"])
        document = {
            "ok": check.ok,
            "normalized_ccn": check.normalized_ccn,
            "extension": check.extension,
            "provider_type": check.provider_type,
            "name": check.name,
            "problems": [asdict(problem) for problem in check.problems],
        }
        found = " ".join(filter(None, (check.normalized_ccn, check.name))) or "No CCN"
        lines = [f"{found}: {'nothing to add' if check.ok else 'please look again'}"]
        return Outcome(document, [*lines, *(f"{one.field}: {one.message}" for one in check.problems)], ok=check.ok)
