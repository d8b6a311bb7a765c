"""Only the holder is told to sign in; every sentence names the day and what follows."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.sentences import (
    Facts,
    Tally,
    by_day,
    deletion_due,
    local_end,
    local_ends,
    login_due,
    login_passed,
    login_unknown,
    password_due,
    possessive,
    recorded,
    roles_to_check,
    the_one_sentence,
    what_follows,
)

ON = date(2026, 11, 21)
DUE = date(2026, 12, 3)


def facts(**changes):
    values = {
        "system": "iQIES",
        "person": "Jane Sample",
        "own": True,
        "on": ON,
        "due_on": DUE,
        "aim_on": DUE,
        "last_on": date(2026, 10, 4),
        "consequence": "roles_revoked",
        "cure": "Request each role again.",
    }
    return Facts(**(values | changes))


def test_the_holder_is_told_to_sign_in_by_a_day():
    assert login_due(facts()) == "Sign in to iQIES by Thu 3 Dec (in 12 days): last seen 48 days ago."


def test_somebody_else_is_told_to_remind_her_or_arrange_cover():
    said = login_due(facts(own=False))
    assert said == "Remind Jane Sample, or arrange cover: the iQIES roles are revoked after Thu 3 Dec (in 12 days)."


@given(
    st.booleans(),
    st.integers(-400, 400),
    st.sampled_from(["roles_revoked", "disabled", "password_expired", "deleted", "", "none"]),
    st.sampled_from([login_due, login_unknown, deletion_due]),
)
def test_nobody_is_told_to_sign_in_for_somebody_else(never, away, consequence, say):
    due = ON + timedelta(days=away)
    said = say(facts(own=False, never=never, opened_on=ON, due_on=due, aim_on=due, consequence=consequence))
    assert not said.startswith(("Sign in", "Check your", "When did you"))
    assert "your iQIES" not in said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (ON, "today"),
        (ON + timedelta(days=1), "by tomorrow, Sun 22 Nov"),
        (DUE, "by Thu 3 Dec (in 12 days)"),
        (date(2027, 1, 20), "by Wed 20 Jan 2027 (in 60 days)"),
    ],
)
def test_a_day_is_said_with_its_distance_and_with_its_year_when_it_is_another_one(value, said):
    assert by_day(value, ON) == said


def test_what_we_infer_is_called_presumed():
    passed = facts(due_on=ON - timedelta(days=3), aim_on=ON - timedelta(days=3))
    assert login_passed(passed) == (
        "Your iQIES roles are presumed revoked: the last safe day was Wed 18 Nov (three days ago)."
    )
    assert what_follows(passed) == "Look on iQIES whether you still have access. If not: Request each role again."


def test_an_account_never_used_counts_from_its_opening():
    said = login_due(facts(last_on=None, never=True, opened_on=date(2026, 10, 4)))
    assert said.endswith("never signed in since it was opened on Sun 4 Oct.")


def test_a_leaver_is_not_reminded_of_anything():
    left = facts(own=False, left_on=date(2026, 11, 14))
    wanted = "Jane Sample left on Sat 14 Nov (seven days ago), but the iQIES account is still open: have it removed."
    assert {login_due(left), login_unknown(left), password_due(left), deletion_due(left)} == {wanted}
    assert login_due(facts(left_on=date(2026, 11, 14))).startswith("Sign in")


def test_a_late_login_leaves_a_question():
    late = facts(due_on=date(2026, 11, 15), check_on=ON)
    assert roles_to_check(late) == (
        "Check your iQIES roles: you signed in on Sat 21 Nov, after the last safe day (Sun 15 Nov)."
    )


def test_a_house_rule_is_never_said_to_be_of_cms():
    assert what_follows(facts(consequence="")) == "Your organization’s own rule; CMS publishes no limit here."
    passed = facts(consequence="", aim_on=ON - timedelta(days=2), due_on=ON - timedelta(days=2))
    assert "your organization wanted it by Thu 19 Nov (two days ago)" in login_due(passed)


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("America/New_York", ""),
        ("America/Detroit", ""),
        ("America/Chicago", "Thu 3 Dec, 11 p.m. in Chicago"),
        ("Pacific/Honolulu", "Thu 3 Dec, 7 p.m. in Honolulu"),
        ("Pacific/Guam", "Fri 4 Dec, 3 p.m. in Guam"),
    ],
)
def test_the_last_safe_day_ends_at_midnight_eastern_wherever_the_facility_is(zone, said):
    assert local_end(DUE, zone) == said


def test_honolulu_has_no_summer_time():
    assert local_end(date(2026, 7, 1), "Pacific/Honolulu") == "Wed 1 Jul, 6 p.m. in Honolulu"


def test_clocks_that_agree_with_eastern_are_not_mentioned():
    assert local_ends(DUE, ["America/New_York"]) == ""
    assert local_ends(DUE, ["America/New_York", "Pacific/Honolulu", "America/Chicago"]) == (
        "Local time: by Thu 3 Dec, 11 p.m. in Chicago and Thu 3 Dec, 7 p.m. in Honolulu."
    )


@pytest.mark.parametrize(
    ("tally", "said"),
    [
        (Tally(), "Nothing is late and nothing is due soon."),
        (Tally(week=2), "Two logins are due this week; nothing is late."),
        (Tally(late=1, week=1), "One login is late and one login is due this week."),
        (
            Tally(late=3, check=1, week=2, logins_only=False),
            "Three things are late, one account needs its roles checked and two things are due this week.",
        ),
        (Tally(later=1), "Nothing is late or due this week; one login comes up soon."),
        (Tally(late=10, more=["late"]), "More than 10 logins are late."),
        (
            Tally(late=9, more=["late"], accounts={"late": 68}, others={"late": 2}, logins_only=False),
            "68 accounts and two other things are late.",
        ),
        (Tally(unknown=2), "Nothing is late or due soon, but two last logins are not known."),
    ],
)
def test_one_sentence_says_what_matters(tally, said):
    assert the_one_sentence(tally) == said


def test_recording_tells_the_next_day_or_the_open_question():
    said = {"system": "iQIES", "happened_on": ON, "on": ON, "own": True}
    assert recorded(**said, due_on=date(2027, 1, 20), check=False) == (
        "Login to iQIES recorded. Next: by Wed 20 Jan 2027 (in 60 days)."
    )
    assert "look whether your roles are still there" in recorded(**said, due_on=DUE, check=True)


def test_names_that_end_in_s():
    assert (possessive("Jane"), possessive("James")) == ("Jane’s", "James’")
