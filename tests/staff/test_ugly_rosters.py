"""Rosters as people keep them: no row makes a person of nobody, and nobody leaves by what is not understood."""

import json
from contextlib import suppress
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from audit.commands import CommandFailed
from staff.full_names import no_name, remark_in
from staff.models import Person
from tests.conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
HEADER = "Emp ID,First Name,Last Name,Work Email,Job Title,CCN,Hire Date,Status"
CAROL = ",Carol,Test,carol@example.org,,015009,,Active"


@pytest.fixture
def bring(cast, tmp_path):
    """Return a function (rows, header) -> the command's document, with mass leavers allowed."""

    def run(*rows, header=HEADER):
        path, out = tmp_path / "list.csv", StringIO()
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        with time_machine.travel(NOON, tick=False), suppress(CommandFailed):
            call_command("import_staff", str(path), organization="riverside", json=True, stdout=out,
                         stderr=StringIO(), allow_mass_leavers=True)  # fmt: skip
        return json.loads(out.getvalue())

    return run


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("X1,N/A,N/A,,Nurse,015009,,", "Last Name", "nobody's name"),
        ("X1,#N/A,Example,,Nurse,015009,,", "Last Name", "nobody's name"),
        (",VACANT,VACANT,,Nurse,015009,,", "Last Name", "nobody's name"),
        (",Open,Position,,Nurse,015009,,", "Last Name", "nobody's name"),
        (",Henry (terminated),Test,,Clerk,015009,,", "Last Name", "holds a remark"),
        ("same as above,Ada,Example,,Nurse,015009,,", "Emp ID", "refers to another row"),
        ("X1,Ada,Example,,Nurse,ditto,,", "CCN", "refers to another row"),
        ("#SPILL!,Ada,Example,,Nurse,015009,,", "Emp ID", "spreadsheet error"),
        ("X1,Ada,Example,,Nurse,015009,Err:502,", "Hire Date", "spreadsheet error"),
        ("2026-05-03,Ada,Example,,Nurse,015009,,", "Emp ID", "made a day of this"),
        ("X1,Ada,Example,,Nurse,3.65E+05,,", "CCN", "no facility here"),
    ],
)
def test_a_row_about_nobody_adds_nobody_lets_nobody_go_and_names_its_cell(cast, bring, row, column, reason):
    before = Person.objects.count()
    document = bring(CAROL, row)
    refused = document["rejected"][0]
    assert (refused["line"], refused["column"]) == (3, column)
    assert reason in refused["reason"]
    assert (document["joiners"], document["leavers"], Person.objects.count()) == (0, 0, before)
    assert not cast.people["henry"].employments.filter(valid_to__isnull=False).exists()


LEFT = [CAROL, ",Ada,Example,,,015009,,Active"]  # without Henry


@pytest.mark.parametrize(
    "row",
    [
        *(",VACANT,VACANT,,Nurse,015009,,", ",,Vacant (RN),,Nurse,015009,,", ",To be,hired,,,,,"),
        *("P1,VACANT,VACANT,,,015009,,", ",N/A,N/A,,,015009,,", ",Anna,Open,,,9,,", ",,Open,,,015009,,"),
    ],
)
def test_a_row_that_names_nobody_holds_leavers_back(bring, row):
    document = bring(*LEFT, row)
    assert (len(document["rejected"]), document["leavers"], document["joiners"]) == (1, 0, 1)


def test_a_name_with_a_remark_holds_back_only_the_one_whom_it_may_be_about(cast, bring):
    document = bring(",Ada,Example,,,015009,,Active", ",Henry (terminated),Test,,Clerk,015009,,")
    assert (len(document["rejected"]), document["leavers"]) == (1, 1)
    assert cast.people["carol"].employments.filter(valid_to__isnull=False).exists()
    assert not cast.people["henry"].employments.filter(valid_to__isnull=False).exists()


def test_a_whole_name_with_a_remark_is_no_other_person(bring):
    document = bring("Carol Test - LOA,015009", '"Test, Henry (left 5/1)",015009', header="Name,CCN")
    assert [(row["line"], row["column"]) for row in document["rejected"]] == [(2, "Name"), (3, "Name")]
    assert (document["joiners"], document["leavers"]) == (0, 0)


@pytest.mark.parametrize("ccn", ["CCN 015-009", "ccn: 015009", "CCN#15009"])
def test_a_label_in_front_of_a_ccn_is_no_part_of_it(bring, ccn):
    document = bring(CAROL.replace("015009", ccn), ",Henry,Test,,,015009,,")
    assert (document["unchanged"], document["rejected"]) == (2, [])


@pytest.mark.parametrize("place", ["01-5009", "15009.0", "15009", "oak house", "Oak House (015009)"])
def test_a_column_of_facilities_may_hold_names_or_ccns(bring, place):
    header = HEADER.replace("CCN", "Facility")
    document = bring(CAROL.replace("015009", place), ",Henry,Test,,,Oak House,,", header=header)
    assert (document["unchanged"], document["rejected"]) == (2, [])


def test_an_address_in_the_column_of_phones_rejects_the_row(bring):
    header = HEADER.replace("Job Title", "Phone")
    [refused] = bring(",Carol,Test,,carol@example.org,015009,,", header=header)["rejected"]
    assert (refused["line"], refused["column"], refused["reason"]) == (2, "Phone", "this is an e-mail address")


def test_first_and_last_name_in_each_others_column_are_no_newcomer_and_no_leaver(bring):
    document = bring(",Henry,Test,,,015009,,", ",Test,Carol,,,015009,,")
    [refused] = document["rejected"]
    assert (refused["line"], refused["column"]) == (3, "First Name")
    assert (document["joiners"], document["leavers"], document["unchanged"]) == (0, 0, 1)
    document = bring(",Henry,Test,,,015009,,", "T9,Test,Carol,,,015009,,", ",Carol,Test,,,015009,,")
    assert (document["rejected"], document["joiners"], document["leavers"]) == ([], 1, 0), "both are there"


def test_a_misspelled_name_makes_no_leaver_tonight_and_none_tomorrow(cast, bring):
    for _ in range(2):
        document = bring(",Henri,Test,,,015009,,", CAROL)
        [refused] = document["rejected"]
        assert (refused["line"], refused["column"]) == (2, "Last Name")
        assert "may be Henry Test, who is missing in this file" in refused["reason"]
        assert (document["joiners"], document["leavers"], document["held_back"]) == (0, 0, 1)
    assert not cast.people["henry"].employments.filter(valid_to__isnull=False).exists()


def test_a_ccn_that_a_spreadsheet_made_a_number_names_the_facility_in_any_column(bring):
    document = bring(",Carol,Test,,,15009.0,,", header=HEADER.replace("CCN", "Facility"))
    assert (document["rejected"], document["unchanged"]) == ([], 1)


def test_a_nickname_in_brackets_is_the_person_herself(bring):
    document = bring(",Carol (CJ),Test,,,015009,,", ',Henry "Hank",Test,,,015009,,')
    assert (document["joiners"], document["leavers"], document["rejected"]) == (0, 0, [])


def test_blanks_and_marks_that_nobody_sees_change_nothing(bring):
    document = bring("\u00a0,Carol\u200b,\u00a0Test\ufeff,carol@example.org\u00a0,,\u200e015009,,\u00a0Active ",
                     ",Henry,Te\u00adst,,,015009,,")  # fmt: skip
    assert (document["unchanged"], document["joiners"], document["leavers"]) == (2, 0, 0)


@pytest.mark.parametrize("number", ["123-4\u200b5-6789", "123\u00a045\u00a06789", "12\u00ad3-45-6789"])
def test_a_secret_behind_marks_that_nobody_sees_refuses_the_file(bring, number):
    document = bring(f"X1,Ada,Example,,{number},015009,,")
    assert document["errors"][0]["code"] == "secret"
    assert (document["errors"][0]["line"], document["errors"][0]["column"]) == (2, "Job Title")


def test_of_two_columns_with_one_title_the_answer_says_which_is_read(bring):
    document = bring(CAROL + ",Terminated", ",Henry,Test,,,015009,,Active,Active", header=HEADER + ",Status")
    assert "Several columns are called “Status”: column 8 is read, the others are not." in document["notes"]
    assert document["leavers"] == 0


@pytest.mark.parametrize(
    ("first", "last"),
    [("Na", "Li"), ("Carol", "Null"), ("Anna", "Open"), ("Carol (CJ)", "Test"), ("Mary-Ann", "O’Left"), ("Jo", "Same")],
)
def test_names_that_look_like_words_are_names(first, last):
    assert no_name(first, last) == remark_in(f"{first} {last}") == ""


def test_what_is_counted_is_told_in_singular_and_plural(bring):
    one = bring(CAROL, "Grand Total,,,,1,,1.0,(1)")
    assert "1 row that tells of no person was left out, such as a total or a remark." in one["notes"]
    two = bring(CAROL, "Total,,,,,,,", "Printed 11/20/2026,,,,,,,")
    assert "2 rows that tell of no person were left out, such as a total or a remark." in two["notes"]
