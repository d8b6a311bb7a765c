"""Whose account a row means, whatever it says: its person or nobody, never somebody else."""

from hypothesis import given
from hypothesis import strategies as st

from accounts.policy.holders import Holder, Holders, Wanted, id_key
from accounts.policy.missing import Owner, may_mean
from staff.policy import Rejection
from staff.policy.names import full_name

FIRST = ("Ada", "Bob", "Cleo", "Ada Mae")
LAST = ("Example", "Sample", "O’Test")
AUTHORITY = 7


@st.composite
def registers(draw):
    """People with few names, so that namesakes are common; some without number, address or user ID."""
    people = []
    for key in range(1, draw(st.integers(1, 8)) + 1):
        user_ids = frozenset({(AUTHORITY, id_key(f"USER{key}"))}) if draw(st.booleans()) else frozenset()
        people.append(
            Holder(
                key,
                draw(st.sampled_from(FIRST)),
                draw(st.sampled_from(LAST)),
                f"00{key}" if draw(st.booleans()) else "",
                f"p{key}@x.example" if draw(st.booleans()) else "",
                frozenset(draw(st.sets(st.sampled_from([1, 2]), min_size=1))),
                user_ids,
            )
        )
    return people


def row_of(person, says, facility):
    """Return a row that tells what ``says`` names of a person."""
    user_id = f"user{person.key}" if person.user_ids and "user_id" in says else ""
    named = "name" in says
    return Wanted(
        person.first_name if named else "",
        person.last_name if named else "",
        person.number.lstrip("0") if "number" in says else "",
        person.email if "email" in says else "",
        user_id,
        AUTHORITY,
        facility,
    )


SAYS = st.sets(st.sampled_from(["name", "number", "email", "user_id"]), min_size=1)


@given(registers(), st.data())
def test_a_row_about_one_person_is_hers_or_nobodys(people, data):
    person = data.draw(st.sampled_from(people))
    row = row_of(person, data.draw(SAYS), data.draw(st.sampled_from([1, 2])))
    found = Holders(people).find(row)
    namesakes = [each.key for each in people if full_name(each) == full_name(person)]
    assert isinstance(found, str) or found == person.key or (not _key(row) and found in namesakes)
    if _key(row):
        assert found == person.key


def _key(row):
    return row.number or row.email or row.user_id


@given(registers(), st.data())
def test_a_row_that_mixes_two_people_is_nobodys(people, data):
    one, other = data.draw(st.sampled_from(people)), data.draw(st.sampled_from(people))
    mine, theirs = row_of(one, {"name", "email"}, 1), row_of(other, {"number", "user_id"}, 1)
    mixed = Wanted(mine.first_name, mine.last_name, theirs.number, mine.email, theirs.user_id, AUTHORITY, 1)
    found = Holders(people).find(mixed)
    if one.key == other.key or not _key(theirs):
        return
    if mine.email or full_name(one) != full_name(other):
        assert isinstance(found, str)
    else:
        assert found == other.key, "two people of one name: the key decides"


def test_a_row_that_was_not_taken_may_be_about_whom_it_names_or_nearly_names():
    carol = Owner("Carol", "Branch", "0012", "carol@x.example")
    for row in (
        Rejection(2, "", "", first_name="Carrol", last_name="Brnach"),
        Rejection(2, "", "", first_name="Carol", last_name="Newname"),
        Rejection(2, "", "", first_name="C.", last_name="Branch"),
        Rejection(2, "", "", number="12", first_name="Somebody", last_name="Else"),
        Rejection(2, "", "", email="carol@x.example"),
        Rejection(2, "", ""),
    ):
        assert may_mean(row, carol), row
    for row in (
        Rejection(2, "", "", first_name="Konrad", last_name="Zimmermann"),
        Rejection(2, "", "", first_name="Walter", last_name="Branch"),
        Rejection(2, "", "", email="walter@x.example"),
    ):
        assert not may_mean(row, carol), row
