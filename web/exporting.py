"""Lists as CSV files that spreadsheets open as they are: every matching row, streamed, no cell a formula."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from accounts.models import PortalAccount, RoleGrant
from accounts.models.inventory import PortalAccountQuerySet
from accounts.words import listed
from audit.services import Ref, record
from facilities.access import Scope
from facilities.models import Facility
from staff.models import Employment, Person, PersonQuerySet
from web.account_list import slices_of_accounts
from web.keyset import in_slices
from web.lists import Listing
from web.people_list import BY_NAME, works
from web.standings import Held, all_held, worst
from web.templatetags.words import standing_words

BOM = "\ufeff"  # without it a spreadsheet takes the bytes for the machine's old code page
FORMULA = ("=", "+", "-", "@", "\t", "\r")
ACCOUNT_COLUMNS = (
    "Last name", "First name", "Employee number", "Work e-mail", "System", "User ID", "Roles", "Standing",
    "Last login", "Last safe day", "Opened on",
)  # fmt: skip
PEOPLE_COLUMNS = (
    "Last name", "First name", "Employee number", "Work e-mail", "Works at", "Job", "Last day worked", "Accounts",
    "Standing", "Next date",
)  # fmt: skip


def safe_cell(value: object) -> str:
    """Return a cell that no spreadsheet runs: an apostrophe goes before what would begin a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def record_export(
    *,
    scope: Scope,
    action: str,
    listing: Listing[QuerySet[Any]],
    at: datetime,
    about: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Record in the audit chain who takes which rows along, and return how many there are."""
    organization = scope.organization
    with transaction.atomic():
        count = int(listing.rows.order_by().count())
        record(
            chain=organization.key,
            action=action,
            actor=scope.actor,
            subject=Ref(organization.key, organization.name),
            at=at,
            payload={**about, "count": count, "filter": listing.form.query},
        )
    return count


def csv_file(name: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    """Return the rows as a download, written while it is sent."""
    answer = StreamingHttpResponse(_lines(columns, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


class _Echo:
    def write(self, text: str) -> str:
        return text


def _lines(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield BOM + writer.writerow(columns)
    for row in rows:
        yield writer.writerow([safe_cell(value) for value in row])


def account_lines(listing: Listing[PortalAccountQuerySet], on: date) -> Iterator[tuple[object, ...]]:
    """Yield a line for each account, in the order of the list. Three queries for each slice."""
    accounts = listing.rows.select_related("person", "system", "identity")
    for some in slices_of_accounts(accounts, listing.form.chosen.get("sort", "")):
        roles: dict[int, list[str]] = defaultdict(list)
        grants = RoleGrant.objects.in_force(on).filter(account__in=[account.pk for account in some])
        for grant in grants.select_related("facility", "role").order_by("facility__name", "role__position", "pk"):
            roles[grant.account_id].append(f"{grant.role.name} at {grant.facility.label}")
        for held in all_held(some, on):
            yield _account_line(held, roles[held.account.pk])


def _account_line(held: Held, roles: list[str]) -> tuple[object, ...]:
    account = held.account
    person = account.person
    never = account.login_state == PortalAccount.LoginState.NEVER
    return (
        person.last_name,
        person.first_name,
        person.employee_number,
        person.email,
        account.system.name,
        account.identity.user_id if account.identity else account.user_id,
        "; ".join(roles),
        held.words or standing_words(held.standing),
        "never" if never else account.last_login_on,
        account.lapses_on,
        account.opened_on,
    )


def people_lines(scope: Scope, listing: Listing[PersonQuerySet], on: date) -> Iterator[tuple[object, ...]]:
    """Yield a line for each person, by name. Three queries for each slice."""
    for some in in_slices(listing.rows, by=BY_NAME):
        keys = [person.pk for person in some]
        jobs: dict[int, list[Employment]] = defaultdict(list)
        known = Employment.objects.known().filter(person__in=keys, facility__in=Facility.objects.visible_to(scope))
        for job in known.select_related("facility").order_by("facility__name", "pk"):
            jobs[job.person_id].append(job)
        held: dict[int, list[Held]] = defaultdict(list)
        accounts = PortalAccount.objects.visible_to(scope).open().filter(person__in=keys).select_related("system")
        for each in all_held(accounts.order_by("system__position", "pk"), on):
            held[each.account.person_id].append(each)
        for person in some:
            yield _person_line(person, jobs[person.pk], held[person.pk], on)


def _person_line(person: Person, jobs: list[Employment], held: list[Held], on: date) -> tuple[object, ...]:
    current = [job for job in jobs if works(job, on)]
    ended = [job.valid_to for job in jobs if job.valid_to and job.valid_to < on]
    days: list[Any] = [each.next_on for each in held if each.next_on]
    return (
        person.last_name,
        person.first_name,
        person.employee_number,
        person.email,
        listed(dict.fromkeys(job.facility.label for job in current)),
        listed(dict.fromkeys(job.job_title for job in current if job.job_title)),
        max(ended) if ended and not current else None,
        listed(each.account.system.name for each in held),
        standing_words(worst(each.standing for each in held)) if held else "",
        min(days, default=None),
    )
