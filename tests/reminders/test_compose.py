"""The subject counts and says by when; the templates hold everything a mail is filled with."""

from datetime import date

import pytest
from django.core.mail import BadHeaderError
from hypothesis import given
from hypothesis import strategies as st

from reminders.compose import _forms, _mime, subject_of
from reminders.letter import Tally
from tests.reminders.mailbox import html, read, text

ON = date(2026, 11, 21)
THU, FRI = date(2026, 12, 3), date(2026, 12, 4)


@pytest.mark.parametrize(
    ("tally", "subject"),
    [
        (Tally(due=2, first_on=THU, last_on=THU), "2 CMS logins due by Thu 3 Dec"),
        (Tally(due=1, first_on=THU, last_on=THU), "1 CMS login due by Thu 3 Dec"),
        (Tally(due=2, first_on=THU, last_on=FRI), "2 CMS logins due, the first by Thu 3 Dec"),
        (Tally(late=1, due=2, first_on=THU, last_on=THU), "1 CMS login late, 2 due by Thu 3 Dec"),
        (Tally(late=2), "2 CMS logins late"),
        (Tally(own=1), "1 CMS login past your own day"),
        (Tally(late=1, own=3), "1 CMS login late, 3 past your own day"),
        (Tally(due=1, passwords=1, first_on=THU, last_on=THU), "1 CMS password due by Thu 3 Dec"),
        (Tally(due=2, passwords=1, first_on=THU, last_on=THU), "2 CMS dates due by Thu 3 Dec"),
        (Tally(late=1234), "1,234 CMS logins late"),
    ],
)
def test_the_subject_says_how_many_and_by_when(tally, subject):
    assert subject_of(tally, ON) == subject


def test_a_day_of_another_year_is_said_with_its_year():
    assert subject_of(Tally(due=1, first_on=date(2027, 1, 4), last_on=date(2027, 1, 4)), ON).endswith("Mon 4 Jan 2027")


def test_styles_stand_inline_and_nothing_is_fetched():
    forms = _forms()
    page = forms.html.template + "".join(part.template for part in forms.parts.values())
    assert "<style" not in page
    assert "<img" not in page
    assert "<link" not in page
    assert "#b42318" in forms.headings["late"]
    assert "font-weight: 600" in forms.parts["row"].template


def headers(subject="A subject", to="henry@example.org"):
    named = [("Subject", subject), ("From", "Portalkeeper <keeper@example.org>"), ("To", to)]
    return [*named, ("Message-ID", "<digest-1-20261121@example.org>")]


# Line ends are written as the mail has them: a lone carriage return has no place in a text mail.
bodies = st.text(st.characters(codec="utf-8", exclude_characters="\r", exclude_categories=["Cs"]), max_size=400)


@given(bodies, bodies)
def test_any_text_is_read_back_as_it_was_written_in_short_ascii_lines(plain, page):
    message = _mime(headers(), plain, page)
    mail = read(message.encode("ascii"))
    # A mail program may not tell whether the body's last line was ended.
    assert text(mail).rstrip("\n") == plain.rstrip("\n")
    assert html(mail).rstrip("\n") == page.rstrip("\n")
    assert max(len(line) for line in message.split("\n")) <= 100


def test_a_subject_outside_ascii_arrives_whole():
    mail = read(_mime(headers("Zoë’s logins"), "a", "b").encode("ascii"))
    assert mail["Subject"] == "Zoë’s logins"


def test_nothing_can_be_smuggled_into_the_headers():
    with pytest.raises(BadHeaderError):
        _mime(headers(to="henry@example.org\nBcc: all@example.org"), "a", "b")
