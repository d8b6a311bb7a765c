"""``manage.py backup``: one consistent copy of database and evidence, without keys."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from audit.commands import ContractCommand, Outcome
from config.backups.making import make_backup
from config.backups.manifest import EVIDENCE


class Command(ContractCommand):
    """Safe while the product runs."""

    help = "Write a consistent copy of database and evidence; keys are not in it (docs/runbooks/backup.md)."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", type=Path, default=settings.VAR_DIR / "backups", help="default: var/backups")

    def run(self, **options: Any) -> Outcome:
        made = make_backup(folder=options["folder"], at=timezone.now())
        manifest = made.manifest
        evidence = sum(name.startswith(f"{EVIDENCE}/") for name in manifest.files)
        document = {
            "file": str(made.file),
            "bytes": made.file.stat().st_size,
            "engine": manifest.engine,
            "rows": sum(manifest.tables.values()),
            "tables": manifest.tables,
            "chains": len(manifest.chains),
            "evidence": evidence,
        }
        lines = [
            f"{made.file}",
            f"{document['rows']} rows of {len(manifest.tables)} tables, {evidence} evidence files,"
            f" {document['chains']} audit chains, {document['bytes']} bytes.",
            "FIELD_KEYS and AUDIT_SIGNING_KEY are not in it; keep them elsewhere, the copy is worthless without them.",
        ]
        return Outcome(document, lines)
