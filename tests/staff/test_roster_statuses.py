"""Words of a status column: leaving, being on leave, and words that may mean either."""

import pytest

from staff.roster.statuses import Status, read_statuses


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Active", Status.ACTIVE),
        ("Full-Time", Status.ACTIVE),
        ("PRN", Status.ACTIVE),
        ("On Leave", Status.LEAVE),
        ("LOA", Status.LEAVE),
        ("Active - Leave of Absence", Status.LEAVE),
        ("Leave (FMLA)", Status.LEAVE),
        ("Terminated", Status.LEFT),
        ("TERM", Status.LEFT),
        ("Terminated - Voluntary", Status.LEFT),
        ("Retired", Status.LEFT),
        ("Term'd", Status.LEFT),
        ("No longer employed", Status.LEFT),
        ("Terminated?", Status.UNKNOWN),
        ("Terminated 12/31", Status.UNKNOWN),
        ("Resigned - 2 weeks' notice", Status.UNKNOWN),
        ("Termination reversed", Status.UNKNOWN),
        ("Inactive", Status.LEFT),
        ("Xq", Status.UNKNOWN),
        ("", Status.UNKNOWN),
    ],
)
def test_a_word_alone(word, status):
    assert read_statuses([word])[0] == {word: status}


def test_inactive_beside_terminated_is_no_leaver_and_told():
    meant, notes = read_statuses(["Active", "Inactive", "Terminated"])
    assert meant["Inactive"] is Status.LEAVE
    assert "Inactive" in notes[0]


def test_words_that_nobody_understands_are_told_and_empty_cells_are_not():
    meant, [note] = read_statuses(["Active", "Xq", ""])
    assert meant[""] is Status.UNKNOWN
    assert "“Xq”" in note
