"""Whole names come apart as people write them."""

import pytest

from staff.full_names import split_name


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("Example, Ada", "Ada", "Example"),
        ("Ada Example", "Ada", "Example"),
        ("Ada M. Example", "Ada M.", "Example"),
        ("Example, Ada M.", "Ada M.", "Example"),
        ("Ada Example, RN", "Ada", "Example"),
        ("Example, Ada, RN, BSN", "Ada", "Example"),
        ("Example, Ada RN", "Ada", "Example"),
        ("Ada Example RN", "Ada", "Example"),
        ("Bob Sample Jr.", "Bob", "Sample Jr."),
        ("Sample, Bob, Jr.", "Bob", "Sample Jr."),
        ("Sample Jr., Bob", "Bob", "Sample Jr."),
        ("Ludwig van Sample", "Ludwig", "van Sample"),
        ("Maria de la Sample", "Maria", "de la Sample"),
        ("ANH DO", "ANH", "DO"),
        ("Anh Do", "Anh", "Do"),
        ("O’Example-Test, Ada", "Ada", "O’Example-Test"),
    ],
)
def test_a_name_comes_apart(text, first, last):
    assert split_name(text) == (first, last)


def test_the_title_of_the_column_says_that_the_last_name_comes_first():
    assert split_name("Example Ada", last_first=True) == ("Ada", "Example")
    assert split_name("van Example Ada", last_first=True) == ("Ada", "van Example")


@pytest.mark.parametrize("text", ["", "Ada", ",", "Ada,", "a, b, c"])
def test_what_cannot_be_told_apart_is_none(text):
    assert split_name(text) is None
