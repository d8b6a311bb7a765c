"""How dates, counts and standings are said."""

from datetime import UTC, date, datetime

import pytest
from django import forms
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.template import engines

from systems.policy import EASTERN, Standing
from web.templatetags import words
from web.templatetags.signin import browser, calm
from web.toasts import say

SATURDAY = date(2026, 11, 21)


def test_a_day_is_said_with_weekday_day_month_and_year():
    assert words.day(date(2026, 12, 3)) == "Thu 3 Dec 2026"
    assert words.day(None) == ""


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 12, 3), "in 12 days"),
        (date(2026, 11, 30), "in nine days"),
        (date(2026, 11, 22), "tomorrow"),
        (SATURDAY, "today"),
        (date(2026, 11, 20), "yesterday"),
        (date(2026, 11, 18), "three days ago"),
        (date(2026, 10, 4), "48 days ago"),
    ],
)
def test_the_distance_of_a_day_is_said_in_words(day, said):
    assert words.in_days(day, SATURDAY) == said


def test_days_and_their_distance_stand_together():
    assert words.day_in(date(2026, 12, 3), SATURDAY) == "Thu 3 Dec 2026 (in 12 days)"


@pytest.mark.parametrize(
    ("at", "zone", "said"),
    [
        (datetime(2026, 12, 3, 21, 5, tzinfo=UTC), EASTERN, "Thu 3 Dec 2026, 4:05 p.m. ET"),
        (datetime(2026, 12, 4, 5, 0, tzinfo=UTC), "Pacific/Honolulu", "Thu 3 Dec 2026, 7:00 p.m. HT"),
        (datetime(2026, 7, 1, 4, 30, tzinfo=UTC), EASTERN, "Wed 1 Jul 2026, 12:30 a.m. ET"),
        (datetime(2026, 7, 1, 2, 0, tzinfo=UTC), "Pacific/Guam", "Wed 1 Jul 2026, 12:00 p.m. ChST"),
    ],
)
def test_an_instant_is_said_in_its_zone(at, zone, said):
    assert words.instant(at, zone) == said


def test_counts_below_ten_are_words():
    assert [words.count_word(n) for n in (0, 1, 9, 10, 12345)] == ["no", "one", "nine", "10", "12,345"]
    assert words.count_noun(1, "login,logins") == "one login"
    assert words.count_noun(12, "login,logins") == "12 logins"


def test_lists_end_with_and():
    assert [words.listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_every_standing_of_the_policy_has_words_and_a_shape_of_its_own():
    assert {words.standing_slug(standing) for standing in Standing} == set(words.STANDINGS)
    shapes = [words.standing_icon(standing) for standing in Standing]
    assert len(set(shapes)) == len(shapes)


def test_a_standing_without_words_is_an_error_not_fine():
    assert words.standing_words("presumed_lapsed") == "Presumed lapsed"
    with pytest.raises(ValueError, match="no words"):
        words.standing_words("expired")


def test_the_address_of_undo_travels_with_the_message(rf):
    told = Message(messages.SUCCESS, "Recorded.", extra_tags="undo=/o/riverside/logins/7/undo/")
    assert words.undo_url(told) == "/o/riverside/logins/7/undo/"
    assert words.undo_url(Message(messages.SUCCESS, "Recorded.")) == ""


@pytest.mark.parametrize("address", ["https://example.org/", "//example.org/", "/a b/"])
def test_undo_never_leaves_this_site(rf, address):
    with pytest.raises(ValueError, match="not a path"):
        say(rf.get("/"), "Recorded.", undo_url=address)


def test_words_are_built_into_every_template():
    template = engines["django"].from_string("{{ on|day }}, {{ 2|count_noun:'login,logins' }}")
    assert template.render({"on": SATURDAY}) == "Sat 21 Nov 2026, two logins"


def test_browsers_are_named_for_people():
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    assert browser(firefox) == "Firefox on Windows"
    assert browser("curl/8.0") == "A browser"


class TypedPassword(forms.Form):
    """As the sign-in library writes its forms."""

    password = forms.CharField(label="New Password (again)", widget=forms.TextInput({"placeholder": "New Password"}))


@pytest.mark.parametrize("data", [None, {"password": ""}], ids=["fresh", "refused"])
def test_labels_of_the_sign_in_library_are_calmed(data):
    form = TypedPassword(data)
    assert bool(form.errors) == bool(data)
    field = calm(form)["password"]
    assert field.label == "New password (again)"
    assert "placeholder" not in str(field)
