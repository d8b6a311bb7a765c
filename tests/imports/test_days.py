"""Days are read as the column writes them; what cannot be decided is said, what is impossible is refused."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.days import DAY_FIRST, MIXED, MONTH_FIRST, NoDay, Style, guess_styles, read_day

ON = date(2026, 11, 25)
DAYS = st.dates(date(1960, 1, 1), date(2030, 12, 31))


def style_of(*values):
    return guess_styles({"start": values})["start"]


def read(text, order=MONTH_FIRST):
    return read_day(text, Style(order), on=ON)


@pytest.mark.parametrize(
    "text",
    ["2026-01-12", "2026/1/12", "1/12/2026", "01-12-2026", "1/12/26", "20260112", "46034", "46034.5", "12 Jan 2026",
     "12-Jan-26", "January 12, 2026", "Jan. 12, 2026", "Monday, January 12, 2026", "2026-01-12 00:00:00",
     "2026-01-12T08:00:00Z", "1/12/2026 12:00:00 AM", "12th January 2026", " 1/12/2026 "],
)  # fmt: skip
def test_one_day_in_many_forms(text):
    assert read(text) == date(2026, 1, 12)


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026-11-02T02:30:00Z", 1), ("2026-11-02T04:59Z", 1), ("2026-11-02T05:00:00.000+00:00", 2),
     ("2026-11-02T00:00Z", 2), ("11/1/2026 9:30 PM -0800", 2), ("2026-11-02 02:30 UTC", 1), ("2026-11-02 02:30", 2),
     ("2026-11-01T20:00-08:00", 1)],
)  # fmt: skip
def test_of_an_instant_with_its_zone_the_day_in_the_east_is_meant(text, day):
    assert read(text) == date(2026, 11, day)


@pytest.mark.parametrize("text", ["", " ", "N/A", "-", "present", "12/31/9999", "2099-12-31", "00/00/0000"])
def test_what_means_no_day(text):
    assert read(text) is None


@pytest.mark.parametrize(
    "text",
    ["02/30/2026", "2026-13-01", "13/45/2026", "soon", "12 Foo 2026", "1/12", "1812-01-01", "2045-01-01", "123",
     "1/12/026", "0001-01-01T04:00Z", "12 Januar 2026x", "Marketing 3, 2026", "2026-01-12T31:00Z",
     "2026-01-12T08:00+45:00"],
)  # fmt: skip
def test_what_is_no_day_is_refused(text):
    with pytest.raises(NoDay):
        read(text)


def test_two_digits_of_a_year_never_lie_far_ahead():
    assert read("6/1/36") == date(2036, 6, 1)
    assert read("6/1/37") == date(1937, 6, 1)
    assert read("6/1/99") == date(1999, 6, 1)


def test_one_value_above_twelve_decides_the_column():
    assert style_of("03/04/2026", "31/01/2026").order == DAY_FIRST
    assert style_of("03/04/2026", "01/31/2026").order == MONTH_FIRST
    assert not style_of("03/04/2026", "01/31/2026").assumed


def test_a_column_that_cannot_tell_takes_the_order_of_its_neighbour():
    styles = guess_styles({"start": ["03/04/2026"], "end": ["31/01/2026"]})
    assert styles["start"] == Style(DAY_FIRST, False, "day/month/year")


def test_where_nothing_decides_the_custom_of_the_country_is_taken_and_called_assumed():
    assert style_of("03/04/2026") == Style(MONTH_FIRST, True, "month/day/year")
    assert style_of("03.04.2026") == Style(DAY_FIRST, True, "day.month.year")
    assert not style_of("2026-04-03", "").assumed


def test_a_single_slip_among_many_is_a_mistake_not_a_second_form():
    values = [f"{month}/{day}/2026" for month in (1, 2) for day in range(13, 28)]
    assert style_of(*values, "31/01/2026").order == MONTH_FIRST
    with pytest.raises(NoDay):
        read("31/01/2026")


def test_a_column_in_two_forms_reads_what_is_clear_and_refuses_what_is_not():
    assert style_of("01/31/2026", "28/02/2026", "03/04/2026").order == MIXED
    assert read("28/02/2026", MIXED) == date(2026, 2, 28)
    assert read("02/28/2026", MIXED) == date(2026, 2, 28)
    assert read("05/05/2026", MIXED) == date(2026, 5, 5)
    with pytest.raises(NoDay):
        read("03/04/2026", MIXED)


@given(st.lists(DAYS, min_size=1), st.sampled_from(["%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d", "%d %b %Y", "%B %d, %Y"]))
def test_a_column_written_in_one_form_is_read_back_or_called_assumed(days, form):
    texts = [day.strftime(form) for day in days]
    style = style_of(*texts)
    if style.assumed:
        assert form in ("%m/%d/%Y", "%d.%m.%Y")
    assert [read_day(text, style, on=ON) for text in texts] == days


@given(DAYS)
def test_a_spreadsheets_number_is_its_day(day):
    assert read(str((day - date(1899, 12, 30)).days)) == day


@given(st.text(max_size=20))
def test_any_text_is_a_day_nothing_or_refused(text):
    try:
        found = read(text)
    except NoDay:
        return
    assert found is None or found <= ON + timedelta(days=366 * 11)
