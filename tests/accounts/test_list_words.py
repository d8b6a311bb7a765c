"""Words of a status column: understood where they say one thing, and left to a person where they say two."""

import pytest

from accounts.lists.words import State, read_state


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("", State.ACTIVE),
        ("Active - MFA enrolled", State.ACTIVE),
        ("Status: Active", State.ACTIVE),
        ("Approved by J. Smith", State.ACTIVE),
        ("Pending approval", State.REQUESTED),
        ("Account disabled", State.DISABLED),
        ("Disabled due to inactivity", State.DISABLED),
        ("User is locked", State.LOCKED),
        ("Access revoked", State.ROLES_REVOKED),
        ("Role revoked on 3 May", State.ROLES_REVOKED),
        ("Inactive > 60 days", State.INACTIVE),
        ("Password expired", State.PASSWORD_EXPIRED),
        ("Active (locked)", State.UNKNOWN),
        ("Active – password expired", State.UNKNOWN),
        ("Pending removal", State.UNKNOWN),
        ("Pending recertification", State.UNKNOWN),
        ("Not approved", State.UNKNOWN),
        ("Unlocked", State.UNKNOWN),
        ("Quarantined", State.UNKNOWN),
    ],
)
def test_a_status_is_read_or_left_to_a_person(word, state):
    assert read_state(word) is state
