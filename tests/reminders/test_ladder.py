"""The ladder, step by step, and what holds for every ladder there can be."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.ladder import CLOCK_KINDS, DAY_AFTER, FIXED_KINDS, Audience, first_step, house_ladder, ladder_of

limits = st.integers(min_value=1, max_value=2_000)
kinds = st.sampled_from([*CLOCK_KINDS, *FIXED_KINDS])
ladders = st.builds(ladder_of, kinds, limits)


@pytest.mark.parametrize(
    ("kind", "limit", "steps"),
    [
        ("inactivity", 60, (20, 10, 5, 2, -1)),
        ("inactivity", 365, (20, 10, 5, 2, -1)),
        ("password", 60, (20, 10, 5, 2, -1)),
        ("inactivity", 59, (19, 9, 2, -1)),
        ("inactivity", 30, (10, 5, 2, -1)),
        ("inactivity", 3, (2, 1, 0, -1)),
        ("deletion", None, (30, 14, 7, 1, -1)),
        ("acknowledgement", None, (30, 14, 7, 1, -1)),
        ("certification", None, (60, 30, 14, 7, 1, -1)),
        ("review", None, (14, 7, 1, -1)),
        ("removal", None, (7, 1, 0, -1)),
        ("request-step", None, (366, 0, -1, -3)),
        ("window", None, (30, 14, 7, 1, -1)),
    ],
)
def test_steps_are_those_of_the_design(kind, limit, steps):
    assert ladder_of(kind, limit).steps == steps
    assert first_step(kind, limit) == steps[0]


def test_a_kind_without_a_ladder_is_never_soon_and_a_clock_needs_its_limit():
    assert ladder_of("officials") is None
    assert first_step("officials") == 0
    with pytest.raises(ValueError, match="limit"):
        ladder_of("inactivity")


def test_a_window_of_our_own_is_mentioned_once_and_then_flagged():
    assert house_ladder(mention_days=60, flag_days=90).steps == (30, -1)
    with pytest.raises(ValueError, match="mentioned before"):
        house_ladder(mention_days=91, flag_days=90)


def test_administrators_join_as_it_gets_late():
    ladder = ladder_of("inactivity", 60)
    heard = {audience: [step for step in ladder.steps if ladder.heard_by(audience, step)] for audience in Audience}
    assert heard[Audience.HOLDER] == [20, 10, 5, 2, -1]
    assert heard[Audience.FACILITY] == [5, 2, -1]
    assert heard[Audience.ORGANIZATION] == [2, -1]


def test_on_a_ladder_of_one_step_only_the_holder_hears_before_the_day():
    ladder = house_ladder(mention_days=60, flag_days=90)
    assert ladder.heard_by(Audience.HOLDER, 30)
    assert not ladder.heard_by(Audience.FACILITY, 30)
    assert ladder.heard_by(Audience.FACILITY, DAY_AFTER)


def test_a_step_of_a_request_is_told_when_it_opens_on_its_day_and_after_one_and_three_business_days():
    ladder, friday = ladder_of("request-step"), date(2026, 11, 20)
    told = [ladder.step_on(friday + timedelta(days=n), day=friday, due_on=friday) for n in range(-30, 12)]
    assert told[:30] == [366] * 30
    assert told[30:] == [0, 0, 0, -1, -1, -3, -3, -3, -3, -3, -3, -3], "Monday, then Wednesday"
    assert ladder.step_on(date(2026, 11, 26), day=date(2026, 11, 25), due_on=date(2026, 11, 25)) == 0, "Thanksgiving"
    assert [ladder.joins(each) for each in Audience] == [366, 366, -1, -3]
    assert ladder.last_on(friday) == date(2026, 11, 25)


def test_a_removal_is_asked_for_every_day_once_it_is_late_and_a_login_once():
    assert [ladder_of("removal").latest_due(left) for left in (8, 7, 3, 1, 0, -1, -5)] == [None, 7, 7, 1, 0, -1, -5]
    assert ladder_of("inactivity", 60).latest_due(-5) == DAY_AFTER


@given(ladders)
def test_steps_fall_and_end_with_the_day_after(ladder):
    assert list(ladder.steps) == sorted(set(ladder.steps), reverse=True)
    assert ladder.steps[-1] == (-ladder.after[-1] if ladder.after else DAY_AFTER)
    assert ladder.before[-1] >= 0


@given(st.sampled_from(CLOCK_KINDS), limits)
def test_nobody_is_reminded_on_the_very_day_of_the_login(kind, limit):
    assert ladder_of(kind, limit).first < limit


@given(ladders, st.integers(min_value=-400, max_value=400))
def test_the_latest_due_step_is_due_and_nothing_due_is_later(ladder, days_left):
    latest = ladder.latest_due(days_left)
    if latest is None:
        assert days_left > ladder.first
    else:
        assert latest >= days_left
        assert not [step for step in ladder.steps if days_left <= step < latest]


@given(ladders, st.sampled_from(Audience))
def test_going_back_step_by_step_visits_all_that_the_audience_heard(ladder, audience):
    heard = [step for step in ladder.before if ladder.heard_by(audience, step)]
    visited, step = [], ladder.previous(DAY_AFTER, audience)
    while step is not None:
        visited.append(step)
        step = ladder.previous(step, audience)
    assert visited == heard[::-1]


@given(ladders, st.integers(min_value=-3, max_value=70))
def test_whoever_hears_higher_up_does_not_hear_before_those_below(ladder, step):
    below = Audience.APPROVER if ladder.told_afterwards else Audience.HOLDER
    assert not ladder.heard_by(Audience.FACILITY, step) or ladder.heard_by(below, step)
    assert not ladder.heard_by(Audience.ORGANIZATION, step) or ladder.heard_by(Audience.FACILITY, step)
