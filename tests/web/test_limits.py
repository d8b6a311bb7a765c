"""So many tries a minute, and again in the next one, also for whoever never stops trying."""

import time_machine

from tests.conftest import NOON
from web.limits import too_often


def test_who_never_stops_trying_gets_the_next_minute_as_well(db):
    with time_machine.travel(NOON, tick=False) as travel:
        assert [too_often("page", "10.0.0.1", 2) for _ in range(4)] == [False, False, True, True]
        assert not too_often("page", "10.0.0.2", 2), "another address"
        for _ in range(3):
            travel.shift(61)
            assert [too_often("page", "10.0.0.1", 2) for _ in range(3)] == [False, False, True]
