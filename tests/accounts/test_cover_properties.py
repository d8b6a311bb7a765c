"""Who can submit, for random facilities: the set-wise answer agrees with asking person by person in plain words."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from accounts.policy.cover import Held, Role, able_to_submit
from accounts.policy.quotas import Limit, exceeded
from accounts.policy.streams import SUBMITTED, Site, Ways, closed_systems, moved_from, streams_of, systems_on
from systems.paths import Path

DAY = date(2026, 8, 15)
SYSTEMS = ("qies", "iqies", "hqr")
STREAMS = ("mds", "pbj", "iqr")
KINDS = ("nursing", "hospital")
days = st.none() | st.integers(-3, 3).map(lambda away: DAY + timedelta(days=away))
abilities = st.sampled_from(["upload", "submit", "view", "approve"])
roles = st.builds(
    Role,
    system=st.sampled_from(SYSTEMS),
    abilities=st.frozensets(st.tuples(abilities, st.none() | st.sampled_from(STREAMS)), max_size=3),
    stated=st.booleans(),
    privileged=st.booleans(),
    usable_from=days,
    usable_until=days,
)


@st.composite
def facilities(draw):
    catalogue = dict(enumerate(draw(st.lists(roles, min_size=1, max_size=4))))
    held = []
    for account in range(draw(st.integers(0, 8))):
        key = draw(st.sampled_from(sorted(catalogue)))
        flags = [draw(st.booleans()) for _ in range(3)]
        held.append(Held(draw(st.integers(1, 3)), account, catalogue[key].system, key, *flags))
    return catalogue, held


@st.composite
def ways(draw):
    found = {}
    for _ in range(draw(st.integers(0, 6))):
        stream, kind, system = (draw(st.sampled_from(each)) for each in (STREAMS, KINDS, SYSTEMS))
        follower = draw(st.none() | st.sampled_from([each for each in SYSTEMS if each != system]))
        found[stream, kind, system] = Path(
            stream=stream,
            provider_type=kind,
            system=system,
            from_on=draw(days),
            until_on=draw(days),
            replaced_by=follower,
            follower_from_on=draw(days) if follower else None,
        )
    return Ways(paths=tuple(found.values()), groups=dict.fromkeys(STREAMS, "assessment"))


def can_submit(person, catalogue, held, stream, systems, on):
    for each in held:
        if each.person != person or each.system not in systems:
            continue
        if not each.runs or not each.employed or each.away:
            continue
        role = catalogue[each.role]
        if role.usable_from and on < role.usable_from:
            continue
        if role.usable_until and on > role.usable_until:
            continue
        if role.stated:
            for ability, of in role.abilities:
                if ability in {"upload", "submit"} and (of is None or of == stream):
                    return True
        elif not role.privileged:
            return True
    return False


@given(facilities(), st.sampled_from(STREAMS), st.frozensets(st.sampled_from(SYSTEMS)))
def test_who_can_submit_is_what_one_finds_person_by_person(facility, stream, systems):
    catalogue, held = facility
    expected = {
        person for person in {each.person for each in held} if can_submit(person, catalogue, held, stream, systems, DAY)
    }
    assert able_to_submit(held, catalogue, stream, systems, DAY) == expected


@given(
    ways(),
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(STREAMS), st.sampled_from(["own", "corporate", "none"])),
    st.frozensets(st.sampled_from(SYSTEMS)),
)
def test_no_system_is_closed_and_used_on_one_day(known, kind, stated, still):
    site = Site(kind=kind, stated=stated, still=still)
    closed = closed_systems(site, known, DAY)
    streams = streams_of(site, known)
    used = {system for _, paths in streams.values() for system in systems_on(paths, site, DAY)}
    assert not set(closed) & used
    assert not set(closed) & still
    assert "none" not in {through for through, _ in streams.values()}
    for stream in streams:
        assert not moved_from(stream, frozenset(used), site, known, DAY) & still


@given(facilities(), st.integers(1, 3))
def test_a_limit_is_passed_when_more_people_are_counted_than_it_says(facility, most):
    _, held = facility
    limit = Limit(key="X-1", system="qies", most=most)
    people = sorted({each.person for each in held if each.system == "qies"})
    excesses = list(exceeded("nursing", held, [limit]))
    assert [list(excess.people) for excess in excesses] == ([people] if len(people) > most else [])


def test_what_must_be_submitted_are_assessments_staffing_and_quality():
    assert {"assessment", "staffing", "quality"} == SUBMITTED
