"""The next 13 weeks: every date in its week, within what the member reads."""

from datetime import timedelta

import pytest
import time_machine
from django.template.loader import render_to_string
from django.urls import reverse

from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from web.forecast import WEEKS, drawn, weeks_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def page(client, cast, query=""):
    return client.get(reverse("web:forecast", args=[cast.riverside.slug]) + query)


def totals(answer):
    return [week.total for week in answer.context["forecast"].weeks]


def test_a_week_has_seven_days_and_the_rest_is_left_out():
    days = [(TODAY + timedelta(days=number), "inactivity", 1) for number in range(-3, 200)]
    weeks = weeks_of([*days, (TODAY, "password", 2)], TODAY)
    assert [week.logins for week in weeks] == [7] * WEEKS
    assert [week.others for week in weeks] == [2] + [0] * (WEEKS - 1)
    assert all(one.ends_on + timedelta(days=1) == two.starts_on for one, two in zip(weeks, weeks[1:], strict=False))


def test_the_highest_bar_fills_the_room_and_a_single_date_is_still_seen():
    weeks = weeks_of([(TODAY, "inactivity", 1), (TODAY + timedelta(days=7), "inactivity", 900)], TODAY)
    bars = drawn(weeks).bars
    assert bars[1].logins_height == 180
    assert bars[0].logins_height == 3
    assert bars[2].logins_height == 0
    assert drawn(weeks).busiest == weeks[1]
    assert drawn(weeks_of([], TODAY)).busiest is None
    said = render_to_string("web/forecast_sentence.html", {"forecast": drawn(weeks)})
    assert "the most in one week, 900, from Fri 27 Nov 2026." in said
    alone = drawn(weeks_of([(TODAY, "inactivity", 1)], TODAY))
    assert "the first in the week from Fri 20 Nov 2026." in render_to_string(
        "web/forecast_sentence.html", {"forecast": alone}
    )


def test_dates_stand_in_their_week_for_those_who_read_there(client, cast):
    held(cast, "qies", person="carol", last_login=TODAY - timedelta(days=50))  # due in ten days
    held(cast, "qies", person="olga", facility="elm", last_login=TODAY)  # due in 60
    client.force_login(cast.alice)
    both = totals(page(client, cast))
    assert (both[1], both[8]) == (1, 1)
    assert totals(page(client, cast, f"?facility={cast.elm.pk}"))[:2] == [0, 0]
    client.force_login(cast.carol)
    mine = totals(page(client, cast))
    assert (mine[1], mine[8]) == (1, 0)
    client.force_login(cast.mallory)
    assert page(client, cast).status_code == 404
    other = client.get(reverse("web:forecast", args=[cast.hilltop.slug]))
    assert sum(totals(other)) == 0
    assert "Nothing runs out" in other.content.decode()


def test_the_table_says_what_is_drawn(client, cast):
    held(cast, "qies", person="carol", last_login=TODAY - timedelta(days=50))
    client.force_login(cast.alice)
    html = page(client, cast).content.decode()
    assert "Fri 27 Nov 2026 to Thu 3 Dec 2026" in html
    assert "One date runs out if nobody does anything" in html


def test_a_filter_that_means_nothing_breaks_nothing(client, cast):
    client.force_login(cast.alice)
    assert page(client, cast, "?system=nonsense&facility=%00").status_code == 200
