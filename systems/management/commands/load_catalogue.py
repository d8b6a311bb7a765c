"""manage.py load_catalogue: bring the catalogue tables in line with the catalogue files, or only check them."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from audit.commands import ContractCommand, Outcome
from audit.services import Ref
from systems.catalogue_files import FOLDER, CatalogueInvalid
from systems.services import CatalogueLoad, check_catalogue, load_catalogue

ACTOR = Ref("command:load_catalogue", "Catalogue load by command")
_NOTHING = {"systems": 0, "roles": 0, "policies": 0, "contacts": 0, "phrases": 0}


class Command(ContractCommand):
    help = "Load the catalogue of systems, rules and contacts; loading twice changes nothing."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="validate, show what would change, write nothing")
        parser.add_argument("--folder", type=Path, default=FOLDER, help="read the files of another folder (a draft)")

    def run(self, **options: Any) -> Outcome:
        check, folder = options["check"], options["folder"]
        try:
            if check:
                load = check_catalogue(folder=folder)
            else:
                load = load_catalogue(actor=ACTOR, at=timezone.now(), folder=folder)
        except CatalogueInvalid as exc:
            errors = [error.as_dict() for error in exc.errors]
            return Outcome({**_NOTHING, "errors": errors}, [str(error) for error in exc.errors], ok=False)
        return Outcome(_document(load), _lines(load, check=check))


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
