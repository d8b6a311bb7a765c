from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.models import PortalAccount
from accounts.services import account_list_undo
from audit.commands import ContractCommand, Outcome, Refused
from facilities.access import Scope
from facilities.models import Organization
from imports.models import Import
from imports.undoing import Undone, UndoRefused
from staff.models import Person
from staff.services import roster_undo


class Command(ContractCommand):
    help = "Take an import back within 30 days; what somebody changed since stays. See docs/flows."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("import", metavar="ID", type=int, help="number of the import, as its command answered")
        parser.add_argument("--organization", required=True, metavar="SLUG", help="whose import this is")

    def run(self, **options: Any) -> Outcome:
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise Refused("not_found", f"There is no organization {options['organization']!r}.", "--organization")
        key = options["import"]
        source = Import.objects.filter(organization=organization, pk=key).first() if 0 < key < 2**63 else None
        if source is None:
            raise Refused("not_found", f"{organization.slug} has no import {key}.", "ID")
        of_accounts = source.kind == Import.Kind.ACCOUNTS
        undo = account_list_undo.undo_import if of_accounts else roster_undo.undo_import
        try:
            done = undo(scope=Scope.of_command(organization, "undo_import"), source=source, at=timezone.now())
        except UndoRefused as exc:
            raise Refused(exc.code, exc.message, "ID", document={"import": key, "undone": 0, "kept": []}) from exc
        kept = _accounts(organization, done) if of_accounts else _people(organization, done)
        lines = [f"{', '.join(_named(each))}: changed since, stays as it is" for each in kept]
        lines.append(f"{done.undone:,} {'accounts' if of_accounts else 'people'} put back, {len(kept):,} kept.")
        return Outcome({"import": key, "undone": done.undone, "kept": kept}, lines)


def _named(kept: dict[str, Any]) -> list[str]:
    return [kept[name] for name in ("person", "system") if name in kept]


def _people(organization: Organization, done: Undone) -> list[dict[str, Any]]:
    people = Person.objects.filter(organization=organization).in_bulk(done.kept)
    return [{"person": str(people[pk]), "employee_number": people[pk].employee_number} for pk in done.kept]


def _accounts(organization: Organization, done: Undone) -> list[dict[str, Any]]:
    mine = PortalAccount.objects.filter(organization=organization).select_related("person", "system")
    accounts = mine.in_bulk(done.kept)
    return [
        {
            "account": pk,
            "person": str(accounts[pk].person),
            "employee_number": accounts[pk].person.employee_number,
            "system": accounts[pk].system.slug,
        }
        for pk in done.kept
    ]
