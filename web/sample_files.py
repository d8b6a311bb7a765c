"""Sample lists for the importers: made of the very columns that these understand, about made-up people."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Final

from django.http import HttpResponse, HttpResponseBase
from openpyxl import Workbook

from accounts.lists.columns import FIELDS as ACCOUNT_FIELDS
from facilities.access import Action
from facilities.models import Facility
from imports.columns import Field
from staff.roster_columns import FIELDS as PEOPLE_FIELDS
from systems.models import SystemRole
from systems.selectors import systems_that_need_officials
from web.exporting import csv_file, safe_cell

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMS: Final = ("csv", "xlsx")
_PEOPLE: Final = (("S-001", "Ada", "Administrator"), ("S-002", "Ben", "MDS coordinator"), ("S-003", "Cleo", "Nurse"))
_LEFT_OUT: Final = frozenset({"full_name", "application"})  # other ways to say what further columns say
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """A kind of list: its columns, who may import it, and its rows at a facility on a day."""

    fields: Sequence[Field]
    action: Action
    rows: Callable[[Facility, date], Iterable[Row]]


def title_of(field: Field) -> str:
    """Return the title by which the importer surely knows a column, such as ``Employee number``."""
    title = field.likely[0] if field.likely else field.titles[0]
    return title.upper() if field.name == "ccn" else title.capitalize()


def _person(number: str, first: str, place: Facility) -> dict[str, str]:
    return {
        "employee_number": number,
        "first_name": first,
        "last_name": "Sample",
        "email": f"{first.lower()}.sample@example.org",
        "ccn": place.ccn or "",
        "facility": place.name,
    }


def people_rows(place: Facility, on: date) -> Iterable[Row]:
    """Yield three made-up people who work at the facility."""
    for ago, (number, first, job) in enumerate(_PEOPLE, start=1):
        yield _person(number, first, place) | {
            "phone": f"555-010{ago}",
            "job_title": job,
            "start_date": (on - timedelta(days=400 * ago)).isoformat(),
            "status": "Active",
        }


def account_rows(place: Facility, on: date) -> Iterable[Row]:
    """Yield an account for each of these people on a system that needs a Security Official: the first one is it."""
    quota = systems_that_need_officials().select_related("system", "role").order_by("system__position", "pk").first()
    if quota is None or quota.role is None:
        return
    others = SystemRole.objects.filter(approved_by=quota.role).exclude(pk=quota.role.pk).order_by("position", "pk")
    roles = [quota.role.name, *others.values_list("name", flat=True)[: len(_PEOPLE) - 1]]
    for ago, ((number, first, _), role) in enumerate(zip(_PEOPLE, roles, strict=False), start=1):
        yield _person(number, first, place) | {
            "system": quota.system.name,
            "user_id": f"SAMPLE0{ago}",
            "role": role,
            "role_status": "Active",
            "requested_on": (on - timedelta(days=310)).isoformat(),
            "granted_on": (on - timedelta(days=300)).isoformat(),
            "last_login_on": (on - timedelta(days=7 * ago)).isoformat(),
            "last_certified_on": (on - timedelta(days=100)).isoformat(),
            "approver": "Ada Sample",
        }


SAMPLES: Final[Mapping[str, Sample]] = {
    "people": Sample(PEOPLE_FIELDS, Action.IMPORT_PEOPLE, people_rows),
    "accounts": Sample(ACCOUNT_FIELDS, Action.IMPORT_ACCOUNTS, account_rows),
}


def sample_file(kind: str, form: str, *, place: Facility, on: date) -> HttpResponseBase:
    """Return a sample list as a download. Raises KeyError for a kind or form that there is not."""
    sample = SAMPLES[kind]
    fields = [field for field in sample.fields if field.name not in _LEFT_OUT]
    titles = [title_of(field) for field in fields]
    rows = [[row.get(field.name, "") for field in fields] for row in sample.rows(place, on)]
    name = f"sample-{kind}"
    return {"csv": csv_file, "xlsx": _workbook}[form](name, titles, rows)


def _workbook(name: str, titles: Iterable[str], rows: Iterable[Iterable[str]]) -> HttpResponse:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sample")
    sheet.append(list(titles))
    for row in rows:
        sheet.append([safe_cell(value) for value in row])
    held = BytesIO()
    book.save(held)
    answer = HttpResponse(held.getvalue(), content_type=XLSX)
    answer["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    answer["Cache-Control"] = "no-store"
    return answer
