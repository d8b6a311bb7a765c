"""``manage.py tick``: every sweep and delivery due at an instant, once; what the scheduler does, without a broker."""

from datetime import UTC, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core.management.base import CommandParser
from django.utils import timezone

from audit.commands import ContractCommand, Outcome, Refused
from reminders.errors import TickRefused
from reminders.services.tick import Tick, run_tick
from systems.policy import EASTERN

_YEARS: Final = range(2000, 2200)
_NOT_RUN: Final[dict[str, Any]] = {"at": None, "sweeps": {}}


class Command(ContractCommand):
    """A repeated run writes nothing but its own row."""

    help = "Run every sweep and delivery that is due, once."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--at",
            metavar="ISO8601",
            help="the instant to run for, such as 2026-12-01T12:00Z (no offset: UTC; a day alone: noon Eastern)",
        )

    def run(self, **options: Any) -> Outcome:
        at = timezone.now() if options["at"] is None else instant_of(options["at"])
        try:
            tick = run_tick(at=at)
        except TickRefused as exc:
            raise Refused(exc.code, exc.message, "--at", {"at": at, "sweeps": {}}) from exc
        document: dict[str, Any] = {"at": tick.at, "sweeps": tick.sweeps}
        if tick.held:
            document["held"] = True
        if tick.overlapping:
            document["overlapping"] = True
        if tick.errors:
            document["errors"] = tick.errors
        return Outcome(document, list(_lines(tick)), ok=not tick.errors)


def instant_of(text: str) -> datetime:
    """Return the instant of an ISO 8601 text. Raises Refused for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as exc:
        message = f"{text!r} is no instant; write such as 2026-12-01T12:00Z"
        raise Refused("not_an_instant", message, "--at", _NOT_RUN) from exc
    if found.year not in _YEARS:  # at the ends of the calendar neither zones nor ladders have room
        message = f"{text!r} lies outside the years {_YEARS[0]} to {_YEARS[-1]}"
        raise Refused("not_an_instant", message, "--at", _NOT_RUN)
    if "T" not in text.upper() and " " not in text:
        return datetime.combine(found.date(), time(12), ZoneInfo(EASTERN)).astimezone(UTC)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _lines(tick: Tick) -> list[str]:
    if tick.overlapping:
        return ["Another tick is running; nothing was done."]
    lines = []
    for name, counts in tick.sweeps.items():
        done = ", ".join(f"{count} {what}" for what, count in counts.items() if count and what != "seconds")
        lines.append(f"{name}: {done or 'nothing to do'} ({counts['seconds']} s)")
    if tick.held:
        lines.append("Mail is held since a restore; `manage.py release_mail` lets it go.")
    lines += [f"{error['sweep']}: {error['message']}" for error in tick.errors]
    return lines
