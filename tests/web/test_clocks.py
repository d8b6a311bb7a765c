"""The clock's bar and its words say the same."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from web.clocks import draw_clock

ON = date(2026, 11, 21)
DUE = date(2026, 12, 3)
BASIS = date(2026, 10, 4)


def test_a_running_clock_shows_what_is_spent_and_the_reminders():
    clock = draw_clock(standing="soon", on=ON, basis_on=BASIS, due_on=DUE, ticks=[DUE - timedelta(days=20)])
    assert (clock.elapsed, clock.today, clock.due, clock.over) == ("80.0%", "80.0%", "100.0%", "")
    assert clock.ticks == ("66.7%",)
    assert clock.text == "48 of 60 days since the last login on Sun 4 Oct. Last safe day: Thu 3 Dec 2026 (in 12 days)."


def test_the_last_safe_day_is_not_late():
    assert draw_clock(standing="soon", on=DUE, basis_on=BASIS, due_on=DUE).over == ""
    assert draw_clock(standing="late", on=DUE + timedelta(days=1), basis_on=BASIS, due_on=DUE).over != ""


def test_an_overdue_clock_marks_the_part_behind_the_last_safe_day():
    clock = draw_clock(standing="late", on=DUE + timedelta(days=15), basis_on=BASIS, due_on=DUE)
    assert (clock.elapsed, clock.due, clock.over, clock.today) == ("80.0%", "80.0%", "20.0%", "100.0%")
    assert clock.text.endswith("The last safe day was Thu 3 Dec 2026 (15 days ago).")


def test_without_a_known_login_there_are_words_and_no_bar():
    clock = draw_clock(standing="unknown", on=ON, basis_on=None, due_on=None)
    assert not clock.drawn
    assert clock.text == "No date can be given: the last login is not known."


def test_day_zero_can_be_the_grant():
    clock = draw_clock(
        standing="fine", on=ON, basis_on=ON, due_on=ON + timedelta(days=60), since="the role was granted"
    )
    assert clock.text.startswith("0 of 60 days since the role was granted on Sat 21 Nov.")


days = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@given(basis_on=days, limit=st.integers(0, 400), on=days, ticks=st.lists(days, max_size=4))
def test_nothing_is_ever_drawn_outside_the_bar(basis_on, limit, on, ticks):
    clock = draw_clock(standing="fine", on=on, basis_on=basis_on, due_on=basis_on + timedelta(days=limit), ticks=ticks)
    places = [clock.elapsed, clock.due, clock.today, clock.over or "0%", *clock.ticks]
    assert all(0 <= float(place.rstrip("%")) <= 100 for place in places)
