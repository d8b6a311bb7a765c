"""What the commands that measure in scratch databases have in common."""

from importlib import import_module
from typing import Any

from django.core.management.base import CommandParser

from audit.commands import ContractCommand, Outcome, Refused

ENGINES = ("postgresql", "sqlite")


class ScratchBench(ContractCommand):
    """Measures on scratch databases of several sizes and engines; ``module`` names what has ``measure()``."""

    module = ""
    counted = ("--sizes", "accounts stored, one run per number")
    requires_system_checks = ()

    def add_options(self, parser: CommandParser) -> None:
        option, meaning = self.counted
        parser.add_argument(option, dest="sizes", default="10000", metavar="N[,N...]", help=meaning)
        parser.add_argument("--engines", default=",".join(ENGINES), metavar="NAME[,NAME]", help=" and ".join(ENGINES))
        parser.add_argument(
            "--pairs", type=int, default=5, metavar="N", help="product and reference alternate so often"
        )
        parser.add_argument("--wide", action="store_true", help="wider gates on times, for a busy machine")
        parser.add_argument("--check", action="store_true", help="exit 1 when a gate is missed")

    def run(self, **options: Any) -> Outcome:
        sizes = [_number(text, self.counted[0], 100) for text in options["sizes"].split(",")]
        engines = options["engines"].split(",")
        if unknown := sorted(set(engines) - set(ENGINES)):
            raise Refused("engine", f"{', '.join(unknown)}: use {' or '.join(ENGINES)}", "--engines")
        pairs = _number(str(options["pairs"]), "--pairs", 1)
        # A development folder beside the apps: an installation without it still has all other commands.
        from bench.goals import document, line, save
        from bench.scratch import ScratchError

        measure = import_module(self.module).measure
        try:
            goals, runs = measure(
                engines=engines, sizes=sizes, pairs=pairs, wide=options["wide"], progress=self.progress
            )
        except ScratchError as exc:
            raise Refused("scratch", str(exc)) from exc
        answer = document(goals, runs)
        path = save(answer)
        lines = [*map(line, goals), f"written to {path.relative_to(path.parents[2])}"]
        return Outcome(answer, lines, ok=not options["check"] or all(goal.ok for goal in goals))


def _number(text: str, option: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise Refused("number", f"use whole numbers from {least}, not {text!r}", option)
    return number
