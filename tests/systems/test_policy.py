"""The rules of dates: the published boundaries day by day, then what must hold for any rule."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.policy import (
    PolicyVersion,
    Standing,
    anniversary,
    cures,
    day_in,
    days_left,
    due,
    in_force,
    login_restarts_clock,
    overdue,
    standing,
    target_on,
)

DAY = timedelta(days=1)
E = date(2017, 6, 26)
QIES = (
    PolicyVersion(key="old", limit_days=90, effective_to=E - DAY),
    PolicyVersion(key="new", limit_days=60, effective_from=E),
)


def test_more_than_sixty_days_leaves_day_sixty_safe_and_day_sixty_one_overdue():
    last = date(2026, 1, 1)
    answer = due(last, [PolicyVersion(key="x", limit_days=60)])
    assert answer.due_on == last + 60 * DAY
    assert not overdue(answer.due_on, last + 60 * DAY)
    assert overdue(answer.due_on, last + 61 * DAY)


def test_ninety_days_or_more_leaves_day_eighty_nine_safe_and_day_ninety_overdue():
    last = date(2026, 1, 1)
    answer = due(last, [PolicyVersion(key="x", limit_days=90, boundary="ge")])
    assert not overdue(answer.due_on, last + 89 * DAY)
    assert overdue(answer.due_on, last + 90 * DAY)


@pytest.mark.parametrize(
    ("last", "expected", "key"),
    [
        # Overdue under 90 days before the change: the old rule has already bitten.
        (E - 200 * DAY, E - 110 * DAY, "old"),
        (E - 92 * DAY, E - 2 * DAY, "old"),
        # Idle between 61 and 91 days on the day of the change: falls over on that very day.
        (E - 91 * DAY, E - 1 * DAY, "new"),
        (E - 90 * DAY, E - 1 * DAY, "new"),
        (E - 61 * DAY, E - 1 * DAY, "new"),
        # From here on simply 60 days.
        (E - 60 * DAY, E, "new"),
        (E - 10 * DAY, E + 50 * DAY, "new"),
        (E, E + 60 * DAY, "new"),
    ],
)
def test_qies_shortening_hits_each_idle_account_on_its_day(last, expected, key):
    answer = due(last, QIES)
    assert (answer.due_on, answer.policy_key) == (expected, key)


def test_a_first_limit_never_bites_before_it_exists():
    chain = [PolicyVersion(key="first", limit_days=60, effective_from=date(2024, 5, 20))]
    assert due(date(2020, 1, 1), chain).due_on == date(2024, 5, 19)
    assert due(date(2024, 5, 1), chain).due_on == date(2024, 6, 30)


def test_a_longer_limit_helps_only_those_not_yet_overdue():
    chain = [
        PolicyVersion(key="short", limit_days=60, effective_to=E - DAY),
        PolicyVersion(key="long", limit_days=120, effective_from=E),
    ]
    assert due(E - 62 * DAY, chain).due_on == E - 2 * DAY  # was overdue on the last day of the short rule
    assert due(E - 61 * DAY, chain).due_on == E + 59 * DAY  # day 61 is day E: the long rule is in force by then
    assert due(E - 5 * DAY, chain).due_on == E + 115 * DAY


def test_a_rule_that_was_lifted_and_came_back_rules_again():
    chain = [
        PolicyVersion(key="ever", limit_days=60),
        PolicyVersion(key="relief", limit_days=200, effective_from=date(2020, 3, 1), effective_to=date(2020, 12, 31)),
    ]
    answer = due(date(2020, 2, 15), chain)
    assert (answer.due_on, answer.policy_key) == (date(2020, 9, 2), "relief")
    answer = due(date(2020, 10, 15), chain)
    assert (answer.due_on, answer.policy_key) == (date(2020, 12, 31), "ever")


def test_a_rule_that_ended_without_a_follower_gives_no_date_to_later_logins():
    chain = [PolicyVersion(key="gone", limit_days=60, effective_to=E)]
    assert due(E - 61 * DAY, chain).due_on == E - DAY
    assert due(E - 60 * DAY, chain) is None
    assert due(E, []) is None


def test_versions_starting_on_the_same_day_are_refused():
    twins = [PolicyVersion(key="a", limit_days=60), PolicyVersion(key="b", limit_days=90)]
    with pytest.raises(ValueError, match="a, b"):
        due(E, twins)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"limit_days": 60, "limit_years": 1},
        {"limit_days": 0},
        {"limit_days": 60, "boundary": "about"},
        {"limit_days": 60, "effective_from": E, "effective_to": E - DAY},
    ],
)
def test_a_version_that_makes_no_sense_is_refused(broken):
    assert PolicyVersion(key="x", limit_days=60, effective_from=E, effective_to=E)
    with pytest.raises(ValueError, match="x:"):
        PolicyVersion(key="x", **broken)


def test_a_certification_is_due_the_day_before_its_anniversary():
    chain = [PolicyVersion(key="x", limit_years=1, boundary="ge", effective_from=date(2021, 7, 1))]
    assert due(date(2025, 3, 15), chain).due_on == date(2026, 3, 14)
    assert due(date(2024, 2, 29), chain).due_on == date(2025, 2, 27)
    assert due(date(2018, 1, 1), chain).due_on == date(2021, 6, 30)


def test_a_year_after_leap_day_is_the_twenty_eighth():
    assert anniversary(date(2024, 2, 29), 1) == date(2025, 2, 28)
    assert anniversary(date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert anniversary(date(2023, 2, 28), 1) == date(2024, 2, 28)


def test_dates_at_the_end_of_the_calendar_do_not_fail():
    assert due(date.max, [PolicyVersion(key="x", limit_days=60)]).due_on == date.max
    assert due(date.max, [PolicyVersion(key="x", limit_years=1)]).due_on == date.max
    assert due(date.min, QIES).due_on == date.min + 90 * DAY


def test_only_an_expired_password_is_cured_by_a_later_login():
    assert cures("password_expired")
    assert [c for c in ("roles_revoked", "disabled", "inactive", "deactivated", "deleted") if cures(c)] == []


def test_a_login_after_the_last_day_restarts_no_clock_unless_it_cures():
    late, on_time = E + DAY, E
    assert login_restarts_clock(login_on=on_time, due_on=E, consequence="roles_revoked")
    assert not login_restarts_clock(login_on=late, due_on=E, consequence="roles_revoked")
    assert login_restarts_clock(login_on=late, due_on=E, consequence="password_expired")
    assert login_restarts_clock(login_on=late, due_on=None, consequence="none")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Standing.FINE),
        ({"on": E - 21 * DAY}, Standing.FINE),
        ({"on": E - 20 * DAY}, Standing.SOON),
        ({"on": E}, Standing.SOON),
        ({"on": E + DAY}, Standing.PRESUMED_LAPSED),
        ({"on": E + DAY, "consequence": "password_change"}, Standing.LATE),
        ({"on": E + DAY, "check_pending": True}, Standing.CHECK_ROLES),
        ({"on": E + DAY, "closed": True}, Standing.CLOSED),
        ({"due_on": None, "basis_known": False}, Standing.UNKNOWN),
        ({"due_on": None}, Standing.FINE),
        ({"wanted_on": E - 30 * DAY}, Standing.SOON),
        ({"due_on": None, "wanted_on": E - 60 * DAY}, Standing.SOON),
    ],
)
def test_standing_on_each_side_of_every_line(changed, expected):
    facts = {"on": E - 50 * DAY, "due_on": E, "soon_days": 20, "consequence": "roles_revoked"}
    assert standing(**facts | changed) == expected


def test_an_instant_belongs_to_its_day_in_the_east():
    assert day_in(datetime(2026, 3, 2, 4, 59, tzinfo=UTC)) == date(2026, 3, 1)
    assert day_in(datetime(2026, 3, 2, 5, 0, tzinfo=UTC)) == date(2026, 3, 2)
    assert day_in(datetime(2026, 7, 2, 4, 0, tzinfo=UTC)) == date(2026, 7, 2)
    assert day_in(datetime(2026, 7, 2, 4, 0, tzinfo=UTC), "Pacific/Honolulu") == date(2026, 7, 1)
    with pytest.raises(ValueError, match="time zone"):
        day_in(datetime(2026, 7, 2, 4, 0))  # noqa: DTZ001


# --- What must hold for any chain -------------------------------------------------------------------

HORIZON = 900
START = date(2019, 1, 1)
days = st.integers(0, 500).map(lambda n: START + timedelta(days=n))
limits = st.one_of(st.builds(lambda n: {"limit_days": n}, st.integers(1, 120)), st.just({"limit_years": 1}))


@st.composite
def chains(draw):
    """Any set of versions with distinct starts: open or closed ends, gaps, overlaps, either boundary."""
    starts = draw(st.lists(st.one_of(st.none(), days), max_size=4, unique=True))
    versions = []
    for number, start in enumerate(starts):
        length = draw(st.one_of(st.none(), st.integers(0, 200)))
        end = None if length is None else (start or START) + timedelta(days=length)
        versions.append(
            PolicyVersion(
                key=str(number),
                boundary=draw(st.sampled_from(["gt", "ge"])),
                effective_from=start,
                effective_to=end,
                **draw(limits),
            )
        )
    return versions


def simulate(basis_on, chain):
    """Walk day by day with the rule of that day, as a clerk would; the last day before the first overdue one."""
    for idle in range(1, HORIZON):
        today = basis_on + timedelta(days=idle)
        ruling = None
        for version in chain:
            started = version.effective_from is None or version.effective_from <= today
            ended = version.effective_to is not None and today > version.effective_to
            newer = ruling is None or ruling.effective_from is None
            if started and not ended and (newer or (version.effective_from or date.min) > ruling.effective_from):
                ruling = version
        if ruling is None:
            continue
        if ruling.limit_days is not None:
            too_long = idle > ruling.limit_days if ruling.boundary == "gt" else idle >= ruling.limit_days
        else:
            birthday = (basis_on.month, basis_on.day)
            leap = birthday == (2, 29) and today.year % 4 != 0
            reached = (today.year, (today.month, today.day)) >= (basis_on.year + 1, (2, 28) if leap else birthday)
            exact = (today.month, today.day) == ((2, 28) if leap else birthday) and today.year == basis_on.year + 1
            too_long = reached and (ruling.boundary == "ge" or not exact)
        if too_long:
            return today - DAY, ruling.key
    return None


@given(days, chains())
def test_any_chain_agrees_with_a_walk_through_the_days(basis_on, chain):
    answer = due(basis_on, chain)
    assert (answer and (answer.due_on, answer.policy_key)) == simulate(basis_on, chain)


@given(days, days, chains())
def test_a_later_login_never_brings_the_last_day_forward(one, other, chain):
    earlier, later = sorted([one, other])
    first, second = due(earlier, chain), due(later, chain)
    if first is None:
        assert second is None
    elif second is not None:
        assert first.due_on <= second.due_on


@given(days, days, st.integers(1, 120), st.integers(1, 120))
def test_shortening_follows_the_formula_and_never_reaches_into_the_past(basis_on, change, one, other):
    new, old = sorted([one, other])
    chain = [
        PolicyVersion(key="old", limit_days=old, effective_to=change - DAY),
        PolicyVersion(key="new", limit_days=new, effective_from=change),
    ]
    answer = due(basis_on, chain)
    by_old, by_new = basis_on + old * DAY, basis_on + new * DAY
    assert answer.due_on == min(by_old, max(change - DAY, by_new))
    if answer.policy_key == "new":
        assert answer.due_on >= change - DAY


@given(days, st.integers(1, 200), st.integers(1, 200))
def test_a_house_window_is_only_ever_stricter(basis_on, limit, house):
    due_on = due(basis_on, [PolicyVersion(key="x", limit_days=limit)]).due_on
    wanted = target_on(basis_on=basis_on, due_on=due_on, house_days=house)
    assert wanted == basis_on + min(limit, house) * DAY
    assert target_on(basis_on=basis_on, due_on=due_on, house_days=None) == due_on
    assert target_on(basis_on=basis_on, due_on=None, house_days=house) == basis_on + house * DAY


@given(days, days, chains())
def test_overdue_is_the_other_side_of_days_left(basis_on, on, chain):
    answer = due(basis_on, chain)
    if answer:
        assert overdue(answer.due_on, on) == (days_left(answer.due_on, on) < 0)
        assert in_force(chain, answer.due_on + DAY) == answer.version
