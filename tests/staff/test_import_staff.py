"""`manage.py import_staff` by its contract: messy rosters in, joiners, movers and leavers out, nothing on doubt."""

import json
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import call_command

from audit.commands import CommandFailed
from audit.models import AuditEvent, AuditItem
from facilities.access import NotAllowed
from imports.models import Import, ImportRow
from staff.models import Employment, Person
from staff.services.rosters import import_roster
from tests import factories
from tests.conftest import NOON, TODAY
from tests.imports.workbooks import write_workbook

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

DATA = Path(__file__).parent.parent / "data" / "rosters"
HEADER = "employee_number,first_name,last_name,email,phone,job_title,ccn,start_date,end_date,status"
ADA = "A1,Ada,Example,ada@example.org,555-0101,Nurse,015009,2020-01-01,,active"
BOB = "B2,Bob,Sample,bob@example.org,555-0102,Nurse,015009,2020-02-01,,active"
CLEO = "C3,Cleo,O’Test,cleo@example.org,,Cook,015009,2020-03-01,,active"
DAN = "D4,Dan,Placeholder,dan@example.org,,Nurse,015010,2020-04-01,,active"


@pytest.fixture
def places(db):
    """An organization with two facilities and nobody in them."""
    organization = factories.OrganizationFactory(slug="riverside", name="Riverside Care")
    factories.FacilityFactory(organization=organization, name="Oak House", ccn="015009")
    factories.FacilityFactory(organization=organization, name="Elm House", ccn="015010")
    return organization


@pytest.fixture
def bring(tmp_path, places):
    """Import rows below the contract's header (or a file) at noon and return the document."""

    def run(*rows, on=TODAY, header=HEADER, **options):
        path = rows[0] if rows and isinstance(rows[0], Path) else tmp_path / "roster.csv"
        if path.parent == tmp_path and path.suffix == ".csv":
            path.write_text("\n".join([header, *rows]) + "\n")
        with time_machine.travel(NOON + (on - TODAY), tick=False):
            out = StringIO()
            try:
                call_command("import_staff", str(path), organization="riverside", json=True, stdout=out,
                             stderr=StringIO(), **options)  # fmt: skip
            except CommandFailed:
                return json.loads(out.getvalue()) | {"exit": 1}
        return json.loads(out.getvalue()) | {"exit": 0}

    return run


def counted(document):
    keys = ("joiners", "movers", "leavers", "updated", "unchanged")
    return {key: document[key] for key in keys if document[key]}


def at_work(on=TODAY):
    times = Employment.objects.in_force(on).select_related("person", "facility")
    return sorted((str(time.person), time.facility.name, time.job_title) for time in times)


def stored():
    tables = (Person, Employment, Import, ImportRow, AuditEvent, AuditItem)
    return [list(model.objects.order_by("pk").values_list()) for model in tables]


def test_new_people_are_added_and_the_same_file_writes_nothing(bring):
    document = bring(ADA, BOB, DAN)
    assert (document["exit"], document["rows"], counted(document)) == (0, 3, {"joiners": 3})
    assert at_work() == [
        ("Ada Example", "Oak House", "Nurse"),
        ("Bob Sample", "Oak House", "Nurse"),
        ("Dan Placeholder", "Elm House", "Nurse"),
    ]
    ada = Person.objects.get(employee_number="A1")
    assert (ada.email, ada.phone, ada.employments.get().valid_from) == ("ada@example.org", "555-0101", date(2020, 1, 1))
    before = stored()
    assert counted(bring(ADA, BOB, DAN)) == {"unchanged": 3}
    assert stored() == before


def test_a_dry_run_says_the_same_and_writes_nothing(bring):
    before = stored()
    document = bring(ADA, BOB, dry_run=True)
    assert (document["dry_run"], document["import"], counted(document)) == (True, None, {"joiners": 2})
    assert stored() == before


def test_joiner_mover_leaver_and_contact_in_one_file(bring):
    bring(ADA, BOB, CLEO, DAN)
    document = bring(
        ADA.replace("555-0101", "555-0199"),
        BOB.replace(",015009,", ",015010,"),
        DAN.replace("Nurse", "Director"),
        "E5,Eve,New,,,Cook,015009,2026-11-20,,active",
        on=TODAY + timedelta(days=5),
    )
    assert counted(document) == {"joiners": 1, "movers": 2, "leavers": 1, "updated": 1}
    assert at_work(TODAY + timedelta(days=6)) == [
        ("Ada Example", "Oak House", "Nurse"),
        ("Bob Sample", "Elm House", "Nurse"),
        ("Dan Placeholder", "Elm House", "Director"),
        ("Eve New", "Oak House", "Cook"),
    ]
    voided = Employment.objects.exclude(voided_at=None)
    assert voided.count() == 3
    assert all(Employment.objects.known().filter(person=time.person, valid_from=time.valid_from) for time in voided)


def test_one_act_is_recorded_with_an_item_for_each_person_and_no_personal_value(bring, places):
    document = bring(ADA, BOB)
    [event] = AuditEvent.objects.filter(chain=places.key)
    assert (event.action, event.item_count) == ("staff.imported", 2)
    assert event.subject_key == f"import:{document['import']}"
    items = [json.loads(item.payload) for item in AuditItem.objects.of_event(event.pk)]
    assert {item["subject"] for item in items} == {person.key for person in Person.objects.all()}
    assert items[0]["kind"] == "joiner"
    assert "Ada" not in json.dumps(items)
    call_command("verify_audit", stdout=StringIO(), stderr=StringIO())


def test_a_rejected_row_is_told_with_file_line_column_and_reason_and_protects_its_person(bring, tmp_path):
    bring(ADA, BOB, CLEO)
    document = bring(ADA, BOB.replace("2020-02-01", "02/30/2020"))
    [rejected] = document["rejected"]
    assert rejected == {
        "file": str(tmp_path / "roster.csv"),
        "line": 3,
        "column": "start_date",
        "reason": "“02/30/2020”: there is no such day",
    }
    assert counted(document) == {"leavers": 1, "unchanged": 1}
    assert Employment.objects.known().get(person__employee_number="C3").valid_to == TODAY
    assert Employment.objects.known().get(person__employee_number="B2").valid_to is None


@pytest.mark.parametrize("broken", ["B2,Bob", ",,,,,,015009,,,", "X9,Zoe,Other,,,,019999,,,"])
def test_a_row_that_may_be_about_anybody_lets_nobody_leave_and_says_so(bring, broken):
    bring(ADA, BOB, CLEO)
    document = bring(ADA, broken)
    assert len(document["rejected"]) == 1
    assert (document["leavers"], document["held_back"]) == (0, 2)
    assert "line 3" in document["notes"][0]
    assert len(at_work(TODAY + timedelta(days=1))) == 3


def test_strict_refuses_all_for_a_single_rejected_row(bring):
    before = stored()
    document = bring(ADA, "B2,Bob", strict=True)
    assert (document["exit"], document["errors"][0]["code"], len(document["rejected"])) == (1, "rejected", 1)
    assert stored() == before
    assert bring(ADA, BOB, strict=True)["exit"] == 0


def test_the_brake_refuses_the_whole_file_unless_many_really_left(bring):
    people = [f"N{n},First{n},Last{n},,,Nurse,015009,2020-01-01,,active" for n in range(10)]
    bring(*people)
    before = stored()
    document = bring(*people[:4])
    assert (document["exit"], document["errors"][0]["code"], document["leavers"]) == (1, "mass_leavers", 6)
    assert "Oak House would lose 6 of 10" in document["errors"][0]["message"]
    assert stored() == before
    assert counted(bring(*people[:4], allow_mass_leavers=True)) == {"leavers": 6, "unchanged": 4}


def test_a_secret_column_refuses_the_file_by_its_name_and_stores_nothing(bring):
    before = stored()
    document = bring(ADA + ",hunter2", header=HEADER + ",iQIES Password")
    assert (document["exit"], document["errors"][0]["code"]) == (1, "secret")
    assert "iQIES Password" in document["errors"][0]["message"]
    assert "hunter2" not in json.dumps(document)
    assert stored() == before


def test_a_secret_in_a_cell_refuses_the_file_without_repeating_it(bring):
    before = stored()
    document = bring(ADA + ",fine", BOB + ",SSN 123-45-6789", header=HEADER + ",Notes")
    [error] = document["errors"]
    assert (document["exit"], error["code"], error["line"], error["column"]) == (1, "secret", 3, "Notes")
    assert "6789" not in json.dumps(document)
    assert stored() == before
    assert bring(ADA + ",fine", BOB + ",asked for her badge", header=HEADER + ",Notes")["exit"] == 0


def test_a_file_without_a_column_it_needs_is_refused_and_says_what_it_looked_for(bring):
    document = bring("Ada,Example", header="First Name,Last Name")
    assert (document["exit"], document["errors"][0]["code"]) == (1, "missing_column")
    assert "Location" in document["errors"][0]["message"]
    assert "“First Name”" in document["errors"][0]["message"]


def test_what_is_no_roster_at_all_is_refused_in_words(bring, tmp_path):
    for name, content in {
        "a.xlsx": b"PK\x03\x04",
        "b.csv": b"",
        "c.csv": b"\x00\x01",
        "d.csv": HEADER.encode(),
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CommandFailed) as failed:
            call_command("import_staff", str(tmp_path / name), organization="riverside", json=True, stdout=StringIO(),
                         stderr=StringIO())  # fmt: skip
        assert failed.value.document["errors"][0]["message"]
        assert failed.value.document["rows"] == 0


def test_an_organization_that_is_not_there_is_refused(tmp_path, db):
    with pytest.raises(CommandFailed) as failed:
        call_command("import_staff", str(tmp_path / "a.csv"), organization="nowhere", stdout=StringIO(),
                     stderr=StringIO())  # fmt: skip
    assert failed.value.document["errors"][0]["code"] == "not_found"


def test_an_export_with_titles_totals_odd_columns_and_mistakes(bring):
    document = bring(DATA / "exported.csv")
    assert document["rows"] == 8
    assert counted(document) == {"joiners": 4, "unchanged": 1}
    assert [(row["line"], row["column"]) for row in document["rejected"]] == [(11, "Hire Date"), (12, "Location")]
    assert document["ignored_columns"] == ["Home Department", "Supervisor Email"]
    assert document["dates"]["start_date"] == "month/day/year"
    assert at_work() == [
        ("Ada Example", "Oak House", "MDS Coordinator"),
        ("Bob Sample Jr.", "Oak House", "Administrator"),
        ("Cleo O’Test", "Oak House", "Nurse"),
        ("Dan Placeholder", "Elm House", "Nurse"),
        ("Dan Placeholder", "Oak House", "Nurse"),
    ]
    assert Person.objects.get(employee_number="00101").email == "ada.example@example.org"
    again = bring(DATA / "exported.csv")
    assert counted(again) == {"unchanged": 5}


def test_semicolons_foreign_days_and_a_lost_zero(bring):
    document = bring(DATA / "semicolons.csv")
    assert counted(document) == {"joiners": 2}
    assert [(row["given"], row["ccn"]) for row in document["restored"]] == [("15009", "015009")]
    assert document["dates"] == {"start_date": "day.month.year"}
    assert Employment.objects.get(person__first_name="Zoë").valid_from == date(2020, 4, 3)


def test_a_workbook_says_the_same_as_its_csv(bring, tmp_path):
    bring(ADA, BOB)
    rows = [HEADER.split(",")] + [[None if cell == "" else cell for cell in row.split(",")] for row in (ADA, BOB, CLEO)]
    rows[1][7] = date(2020, 1, 1)
    rows[2][6] = 15009
    path = write_workbook(tmp_path / "roster.xlsx", {"Notes": [["hello"]], "Roster": rows})
    document = bring(path)
    assert counted(document) == {"joiners": 1, "unchanged": 2}
    assert "Roster" in document["notes"][0]


def test_another_tenants_people_and_facilities_are_never_seen(bring, places):
    other = factories.OrganizationFactory(slug="hilltop")
    summit = factories.FacilityFactory(organization=other, name="Summit House", ccn="015009")
    pine = factories.FacilityFactory(organization=other, name="Pine House", ccn="015011")
    stranger = factories.PersonFactory(organization=other, employee_number="A1", email="ada@example.org")
    factories.EmploymentFactory(facility=summit, person=stranger)
    document = bring(ADA, BOB.replace("015009", pine.ccn))
    assert (counted(document), len(document["rejected"])) == ({"joiners": 1}, 1)
    assert Employment.objects.filter(organization=other, voided_at=None, valid_to=None).count() == 1
    assert Person.objects.get(organization=places, employee_number="A1") != stranger


def test_coming_back_after_having_been_missing(bring):
    bring(ADA, BOB, CLEO)
    bring(ADA, BOB)
    assert counted(bring(ADA, BOB, CLEO, on=TODAY + timedelta(days=30))) == {"joiners": 1, "unchanged": 2}
    times = Employment.objects.known().filter(person__employee_number="C3").order_by("valid_from")
    assert [(time.valid_from, time.valid_to) for time in times] == [
        (date(2020, 3, 1), TODAY),
        (TODAY + timedelta(days=30), None),
    ]


def test_an_end_that_a_person_typed_outlives_a_roster_that_lags_behind(bring, places):
    bring(ADA, BOB)
    time = Employment.objects.get(person__employee_number="B2")
    Employment.objects.filter(pk=time.pk).update(valid_to=TODAY - timedelta(days=2), source=None)
    document = bring(ADA, BOB)
    assert (counted(document), document["still_listed"]) == ({"unchanged": 1}, [3])


def test_ten_times_the_people_cost_the_same_number_of_statements(bring, django_assert_max_num_queries):
    def people(count, prefix):
        return [f"{prefix}{n},First{n},Last{prefix}{n},,,Nurse,015009,2020-01-01,,active" for n in range(count)]

    with django_assert_max_num_queries(40):
        bring(*people(20, "S"))
    with django_assert_max_num_queries(40):
        bring(*people(20, "S"), *people(600, "T"))
    with django_assert_max_num_queries(8):
        assert counted(bring(*people(20, "S"), *people(600, "T"))) == {"unchanged": 620}


def test_people_read_lines(bring, tmp_path, capsys):
    (tmp_path / "roster.csv").write_text("\n".join([HEADER, ADA, "B2,Bob"]))
    call_command("import_staff", str(tmp_path / "roster.csv"), organization="riverside", stderr=StringIO())
    said = capsys.readouterr().out
    assert "line 3: the row has 2 cells" in said
    assert "2 rows read, 1 rejected. 1 joiner," in said


@pytest.mark.parametrize("name", ["carol", "henry", "audrey"])
def test_only_an_administrator_imports_a_roster(cast, tmp_path, name):
    path = tmp_path / "roster.csv"
    known = [f",{who},Test,{who}@example.org,,,015009,,,active" for who in ("Carol", "Henry")]
    path.write_text("\n".join([HEADER, *known, ADA]))
    before = stored()
    with pytest.raises(NotAllowed):
        import_roster(scope=cast.scope(name), path=path, at=NOON)
    assert stored() == before
    assert import_roster(scope=cast.scope("alice"), path=path, at=NOON).joiners == 1
