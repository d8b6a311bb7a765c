"""Provider lists as CMS publishes them, from file to directory."""

import csv
import gzip
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from audit.commands import CommandFailed
from audit.models import AuditEvent, AuditItem
from audit.services import Ref
from facilities.models import Provider
from imports.opening import FileRefused
from imports.providers import import_providers

DATA = Path(__file__).resolve().parent.parent / "data"
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
IMPORT = Ref("command:import_providers", "import_providers")
pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


def run(*names, at=AT, **options):
    """Import files of tests/data or paths."""
    return import_providers(paths=[DATA / name for name in names], at=at, actor=IMPORT, **options)


def content():
    """Return the directory as it reads, without bookkeeping."""
    return list(Provider.objects.order_by("ccn").values("ccn", "name", "address", "city", "state", "zip_code", "phone"))


def codes(report):
    return sorted({(row["field"], row["code"]) for row in report.warnings})


@pytest.mark.parametrize(
    ("file", "rows", "facilities"),
    [
        ("providers_small.csv", 43, 43),
        ("nursing_homes_2021.csv", 56, 56),
        ("nursing_homes_2026.csv", 25, 25),
        ("hospices_2026.csv", 45, 45),
        ("hospitals_2012.csv", 8, 8),
        ("hospitals_2019.csv", 8, 8),
        ("hospitals_2026.csv", 18, 18),
        ("home_health_2018.csv", 5, 5),
        ("Inpatient_Rehabilitation_Facility-General_Information_2018.csv", 10, 10),
        ("dialysis_2018.csv", 7, 7),
        ("transplant_programs_20260702.csv", 12, 3),
        ("surgical_centers_2025.csv", 51, None),
        ("snf_enrollments_2026.csv", 19, 19),
        ("swing_beds_2026.csv", 9, 9),
    ],
)
def test_each_vintage_imports_without_a_rejected_row_and_again_without_a_change(file, rows, facilities):
    first = run(file)
    before = content()
    assert (first.rows, first.rejected, first.updated) == (rows, [], 0)
    assert first.created == len(before)
    assert facilities in (None, first.created)

    again = run(file, at=AT + timedelta(days=1))
    assert (again.created, again.updated, again.unchanged) == (0, 0, first.created)
    assert content() == before
    assert again.warnings == first.warnings


def test_values_land_in_their_fields():
    run("nursing_homes_2021.csv", "transplant_programs_20260702.csv", "snf_enrollments_2026.csv")
    home = Provider.objects.get(ccn="015009")
    assert (home.name, home.address, home.city) == ("BURNS NURSING HOME, INC.", "701 MONROE STREET NW", "RUSSELLVILLE")
    assert (home.state, home.zip_code, home.phone) == ("AL", "35653", "2563324110")
    assert (home.provider_type, home.subtype) == ("SNF", "Medicare and Medicaid")
    assert (home.dataset, home.vintage, home.first_seen_on) == ("nursing-homes", "2021-08-01", AT.date())
    heart = Provider.objects.get(ccn="019800")
    assert (heart.name, heart.provider_type) == ("UNIVERSITY OF ALABAMA HOSPITAL", "TXC")
    plus_four = Provider.objects.get(ccn="345500")
    assert (plus_four.zip_code, plus_four.plus_four, plus_four.name) == (
        "27526",
        "3602",
        "WINDSOR POINT CONTINUING CARE",
    )
    # one Windows-1252 byte after megabytes of ASCII
    assert Provider.objects.get(ccn="115384").name == "PRUITTHEALTH – CARROLLTON"


def test_suffixes_are_cut_and_blank_or_odd_rows_are_imported_with_a_word():
    report = run("snf_enrollments_2026.csv")
    assert Provider.objects.filter(ccn__in=["335506", "475020", "105319"]).count() == 3
    assert codes(report) == [("ccn", "type_mismatch"), ("state", "missing"), ("zip", "missing")]
    assert Provider.objects.get(ccn="225201").zip_code == ""
    odd = [row["line"] for row in report.warnings if row["code"] == "type_mismatch"]
    assert odd == [8, 9]


def test_zips_that_lost_zeros_come_back_and_six_digits_do_not():
    report = run("surgical_centers_2025.csv")
    assert codes(report) == [
        ("ccn", "type_mismatch"),
        ("state", "state_conflict"),
        ("zip", "invalid"),
        ("zip", "missing"),
        ("zip", "restored"),
    ]
    assert not Provider.objects.exclude(zip_code="").exclude(zip_code__regex=r"^[0-9]{5}$").exists()
    assert Provider.objects.filter(state="NJ", zip_code__startswith="07").exists()


def test_eight_digit_zips_and_addresses_elsewhere():
    report = run("swing_beds_2026.csv")
    assert ("state", "state_conflict") in codes(report)
    assert Provider.objects.filter(ccn="12Z303", state="HI").exists()  # number and ZIP agree against the row
    assert Provider.objects.filter(zip_code__startswith="0").count() == 3


def test_hospital_numbers_in_an_old_dialysis_list_do_not_overwrite_the_hospital(tmp_path):
    odd = [("100128", "FL"), ("170123", "KS"), ("100113", "FL")]
    hospital = tmp_path / "Hospital_General_Information_2017.csv"
    lines = "".join(f"{ccn},KNOWN HOSPITAL,X,{state},\n" for ccn, state in odd)
    hospital.write_text("Facility ID,Facility Name,City,State,ZIP Code\n" + lines)
    run(hospital)
    report = run("dialysis_2018.csv")
    assert report.created == 4
    hospitals = Provider.objects.filter(ccn__in=[ccn for ccn, _ in odd])
    assert set(hospitals.values_list("name", "dataset")) == {("KNOWN HOSPITAL", "hospitals")}
    assert not hospitals.filter(zip_code="").exists()  # blanks are filled all the same
    assert codes(report) == [("ccn", "type_mismatch")]


def test_a_newer_list_updates_and_an_older_one_only_fills_blanks():
    run("nursing_homes_2021.csv")
    report = run("nursing_homes_2026.csv")
    assert report.updated > 0
    assert report.created + report.updated + report.unchanged == 25
    newest = content()
    assert Provider.objects.get(ccn="015009").vintage == "2026-02-01"

    report = run("nursing_homes_2021.csv")
    assert (report.created, report.updated) == (0, 0)
    assert content() == newest
    # the other order ends in the same directory
    Provider.objects.all().delete()
    run("nursing_homes_2026.csv", "nursing_homes_2021.csv")
    assert content() == newest


def listed(tmp_path, *rows, header="CCN,Facility Name,City,State,ZIP Code", name="list.csv"):
    path = tmp_path / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_list_without_rows_is_taken_with_a_word_of_warning(tmp_path):
    report = run(listed(tmp_path))
    assert (report.rows, codes(report)) == (0, [("ccn", "no_rows")])
    with_a_row = listed(tmp_path, "675001,A HOUSE,AUSTIN,TX,78701", name="whole.csv")
    assert ("ccn", "no_rows") not in codes(run(with_a_row))


def test_a_facility_in_several_rows_counts_once_and_differences_are_conflicts(tmp_path):
    path = listed(
        tmp_path, "015009,BURNS,RUSSELLVILLE,AL,", "015009,Burns,,AL,35653", "015009,OTHER,RUSSELLVILLE,AL,35654"
    )
    report = run(path)
    assert (report.rows, report.created, report.updated, report.unchanged) == (3, 1, 0, 0)
    provider = Provider.objects.get()
    assert (provider.name, provider.zip_code) == ("BURNS", "35653")  # a later row fills the blank
    assert report.conflicts == [
        {
            "ccn": "015009",
            "field": "name",
            "kept": "BURNS",
            "given": "OTHER",
            "file": str(path),
            "line": 4,
            "kept_file": str(path),
            "kept_line": 2,
        }
    ]
    again = run(path)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 1)


def test_repeats_far_apart_give_the_same_as_repeats_side_by_side(tmp_path, monkeypatch):
    rows = [f"{ccn},NAME {ccn},TOWN,AL,35653" for ccn in ("015009", "015010", "015012")]
    path = listed(tmp_path, *rows, "015009,LATER,TOWN,AL,35653")
    near = run(path)
    expected, conflicts = content(), near.conflicts
    Provider.objects.all().delete()
    monkeypatch.setattr("imports.providers.BATCH", 1)
    far = run(path)
    assert (content(), far.conflicts, far.created, far.updated) == (expected, conflicts, 3, 0)
    assert len(conflicts) == 1


def test_a_spreadsheet_damaged_file_is_restored_with_the_state_and_reported(tmp_path):
    path = listed(
        tmp_path,
        "15009,BURNS,RUSSELLVILLE,AL,35653",
        "4.40E+233,HOME,TOWN,TN,37203",
        "3.00E+77,HOME,TOWN,NH,3301",
        "15010,NO STATE,TOWN,,35150",
        "15012,OTHER STATE,TOWN,TX,35768",
    )
    report = run(path)
    assert [(row["line"], row["given"], row["ccn"]) for row in report.restored] == [
        (2, "15009", "015009"),
        (3, "4.40E+233", "44E232"),
        (4, "3.00E+77", "30E076"),
    ]
    assert [row["line"] for row in report.rejected] == [5, 6]
    assert Provider.objects.get(ccn="30E076").zip_code == "03301"
    assert report.rows == 5 == report.created + len(report.rejected)


def test_a_rejected_row_names_file_line_column_and_reason_and_the_rest_is_written(tmp_path):
    path = listed(
        tmp_path, "Burns,BURNS,TOWN,AL,35653", "015010,GOOD,TOWN,AL,35150", "015012,SHORT", ",BLANK,TOWN,AL,1"
    )
    report = run(path)
    assert [(row["file"], row["line"], row["column"]) for row in report.rejected] == [
        (str(path), 2, "CCN"),
        (str(path), 4, ""),
        (str(path), 5, "CCN"),
    ]
    assert all(row["reason"] for row in report.rejected)
    assert [provider.ccn for provider in Provider.objects.all()] == ["015010"]


def test_strict_writes_nothing_when_a_row_is_rejected_and_everything_when_none_is(tmp_path):
    bad = listed(tmp_path, "Burns,BURNS,TOWN,AL,35653", "015010,GOOD,TOWN,AL,35150", name="bad.csv")
    good = listed(tmp_path, "015010,GOOD,TOWN,AL,35150", name="good.csv")
    report = run(bad, strict=True)
    assert (report.written, report.created, len(report.rejected)) == (False, 0, 1)
    assert not Provider.objects.exists()
    assert not AuditEvent.objects.filter(action="directory.imported").exists()
    assert run(good, strict=True).created == 1


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("list.csv", b"NPI,Name\n1346210291,A\n", "no_ccn_column"),
        ("list.csv.gz", gzip.compress(b"CCN,Name\n015010,A\n" * 999, mtime=0)[:-20], "damaged"),
        ("list.csv", b'CCN,Name\n015010,A\n015012,"B\n', "broken_quotes"),
        ("list.csv", b"CCN,Name\n015010,A\n015012,\x81\n", "unknown_encoding"),
        ("list.csv", b"", "empty"),
        ("list.xlsx", b"PK\x03\x04 a workbook", "damaged"),
    ],
)
def test_one_file_that_cannot_be_read_whole_undoes_the_whole_run(tmp_path, name, data, code):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(FileRefused) as refused:
        run("nursing_homes_2026.csv", path)
    assert (refused.value.code, refused.value.file) == (code, str(path))
    assert not Provider.objects.exists()
    assert not AuditEvent.objects.filter(action="directory.imported").exists()
    assert run("nursing_homes_2026.csv").created == 25


def test_an_archive_may_hold_several_lists_and_a_file_without_ccns(tmp_path):
    path = tmp_path / "nursing_homes.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("nursing_homes_2021.csv", "hospitals_2026.csv"):
            archive.write(DATA / name, f"lists/{name}")
        archive.writestr("averages.csv", "State,Average\nAL,3.1\n")
    report = run(path)
    assert report.created == 74
    assert [(row["file"], row["code"]) for row in report.warnings] == [(f"{path}/averages.csv", "skipped")]


def test_utf16_with_tabs_and_semicolons_give_the_same_directory(tmp_path):
    run("nursing_homes_2026.csv")
    expected = content()
    rows = list(csv.reader(io.StringIO((DATA / "nursing_homes_2026.csv").read_text(encoding="utf-8"))))
    for encoding, delimiter in (("utf-16", "\t"), ("cp1252", ";"), ("utf-8-sig", ",")):
        Provider.objects.all().delete()
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter).writerows(rows)
        path = tmp_path / "list.csv"
        path.write_bytes(text.getvalue().encode(encoding))
        assert run(path).created == 25
        assert content() == expected


def test_a_complete_list_ends_what_it_lacks_and_a_later_one_lists_it_again(tmp_path):
    header = "CCN,Provider Name,State,Number of Certified Beds"
    everyone = [f"0150{number},HOME {number},AL,50" for number in range(10, 90)]
    full = listed(tmp_path, *everyone, header=header, name="NH_ProviderInfo_Jan2026.csv")
    fewer = listed(tmp_path, *everyone[3:], header=header, name="NH_ProviderInfo_Feb2026.csv")
    run("hospitals_2026.csv", full)
    assert run(fewer).unlisted == 0  # not called complete
    report = run(fewer, complete=True)
    assert (report.unlisted, report.unchanged) == (3, 77)
    ended = Provider.objects.exclude(unlisted_on=None)
    assert sorted(ended.values_list("ccn", flat=True)) == ["015010", "015011", "015012"]
    assert Provider.objects.listed().filter(dataset="hospitals").count() == 18
    assert run(fewer, complete=True).unlisted == 0

    assert run(full).updated == 0  # an older list proves nothing
    newer = listed(tmp_path, *everyone, header=header, name="NH_ProviderInfo_Mar2026.csv")
    assert run(newer).updated == 3
    assert not ended.exists()


def test_a_list_that_would_end_a_fifth_is_not_complete_and_changes_nothing(tmp_path):
    header = "CCN,Provider Name,State,Number of Certified Beds"
    everyone = [f"0150{number},HOME {number},AL,50" for number in range(10, 90)]
    run(listed(tmp_path, *everyone, header=header))
    with pytest.raises(FileRefused) as refused:
        run(listed(tmp_path, *everyone[:55], header=header), complete=True)
    assert refused.value.code == "brake"
    assert not Provider.objects.exclude(unlisted_on=None).exists()


def test_a_run_is_one_act_in_the_chain_of_the_installation():
    run("nursing_homes_2026.csv", "hospitals_2026.csv")
    event = AuditEvent.objects.get(action="directory.imported")
    assert (event.chain, event.actor_key) == ("installation", "command:import_providers")
    payload = AuditItem.objects.get(event_id=event.pk).payload
    assert "nursing_homes_2026.csv" in payload
    assert str(DATA) not in payload


def test_a_file_of_rejected_rows_is_refused_before_its_report_fills_the_memory(tmp_path, monkeypatch):
    path = listed(tmp_path, "015010,GOOD,TOWN,AL,35150", *["Burns,BURNS,TOWN,AL,35653"] * 5)
    monkeypatch.setattr("imports.providers._MOST_REJECTED", 4)
    with pytest.raises(FileRefused) as refused:
        run(path)
    assert (refused.value.code, refused.value.line) == ("too_many_rejected", 7)
    assert not Provider.objects.exists()
    monkeypatch.setattr("imports.providers._MOST_REJECTED", 5)
    assert run(path).created == 1


def command(*arguments):
    """Return (exit code, document) of the command with --json."""
    out = io.StringIO()
    try:
        call_command("import_providers", *map(str, arguments), "--json", stdout=out, stderr=io.StringIO())
    except CommandFailed as exc:
        return exc.returncode, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_the_command_answers_with_the_keys_of_its_contract(tmp_path):
    code, document = command(DATA / "snf_enrollments_2026.csv")
    assert code == 0
    keys = {"rows", "created", "updated", "unchanged", "rejected", "restored", "warnings", "conflicts"}
    assert keys <= set(document)
    assert set(document["warnings"][0]) == {"file", "line", "field", "code", "message"}

    bad = listed(tmp_path, "Burns,BURNS,TOWN,AL,35653")
    code, document = command(bad)
    assert (code, document["rows"], document["created"]) == (0, 1, 0)
    assert set(document["rejected"][0]) == {"file", "line", "column", "reason"}
    code, document = command(bad, "--strict")
    assert (code, len(document["rejected"])) == (1, 1)

    code, document = command(tmp_path / "nothing.csv")
    assert (code, document["rows"], document["errors"][0]["code"]) == (1, 0, "unreadable")
    assert document["errors"][0]["file"].endswith("nothing.csv")


def test_statements_grow_with_batches_not_with_rows(tmp_path, django_assert_max_num_queries):
    rows = [f"{code}{number},HOME,TOWN,AL,35653" for code in ("01",) for number in range(5000, 5900)]
    path = listed(tmp_path, *rows)
    run(path)
    with django_assert_max_num_queries(20):
        assert run(path).unchanged == 900
