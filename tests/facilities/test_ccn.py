"""CCNs as people type and spreadsheets damage them; the numbers are real ones of CMS's lists."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from facilities.ccn import Kind, parse, read_ccn, read_state
from facilities.ccn.tables import rows, state_codes, types_by_letter
from tests.facilities.shipped import shipped_rows


def shipped():
    """Return (ccn, state) of the 57,000 facilities of the shipped extract."""
    return [(row["ccn"], row["state"]) for row in shipped_rows()]


@pytest.mark.parametrize(
    ("ccn", "form", "state", "kind", "parent"),
    [
        ("015009", "provider", "AL", "SNF", ""),
        ("D61500", "provider", "CA", "HOSPICE", ""),
        ("001500", "provider", "AZ", "HOSPICE", ""),
        ("010779", "provider", "AL", "ACUTE", ""),
        ("450880", "provider", "TX", "DEMO", ""),
        ("01A193", "medicaid", "AL", "NF", ""),
        ("44E232", "medicaid", "TN", "NF", ""),
        ("36T180", "unit", "OH", "REHAB-UNIT", "360180"),
        ("16Z334", "unit", "IA", "SWING-BED", "161334"),
        ("33U096", "unit", "NY", "SWING-BED", "330096"),
        ("45W002", "unit", "TX", "SWING-BED", "452002"),
        ("19Y028", "unit", "LA", "SWING-BED", "193028"),
        ("15M302", "unit", "IN", "PSYCH-UNIT", "151302"),
        ("02TA01", "unit", "AK", "REHAB-UNIT", "022001"),
        ("36SE02", "unit", "OH", "PSYCH-UNIT", "363302"),
        ("04P001", "opo", "AR", "OPO", ""),
        ("39012F", "emergency", "PA", "EMERG-FED", ""),
        ("05C0001831", "supplier", "CA", "ASC", ""),
        ("21D2113134", "supplier", "MD", "CLIA", ""),
        ("01Q7001001", "branch", "AL", "HHA-BRANCH", "017001"),
    ],
)
def test_each_form_tells_state_type_and_parent(ccn, form, state, kind, parent):
    number = parse(ccn)
    assert (number.form, number.state, number.type.code, number.parent) == (form, state, kind, parent)


def test_every_range_begins_and_ends_where_the_manual_says():
    for row in rows("ccn_ranges.csv"):
        assert parse("01" + row["first"]).type.code == row["type"]
        assert parse("01" + row["last"]).type.code == row["type"]


def test_the_ranges_leave_no_gap_but_0000():
    assert parse("010000") is None
    assert all(parse(f"01{number:04d}") for number in range(1, 10_000))


def test_every_state_code_and_every_letter_of_the_tables_reads():
    assert all(parse(f"{code}5009").state == known.state for code, known in state_codes().items())
    written = {"medicaid": "01{}193", "unit": "01{}193", "opo": "01{}001", "emergency": "01012{}"}
    written |= {"supplier": "01{}0001831", "branch": "01{}7001001"}
    for (form, letter), kind in types_by_letter().items():
        assert parse(written[form].format(letter)).type == kind


@pytest.mark.parametrize(
    "typed",
    ["015009", " 015009 ", "'015009", "\u2018015009", '="015009"', '"015009"', "01-5009", "01\u20135009", "01 5009"]
    + ["\ufeff015009", "0\u200b15009", "015009\u00a0", "\uff10\uff11\uff15\uff10\uff10\uff19", "015009.0"],
)
def test_dress_around_a_number_does_not_matter(typed):
    reading = read_ccn(typed)
    assert (reading.kind, reading.number.ccn) == (Kind.ACCEPTED, "015009")


@pytest.mark.parametrize(
    ("typed", "ccn", "extension"),
    [
        ("245381B", "245381", "B"),
        ("335506001", "335506", "001"),
        ("78a005bp", "78A005", "BP"),
        ("01500901", "015009", "01"),
    ],
)
def test_a_suffix_of_an_enrollment_list_is_kept_apart(typed, ccn, extension):
    reading = read_ccn(typed)
    assert (reading.kind, reading.number.ccn, reading.extension) == (Kind.ACCEPTED, ccn, extension)


@pytest.mark.parametrize("typed", ["N/A", "n/a", "NA", "None", "Not applicable", "LICENSED ONLY", " N / A "])
def test_no_ccn_is_an_answer(typed):
    assert read_ccn(typed).kind is Kind.NO_CCN


@pytest.mark.parametrize("typed", ["", "   ", "\ufeff", "''", '=""'])
def test_nothing_is_missing_which_is_another_thing(typed):
    assert read_ccn(typed).kind is Kind.MISSING


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("1346210291", "NPI"),
        ("1346210291.0", "NPI"),
        ("134-621-0291", "NPI"),
        ("12-3456789", "EIN"),
        ("015009, 015010", "more than one"),
        ("015009/015010", "more than one"),
        ("015009 015010", "more than one"),
        ("015009 and 015010", "more than one"),
        ("#N/A", "spreadsheet error"),
        ("#REF!", "spreadsheet error"),
        ("010000", "0000"),
        ("123", "too few"),
        ("01500", "too few"),
        ("0150091", "none of the forms"),
        ("4.45E+12", "rounded"),
        ("4.4E-23", "small number"),
        ("Sunny Acres", "none of the forms"),
        ("Sunny Acres Nursing Home", "too many"),
        ("01N193", "none of the forms"),
    ],
)
def test_what_is_something_else_is_refused_with_the_reason(typed, word):
    reading = read_ccn(typed, state="AL")
    assert reading.kind is Kind.REFUSED
    assert word in reading.why


@pytest.mark.parametrize(
    ("typed", "state", "ccn"),
    [
        ("15009", "AL", "015009"),
        ("15009.0", "AL", "015009"),
        ("1500", "AZ", "001500"),
        ("4.40E+233", "TN", "44E232"),
        ("4.4e233", "TN", "44E232"),
        ("4,40E+233", "TN", "44E232"),
        ("3.00E+77", "NH", "30E076"),
        ("3.00E+77", "AZ", "03E077"),
        ("1E193", "AL", "01E193"),
        ("O15OO9", "AL", "015009"),
        ("I65009", "IA", "165009"),
    ],
)
def test_a_repair_is_proposed_where_the_state_agrees_and_not_where_it_does_not(typed, state, ccn):
    reading = read_ccn(typed, state=state)
    assert (reading.kind, reading.number.ccn) == (Kind.PROPOSED, ccn)
    against = read_ccn(typed, state="PR")
    assert (against.kind, against.number) == (Kind.CONTRADICTED, None)


def test_two_readings_without_a_state_are_a_question():
    reading = read_ccn("3.00E+77")
    assert (reading.kind, set(reading.readings)) == (Kind.AMBIGUOUS, {"30E076", "03E077"})
    assert read_ccn("4.40E+233").kind is Kind.PROPOSED


def test_an_unknown_state_code_is_a_question_not_a_refusal():
    reading = read_ccn("600001", state="TX")
    assert (reading.kind, reading.number.ccn, reading.number.state) == (Kind.UNKNOWN_STATE, "600001", None)
    assert read_ccn("610001").kind is Kind.UNKNOWN_STATE
    assert read_ccn("640001").kind is Kind.ACCEPTED


def test_every_shipped_number_is_accepted_unchanged_and_almost_all_agree_with_their_state():
    seen, other_state = 0, []
    for ccn, state in shipped():
        reading = read_ccn(ccn, state=state)
        assert (reading.kind, reading.number.ccn, reading.extension) == (Kind.ACCEPTED, ccn, "")
        if state and reading.number.state != state:
            other_state.append(ccn)
        seen += 1
    assert seen > 50_000
    # Self-reported addresses elsewhere, all of them in enrollment and surgical center lists.
    assert len(other_state) <= 20
    assert {"31C0001177", "12Z303", "05U051"} <= set(other_state)


def as_a_spreadsheet_shows(ccn):
    """Return the cell that a CCN becomes in a general-format column."""
    if ccn.isdigit():
        return str(int(ccn))
    if ccn[2] == "E" and (ccn[:2] + ccn[3:]).isdigit() and int(ccn[3:]) <= 307 and int(ccn[:2]):
        digits, exponent = str(int(ccn[:2])), int(ccn[3:])
        return f"{digits[0]}.{digits[1:]:0<2}E+{exponent + len(digits) - 1:02d}"
    return ccn


def test_every_number_that_a_spreadsheet_damaged_comes_back_with_the_state_and_none_becomes_another():
    damaged = 0
    for ccn, state in shipped():
        shown = as_a_spreadsheet_shows(ccn)
        number = parse(ccn)
        if shown == ccn or number.state != state or len(shown) < 4:
            continue
        reading = read_ccn(shown, state=state)
        assert (reading.kind, reading.number.ccn) == (Kind.PROPOSED, ccn), shown
        damaged += 1
    assert damaged > 5_000


@given(st.text(max_size=30))
@example("O" * 9)
@example('="\'"')
@example("0E0E0E")
@example("1E0")
def test_no_text_breaks_the_reading_and_what_it_gives_reads_as_itself(text):
    reading = read_ccn(text, state="AL")
    if reading.number:
        again = read_ccn(reading.number.ccn, state="AL")
        assert (again.number, again.extension) == (reading.number, "")
        assert again.kind in (Kind.ACCEPTED, Kind.UNKNOWN_STATE)
    else:
        assert reading.why


@given(st.from_regex(r"\A[0-9A-E][0-9][0-9A-Z]{1,8}\Z"))
def test_a_well_formed_number_reads_the_same_with_and_without_its_state(text):
    number = parse(text)
    if number and number.state:
        assert read_ccn(text, state=number.state) == read_ccn(text, state="AL") == read_ccn(text)


@pytest.mark.parametrize(
    ("typed", "state"),
    [
        ("AL", "AL"),
        (" al ", "AL"),
        ("Alabama", "AL"),
        ("north carolina", "NC"),
        ("GU", "GU"),
        ("U.S. Virgin Islands", "VI"),
    ]
    + [("", None), ("ZZ", None), ("Ontario", None), ("Canada", None)],
)
def test_states_are_read_by_abbreviation_or_name(typed, state):
    assert read_state(typed) == state


def test_a_number_in_plain_dress_and_one_in_quotes_read_the_same():
    for ccn, state in shipped()[::500]:
        assert read_ccn(f" '{ccn.lower()}", state=state) == read_ccn(ccn, state=state)
