"""The calculator of a guide: one answer that says why, or why there is none; and the drawing of the versions."""

import re
from datetime import date

import pytest
import time_machine

from accounts.models import HouseWindow
from systems.models import System
from tests.conftest import NOON, TODAY
from tests.web.guide_pages import guide, said

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def test_a_known_login_gives_the_last_safe_day_and_who_says_so(client, cast):
    answer = guide(client, cast.henry, "iqies", last_login="2026-10-01")
    page = said(answer)
    assert "Last safe day: Mon 30 Nov 2026 (in 10 days)." in page
    assert "Last signed in on Thu 1 Oct 2026, seen from Fri 20 Nov 2026" in page
    told = answer.context["answer"]
    assert [(row.title, row.cite.fact, row.cite.source) for row in told.rows] == [("Signing in", "IQ-INACT-1", "O2")]
    assert "In force since Mon 20 May 2024." in told.rows[0].rule
    assert told.house == "", "CMS's own limit needs no rule of the house"


def test_a_day_gone_by_says_so(client, cast):
    page = said(guide(client, cast.henry, "iqies", last_login="2026-09-01"))
    assert "The last safe day was Sat 31 Oct 2026 (20 days ago)." in page


def test_an_assumed_start_is_said_where_it_moves_the_date_and_where_not(client, cast):
    asked = {"last_login": "2022-12-01", "on": "2023-03-01"}
    moved = guide(client, cast.henry, "idm", **asked).context["answer"].rows[0]
    assert "assumed" in moved.rule
    assert "so this date is our reading" in moved.rule
    still = guide(client, cast.henry, "idm", last_login="2026-10-01").context["answer"].rows[0]
    assert "which does not move this date" in still.rule


def test_a_rule_that_shortened_a_limit_says_why_its_eve_was_the_last_safe_day(client, cast):
    asked = {"last_login": "2017-04-20", "on": "2017-06-20"}
    row = next(row for row in guide(client, cast.henry, "qies", **asked).context["answer"].rows)
    assert row.sentence == "Last safe day: Sun 25 Jun 2017 (in five days)."
    assert "Whoever was idle for longer when it began was too late on Mon 26 Jun 2017 itself." in row.rule
    later = guide(client, cast.henry, "qies", last_login="2017-06-01", on="2017-07-01").context["answer"].rows[0]
    assert "Whoever" not in later.rule


@pytest.mark.parametrize("slug", ["iqies", "idm", "qies", "psr", "sams", "cmsnet"])
def test_the_ends_of_the_calendar_break_nothing(client, cast, slug):
    for login, on in (("0001-01-01", "0001-01-01"), ("0001-01-01", "9999-12-31"), ("9999-12-31", "9999-12-31")):
        answer = guide(client, cast.henry, slug, last_login=login, granted_on=login, on=on)
        assert answer.context["answer"] is not None


def test_an_unknown_login_invents_no_date(client, cast):
    answer = guide(client, cast.henry, "iqies", last_login="unknown")
    page = said(answer)
    assert answer.context["answer"].rows == []
    assert "no date is invented here" in page
    assert "Ask the person" in page


def test_never_signed_in_counts_from_the_grant_or_asks_for_it(client, cast):
    asked = {"login": "never", "granted_on": "2026-11-01"}
    assert "Last safe day: Thu 31 Dec 2026" in said(guide(client, cast.henry, "iqies", **asked))
    answer = guide(client, cast.henry, "iqies", login="never")
    assert answer.context["answer"].rows == []
    assert "say that day" in said(answer)


def test_a_kind_that_needs_another_fact_says_which(client, cast):
    page = said(guide(client, cast.henry, "idm", last_login="2026-10-01"))
    assert "Yearly certification of roles: not counted; it needs the day of the grant" in page


def test_without_a_published_limit_the_house_rule_is_yours_and_cites_nobody(client, cast):
    answer = guide(client, cast.henry, "sams", last_login="2026-10-01")
    page = said(answer)
    assert "No limit was published for signing in to SAMS." in page
    assert "Your rule: a login every 90 days, by Wed 30 Dec 2026" in page
    assert "no rule of CMS" in page
    HouseWindow.objects.create(
        organization=cast.riverside, system=System.objects.get(slug="sams"), mention_days=20, flag_days=30
    )
    later = said(guide(client, cast.henry, "sams", last_login="2026-10-01"))
    assert "Your rule: a login every 30 days, was due by Sat 31 Oct 2026" in later
    HouseWindow.objects.update(enabled=False)
    assert "has switched its own rule for SAMS off" in said(guide(client, cast.henry, "sams", last_login="2026-10-01"))


def test_a_stricter_house_rule_stands_beside_the_limit_and_moves_nothing(client, cast):
    window = {"organization": cast.riverside, "system": System.objects.get(slug="iqies")}
    HouseWindow.objects.create(**window, mention_days=20, flag_days=30)
    page = said(guide(client, cast.henry, "iqies", last_login="2026-11-01"))
    assert "Last safe day: Thu 31 Dec 2026" in page
    assert "Your rule: a login every 30 days, by Tue 1 Dec 2026" in page
    HouseWindow.objects.update(counts_from_on=date(2026, 12, 15))
    page = said(guide(client, cast.henry, "iqies", last_login="2026-11-01"))
    assert "Your rule: a login every 30 days, by Mon 14 Dec 2026" in page
    HouseWindow.objects.update(flag_days=90)
    assert "Your rule" not in said(guide(client, cast.henry, "iqies", last_login="2026-11-01"))


@pytest.mark.parametrize(
    ("asked", "field", "remark"),
    [
        ({"last_login": "2026-13-01"}, "last_login", "no day of the calendar"),
        ({"last_login": "soon"}, "last_login", "no day of the calendar"),
        ({"login": "day"}, "last_login", "Say on which day"),
        ({"last_login": "2026-11-21", "on": "2026-11-20"}, "last_login", "lies after the one you look from"),
        ({"last_login": "2026-10-01", "granted_on": "2027-01-01"}, "granted_on", "lies after the one you look from"),
        ({"last_login": "2026-10-01", "on": "x"}, "on", "no day of the calendar"),
        ({"login": "perhaps"}, "login", "Choose one of the three"),
    ],
)
def test_bad_input_is_told_beside_its_field_and_nothing_is_lost(client, cast, asked, field, remark):
    answer = guide(client, cast.henry, "iqies", **asked)
    form = answer.context["form"]
    assert list(form.errors) == [field]
    assert remark in form.errors[field][0]
    assert remark in said(answer)
    assert answer.context["answer"] is None
    for name, value in asked.items():
        assert name == "login" or f'value="{value}"' in answer.content.decode()


def test_an_untouched_calculator_remarks_on_nothing(client, cast):
    html = guide(client, cast.henry, "iqies").content.decode()
    assert "invalid-feedback" not in html
    assert f'value="{TODAY.isoformat()}"' in html, "the day looked from is today in US Eastern time"


# The timeline


def test_every_drawn_version_stands_in_the_table_beside_it(client, cast):
    for slug in ("qies", "iqies", "idm", "psr"):
        timeline = guide(client, cast.henry, slug).context["timeline"]
        drawn = [bar.label for lane in timeline.lanes for bar in lane.bars]
        assert drawn == [row["limit"] for row in timeline.rows]
        assert all(row["cite"].source for row in timeline.rows)


def test_an_unprinted_and_an_assumed_beginning_look_different(client, cast):
    lanes = guide(client, cast.henry, "idm").context["timeline"].lanes
    old, new = next(lane for lane in lanes if lane.title == "Signing in").bars
    assert (old.open_start, old.assumed, old.current) == (True, False, False)
    assert (new.open_start, new.assumed, new.current) == (False, True, True)


def test_an_answer_is_marked_on_its_lane(client, cast):
    plain = guide(client, cast.henry, "iqies").context["timeline"]
    asked = guide(client, cast.henry, "iqies", last_login="2026-10-01").context["timeline"]
    assert [mark for lane in plain.lanes for mark in lane.marks] == []
    assert [mark["sign"] for lane in asked.lanes for mark in lane.marks] == ["basis", "due"]
    basis, last = (float(mark["x"].rstrip("%")) for lane in asked.lanes for mark in lane.marks)
    assert basis < last < 100


def test_a_system_without_a_dated_rule_has_no_drawing(client, cast):
    assert guide(client, cast.henry, "sams").context["timeline"] is None


def test_no_page_carries_an_inline_style(client, cast):
    for slug in ("qies", "idm"):
        html = guide(client, cast.henry, slug, last_login="2026-10-01").content.decode()
        assert not re.search(r"<[^>]+\sstyle=", html)
        ids = re.findall(r'\sid="([^"]+)"', html)
        assert sorted({name for name in ids if ids.count(name) > 1}) == []
