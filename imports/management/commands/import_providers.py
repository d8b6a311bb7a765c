from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from audit.commands import ContractCommand, Outcome, Refused
from audit.services import Ref
from imports.opening import FileRefused
from imports.providers import Report, import_providers


class Command(ContractCommand):
    help = "Import CMS provider lists (.csv, .csv.gz, .zip) into the directory; all files or nothing."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--strict", action="store_true", help="write nothing if a single row is rejected")
        parser.add_argument(
            "--complete",
            action="store_true",
            help="the files are whole lists: mark facilities of the same list that they lack as no longer listed",
        )

    def run(self, **options: Any) -> Outcome:
        try:
            report = import_providers(
                paths=[Path(file) for file in options["files"]],
                at=timezone.now(),
                actor=Ref("command:import_providers", "import_providers"),
                strict=options["strict"],
                complete=options["complete"],
                progress=self.progress,
            )
        except FileRefused as exc:
            place = {"file": exc.file, "line": exc.line, "column": exc.column or None}
            raise Refused(exc.code, exc.message, place, document=_document(Report())) from exc
        document = _document(report)
        if not report.written:
            document["errors"] = [
                {"code": "rejected", "message": "Nothing was written: rows were rejected (--strict)."}
            ]
        return Outcome(document, _lines(report), ok=report.written)


def _document(report: Report) -> dict[str, Any]:
    document = asdict(report)
    del document["written"]
    return document


def _lines(report: Report) -> list[str]:
    lines = [f"{row['file']}, line {row['line']}: {row['reason']}" for row in report.rejected]
    lines += [f"{row['file']}, line {row['line']}: {row['given']} read as {row['ccn']}" for row in report.restored]
    lines += [f"{row['file']}, line {row['line']}: {row['message']}" for row in report.warnings]
    lines += [
        f"{row['file']}, line {row['line']}: {row['ccn']} has {row['field']} “{row['given']}”,"
        f" line {row['kept_line']} has “{row['kept']}”, which was kept"
        for row in report.conflicts
    ]
    if not report.written:
        return [
            *lines,
            f"Nothing was written: {len(report.rejected):,} of {report.rows:,} rows were rejected (--strict).",
        ]
    counts = f"{report.created:,} created, {report.updated:,} updated, {report.unchanged:,} unchanged"
    ended = f", {report.unlisted:,} no longer listed" if report.unlisted else ""
    found = f"{len(report.rejected):,} rejected, {len(report.warnings):,} with a remark"
    return [*lines, f"{report.rows:,} rows read, {found}. Facilities: {counts}{ended}."]
