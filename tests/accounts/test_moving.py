"""Moves of streams: which the catalogue knows, and when a facility is ready, held against plain words."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.moving import goals
from accounts.policy.moving import Holder, Readiness, State, Step, gaps, moves, readiness
from systems.models import System
from tests.accounts.test_cover_properties import ways
from tests.conftest import TODAY

people = st.integers(1, 6)
holders = st.lists(
    st.builds(
        Holder,
        person=people,
        identity=st.none() | st.integers(1, 9),
        factor=st.sampled_from([None, True, False]),
        role=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda each: each.person,
).map(tuple)
states = st.builds(
    State,
    holders=holders,
    officials=st.none() | st.frozensets(people, max_size=2),
    able=st.frozensets(people, max_size=3),
    tools=st.lists(st.tuples(st.integers(1, 9), st.just("Uploader")), max_size=1).map(tuple),
)


def all_there(state):
    for each in state.holders:
        if each.identity is None or each.factor is not True or not each.role:
            return False
    if state.officials is not None and len(state.officials) == 0:
        return False
    return len(state.able) >= 2 and len(state.tools) == 0


@given(states)
def test_ready_is_what_one_finds_in_plain_words(state):
    asked = replace(state, holders=tuple(replace(each, factor=each.factor is not False) for each in state.holders))
    nothing_told = not state.holders and not state.able and not state.officials
    if all_there(state):
        expected = Readiness.READY
    elif nothing_told or all_there(asked):
        expected = Readiness.UNKNOWN
    else:
        expected = Readiness.NOT_READY
    assert readiness(gaps(state)) == expected


@given(states)
def test_the_next_deed_is_there_exactly_where_something_is_missing_and_doing_it_all_ends_ready(state):
    missing = gaps(state)
    assert (missing == []) == all_there(state)
    assert [gap.step for gap in missing] == sorted((gap.step for gap in missing), key=list(Step).index)
    done = State(
        holders=tuple(Holder(person=each.person, identity=1, factor=True, role=True) for each in state.holders),
        officials=None if state.officials is None else frozenset({1, *state.officials}),
        able=frozenset({1, 2, *state.able}),
    )
    assert gaps(done) == []


@given(ways())
def test_every_way_that_names_a_follower_belongs_to_one_move(known):
    found = moves(known)
    assert len({move.key for move in found}) == len(found)
    for path in known.paths:
        mine = [
            move
            for move in found
            if (move.stream, move.to) == (path.stream, path.replaced_by)
            and path.system in move.origins
            and path.provider_type in move.kinds
        ]
        assert len(mine) == (1 if path.replaced_by else 0)


@pytest.mark.django_db
def test_the_catalogues_moves_have_their_days_and_roles_and_every_replaced_system_is_left_by_one(catalogue):
    found = {goal.move.key: goal for goal in goals(TODAY).all}
    pbj, his, epoc, irf = (found[f"{stream}-to-iqies"] for stream in ("pbj", "his", "epoc", "irf-pai"))
    assert [system.name for system in pbj.origins] == ["QIES", "CASPER", "CMSNet"]
    assert (pbj.move.last_on, pbj.move.starts_on) == (date(2026, 8, 14), date(2026, 8, 17))
    assert (his.move.follows, his.move.starts_on) == (("hope",), date(2025, 10, 1))
    assert (irf.move.last_on, irf.move.starts_on) == (None, None)
    assert [goal.role.slug for goal in (pbj, his, epoc)] == [
        "pbj-submitter-provider",
        "assessment-submitter",
        "provider-epoc-administrator",
    ]
    assert pbj.official.slug == "provider-security-official"
    assert found["iqr-to-hqr"].role.slug == "individual-user"
    left = {(system.slug, goal.to.slug) for goal in found.values() for system in goal.origins}
    replaced = System.objects.current().exclude(successor=None)
    assert {(system.slug, system.successor.slug) for system in replaced} <= left
