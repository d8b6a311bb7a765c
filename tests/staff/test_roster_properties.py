"""Whatever happens to a roster on its way: no row on the wrong person, no invented leaver, and twice is once."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from staff.policy import Kind, Record, Rejection
from tests.staff.roster_world import ON, applied, compare, known, stint

FIRST = ("Ada", "Bob", "Cleo")
LAST = ("Example", "Sample", "O’Test")
DAMAGE = ("none", "none", "none", "gone", "no number", "no address", "zeros", "capitals", "married", "other phone",
          "job", "rejected", "broken", "left", "end to come")  # fmt: skip


@st.composite
def registers(draw):
    """People with few names, so that namesakes are common; some without number, some without address."""
    people = []
    for key in range(1, draw(st.integers(1, 9)) + 1):
        number = f"00{key}" if draw(st.booleans()) else ""
        email = f"p{key}@x.example" if draw(st.booleans()) else ""
        places = draw(st.sets(st.sampled_from([1, 2]), min_size=1))
        stints = [stint(10 * key + place, place, starts_on=date(2020, key, 1)) for place in sorted(places)]
        people.append(known(key, draw(st.sampled_from(FIRST)), draw(st.sampled_from(LAST)), number, email, *stints))
    return people


def file_of(people, damages):
    """Return (records, rejections, who is in which line, who is really missing)."""
    records, rejections, truth, missing = [], [], {}, set()
    line = 1
    for person, damage in zip(people, damages, strict=True):
        if damage == "gone":
            missing.add(person.key)
            continue
        for place in person.stints:
            line += 1
            truth[line] = person.key
            row = Record(line, place.facility, person.first_name, person.last_name, person.number, person.email)
            row = damaged(row, damage, has_key=bool(person.number or person.email))
            if damage == "rejected":
                rejections.append(Rejection(line, "end_date", "x", row.number, row.email, row.first_name,
                                            row.last_name, row.facility))  # fmt: skip
            elif damage == "broken":
                rejections.append(Rejection(line, "", "cells"))
            else:
                records.append(row)
    return records, rejections, truth, missing


def damaged(row, damage, *, has_key):
    match damage:
        case "no number":
            return row._replace(number="")
        case "no address":
            return row._replace(email="")
        case "zeros":
            return row._replace(number=row.number.lstrip("0"))
        case "capitals":
            return row._replace(first_name=row.first_name.upper(), last_name=row.last_name.upper())
        case "married":
            return row._replace(last_name="Married") if has_key else row
        case "other phone":
            return row._replace(phone="555-0100")
        case "job":
            return row._replace(job_title="Director")
        case "left":
            return row._replace(left=True)
        case "end to come":
            return row._replace(ends_on=date(2027, 1, 1))
    return row


@given(registers(), st.data())
@settings(max_examples=400)
def test_no_row_on_the_wrong_person_and_no_invented_leaver(people, data):
    damages = [data.draw(st.sampled_from(DAMAGE)) for _ in people]
    records, rejections, truth, missing = file_of(people, damages)
    records = data.draw(st.permutations(records))
    result = compare(records, people, rejections)
    said_left = {person.key for person, damage in zip(people, damages, strict=True) if damage == "left"}
    for change in result.changes:
        if change.person is not None and change.line is not None:
            assert change.person.key == truth[change.line]
        if change.kind is Kind.LEAVER:
            assert change.person.key in missing | said_left
        for ended in change.voided:
            assert ended.facility in {time.facility for time in change.opened}
    if any(damage == "broken" for damage in damages):
        assert not any(change.kind is Kind.LEAVER for change in result.changes)


@given(registers(), st.data())
@settings(max_examples=300)
def test_applied_the_same_file_finds_nothing_more(people, data):
    damages = [data.draw(st.sampled_from(DAMAGE)) for _ in people]
    records, rejections, _, _ = file_of(people, damages)
    first = compare(records, people, rejections)
    after = applied(people, first)
    if first.held_back:  # a name that the first run corrected may tie a rejected row that nobody could tie before
        after = applied(after, compare(records, after, rejections))
    assert list(compare(records, after, rejections).changes) == []
    for person in after:  # no two times of one person at one place overlap
        for facility in {each.facility for each in person.stints}:
            times = sorted(each[3:5] for each in person.stints if each.facility == facility)
            for (_, ends_on), (starts_on, _) in zip(times, times[1:], strict=False):
                assert ends_on is not None
                assert ends_on < starts_on


@given(registers())
def test_a_file_without_damage_changes_nothing(people):
    """Namesakes without number and address at one facility are the only ones it cannot tell apart."""
    records, _, _, _ = file_of(people, ["none"] * len(people))
    result = compare(records, people, on=ON)
    assert list(result.changes) == []
    assert {each.column for each in result.rejected} <= {"last_name"}
