"""What people and spreadsheets do to provider lists between CMS's site and the import, and what no list may be."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.models import AuditEvent
from audit.services import Ref
from facilities.models import Provider
from imports.opening import FileRefused
from imports.providers import import_providers
from tests.facilities.test_ccn import as_a_spreadsheet_shows

DATA = Path(__file__).resolve().parent.parent / "data"
pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


def run(path):
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    return import_providers(paths=[path], at=at, actor=Ref("command:import_providers", "import_providers"))


def refused(path):
    """Return the refusal of a file; nothing may have been written."""
    with pytest.raises(FileRefused) as caught:
        run(path)
    assert not Provider.objects.exists()
    assert not AuditEvent.objects.filter(action="directory.imported").exists()
    return caught.value


def listed(tmp_path, *rows, header="CCN,Facility Name,City,State,ZIP Code", end="\n"):
    path = tmp_path / "list.csv"
    path.write_bytes(end.join([header, *rows, ""]).encode())
    return path


def nursing_homes():
    """Return the rows of the sample of August 2021, header first."""
    text = (DATA / "nursing_homes_2021.csv").read_bytes().decode("cp1252")
    return list(csv.reader(io.StringIO(text, newline="")))


def saved(tmp_path, rows, *, delimiter=",", end="\r\n", before="", encoding="utf-8"):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    path = tmp_path / "saved.csv"
    path.write_bytes((before + text.getvalue()).encode(encoding))
    return path


def test_a_list_through_a_spreadsheet_comes_back_whole_with_its_states_and_is_never_guessed_without(tmp_path):
    header, *rows = nursing_homes()
    given = [as_a_spreadsheet_shows(row[0]) for row in rows]
    damaged = [[text, *row[1:]] for text, row in zip(given, rows, strict=True)]
    changed = [
        {"line": line, "given": text, "ccn": row[0]}
        for line, (text, row) in enumerate(zip(given, rows, strict=True), start=2)
        if text != row[0]
    ]
    assert len(changed) > 5
    place = header.index("Provider State")
    unplaced = [row[:place] + row[place + 1 :] for row in [header, *damaged]]
    report = run(saved(tmp_path, unplaced))
    assert (report.restored, len(report.rejected)) == ([], len(changed))
    assert not Provider.objects.exclude(ccn__in=[row[0] for row in rows]).exists()

    path = saved(tmp_path, [header, *damaged])
    report = run(path)
    assert (report.restored, report.rejected) == ([{"file": str(path), **each} for each in changed], [])
    assert set(Provider.objects.values_list("ccn", flat=True)) == {row[0] for row in rows}


def test_a_lost_zero_before_a_suffix_makes_no_other_facility(tmp_path):
    report = run(listed(tmp_path, "15009001,BURNS,RUSSELLVILLE,AL,35653", "150090001,OTHER,ANDERSON,IN,46011"))
    assert [(row["given"], row["ccn"]) for row in report.restored] == [("15009001", "015009")]
    assert set(Provider.objects.values_list("ccn", flat=True)) == {"015009", "150090"}


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, 2),
        ({"before": "Provider Information\r\nas of 1 August 2021,,\r\n\r\n"}, 5),
        ({"before": "sep=;\r\n", "delimiter": ";"}, 3),
        ({"before": "\r\n\r\n", "delimiter": "\t", "encoding": "utf-16"}, 4),
        ({"end": "\r", "delimiter": "|"}, 2),
        ({"encoding": "utf-16-be"}, 2),
        ({"encoding": "cp1252"}, 2),
    ],
)
def test_the_same_list_saved_in_other_ways_gives_the_same_directory(tmp_path, options, line):
    header, first, *rows = nursing_homes()
    report = run(saved(tmp_path, [header, ["banana", *first[1:]], first, *rows], **options))
    assert [row["line"] for row in report.rejected] == [line]
    assert Provider.objects.count() == len(rows) + 1
    assert set(Provider.objects.values_list("name", flat=True)) == {" ".join(row[1].split()) for row in [first, *rows]}


@pytest.mark.parametrize(
    "spelt",
    ["cms certification number (ccn)", "CMS_CERTIFICATION_NUMBER_CCN", "CMS\u00a0Certification  Number (CCN) "]
    + ['"CMS Certification\nNumber (CCN)"', "Federal Provider Number", "Provider_ID", "PRVDR_NUM", "PROVNUM"]
    + ["Provider Number", "Facility ID", "\ufeffCCN", "Provider CCN"],
)
def test_the_column_of_the_number_is_known_however_it_is_spelt(tmp_path, spelt):
    path = listed(tmp_path, "BURNS,015009,AL,35653", header=f"Name,{spelt},State,Zip")
    assert run(path).created == 1


def test_a_provider_of_services_file_is_read_by_its_own_titles(tmp_path):
    header = "PRVDR_CTGRY_CD,PRVDR_NUM,FAC_NAME,ST_ADR,CITY_NAME,STATE_CD,ZIP_CD,PHNE_NUM,CRTFCTN_DT"
    run(listed(tmp_path, "01,10001,SOUTHEAST,1 ROSS CIR,DOTHAN,AL,36301,3347938701,19660701", header=header))
    found = Provider.objects.values_list("ccn", "name", "address", "city", "state", "zip_code", "phone").get()
    assert found == ("010001", "SOUTHEAST", "1 ROSS CIR", "DOTHAN", "AL", "36301", "3347938701")


def test_two_columns_of_one_name_are_fine_until_they_differ(tmp_path):
    path = listed(tmp_path, "015009,015009,A", "015010,015012,B", header="CCN,CCN,Name")
    report = run(path)
    assert (report.created, [row["line"] for row in report.rejected]) == (1, [3])
    assert "2 columns CCN" in report.rejected[0]["reason"]


def test_a_column_of_other_numbers_refuses_the_file(tmp_path):
    ids = [f"{number},SITE {number},EL PASO,TX,79938" for number in range(141000, 141030)]
    header = "Facility ID,Facility Name,City,State,ZIP Code"
    found = refused(listed(tmp_path, *ids, header=header))
    assert (found.code, found.column) == ("not_ccns", "Facility ID")
    assert refused(listed(tmp_path, *[each[1:] for each in ids], header=header)).code == "not_ccns"
    named = run(listed(tmp_path, *ids, header=header.replace("Facility ID", "CCN")))  # this says what it is
    assert (named.created, len(named.warnings)) == (30, 30)
    few = run(listed(tmp_path, *ids[:20], header=header))  # too few to judge by: each is told instead
    assert len([row for row in few.warnings if row["code"] == "state_conflict"]) == 20


def test_quotes_that_swallow_rows_refuse_the_file_and_one_broken_row_does_not(tmp_path):
    swallowed = ['015009,"BURNS,AL', "015010,COOSA,AL", '015012,"HIGHLANDS, A",AL']
    found = refused(listed(tmp_path, *swallowed, header="CCN,Name,State"))
    assert (found.code, found.line) == ("broken_quotes", 2)
    report = run(listed(tmp_path, '015009,"BURNS" B,AL', *swallowed[1:], header="CCN,Name,State"))
    assert (report.created, [row["line"] for row in report.rejected]) == (2, [2])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_number_state_and_zip_the_two_that_agree_are_believed(tmp_path, order):
    rows = ["315257,PLACE,WILLIAMSTOWN,PA,08094", "315257,PLACE,WILLIAMSTOWN,NJ,08094"]
    alone = run(listed(tmp_path, rows[0]))
    assert [(row["field"], row["code"]) for row in alone.warnings] == [
        ("state", "state_conflict"),
        ("zip", "zip_state"),
    ]
    assert Provider.objects.get().state == "NJ"
    run(listed(tmp_path, *[rows[place] for place in order]))
    assert Provider.objects.get().state == "NJ"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_row_whose_number_and_state_agree_is_kept_wherever_it_stands(tmp_path, order):
    rows = ["330103,OLEAN,BRADFORD,PA,16701", "330103,OLEAN,OLEAN,NY,14760"]
    report = run(listed(tmp_path, *[rows[place] for place in order]))
    assert [(row["field"], row["kept"], row["given"]) for row in report.conflicts] == [
        ("city", "OLEAN", "BRADFORD"),
        ("state", "NY", "PA"),
        ("zip", "14760", "16701"),
    ]
    assert (Provider.objects.get().state, report.created) == ("NY", 1)
    again = run(listed(tmp_path, *[rows[place] for place in order]))
    assert (again.created, again.updated, again.unchanged) == (0, 0, 1)
