"""The manners every command of the contract shares: one JSON document, exit codes, no tracebacks.

Lives in the lowest app so that every app's commands may use it.
"""

import json
import re
import sys
import uuid
from argparse import ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError
from django.utils.functional import Promise

from audit.context import request_id

_NOT_MIGRATED = re.compile(
    r"no such (table|column)|has no column named|(relation|column) \S+ (of relation \S+ )?does not exist"
)


def calendar_day(text: str) -> date:
    """Parse YYYY-MM-DD for argparse, and nothing else: other ISO spellings are too easily a slip."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ArgumentTypeError(f"{text!r} is no date; write it as 2026-11-22")
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise ArgumentTypeError(f"{text!r} is no day of the calendar") from exc


class Refused(Exception):  # noqa: N818  (a verdict on input, not a fault)
    """Input that a command will not take.

    ``place`` says where: a text such as ``--zone``, or keys such as ``{"file": …, "line": …, "column": …}``.
    ``document`` holds further keys of the command's JSON document, so that its shape stays whole.
    """

    def __init__(
        self, code: str, message: str, place: str | Mapping[str, Any] = "", document: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.place: dict[str, Any] = {"place": place} if isinstance(place, str) else dict(place)
        self.document = dict(document or {})

    def __str__(self) -> str:
        named = [f"{key} {value}" if key != "place" else str(value) for key, value in self.place.items() if value]
        where = ", ".join(named)
        return f"{where}: {self.message}" if where else self.message

    def as_error(self) -> dict[str, Any]:
        """Return the entry for the document's ``errors``: code, message, and the keys of the place."""
        return {"code": self.code, "message": self.message, **self.place}


class CommandFailed(CommandError):  # noqa: N818
    """What ``call_command`` raises after the answer was printed; ``document`` is that answer."""

    def __init__(self, message: str, document: dict[str, Any]) -> None:
        super().__init__(message, returncode=1)
        self.document = document


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found: the JSON document, the same for people in lines, and whether all is well."""

    document: dict[str, Any]
    lines: list[str] = field(default_factory=list)
    ok: bool = True


def json_text(document: Mapping[str, Any]) -> str:
    """Return the document as JSON; days and instants in ISO 8601, decimals as text."""
    return json.dumps(document, default=_plain, indent=2)


def _plain(value: object) -> object:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, Decimal | Path | uuid.UUID | Promise):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


class ContractCommand(BaseCommand):
    """A command that answers people in lines and programs in one JSON document.

    Subclasses implement ``run(**options) -> Outcome`` and raise Refused for input they will not take;
    their own options go into ``add_options(parser)``. Exit codes: 0 success, 1 refused or not ok, 2 misuse.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print exactly one JSON document")
        self.add_options(parser)

    def add_options(self, parser: CommandParser) -> None:
        """Add the command's own options; none by default."""

    def run(self, **options: Any) -> Outcome:
        """Do the work. Must be overridden."""
        raise NotImplementedError(f"{type(self).__module__} has no run()")

    def progress(self, text: str) -> None:
        """Write a line for a person who waits, to standard error."""
        self.stderr.write(text, self.style.NOTICE)

    def handle(self, *args: Any, **options: Any) -> None:
        token = request_id.set(request_id.get() or uuid.uuid4().hex)
        try:
            refuse_broken_text(options)
            outcome = self.run(**options)
        finally:
            request_id.reset(token)
        if options["json"]:
            self.stdout.write(json_text(outcome.document))
        else:
            for line in outcome.lines:
                self.stdout.write(line)
        if not outcome.ok:
            raise CommandFailed("; ".join(outcome.lines) or "not ok", outcome.document)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run, turn what went wrong into the promised answer, and end with the promised exit code."""
        try:
            return super().execute(*args, **options)
        except CommandFailed as exc:
            self._end(exc)
        except (Refused, CommandError, OperationalError, ProgrammingError, OSError) as exc:
            if options.get("traceback"):
                raise
            refused = refusal_of(exc)
            if refused is None:
                raise
            document = {**refused.document, "errors": [*refused.document.get("errors", []), refused.as_error()]}
            if options.get("json"):
                self.stdout.write(json_text(document))
            self.stderr.write(str(refused))
            self._end(CommandFailed(str(refused), document), cause=exc)
        return None

    def _end(self, failed: CommandFailed, cause: BaseException | None = None) -> None:
        # The answer is printed; from the command line only the exit code is left to give.
        if getattr(self, "_called_from_command_line", False):
            sys.exit(failed.returncode)
        raise failed from cause


def refuse_broken_text(options: Mapping[str, Any]) -> None:
    """Raise Refused for an option that is no valid UTF-8 or holds a NUL, which no database takes."""
    for name, value in options.items():
        for text in value if isinstance(value, list | tuple) else [value]:
            if not isinstance(text, str):
                continue
            if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
                raise Refused("not_text", "this is not text in UTF-8", f"--{name.replace('_', '-')}")


def refusal_of(exc: Exception) -> Refused | None:
    """Return the clear message for an exception that outside circumstances cause; None for a fault of ours."""
    if isinstance(exc, Refused):
        return exc
    if isinstance(exc, CommandError):
        return Refused("refused", str(exc))
    if isinstance(exc, OperationalError | ProgrammingError):
        text = str(exc).strip().partition("\n")[0]
        if _NOT_MIGRATED.search(text):
            return Refused("not_migrated", f"The database is not up to date; run `manage.py migrate` first ({text}).")
        if isinstance(exc, OperationalError):
            return Refused("database", f"The database cannot be used: {text}")
        return None
    if isinstance(exc, FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError) and exc.filename:
        return Refused("unreadable", f"cannot be opened: {exc.strerror}", str(exc.filename))
    return None
