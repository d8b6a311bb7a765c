from typing import Any

from django.core.management.base import CommandParser
from django.db import connection
from django.utils import timezone

from audit.bench import measure_many
from audit.commands import ContractCommand, Outcome, Refused

GATE = 2.5


class Command(ContractCommand):
    help = "Time one recorded act on many rows against a plain INSERT..SELECT of the same rows; keeps nothing."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--rows", type=int, default=100_000)
        parser.add_argument("--pairs", type=int, default=5, help="product and reference alternate this often")

    def run(self, **options: Any) -> Outcome:
        for name in ("rows", "pairs"):
            if options[name] < 1:
                raise Refused("number", "use a whole number above 0", f"--{name}")
        measured = measure_many(rows=options["rows"], pairs=options["pairs"], at=timezone.now())
        document = {
            "engine": connection.vendor,
            "rows": options["rows"],
            "pairs": options["pairs"],
            "product_seconds": round(measured.product, 4),
            "reference_seconds": round(measured.reference, 4),
            "ratio": round(measured.ratio, 3),
            "gate": GATE,
            "ok": measured.ratio <= GATE,
        }
        line = (
            f"{options['rows']} rows on {connection.vendor}: {measured.product:.2f} s, plain insert"
            f" {measured.reference:.2f} s, ratio {measured.ratio:.2f} (gate {GATE})"
        )
        return Outcome(document, [line], ok=measured.ratio <= GATE)
