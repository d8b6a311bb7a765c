"""A row of Today changes in place with scripts, by a whole page without, and focus is never lost."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _one_row(settings):
    settings.ROOT_URLCONF = "tests.web.echo_urls"


def test_a_deed_changes_the_row_in_place_and_focus_goes_to_undo(open_page):
    page = open_page("/today/")
    page.evaluate("window.sameDocument = true")
    page.get_by_role("button", name="I signed in today").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Recorded for 2026-11-21.").wait_for()
    assert page.evaluate("window.sameDocument") is True
    assert page.locator("#greeting").inner_text() == "Nothing is due"
    assert "Login recorded." in page.locator("#toasts").inner_text()
    focused = page.locator("#row-soon button:focus")
    focused.wait_for()
    assert focused.inner_text().startswith("Undo")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="I signed in today").wait_for()
    assert page.locator("#greeting").inner_text() == "One login is due"


def test_another_day_is_recorded_by_keyboard(open_page):
    page = open_page("/today/")
    page.locator(".another-day summary").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Last signed in on").fill("2026-11-18")
    page.keyboard.press("Enter")
    page.get_by_text("Recorded for 2026-11-18.").wait_for()
    assert page.locator("#toasts").get_by_role("button", name="Undo").is_visible()


def test_without_scripts_the_same_buttons_answer_with_a_page(open_page):
    page = open_page("/today/", scripts=False)
    page.get_by_role("button", name="I signed in today").click()
    page.get_by_text("Recorded for 2026-11-21.").wait_for()
    assert page.url.endswith("/today/")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="I signed in today").wait_for()


def test_after_the_session_ended_the_deed_leads_to_sign_in(open_page):
    page = open_page("/today/")
    page.evaluate("document.querySelector('#row-soon form').setAttribute('hx-post', '/signed-out/')")
    page.evaluate("htmx.process(document.querySelector('#row-soon form'))")
    page.get_by_role("button", name="I signed in today").click()
    page.wait_for_url("**/auth/login/?next=%2Ftoday%2F")
    assert page.get_by_role("button", name="I signed in today").count() == 0


def test_a_deed_that_does_not_get_through_says_so_and_keeps_the_row(open_page):
    page = open_page("/today/")
    page.route("**/do/", lambda route: route.fulfill(status=503, body="busy"))
    page.get_by_role("button", name="I signed in today").click()
    page.get_by_role("alert").get_by_text("That did not get through").wait_for()
    assert page.get_by_role("button", name="I signed in today").is_enabled()
    assert all("503" in said or "/do/" in said for said in open_page.complaints)
    open_page.complaints.clear()
