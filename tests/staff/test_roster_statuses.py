"""Words of a status column: leaving, being on leave, and words that may mean either."""

import pytest

from staff.roster.statuses import Status, read_statuses
from tests.conftest import TODAY


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
        ("Terminated - Not Eligible for Rehire", Status.LEFT),
        ("Terminated: eligible for rehire", Status.LEFT),
        ("Terminated - No Call/No Show", Status.LEFT),
        ("TerminatedVoluntary", Status.LEFT),
        ("Involuntarily terminated", Status.LEFT),
        ("Resigned without notice", Status.LEFT),
        ("Resigned - no notice given", Status.LEFT),
        ("Retired 2024", Status.LEFT),
        ("Terminated 12/31/2025", Status.LEFT),
        ("Terminated effective 2026-11-19", Status.LEFT),
        ("Separated 20260105", Status.LEFT),
        ("Termination Code 12", Status.LEFT),
        ("Termination", Status.LEFT),
        ("Termination - Voluntary", Status.LEFT),
        ("Resigning", Status.UNKNOWN),
        ("Resigning - last day 12/31/2025", Status.UNKNOWN),
        ("Resignation received", Status.UNKNOWN),
        ("Termination in process", Status.UNKNOWN),
        ("Retiring", Status.UNKNOWN),
        ("Not terminated", Status.UNKNOWN),
        ("Terminated - not yet", Status.UNKNOWN),
        ("Terminated: No", Status.UNKNOWN),
        ("Terminated 12/31/2026", Status.UNKNOWN),
        ("Terminated effective 1/5", Status.UNKNOWN),
        ("Terminated 5.12.2026", Status.UNKNOWN),
        ("Retired 2026", Status.UNKNOWN),
        ("Resigned in January", Status.UNKNOWN),
        ("Resigned effective Friday", Status.UNKNOWN),
        ("Resigned, then rehired", Status.UNKNOWN),
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
    assert read_statuses([word], on=TODAY)[0] == {word: status}


def test_inactive_beside_terminated_is_no_leaver_and_told():
    meant, notes = read_statuses(["Active", "Inactive", "Terminated"], on=TODAY)
    assert meant["Inactive"] is Status.LEAVE
    assert "Inactive" in notes[0]


def test_words_that_nobody_understands_are_told_and_empty_cells_are_not():
    meant, [note] = read_statuses(["Active", "Xq", ""], on=TODAY)
    assert meant[""] is Status.UNKNOWN
    assert "“Xq”" in note
