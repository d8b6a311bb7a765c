from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from audit.commands import ContractCommand, Outcome, Refused
from audit.services import Ref
from facilities.errors import FacilitiesError
from facilities.extract import SHIPPED, load_extract


class Command(ContractCommand):
    help = "Load the extract of CMS's provider directory that ships with the product; a loaded one is skipped."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, default=SHIPPED, help="another extract written by export_directory")

    def run(self, **options: Any) -> Outcome:
        actor = Ref("command:load_directory", "load_directory")
        try:
            loaded = load_extract(path=options["file"], at=timezone.now(), actor=actor)
        except FacilitiesError as exc:
            raise Refused(exc.code, exc.message, {"file": str(options["file"])}) from exc
        document = {
            "loaded": loaded.fresh,
            "providers": loaded.providers,
            "created": loaded.created,
            "updated": loaded.updated,
            "unchanged": loaded.unchanged,
        }
        if not loaded.fresh:
            return Outcome(document, [f"This extract with {loaded.providers:,} providers is already loaded."])
        counts = f"{loaded.created:,} created, {loaded.updated:,} updated, {loaded.unchanged:,} unchanged"
        return Outcome(document, [f"{loaded.providers:,} providers: {counts}."])
