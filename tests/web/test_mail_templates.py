"""The digest says the same in both its forms, escapes what people typed, and needs nothing from elsewhere."""

from datetime import date

import css_inline
import pytest
from django.template.loader import render_to_string

ROW = {
    "sentence": "Sign in to iQIES by Thu 3 Dec (12 days): last seen 48 days ago.",
    "detail": "After that your iQIES roles are revoked.",
    "url": "https://portal.example.org/o/riverside/accounts/7/",
    "deed": "Record the login",
    "new": True,
}
CONTEXT = {
    "subject": "1 CMS login due by Thu 3 Dec",
    "name": "Jane",
    "organization": "Riverside & Sons",
    "lead": "One login is due this week; nothing is late.",
    "sections": [
        {"title": "This week", "kind": "soon", "rows": [ROW, ROW | {"sentence": "QIES is next.", "new": False}]}
    ],
    "more": [{"text": "Oak House: 12 more", "url": "https://portal.example.org/o/riverside/"}],
    "today_url": "https://portal.example.org/o/riverside/",
    "reason": "You get this because you hold accounts at Oak House.",
}


@pytest.mark.parametrize("form", ["html", "txt"])
def test_both_forms_carry_every_sentence_and_address(form):
    text = render_to_string(f"mail/digest.{form}", CONTEXT)
    for said in [
        CONTEXT["lead"],
        "Jane",
        ROW["sentence"],
        ROW["detail"],
        ROW["url"],
        "QIES is next.",
        "Oak House: 12 more",
    ]:
        assert said in text
    assert CONTEXT["reason"] in text
    assert text.lower().count("new since the last mail") == 1


def test_plain_text_is_not_escaped_and_html_is():
    typed = CONTEXT | {"organization": "Riverside & Sons <b>"}
    assert "Riverside & Sons <b>" in render_to_string("mail/digest.txt", typed)
    assert "Riverside &amp; Sons &lt;b&gt;" in render_to_string("mail/digest.html", typed)


def test_styles_are_inlined_and_nothing_is_fetched():
    html = css_inline.CSSInliner(load_remote_stylesheets=False).inline(render_to_string("mail/digest.html", CONTEXT))
    assert "<style" not in html
    assert "background: #0b5c8a" in html or "background:#0b5c8a" in html
    assert "<img" not in html
    assert "<link" not in html


@pytest.mark.parametrize(
    ("late", "due", "subject"),
    [
        (0, 2, "2 CMS logins due by Thu 3 Dec"),
        (0, 1, "1 CMS login due by Thu 3 Dec"),
        (1, 2, "1 CMS login late, 2 due by Thu 3 Dec"),
        (2, 0, "2 CMS logins late"),
        (0, 0, "Your CMS accounts: what changed"),
    ],
)
def test_the_subject_says_how_many_and_by_when(late, due, subject):
    found = render_to_string("mail/digest_subject.txt", {"late": late, "due": due, "by_on": date(2026, 12, 3)})
    assert found == subject + "\n"
