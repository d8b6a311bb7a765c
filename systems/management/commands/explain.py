"""manage.py explain: by when, what happens then, how to get back, and who says so."""

from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from audit.commands import ContractCommand, Outcome, Refused, calendar_day
from systems.explaining import UNKNOWN, BasisRefused, Explanation, UnknownLogin, deadline_document, explain
from systems.models import System


def login(text: str) -> date | UnknownLogin | None:
    """Parse a day, ``never`` or ``unknown``."""
    if text == "never":
        return None
    return UNKNOWN if text == "unknown" else calendar_day(text)


class Command(ContractCommand):
    help = "Explain what the catalogue says about an account's dates, without looking at any stored account."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--system", required=True, help="slug of the system, such as iqies")
        parser.add_argument("--last-login", type=login, metavar="DATE|never|unknown", help="default: never")
        parser.add_argument("--on", type=calendar_day, required=True, metavar="DATE", help="the day asked about")
        parser.add_argument("--granted-on", type=calendar_day, metavar="DATE", help="day of the grant or activation")

    def run(self, **options: Any) -> Outcome:
        slug, on = options["system"], options["on"]
        known = System.objects.current().filter(slug=slug).first()
        if known is None:
            raise Refused("unknown_system", _no_such(slug), "--system", {"deadlines": []})
        try:
            last_login, granted_on = options["last_login"], options["granted_on"]
            answer = explain(system=known, on=on, last_login=last_login, granted_on=granted_on)
        except BasisRefused as exc:
            place = f"--{exc.field_name.replace('_', '-')}"
            raise Refused("after_day_asked", exc.message, place, {"deadlines": []}) from exc
        document = {
            "system": known.slug,
            "on": on,
            "unknown": answer.unknown,
            "deadlines": [deadline_document(each) for each in answer.deadlines],
            "not_counted": [{"kind": kind, "needs": needs} for kind, needs in answer.not_counted.items()],
        }
        return Outcome(document, _lines(answer))


def _no_such(slug: str) -> str:
    known = ", ".join(System.objects.current().order_by("slug").values_list("slug", flat=True))
    return f"there is no system {slug!r}" + (f"; known are {known}" if known else "; run load_catalogue first")


def _lines(answer: Explanation) -> list[str]:
    lines = []
    for each in answer.deadlines:
        count = abs(each.days_left)
        left = f"{count} day{'' if count == 1 else 's'} {'overdue' if each.overdue else 'left'}"
        source = each.policy.source
        lines += [
            f"{each.kind}: last safe day {each.due.due_on} ({left}).",
            f"  Then: {each.policy.consequence_text}",
            f"  Way back: {each.policy.cure_text or 'not found'}",
            f"  Says: {each.policy.key}, {source.title}, {source.document_date} ({each.confidence}).",
        ]
    for kind, needs in answer.not_counted.items():
        lines.append(f"{kind}: not counted, it needs the {needs}.")
    return lines or [f"{answer.system.name}: no limit was published."]
