"""Importing a list of accounts: read, find whose they are, compare, write in one transaction, record one act.

See docs/flows/account-list.md.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import DataError, IntegrityError, transaction

from accounts.errors import AccountsError
from accounts.lists.reading import AccountList, catalogue_systems, read_accounts
from accounts.services.account_list_comparing import Comparison, Report, compare
from accounts.services.account_list_writing import write_changes
from accounts.services.missing import keep_missing
from facilities.access import Action, Scope, authorize
from facilities.models import Organization
from imports.answers import number_of, rejected_of
from imports.models import PendingImport
from imports.opening import Readable
from imports.uploads import Agreed, mark_noted, mark_written, written_as
from staff.roster.keeping import Kept
from staff.roster.places import Places
from staff.roster.reading import Chosen
from systems.policy import day_in, latest_day


class ListRefused(AccountsError):
    """The list is not taken, and nothing was written; ``report`` says what was found in it."""

    def __init__(self, message: str, *, code: str, report: Report) -> None:
        super().__init__(message, code=code)
        self.report = report


def preview_account_list(
    *, scope: Scope, kept: Kept, at: datetime, system: str = "", columns: Chosen = None
) -> Comparison:
    """Return what an upload would change now; writes nothing.

    Raises NotAllowed; FileRefused (missing_column); ListRefused (``no_system``).
    """
    authorize(scope, Action.IMPORT_ACCOUNTS)
    found = _read(scope, kept, at, system, columns, None)
    return compare(scope, found, on=day_in(at, scope.organization.zone), dry_run=True)


def import_account_list(
    *,
    scope: Scope,
    path: Readable | Kept,
    at: datetime,
    system: str = "",
    columns: Chosen = None,
    agreed: Agreed | None = None,
    dry_run: bool = False,
    strict: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Bring accounts, roles and logins in line with a list. The same file again writes nothing.

    ``system``: slug of what the whole list is about, where no column says it. ``agreed``: write only what was looked
    at, and one upload once: a repetition answers with the import it became. Never adds a person, never removes an
    account. Raises NotAllowed; FileRefused for a file that cannot be read whole; UploadGone; ListRefused
    (``no_system``, ``rejected`` with ``strict``, ``changed`` where the outcome is not the agreed one, ``stale`` when
    somebody changed accounts meanwhile). Then nothing was written.
    """
    authorize(scope, Action.IMPORT_ACCOUNTS)
    say = progress or (lambda text: None)
    found = _read(scope, path, at, system, columns, progress)
    say(f"{number_of(found.rows, 'row,rows')} read, comparing")
    check = partial(_refuse, strict, agreed)
    if dry_run:
        compared = compare(scope, found, on=day_in(at, scope.organization.zone), dry_run=True)
        check(compared)
        return compared.report
    try:
        with transaction.atomic():
            return _write(scope, found, check, agreed.pending if agreed else None, at=at, say=say)
    except (IntegrityError, DataError) as exc:
        message = "Somebody changed accounts of this organization meanwhile. Nothing was written; run it again."
        raise ListRefused(message, code="stale", report=Report(rows=found.rows)) from exc


def _read(
    scope: Scope,
    path: Readable | Kept,
    at: datetime,
    system: str,
    columns: Chosen,
    progress: Callable[[str], None] | None,
) -> AccountList:
    on = day_in(at, scope.organization.zone)
    systems = catalogue_systems()
    whole = systems.by_slug.get(system) if system else None
    if system and whole is None:
        raise ListRefused(f"The catalogue has no system {system!r}.", code="no_system", report=Report())
    places = Places(scope.organization, on=on)
    latest = latest_day(at)
    return read_accounts(path, places, systems, on=on, latest=latest, system=whole, columns=columns, progress=progress)


def _write(
    scope: Scope,
    found: AccountList,
    check: Callable[[Comparison], None],
    pending: PendingImport | None,
    *,
    at: datetime,
    say: Callable[[str], None],
) -> Report:
    # A second import of this organization waits here and then compares with what this one wrote.
    Organization.objects.select_for_update(no_key=True).get(pk=scope.organization.pk)
    if pending is not None and (done := written_as(pending)):
        return Report(rows=found.rows, source=done)
    on = day_in(at, scope.organization.zone)
    compared = compare(scope, found, on=on, dry_run=False)
    check(compared)
    report = compared.report
    if compared.planned:
        say(f"{number_of(len(compared.planned), 'account changes,accounts change')}, writing")
        report.source = write_changes(
            scope=scope,
            found=found,
            planned=compared.planned,
            rejected=compared.refused,
            counts=report.counts(),
            at=at,
        )
        if pending is not None:
            mark_written(pending, report.source)
    elif pending is not None and report.missing_in_file:
        mark_noted(pending, at)
    keep_missing(scope, found, compared.missing, source=report.source, at=at, on=on)
    return report


def _refuse(strict: bool, agreed: Agreed | None, compared: Comparison) -> None:
    report = compared.report
    if strict and report.rejected:
        message = f"Nothing was written: {rejected_of(report)} (--strict)."
        raise ListRefused(message, code="rejected", report=report)
    if agreed is not None and compared.digest != agreed.digest:
        message = "People or accounts changed since this was shown. Nothing was written; please look once more."
        raise ListRefused(message, code="changed", report=report)


__all__ = ["Comparison", "ListRefused", "Report", "import_account_list", "preview_account_list"]
