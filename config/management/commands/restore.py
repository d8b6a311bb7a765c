"""``manage.py restore FILE``: put a copy back, prove it, and hold all mail."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from audit.commands import ContractCommand, Outcome
from config.backups.restoring import restore_backup


class Command(ContractCommand):
    """Copies what is there first, so that a restore can be undone by another one."""

    help = "Restore a copy made by `backup`; mail is held until `release_mail` (docs/runbooks/backup.md)."
    requires_system_checks: tuple[str, ...] = ()

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--folder", type=Path, default=settings.VAR_DIR / "backups", help="where the copy of the present goes"
        )

    def run(self, **options: Any) -> Outcome:
        restored = restore_backup(file=options["file"], at=timezone.now(), backups=options["folder"])
        verdict, manifest = restored.verdict, restored.manifest
        document: dict[str, Any] = {
            "file": str(options["file"]),
            "made_at": manifest.made_at,
            "version": manifest.version,
            "rows": sum(manifest.tables.values()),
            "previous": str(restored.previous) if restored.previous else None,
            "audit": {"ok": verdict.ok, "events": verdict.events, "items": verdict.items},
            "mail_held": True,
        }
        lines = [f"Restored the copy of {manifest.made_at} ({document['rows']} rows)."]
        if restored.previous:
            lines.append(f"What was here before: {restored.previous}")
        if verdict.first_bad is not None:
            bad = asdict(verdict.first_bad)
            document["errors"] = [{"code": "audit", "message": "the audit chains of the copy do not hold", **bad}]
            return Outcome(document, [f"The audit chains of the copy do not hold: {bad}", *lines[1:]], ok=False)
        lines.append(f"Audit chains hold: {verdict.events} events, {verdict.items} items.")
        lines.append("All mail is held. When you have looked: manage.py release_mail")
        return Outcome(document, lines)
