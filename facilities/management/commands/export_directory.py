from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from audit.commands import ContractCommand, Outcome
from facilities.extract import write_extract


class Command(ContractCommand):
    help = "Write the listed providers of this database as an extract that load_directory reads."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--out", required=True, type=Path, help="path of the .csv.gz to write")

    def run(self, **options: Any) -> Outcome:
        count, digest = write_extract(path=options["out"])
        document = {"providers": count, "sha256": digest, "bytes": options["out"].stat().st_size}
        return Outcome(document, [f"{count:,} providers, {document['bytes']:,} bytes, sha256 {digest[:12]}"])
