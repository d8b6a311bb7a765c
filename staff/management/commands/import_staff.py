from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from audit.commands import ContractCommand, Outcome, Refused
from facilities.access import Scope
from facilities.models import Organization
from imports.answers import number_of, told
from imports.mapping_options import add_mapping_options, keep_reading, read_options
from imports.mappings import MappingRefused
from imports.models import Import
from imports.opening import FileRefused
from staff.services.rosters import Report, RosterRefused, import_roster


class Command(ContractCommand):
    help = "Bring people and employments in line with an HR roster (.xlsx, .csv); see docs/flows/roster.md."
    requires_system_checks = ()  # they load the code of all pages, which is memory that a long list needs

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--organization", required=True, metavar="SLUG", help="whose people these are")
        add_mapping_options(parser)
        parser.add_argument("--dry-run", action="store_true", help="say what would change, write nothing")
        parser.add_argument(
            "--allow-mass-leavers", action="store_true", help="many really left: do not stop because of their number"
        )
        parser.add_argument("--strict", action="store_true", help="write nothing if a single row is rejected")

    def run(self, **options: Any) -> Outcome:
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise Refused("not_found", f"There is no organization {options['organization']!r}.", "--organization")
        scope, at = Scope.of_command(organization, "import_staff"), timezone.now()
        try:
            reading = read_options(scope, Import.Kind.STAFF, options)
            report = import_roster(
                scope=scope,
                path=Path(options["file"]),
                at=at,
                columns=reading.columns,
                dry_run=options["dry_run"],
                allow_mass_leavers=options["allow_mass_leavers"],
                strict=options["strict"],
                progress=self.progress,
            )
            keep_reading(scope, Import.Kind.STAFF, reading, report, at)
        except MappingRefused as exc:
            raise Refused(exc.code, exc.message, exc.field, document=Report().document()) from exc
        except FileRefused as exc:
            place = {"file": exc.file, "line": exc.line, "column": exc.column or None}
            raise Refused(exc.code, exc.message, place, document=Report().document()) from exc
        except RosterRefused as exc:
            document = exc.report.document()
            document["errors"] = [{"code": exc.code, "message": exc.message, "file": options["file"]}]
            return Outcome(document, [*_details(exc.report), exc.message], ok=False)
        return Outcome(report.document(), [*_details(report), _total(report)])


def _details(report: Report) -> list[str]:
    if not report.still_listed:
        return told(report)
    listed = ", ".join(map(str, report.still_listed[:20]))
    noun = "line" if len(report.still_listed) == 1 else "lines"
    return told(report, [f"Still listed though their end was typed here, left as typed: {noun} {listed}."])


def _total(report: Report) -> str:
    would = "Nothing was written (--dry-run). Would be: " if report.dry_run else ""
    return (
        f"{would}{number_of(report.rows, 'row,rows')} read, {len(report.rejected):,} rejected."
        f" {number_of(report.joiners, 'joiner,joiners')}, {number_of(report.movers, 'mover,movers')},"
        f" {number_of(report.leavers, 'leaver,leavers')}, {report.updated:,} updated, {report.unchanged:,} unchanged."
    )
