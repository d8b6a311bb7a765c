"""A roster against the register: who joined, moved, left; and who is protected from a mistake of the reader."""

from datetime import date, timedelta

import pytest

from staff.policy import Kind, Rejection, Time
from staff.policy.leavers import is_too_many
from tests.staff.roster_world import ELM, OAK, ON, applied, compare, known, row, stint

TOMORROW = ON + timedelta(days=1)
YESTERDAY = ON - timedelta(days=1)


def kinds(result):
    return [str(change.kind) for change in result.changes]


def only(result):
    [change] = result.changes
    return change


def test_somebody_new_is_a_joiner_from_her_start_or_from_today():
    result = compare([row(2, starts_on=date(2026, 11, 1)), row(3, "Bob", number="7")], [])
    assert kinds(result) == ["joiner", "joiner"]
    assert {change.line: change.opened[0].starts_on for change in result.changes} == {2: date(2026, 11, 1), 3: ON}


def test_whoever_is_missing_left_today_and_her_time_is_voided_and_written_anew():
    people = [known(1, number="1"), known(2, "Bob", number="2")]
    change = only(compare([row(2, number="1")], people))
    assert change.kind is Kind.LEAVER
    assert change.person.key == 2
    assert change.voided == [people[1].stints[0]]
    assert change.opened == [Time(OAK, "Nurse", date(2020, 1, 1), ON)]


def test_nobody_leaves_a_facility_that_is_not_in_the_file():
    people = [known(1, number="1"), known(2, "Bob", "Example", "2", "", stint(2, ELM))]
    assert list(compare([row(2, number="1")], people).changes) == []


def test_whoever_starts_later_is_not_missing_yet():
    people = [known(1, number="1"), known(2, "Bob", "Example", "2", "", stint(2, starts_on=TOMORROW))]
    assert list(compare([row(2, number="1")], people).changes) == []


def test_the_person_of_a_rejected_row_never_leaves_while_others_do():
    people = [known(1, number="1"), known(2, "Bob", number="2"), known(3, "Cleo", number="3")]
    rejected = Rejection(3, "start_date", "no day", number="2", first_name="Bob", last_name="Example")
    result = compare([row(2, number="1")], people, [rejected])
    assert [change.person.key for change in result.changes] == [3]
    assert result.notes == []


@pytest.mark.parametrize(
    "rejected",
    [
        Rejection(3, "", "the row has 3 cells"),
        Rejection(3, "ccn", "unknown", number="99", last_name="Nobody"),
        Rejection(3, "ccn", "unknown", number="2", first_name="Zoe", last_name="Other"),
        Rejection(3, "ccn", "unknown", first_name="Bob", last_name="Example"),
    ],
)
def test_a_rejected_row_that_may_be_about_anybody_holds_all_leavers_back(rejected):
    people = [known(1, number="1"), known(2, "Bob", number="2"), known(3, "Cleo", number="3")]
    result = compare([row(2, number="1", phone="555-0100"), row(4, "Cleo", number="3", left=True)], people, [rejected])
    assert kinds(result) == ["updated"]
    assert "line 3" in result.notes[0]
    assert result.held_back >= 1


def test_numbers_come_before_addresses_and_names():
    people = [known(1, "Ada", "Example", "1", "ada@x.example"), known(2, "Bob", "Example", "2", "bob@x.example")]
    result = compare([row(2, "Ada", "Example", "1", "bob@x.example"), row(3, "Bob", "Example", "2")], people)
    [change] = result.changes
    assert (change.person.key, change.columns) == (1, {"email": "bob@x.example"})


def test_a_number_of_somebody_with_another_name_rejects_the_row_and_holds_leavers_back():
    people = [known(1, number="1"), known(2, "Bob", number="2")]
    result = compare([row(2, "Zoe", "Other", "1"), row(3, "Bob", number="2")], people)
    assert [(each.line, each.column) for each in result.rejected] == [(2, "employee_number")]
    assert list(result.changes) == []


def test_a_changed_last_name_is_the_same_person():
    change = only(compare([row(2, "Ada", "Married", "1")], [known(1, number="1")]))
    assert (change.kind, change.columns) == (Kind.UPDATED, {"last_name": "Married"})


def test_a_number_that_lost_its_zeros_is_found_and_keeps_them():
    assert compare([row(2, number="123")], [known(1, number="00123")]).unchanged == 1
    result = compare([row(2, "Bob", number="123")], [known(1, number="00123")])
    assert [each.column for each in result.rejected] == ["employee_number"]


def test_without_a_number_the_address_tells_who_it_is():
    change = only(compare([row(2, "Ada", "Married", "", "a@x.example")], [known(1, email="a@x.example")]))
    assert change.person.key == 1
    result = compare([row(2, "Zoe", "Other", "", "a@x.example")], [known(1, email="a@x.example")])
    assert [each.column for each in result.rejected] == ["email"]


def test_a_new_number_with_name_and_address_is_the_same_person():
    people = [known(1, number="1", email="a@x.example")]
    change = only(compare([row(2, number="901", email="a@x.example")], people))
    assert (change.kind, change.columns) == (Kind.UPDATED, {"number": "901"})


def test_a_mailbox_that_is_handed_on_makes_nobody_somebody_else():
    people = [known(1, "Ada", "Example", "1", "director@x.example")]
    result = compare([row(2, "Zoe", "Other", "2", "director@x.example")], people)
    assert sorted(kinds(result)) == ["joiner", "leaver"]
    assert [change.person for change in result.changes if change.kind is Kind.JOINER] == [None]


def test_the_name_counts_at_the_facility_and_only_when_it_is_unique_there():
    assert compare([row(2)], [known(1)]).unchanged == 1
    result = compare([row(2)], [known(1), known(2)])
    assert [each.column for each in result.rejected] == ["last_name"]
    assert list(result.changes) == []


def test_rows_with_nothing_but_a_name_at_two_facilities_are_the_one_person_who_works_at_both():
    people = [known(1, "Ada", "Example", "", "", stint(1), stint(2, ELM))]
    assert compare([row(2), row(3, facility=ELM)], people).unchanged == 1
    result = compare([row(2), row(3, facility=ELM)], [known(1)])
    assert kinds(result) == ["joiner"]
    assert result.unchanged == 1


def test_two_people_of_one_name_are_two_people():
    people = [known(1, number="1"), known(2, number="2")]
    assert compare([row(2, number="1"), row(3, number="2")], people).unchanged == 2
    assert kinds(compare([row(2, number="1"), row(3, number="2")], [])) == ["joiner", "joiner"]


def test_of_two_people_of_one_name_number_and_address_must_mean_the_same():
    people = [known(1, "Pat", "Smith", "1", "p1@example.org"), known(2, "Pat", "Smith", "2", "p2@example.org")]
    kept, crossed = row(2, "Pat", "Smith", "1", "p1@example.org"), row(3, "Pat", "Smith", "2", "p2@example.org")
    assert compare([kept, crossed], people).rejected == []
    result = compare([kept._replace(email="p2@example.org"), crossed._replace(email="p1@example.org")], people)
    assert [(each.line, each.column) for each in result.rejected] == [(2, "email"), (3, "email")]
    assert list(result.changes) == []


def test_one_name_twice_at_a_facility_without_number_and_address_is_left_for_a_decision():
    result = compare([row(2), row(3)], [])
    assert [each.line for each in result.rejected] == [2, 3]
    assert "lines 2 and 3" in result.rejected[0].reason


def test_one_person_twice_is_merged_when_the_rows_agree():
    result = compare([row(2, number="1", email="a@x.example"), row(3, number="1"), row(4, email="a@x.example")], [])
    assert kinds(result) == ["joiner"]
    assert result.merged == 2


@pytest.mark.parametrize(
    ("second", "column"),
    [
        (row(3, "Bob", number="1"), "first_name"),
        (row(3, number="1", email="b@x.example"), "email"),
        (row(3, number="1", job_title="Cook"), "job_title"),
        (row(3, number="1", starts_on=ON), "start_date"),
        (row(3, number="1", left=True), "status"),
        (row(3, number="2", email="a@x.example"), "email"),
    ],
)
def test_one_person_twice_is_rejected_when_the_rows_contradict_each_other(second, column):
    first = row(2, number="1", email="a@x.example", job_title="Nurse")
    if column not in ("job_title", "email"):
        second = second._replace(job_title="Nurse")
    people = [known(1, number="1"), known(2, "Cleo", number="3")]
    result = compare([first, second, row(4, "Cleo", number="3")], people)
    assert {(each.line, each.column) for each in result.rejected} == {(2, column), (3, column)}
    assert not any(change.kind is Kind.LEAVER for change in result.changes)


@pytest.mark.parametrize(
    "second",
    [
        row(3, email="a@x.example", facility=ELM, job_title="Director"),
        row(3, facility=ELM, job_title="Director"),
    ],
)
def test_rows_that_name_one_person_by_different_keys_never_change_her_twice(second):
    people = [known(1, "Ada", "Example", "1", "a@x.example", stint(1), stint(2, ELM))]
    first = row(2, number="1", job_title="Cook")
    result = compare([first, second], people)
    assert [(row.line, "another row of this file" in row.reason) for row in result.rejected] == [(3, True)]
    assert [(change.line, change.person.key) for change in result.changes] == [(2, 1)]
    assert [stint.facility for change in result.changes for stint in change.voided] == [OAK], "Elm House goes on"
    assert only(compare([second], people)).person.key == 1


@pytest.mark.parametrize("second", [row(3, number="2"), row(3, email="other@x.example")])
def test_a_namesake_with_another_number_or_address_is_somebody_new(second):
    people = [known(1, "Ada", "Example", "1", "a@x.example")]
    result = compare([row(2, number="1"), second], people)
    assert result.rejected == []
    assert [change.person for change in result.changes] == [None]


def test_one_person_at_two_facilities_has_two_times():
    result = compare([row(2, number="1"), row(3, number="1", facility=ELM)], [])
    assert [time.facility for time in only(result).opened] == [OAK, ELM]
    assert compare([row(2, number="1"), row(3, number="1", facility=ELM)], applied([], result)).unchanged == 1


def test_another_facility_is_a_move_and_ends_the_old_time_where_the_file_covers_it():
    people = [known(1, number="1"), known(2, "Bob", number="2")]
    records = [row(2, number="1", facility=ELM), row(3, "Bob", number="2")]
    change = only(compare(records, people))
    assert change.kind is Kind.MOVER
    assert change.opened == [Time(ELM, "", ON, None), Time(OAK, "Nurse", date(2020, 1, 1), ON)]
    assert only(compare(records[:1], people)).opened == [Time(ELM, "", ON, None)]


def test_another_job_is_a_move_and_the_old_one_was_true_until_yesterday():
    people = [known(1, number="1")]
    change = only(compare([row(2, number="1", job_title="Director")], people))
    assert change.kind is Kind.MOVER
    assert change.opened == [
        Time(OAK, "Nurse", date(2020, 1, 1), YESTERDAY),
        Time(OAK, "Director", ON, None),
    ]
    after = applied(people, compare([row(2, number="1", job_title="Director")], people))
    again = row(2, number="1", job_title="DIRECTOR", starts_on=date(2020, 1, 1))
    assert compare([again], after, on=TOMORROW).unchanged == 1


@pytest.mark.parametrize("starts_on", [date(2026, 11, 2), date(2027, 1, 4)])
def test_another_job_with_a_day_of_its_own_leaves_the_old_one_until_the_day_before(starts_on):
    people, listed = [known(1, number="1")], [row(2, number="1", job_title="Director", starts_on=starts_on)]
    change = only(compare(listed, people))
    assert change.kind is Kind.MOVER
    old = Time(OAK, "Nurse", date(2020, 1, 1), starts_on - (ON - YESTERDAY))
    assert change.opened == [old, Time(OAK, "Director", starts_on, None)]
    assert compare(listed, applied(people, compare(listed, people))).unchanged == 1


def test_a_job_that_was_unknown_is_filled_in_and_no_move():
    people = [known(1, "Ada", "Example", "1", "", stint(1, job=""))]
    change = only(compare([row(2, number="1", job_title="Director")], people))
    assert (change.kind, change.opened) == (Kind.UPDATED, [Time(OAK, "Director", date(2020, 1, 1), None)])


def test_an_end_to_come_is_kept_and_no_leaver_today():
    people = [known(1, number="1")]
    for left in (False, True):
        change = only(compare([row(2, number="1", ends_on=TOMORROW, left=left)], people))
        assert (change.kind, change.opened[0].ends_on) == (Kind.UPDATED, TOMORROW)
    after = applied(people, compare([row(2, number="1", ends_on=TOMORROW)], people))
    assert compare([row(2, number="1", ends_on=TOMORROW)], after).unchanged == 1
    assert compare([row(2, number="1")], after).unchanged == 1


def test_the_last_day_is_a_day_at_work():
    assert only(compare([row(2, number="1", ends_on=ON)], [known(1, number="1")])).kind is Kind.UPDATED
    assert only(compare([row(2, number="1", ends_on=YESTERDAY)], [known(1, number="1")])).kind is Kind.LEAVER


def test_a_status_of_leaving_ends_today_and_repeats_without_effect():
    people = [known(1, number="1")]
    result = compare([row(2, number="1", left=True)], people)
    assert only(result).opened == [Time(OAK, "Nurse", date(2020, 1, 1), ON)]
    assert compare([row(2, number="1", left=True)], applied(people, result)).unchanged == 1


def test_whoever_left_before_we_knew_her_is_not_taken_in():
    result = compare([row(2, number="1", left=True), row(3, "Bob", number="2", ends_on=date(2019, 1, 1))], [])
    assert (list(result.changes), result.unchanged) == ([], 2)


def test_an_end_before_the_known_start_rejects_the_row():
    result = compare([row(2, number="1", ends_on=date(2019, 1, 1))], [known(1, number="1")])
    assert [(each.column, "2020-01-01" in each.reason) for each in result.rejected] == [("end_date", True)]


def test_coming_back_opens_a_new_time():
    ended = stint(1, ends_on=date(2026, 3, 1))
    people = [known(1, "Ada", "Example", "1", "", ended)]
    new = only(compare([row(2, number="1", starts_on=date(2026, 11, 1))], people))
    assert (new.kind, new.voided, new.opened) == (Kind.JOINER, [], [Time(OAK, "Nurse", date(2026, 11, 1), None)])
    again = only(compare([row(2, number="1", starts_on=date(2020, 1, 1))], people))
    assert again.opened == [Time(OAK, "Nurse", ON, None)]


def test_a_roster_that_lags_behind_does_not_undo_an_end_that_a_person_typed():
    ended = stint(1, ends_on=date(2026, 11, 20), from_file=False)
    people = [known(1, "Ada", "Example", "1", "", ended)]
    result = compare([row(2, number="1", starts_on=date(2020, 1, 1))], people)
    assert (list(result.changes), result.still_listed) == ([], [2])
    assert only(compare([row(2, number="1", starts_on=date(2026, 11, 24))], people)).kind is Kind.JOINER


def test_a_corrected_start_voids_and_writes_anew_and_never_overlaps():
    people = [known(1, number="1")]
    change = only(compare([row(2, number="1", starts_on=date(2019, 5, 1))], people))
    assert (change.kind, change.opened) == (Kind.UPDATED, [Time(OAK, "Nurse", date(2019, 5, 1), None)])
    before = stint(2, starts_on=date(2018, 1, 1), ends_on=date(2019, 12, 1))
    people = [known(1, "Ada", "Example", "1", "", before, stint(1))]
    assert compare([row(2, number="1", starts_on=date(2019, 5, 1))], people).unchanged == 1


def test_empty_cells_and_capitals_change_nothing():
    people = [known(1, "Ada", "O’Brien", "1", "a@x.example", phone="(555) 010-0100")]
    assert compare([row(2, "ADA", "OBRIEN", "1", phone="1-555-010-0100")], people).unchanged == 1
    change = only(compare([row(2, "Ada", "O’Brien", "1", phone="555-010-0199")], people))
    assert change.columns == {"phone": "555-010-0199"}


def test_a_newcomer_with_the_name_of_somebody_missing_is_left_for_a_decision_and_nobody_ends():
    people = [known(1, number="1"), known(2, "Bob", number="2")]
    result = compare([row(2, number="901"), row(3, "Bob", number="2")], people)
    assert (kinds(result), [each.line for each in result.rejected], result.held_back) == ([], [2], 1)
    assert "Ada Example (1), who is missing in this file" in result.rejected[0].reason
    apart = [known(1, number="1", email="a@x.example"), people[1]]
    result = compare([row(2, number="901", email="z@x.example"), row(3, "Bob", number="2")], apart)
    assert sorted(kinds(result)) == ["joiner", "leaver"]


@pytest.mark.parametrize(
    ("one", "other", "hers"),
    [
        (("Wendy", "Thomas"), row(2, "Weny", "Thomas"), True),
        (("Wendy", "Thomas"), row(2, "Wedny", "Thoams"), True),
        (("Otto", "Nguyen"), row(2, "Otto", "Nguyen Jr."), True),
        (("Otto", "Nguyen"), row(2, "Otto M.", "Nguyen"), True),
        (("Ana", "Lopez-Diaz"), row(2, "Ana", "Lopez"), True),
        (("Ana", "Lopez"), row(2, "Lopezz", "Ana"), True),
        (("Eve", "Kim"), row(2, "Eve", "Brown"), True),
        (("Eve", "Kim"), row(2, "Eve", "Brown", starts_on=date(2026, 11, 16)), False),
        (("Eve", "Kim"), row(2, "Eve", "Brown", "77", starts_on=date(2020, 1, 1)), True),
        (("Rosa", "Davis"), row(2, "Rsa", "Davis", "77", starts_on=date(2026, 11, 16)), False),
        (("Rosa", "Davis"), row(2, "Bob", "Davis"), False),
        (("Rosa", "Davis"), row(2, "Bob", "Davis", "77", starts_on=date(2020, 1, 1)), False),
        (("Rosa", "Davis"), row(2, "Rsa", "Davis", facility=ELM), False),
    ],
)
def test_a_misspelled_or_married_name_makes_no_leaver_and_no_second_person(one, other, hers):
    """Bob Stays; whoever is missing began on 1 January 2020 and has the employee number 1."""
    people = [known(1, *one, "1"), known(2, "Bob", "Stays", "2"), known(3, "Pat", "Stays", "3", "", stint(3, ELM))]
    rows = [other, row(3, "Bob", "Stays", "2"), row(4, "Pat", "Stays", "3", facility=ELM)]
    result = compare(rows, people)
    assert [each.line for each in result.rejected] == [2] * hers
    assert sorted(kinds(result)) == ([] if hers else ["joiner", "leaver"])
    again = compare(rows, applied(people, result))
    assert kinds(again) == [], "the next file makes no leaver of her either"


def test_of_a_doubtful_newcomer_each_row_is_rejected_and_others_still_leave():
    people = [known(1, "Rosa", "Davis"), known(2, "Hal", "Gone"), *(known(k, f"P{k}", "Stays", str(k)) for k in (3, 4))]
    rows = [row(2, "Roza", "Davis", "9"), row(3, "Roza", "Davis", "9", facility=ELM),
            *(row(k + 1, f"P{k}", "Stays", str(k)) for k in (3, 4))]  # fmt: skip
    result = compare(rows, people)
    assert [(each.line, each.facility) for each in result.rejected] == [(2, OAK), (3, ELM)]
    assert [change.person.first_name for change in result.changes] == ["Hal"]


@pytest.mark.parametrize(
    ("leavers", "employed", "too_many"),
    [(1, 1, False), (1, 2, False), (2, 4, False), (2, 3, True), (3, 6, False), (3, 100, False), (4, 20, False),
     (4, 19, True), (20, 100, False), (21, 100, True)],
)  # fmt: skip
def test_the_brake_knows_small_facilities(leavers, employed, too_many):
    assert is_too_many(leavers, employed) is too_many


def test_the_brake_names_the_facility_that_loses_too_many():
    people = [known(key, f"P{key}", number=str(key)) for key in range(1, 11)]
    others = [known(key, f"P{key}", "Elm", str(key), "", stint(key, ELM)) for key in range(11, 200)]
    records = [row(key, f"P{key}", "Elm", str(key), facility=ELM) for key in range(11, 200)]
    result = compare([row(2, "P1", number="1"), *records], people + others)
    assert result.brakes == {OAK: (9, 10)}
    assert (
        compare([row(key, f"P{key}", number=str(key)) for key in range(1, 9)] + records, people + others).brakes == {}
    )


def test_people_who_share_several_addresses_are_each_told_once_with_all_lines():
    rows = [row(2, number="1", email="a@x"), row(3, number="2", email="a@x"), row(4, number="2", email="b@x"),
            row(5, number="1", email="b@x"), row(6, number="3", email="b@x")]  # fmt: skip
    result = compare(rows, [])
    assert [each.line for each in result.rejected] == [2, 3, 4, 5, 6]
    assert "lines 2, 3, 4 and 5 have one e-mail" in result.rejected[0].reason
    assert "lines 2, 3, 4, 5 and 6 have one e-mail" in result.rejected[-1].reason


def test_two_numbers_without_their_zeros_are_not_both_one_person():
    result = compare([row(2, number="12"), row(3, number="012")], [known(1, number="0012")])
    assert ([each.line for each in result.rejected], list(result.changes)) == ([3], [])
    assert "another row of this file" in result.rejected[0].reason


@pytest.mark.parametrize("email", ["", "a@x.example"])
def test_names_in_each_others_column_change_nobodys_name_whatever_else_is_right(email):
    people = [known(1, number="1", email="a@x.example"), known(2, "Lee", "Lee", "2")]
    result = compare([row(2, "Example", "Ada", "1", email), row(3, "Lee", "Lee", "2")], people)
    assert ([each.column for each in result.rejected], list(result.changes)) == (["first_name"], [])
    assert "the other way round" in result.rejected[0].reason
