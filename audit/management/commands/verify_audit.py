from dataclasses import asdict
from typing import Any

from audit.commands import ContractCommand, Outcome
from audit.verify import Fault, verify_chains

_NOTHING = Fault(None, None, None, "")


class Command(ContractCommand):
    help = "Walk the audit chains and name the first row that was changed, removed or added from outside."

    def run(self, **options: Any) -> Outcome:
        verdict = verify_chains()
        bad = verdict.first_bad
        document = {
            "ok": verdict.ok,
            "events": verdict.events,
            "items": verdict.items,
            "first_bad": asdict(bad) if bad else asdict(_NOTHING) | {"why": None},
        }
        counted = f"{verdict.events} events, {verdict.items} items"
        if bad is None:
            return Outcome(document, [f"The audit chains are whole: {counted}."])
        place = f"chain {bad.chain}, event {bad.seq}" if bad.chain else "outside every chain"
        item = "" if bad.item is None else f", item {bad.item}"
        return Outcome(document, [f"NOT OK ({counted}). First: {place}{item}: {bad.why}"], ok=False)
