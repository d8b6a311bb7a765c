"""ZIP codes: what comes back, what is refused, which state a ZIP lies in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facilities.ccn import ZipKind, read_zip, state_of_zip
from tests.facilities.shipped import shipped_rows


@pytest.mark.parametrize(
    ("typed", "state", "zip_code", "plus_four"),
    [
        ("35653", "AL", "35653", ""),
        (" 35653 ", "AL", "35653", ""),
        ("35653.0", "AL", "35653", ""),
        ("'07030", "NJ", "07030", ""),
        ('="07030"', "NJ", "07030", ""),
        ("275263602", "NC", "27526", "3602"),
        ("27526-3602", "NC", "27526", "3602"),
        ("27526\u20133602", "NC", "27526", "3602"),
        ("27526 3602", "NC", "27526", "3602"),
        ("35653-", "AL", "35653", ""),
        ("35653", "", "35653", ""),
        ("35653", "TX", "35653", ""),
    ],
)
def test_whole_zips_are_accepted_whatever_the_state(typed, state, zip_code, plus_four):
    read = read_zip(typed, state=state)
    assert (read.kind, read.zip_code, read.plus_four) == (ZipKind.ACCEPTED, zip_code, plus_four)


@pytest.mark.parametrize(
    ("typed", "state", "zip_code", "plus_four"),
    [
        ("7030", "NJ", "07030", ""),
        ("7030.0", "NJ", "07030", ""),
        ("2115", "MA", "02115", ""),
        ("907", "PR", "00907", ""),
        ("802", "VI", "00802", ""),
        ("56416360", "VT", "05641", "6360"),
        ("5641-6360", "VT", "05641", "6360"),
    ],
)
def test_lost_zeros_come_back_only_in_the_state_that_has_the_zip(typed, state, zip_code, plus_four):
    read = read_zip(typed, state=state)
    assert (read.kind, read.zip_code, read.plus_four) == (ZipKind.RESTORED, zip_code, plus_four)
    assert read_zip(typed, state="TX").kind is ZipKind.REFUSED
    assert read_zip(typed).kind is ZipKind.REFUSED


@pytest.mark.parametrize(
    "typed", ["333071", "12", "1", "1234567", "ABCDE", "3565O", "K1A 0B1", "35653-12", "-35653-1", "N/A"]
)
def test_other_lengths_and_letters_are_refused_not_cut(typed):
    assert (read_zip(typed, state="FL").kind, read_zip(typed, state="FL").zip_code) == (ZipKind.REFUSED, "")


@pytest.mark.parametrize("typed", ["", "  ", "\ufeff"])
def test_an_empty_zip_is_missing(typed):
    assert read_zip(typed, state="AL").kind is ZipKind.MISSING


@pytest.mark.parametrize(
    ("zip_code", "state"),
    [
        ("35653", "AL"),
        ("06390", "NY"),
        ("06391", "CT"),
        ("83414", "WY"),
        ("83415", "ID"),
        ("96799", "AS"),
        ("96913", "GU"),
    ]
    + [
        ("96950", "MP"),
        ("96953", "GU"),
        ("00907", "PR"),
        ("00802", "VI"),
        ("88510", "TX"),
        ("73301", "TX"),
        ("05501", "MA"),
    ]
    + [("20500", "DC"), ("20101", "VA"), ("56901", "DC"), ("34001", None), ("09012", None), ("00001", None)],
)
def test_the_first_digits_name_the_state(zip_code, state):
    assert state_of_zip(zip_code) == state


def test_the_prefixes_agree_with_the_lists_but_for_known_wrong_rows():
    pairs = [(row["state"], row["zip_code"]) for row in shipped_rows() if row["state"] and row["zip_code"]]
    wrong = [pair for pair in pairs if state_of_zip(pair[1]) != pair[0]]
    assert len(pairs) > 40_000
    assert len(wrong) / len(pairs) < 0.0003


@given(st.text(max_size=20), st.sampled_from(["", "AL", "NJ", "PR"]))
def test_no_text_breaks_the_reading(text, state):
    read = read_zip(text, state=state)
    assert (len(read.zip_code) == 5) == (read.kind in (ZipKind.ACCEPTED, ZipKind.RESTORED))
    assert read.zip_code or read.why
