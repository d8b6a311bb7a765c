"""The order of steps, whatever is recorded in whichever order; and business days beside a calendar of our own."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.policy.business_days import add_business_days, is_business_day
from accounts.policy.step_dates import step_due
from accounts.policy.step_order import DONE, FAILED, OPEN, SKIPPED, THROUGH, WAITING, Stand, all_through, arrange
from accounts.policy.step_order import tried_again as tried
from tests.requests.statute import federal_holidays

MONDAY = date(2026, 11, 2)
MAILS = [
    Stand("submit"),
    Stand("mail-1", duration=2, unit="business_days", after="submit", together="two-mails"),
    Stand("mail-2", duration=2, unit="business_days", after="submit", together="two-mails"),
    Stand("nothing-came", cure_for="two-mails"),
    Stand("log-in"),
]


def recorded(steps, key, worked, day, today):
    """What the service does with an outcome, without a database."""
    state = DONE if worked else FAILED
    steps = [replace(step, state=state, done_on=day) if step.key == key else step for step in steps]
    if worked and next(step for step in steps if step.key == key).cure_for:
        steps = tried(steps, key)
    return arrange(steps, on=day, today=today)


def states(steps):
    return {step.key: step.state for step in steps}


@st.composite
def plans(draw):
    """Lists of steps: some belong together, some mend an earlier one or a group."""
    made = []
    for number in range(draw(st.integers(1, 7))):
        group = draw(st.sampled_from(["", "", "", "pair"]))
        mains = [step for step in made if not step.cure_for]
        names = sorted({step.key for step in mains} | {step.together for step in mains} - {""})
        cure = draw(st.sampled_from(["", *names])) if names else ""
        after = draw(st.sampled_from(["", *sorted({step.key for step in mains})]))
        timed = draw(st.booleans())
        made.append(
            Stand(
                f"step-{number}",
                after="" if cure else after,
                together="" if cure else group,
                cure_for=cure,
                duration=draw(st.integers(1, 3)) if timed else None,
                unit="business_days" if timed else "",
            )
        )
    return made


@given(plans(), st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 4)), max_size=20))
def test_steps_are_never_open_out_of_order_and_failures_lead_to_their_cure(plan, acts):
    today = MONDAY
    steps = arrange(plan, on=today, today=today)
    for number, worked, later in acts:
        today += timedelta(days=later)
        steps = arrange(steps, on=today, today=today)  # as the nightly run does
        meant = steps[number % len(steps)]
        if meant.state in (OPEN, DONE, FAILED):
            steps = recorded(steps, meant.key, worked, today, today)
        assert arrange(steps, on=today, today=today) == steps, "done once, nothing is left to do"
        main = [step for step in steps if not step.cure_for]
        here = next((step for step in main if step.state not in THROUGH), None)
        turn = main[main.index(here) :] if here else []
        beside = [step for step in turn if step.key == here.key or (here.together and step.together == here.together)]
        assert {step.key for step in main if step.state == OPEN} <= {step.key for step in beside}
        assert here is None or here.state in (OPEN, FAILED), "somebody can go on"
        assert all_through(steps) == (here is None)
        for cure in (step for step in steps if step.cure_for):
            mended = [step for step in main if cure.mends(step)]
            if any(step.state == FAILED for step in mended):
                assert cure.state in (OPEN, FAILED)
            if all(step.state in THROUGH for step in mended):
                assert cure.state not in (OPEN,)
        for step in steps:
            assert (step.state == OPEN) == (step.started_on is not None) or step.state in (DONE, FAILED)
            if step.state == OPEN:
                due = step_due(step.started_on, duration=step.duration, unit=step.unit, actor=step.actor)
                assert step.due_on == due


def test_the_two_mails_are_waited_for_from_the_day_of_submission():
    steps = arrange(MAILS, on=MONDAY, today=MONDAY)
    assert states(steps) == {
        "submit": OPEN, "mail-1": WAITING, "mail-2": WAITING, "nothing-came": WAITING, "log-in": WAITING
    }  # fmt: skip
    friday = MONDAY + timedelta(days=4)
    steps = recorded(steps, "submit", True, friday, friday)
    assert [steps[1].due_on, steps[2].due_on] == [date(2026, 11, 10)] * 2, "Monday and Tuesday"
    steps = recorded(steps, "mail-1", True, date(2026, 11, 10), date(2026, 11, 10))
    assert steps[3].state == WAITING
    steps = arrange(steps, on=date(2026, 11, 11), today=date(2026, 11, 11))
    assert steps[3].state == OPEN, "the second mail is late"
    moved = recorded(steps, "submit", True, MONDAY + timedelta(days=3), date(2026, 11, 11))
    assert moved[2].due_on == date(2026, 11, 9), "submitted a day earlier than was said first"
    called = recorded(steps, "nothing-came", True, date(2026, 11, 12), date(2026, 11, 12))
    assert called[2].due_on == date(2026, 11, 16), "two business days more after the call"
    arrived = recorded(steps, "mail-2", True, date(2026, 11, 12), date(2026, 11, 12))
    assert (arrived[3].state, arrived[4].state) == (SKIPPED, OPEN)


def test_what_failed_is_tried_again_once_it_is_mended_and_an_outcome_recorded_anew_moves_what_follows():
    plan = [Stand("retry"), Stand("call", cure_for="retry"), Stand("sign-in")]
    steps = recorded(arrange(plan, on=MONDAY, today=MONDAY), "retry", False, MONDAY, MONDAY)
    assert states(steps) == {"retry": FAILED, "call": OPEN, "sign-in": WAITING}
    steps = recorded(steps, "call", True, MONDAY, MONDAY)
    assert states(steps) == {"retry": OPEN, "call": DONE, "sign-in": WAITING}
    steps = recorded(steps, "retry", False, MONDAY, MONDAY)
    assert states(steps) == {"retry": FAILED, "call": OPEN, "sign-in": WAITING}
    steps = recorded(steps, "retry", True, MONDAY, MONDAY)
    assert states(steps) == {"retry": DONE, "call": SKIPPED, "sign-in": OPEN}
    steps = recorded(steps, "retry", False, MONDAY, MONDAY)
    assert states(steps) == {"retry": FAILED, "call": OPEN, "sign-in": WAITING}


def test_business_days_agree_with_the_statute_over_ten_years():
    closed = set().union(*(federal_holidays(year) for year in range(2020, 2032)))
    # Washington's offices alone close on inauguration days; the others do not.
    work = [
        day
        for day in (date(2021, 1, 1) + timedelta(days=number) for number in range(3700))
        if day.weekday() < 5 and day not in closed
    ]
    known = set(work)
    for number in range(3650):
        day = date(2021, 1, 1) + timedelta(days=number)
        assert is_business_day(day) == (day in known), day
    for at, day in enumerate(work[:2400]):
        assert [add_business_days(day, count) for count in (1, 2, 3, 5)] == [work[at + n] for n in (1, 2, 3, 5)], day
    assert add_business_days(date(2026, 11, 25), 1) == date(2026, 11, 27), "Thanksgiving lies between"
    with pytest.raises(ValueError, match="forward"):
        add_business_days(MONDAY, -1)
