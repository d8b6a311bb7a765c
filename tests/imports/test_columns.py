"""Columns are known by their titles in any order, case and spacing; what is unknown is said, what is secret refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.columns import CERTAIN, LIKELY, guess_columns, secret_title, title_words
from staff.roster_columns import FIELDS, guess_roster, knows, missing_from


def fields_of(*header):
    return {name: column.title for name, column in guess_roster(list(header)).columns.items()}


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("employee_number", "employee_number"),
        ("Emp #", "employee_number"),
        ("EMPLOYEE  ID", "employee_number"),
        ("File Number", "employee_number"),
        ("Worker ID (Workday)", "employee_number"),
        ("First Name", "first_name"),
        ("LNAME", "last_name"),
        ("Name (Last, First)", "full_name"),
        ("Employee", "full_name"),
        ("E-Mail", "email"),
        ("Work Email Address", "email"),
        ("Cell Phone", "phone"),
        ("JobTitle", "job_title"),
        ("Position", "job_title"),
        ("CMS Certification Number (CCN)", "ccn"),
        ("Medicare Provider Number", "ccn"),
        ("Facility Name", "facility"),
        ("Work Location", "facility"),
        ("Hire Date", "start_date"),
        ("Date of Hire", "start_date"),
        ("Term Date", "end_date"),
        ("Hire Dt", "start_date"),
        ("Emp Nbr", "employee_number"),
        ("Ph", "phone"),
        ("Last Day Worked", "end_date"),
        ("Employment Status", "status"),
    ],
)
def test_a_title_is_known(title, field):
    assert fields_of(title) == {field: title}


@pytest.mark.parametrize(
    "title",
    ["Supervisor Email", "Manager Name", "Emergency Contact Phone", "Personal Email", "Marital Status",
     "Facility Phone", "Benefits Start Date", "Pay Rate", "Department", "Job Code", "Row", "#", "Leave Start Date"],
)  # fmt: skip
def test_what_belongs_to_somebody_or_something_else_is_left_out_and_said(title):
    guess = guess_roster([title])
    assert guess.columns == {}
    assert guess.unknown == (title,)


def test_the_better_of_two_titles_wins_wherever_it_stands():
    assert fields_of("Email", "Work Email", "Name", "CCN")["email"] == "Work Email"
    assert fields_of("Original Hire Date", "Hire Date")["start_date"] == "Hire Date"
    assert fields_of("Start Date (position)", "Start Date")["start_date"] == "Start Date"


def test_a_likeness_is_less_sure_than_a_known_title():
    columns = guess_roster(["Employee Number", "Main work email of worker"]).columns
    assert columns["employee_number"].confidence == CERTAIN
    assert columns["email"].confidence == LIKELY


def test_whole_names_give_way_to_first_and_last_name():
    guess = guess_roster(["Name", "First Name", "Last Name"])
    assert set(guess.columns) == {"first_name", "last_name"}
    assert guess.unknown == ("Name",)


def test_what_a_roster_needs_is_named_when_it_is_missing():
    assert missing_from(guess_roster(["Name", "CCN"])) == []
    [name] = missing_from(guess_roster(["Email", "CCN"]))
    assert "name" in name
    [facility] = missing_from(guess_roster(["First", "Last"]))
    assert "CCN" in facility
    assert knows(["Location", "Employee Name"])
    assert not knows(["Location", "First Name"])


@pytest.mark.parametrize(
    "title",
    ["SSN", "Social Security #", "Last 4 of SSN", "Password", "iQIES pwd", "DOB", "Date of Birth", "Birth Date", "PIN",
     "Security Answer 1", "Mother's Maiden Name", "TOTP secret", "Tax ID (TIN)", "BirthDate"],
)  # fmt: skip
def test_a_secret_column_is_recognised_by_its_title(title):
    assert secret_title(title)
    assert guess_roster([title]).secrets == ((title, secret_title(title)),)


@pytest.mark.parametrize(
    "title", ["Password changed on", "PW expires", "Shipping", "Position", "Spin class", "Dobson House", "Opinion"]
)
def test_a_word_about_a_secret_is_none(title):
    assert secret_title(title) is None


def test_words_of_a_title():
    assert title_words("Emp#") == ["emp", "number"]
    assert title_words("  JobTitle_Name ") == ["job", "title", "name"]


TITLES = st.sampled_from(sorted({title for field in FIELDS for title in field.titles} | {"Shoe size", "", "Pay"}))


@given(st.lists(TITLES, max_size=15), st.randoms())
def test_no_column_has_two_meanings_and_the_order_of_columns_decides_nothing_but_ties(titles, shuffled):
    guess = guess_columns(titles, FIELDS)
    positions = [column.position for column in guess.columns.values()]
    assert len(positions) == len(set(positions))
    assert len(positions) + len(guess.unknown) == sum(bool(title) for title in titles)
    other = list(titles)
    shuffled.shuffle(other)
    found = {name: column.title for name, column in guess_columns(other, FIELDS).columns.items()}
    assert found == {name: column.title for name, column in guess.columns.items()}
