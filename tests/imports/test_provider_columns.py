"""Column names and lists through the years, by CMS's own header lines (tests/data/provider_headers.json)."""

import json
from pathlib import Path

import pytest

from imports.provider_columns import dataset_of, dataset_of_row, find_columns, vintage_of_file

HEADERS = json.loads((Path(__file__).resolve().parent.parent / "data" / "provider_headers.json").read_text())


@pytest.mark.parametrize("known", HEADERS, ids=lambda known: f"{known['dataset']} {known['vintage']}")
def test_the_ccn_column_of_each_published_header_is_found(known):
    columns = find_columns(known["columns"])
    assert columns.title("ccn") == known["ccn_column"]
    for field in ("name", "city", "state", "zip_code"):
        assert columns.title(field), field


def test_columns_that_only_sound_alike_are_not_taken():
    enrollment = next(known["columns"] for known in HEADERS if known["dataset"] == "SNF Enrollments")
    columns = find_columns(enrollment)
    assert (columns.title("state"), columns.title("name")) == ("STATE", "NURSING HOME PROVIDER NAME")
    assert find_columns(["NPI", "Provider State"]).title("ccn") == ""


@pytest.mark.parametrize(
    ("dataset", "file", "key"),
    [
        ("Nursing homes: Provider Information (4pq5-n9py)", "x.csv", "nursing-homes"),
        ("SNF Enrollments", "x.csv", "snf-enrollments"),
        ("Hospital General Information (xubh-q36u)", "x.csv", "hospitals"),
        ("Home Health Care Agencies (6jpm-sxkc)", "x.csv", "home-health"),
        ("Hospice General Information (yc9t-dgbk)", "Hospice_General-Information_May2026.csv", "hospices"),
        ("ASC Quality Measures: Facility", "x.csv", "surgical-centers"),
        ("Approved Transplant Programs", "x.csv", "transplant-programs"),
        ("Hospital Enrollments", "Hospital_Enrollments_2025.10.01.csv", "hospital-enrollments"),
        ("Home Health Agency Enrollments", "HHA_Enrollments_2025.10.01.csv", "home-health-enrollments"),
        ("Dialysis Facility: Listing by Facility (DFC_FACILITY)", "x.csv", "dialysis"),
        ("IRF Provider Data (measures)", "Inpatient_Rehabilitation_Facility-Provider_Data.csv", "rehabilitation"),
        ("LTCH Provider Data (measures)", "Long-Term_Care_Hospital-Provider_Data.csv", "long-term-care-hospitals"),
    ],
)
def test_a_list_is_known_by_its_columns_or_its_name(dataset, file, key):
    for known in HEADERS:
        if known["dataset"] == dataset:
            assert dataset_of(known["columns"], file) == key


def test_a_list_that_nothing_tells_apart_is_other():
    assert dataset_of(["CCN", "Name"], "list.csv") == "other"


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("Swing-Bed Unit PART A PROVIDER - HOSPITAL", "swing-beds"),
        ("PART A PROVIDER - SKILLED NURSING FACILITY", "snf-enrollments"),
        ("PART A PROVIDER - HOME HEALTH AGENCY", "home-health-enrollments"),
        ("PART A PROVIDER - RURAL HEALTH CLINIC (RHC)", "rural-health-clinics"),
        ("Medicare and Medicaid", "other"),
        ("", "other"),
    ],
)
def test_an_enrollment_row_says_its_own_kind(said, key):
    assert dataset_of_row("other", said) == key


@pytest.mark.parametrize(
    ("file", "vintage"),
    [
        ("SNF_Enrollments_2026.07.31.csv", "2026-07-31"),
        ("Approved_Transplant_Programs_20260702.csv.gz", "2026-07-02"),
        ("NH_ProviderInfo_Aug2021.csv", "2021-08"),
        ("Provider_Data_Sep2025.csv", "2025-09"),
        ("hospitals_07_2026.csv", "2026"),
        ("Hospital_General_Information_2026.csv", "2026"),
        ("list-2026-02.csv", "2026-02"),
        ("/lists/2019/Hospital_General_Information.csv", ""),
        ("nursing_homes_Feb2026.zip/NH_ProviderInfo.csv", "2026-02"),
        ("Market2020x.csv", "2020"),
        ("4pq5-n9py_1630425600.csv", ""),
        ("list_20261399.csv", ""),
    ],
)
def test_the_age_of_a_list_comes_from_its_name(file, vintage):
    assert vintage_of_file(file) == vintage
