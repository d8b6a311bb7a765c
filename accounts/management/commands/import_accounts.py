from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.lists.columns import LACKS_SYSTEM
from accounts.services.account_lists import ListRefused, Report, import_account_list
from audit.commands import ContractCommand, Outcome, Refused
from facilities.access import Scope
from facilities.models import Organization
from imports.answers import number_of, told
from imports.mapping_options import add_mapping_options, keep_reading, read_options
from imports.mappings import MappingRefused
from imports.models import Import
from imports.opening import FileRefused


class Command(ContractCommand):
    help = "Bring accounts, roles and logins in line with a list (.xlsx, .csv); see docs/flows/account-list.md."
    requires_system_checks = ()  # they load the code of all pages, which is memory that a long list needs

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--organization", required=True, metavar="SLUG", help="whose accounts these are")
        add_mapping_options(parser)
        parser.add_argument("--system", default="", metavar="SLUG", help="the system, where no column says it")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, write nothing")
        parser.add_argument("--strict", action="store_true", help="write nothing if a single row is rejected")

    def run(self, **options: Any) -> Outcome:
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise Refused("not_found", f"There is no organization {options['organization']!r}.", "--organization")
        scope, at = Scope.of_command(organization, "import_accounts"), timezone.now()
        try:
            reading = read_options(scope, Import.Kind.ACCOUNTS, options)
            report = import_account_list(
                scope=scope,
                path=Path(options["file"]),
                at=at,
                system=reading.system,
                columns=reading.columns,
                dry_run=options["dry_run"],
                strict=options["strict"],
                progress=self.progress,
            )
            keep_reading(scope, Import.Kind.ACCOUNTS, reading, report, at)
        except MappingRefused as exc:
            raise Refused(exc.code, exc.message, exc.field, document=Report().document()) from exc
        except FileRefused as exc:
            place = {"file": exc.file, "line": exc.line, "column": exc.column or None}
            say = " Such a system is said with --system, as in --system iqies." if LACKS_SYSTEM in exc.message else ""
            raise Refused(exc.code, exc.message + say, place, document=Report().document()) from exc
        except ListRefused as exc:
            document = exc.report.document()
            document["errors"] = [{"code": exc.code, "message": exc.message, "file": options["file"]}]
            return Outcome(document, [*_details(exc.report), exc.message], ok=False)
        return Outcome(report.document(), [*_details(report), _total(report)])


def _details(report: Report) -> list[str]:
    unknown = [f"line {row['line']}, {row['name']}: {row['reason']}" for row in report.unknown_people]
    missing = [
        f"Not in the list: {row['person']}, {row['system']}, {row['facility']} ({', '.join(row['roles'])})"
        for row in report.missing_in_file
    ]
    return told(report, unknown + missing)


def _total(report: Report) -> str:
    would = "Nothing was written (--dry-run). Would be: " if report.dry_run else ""
    return (
        f"{would}{number_of(report.rows, 'row,rows')} read, {report.matched:,} matched,"
        f" {len(report.rejected):,} rejected, {len(report.unknown_people):,} of unknown people."
        f" Accounts: {report.created:,} created, {report.updated:,} updated, {report.unchanged:,} unchanged;"
        f" {len(report.missing_in_file):,} not in the list."
    )
