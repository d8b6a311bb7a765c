"""A why that opens: who will be told is read when somebody asks, once, in place, and without scripts on a page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from systems.policy import EASTERN, day_in
from tests.accounts.holding import held
from tests.axe import violations
from tests.browser.conftest import NARROW
from tests.reminders.making import started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
COMING, ASK = "If nothing changes until then:", "See who will be told, and who else there is"


@pytest.fixture
def account(cast):
    """Henry's iQIES account, last seen 57 days ago; mails go out."""
    started(cast)
    today = day_in(timezone.now(), EASTERN)
    return held(cast, last_login=today - timedelta(days=57), opened_on=today - timedelta(days=500), person="henry")


def test_an_opened_why_says_who_will_be_told_and_asks_the_server_once(open_page, signed_in, cast, account):
    asked = []
    page = open_page("/o/riverside/", size=NARROW, cookies=signed_in(cast.alice))
    page.on("request", lambda request: asked.append(request.url) if "/why/" in request.url else None)
    row = page.get_by_role("listitem").filter(has_text="iQIES roles are revoked")
    why = row.get_by_text("Why?")
    assert asked == [], "nothing is read before somebody asks"
    why.press("Enter")
    row.get_by_text(COMING).wait_for()
    assert "Henry Test" in row.inner_text()
    assert row.get_by_role("link", name=ASK).count() == 0, "what was asked for stands where the link stood"
    assert why.evaluate("each => each === document.activeElement"), "reading on moves no focus"
    for _ in range(2):
        why.press("Enter")
    assert row.get_by_text(COMING).is_visible()
    assert len(asked) == 1
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_without_scripts_the_same_is_a_page_that_leads_back(open_page, signed_in, cast, account):
    page = open_page("/o/riverside/", scripts=False, cookies=signed_in(cast.alice))
    row = page.get_by_role("listitem").filter(has_text="iQIES roles are revoked")
    row.get_by_text("Why?").click()
    row.get_by_role("link", name=ASK).click()
    page.get_by_role("heading", name="Henry Test: iQIES", level=1).wait_for()
    assert page.get_by_text(COMING).is_visible()
    assert "Henry Test" in page.get_by_role("main").inner_text()
    page.get_by_role("main").get_by_role("link", name="Open the account").click()
    page.get_by_role("heading", name="Henry Test’s iQIES account").wait_for()
