"""When a way of a stream has ended, and when a system has closed for a facility."""

from datetime import date, timedelta

import pytest

from systems.paths import Path, closed, ended
from systems.selectors import stream_paths

DAY = timedelta(days=1)
UNTIL = date(2026, 8, 14)


def path(**changed):
    return Path(**{"stream": "pbj", "provider_type": "nursing", "system": "qies"} | changed)


def test_a_known_last_day_is_still_open_and_the_next_is_not():
    assert not ended(path(until_on=UNTIL), UNTIL)
    assert ended(path(until_on=UNTIL), UNTIL + DAY)


def test_an_unknown_end_counts_once_the_follower_started():
    assert not ended(path(), UNTIL)
    assert ended(path(replaced_by="iqies"), UNTIL)
    follower = path(replaced_by="iqies", follower_from_on=UNTIL)
    assert not ended(follower, UNTIL - DAY)
    assert ended(follower, UNTIL)


def test_a_system_closes_with_its_last_stream_only():
    over, running = path(until_on=UNTIL), path(stream="mds")
    assert closed([over], UNTIL + DAY)
    assert not closed([over, running], UNTIL + DAY)
    assert not closed([], UNTIL + DAY)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "system", "last_open"),
    [
        ("nursing", "qies", date(2026, 8, 14)),
        ("nursing", "cmsnet", date(2026, 8, 14)),
        ("hospice", "qies", date(2026, 2, 15)),
        ("hha", "qies", date(2019, 12, 31)),
    ],
)
def test_the_catalogue_closes_the_old_systems_on_their_day(catalogue, kind, system, last_open):
    paths = [each for each in stream_paths() if (each.provider_type, each.system) == (kind, system)]
    assert not closed(paths, last_open)
    assert closed(paths, last_open + DAY)


@pytest.mark.django_db
def test_current_systems_stay_open(catalogue):
    for system in ("iqies", "hqr", "eqrs", "psr", "ia", "sams"):
        paths = [each for each in stream_paths() if each.system == system]
        assert paths
        assert not any(ended(each, date(2099, 1, 1)) for each in paths)
