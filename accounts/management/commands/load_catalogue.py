"""manage.py load_catalogue: bring the catalogue tables in line with the catalogue files, or only check them.

Stands in this app, above the catalogue's own, because `--check` tells whose stored dates a change would move.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.services.recomputation import Affected, affected
from audit.commands import ContractCommand, Outcome
from audit.services import Ref
from systems.catalogue_files import FOLDER, CatalogueInvalid
from systems.selectors import policy_chains
from systems.services import CatalogueLoad, check_catalogue, load_catalogue

ACTOR = Ref("command:load_catalogue", "Catalogue load by command")
_NOTHING = {"systems": 0, "roles": 0, "policies": 0, "contacts": 0, "phrases": 0}


class Command(ContractCommand):
    help = "Load the catalogue of systems, rules and contacts; loading twice changes nothing."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="validate, show what would change, write nothing")
        parser.add_argument("--folder", type=Path, default=FOLDER, help="read the files of another folder (a draft)")

    def run(self, **options: Any) -> Outcome:
        folder, now = options["folder"], timezone.now()
        try:
            if options["check"]:
                return _checked(folder, now)
            load = load_catalogue(actor=ACTOR, at=now, folder=folder)
        except CatalogueInvalid as exc:
            errors = [error.as_dict() for error in exc.errors]
            told: dict[str, Any] = {"affected": []} if options["check"] else {}
            return Outcome({**_NOTHING, **told, "errors": errors}, [str(error) for error in exc.errors], ok=False)
        return Outcome(_document(load), _lines(load, check=False))


def _checked(folder: Path, at: datetime) -> Outcome:
    before = policy_chains()
    found: list[Affected] = []
    load = check_catalogue(folder=folder, meanwhile=lambda: found.extend(affected(before=before, at=at)))
    document = _document(load) | {"affected": [each.as_dict() for each in found]}
    return Outcome(document, [*_lines(load, check=True), *_affected_lines(found)])


def _document(load: CatalogueLoad) -> dict[str, Any]:
    changed = [change.as_dict() for change in load.policies]
    return {**load.counts, "revision": load.revision, "tables": load.tables, "changed": changed, "errors": []}


def _lines(load: CatalogueLoad, *, check: bool) -> list[str]:
    held = ", ".join(f"{count} {name}" for name, count in load.counts.items())
    lines = [f"The catalogue files hold {held}."]
    verb = "Would change" if check else "Changed"
    for table, counts in load.tables.items():
        parts = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        lines.append(f"{verb} {table}: {parts}.")
    lines += [f"Policy {change.policy} ({change.system}, {change.kind}): {change.what}." for change in load.policies]
    return lines if load.tables else [*lines, "Nothing to change."]


def _affected_lines(found: list[Affected]) -> list[str]:
    lines = []
    for each in found:
        if not each.deadlines and not each.newly_overdue:
            continue
        parts = [f"{_deadlines(each.deadlines)} would change"]
        parts += [f"{each.opened} of them would be new"] if each.opened else []
        parts += [f"{each.closed} would close"] if each.closed else []
        parts.append(f"{each.newly_overdue or 'none'} would be overdue today that {_is(each.newly_overdue)} not now")
        lines.append(f"{each.system}, {each.kind}: {', '.join(parts)}.")
    if found and not lines:
        lines.append("No stored deadline would change.")
    return lines


def _deadlines(count: int) -> str:
    return f"{count} deadline{'' if count == 1 else 's'}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
