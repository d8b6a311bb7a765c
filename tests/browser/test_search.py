"""Searching by keyboard alone: a sign, a few letters, Enter; the page itself, wide and narrow."""

import pytest
from django.urls import reverse

from tests.axe import violations
from tests.browser.conftest import NARROW, WIDE
from tests.browser.test_look import TAGS, overflow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TODAY = reverse("web:today", args=["riverside"])
PAGE = reverse("web:search", args=["riverside"])


def test_a_slash_a_beginning_and_enter_lead_to_the_person(open_page, signed_in, cast):
    page = open_page(TODAY, cookies=signed_in(cast.alice))
    page.keyboard.press("/")
    page.keyboard.type("hen/")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=hen")
    assert page.get_by_role("searchbox").input_value() == "hen", "one field, and what was typed is in it"
    hit = page.get_by_role("link", name="Henry Test")
    for _ in range(60):
        if hit.evaluate("link => link === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{cast.people['henry'].get_absolute_url()}")


def test_hits_appear_while_one_types_and_the_arrows_lead_to_one(open_page, signed_in, cast):
    page = open_page(TODAY, cookies=signed_in(cast.alice))
    height = page.evaluate("document.documentElement.scrollHeight")
    page.keyboard.press("/")
    page.keyboard.type("test")
    field = page.get_by_role("searchbox", name="Search")
    found = page.locator("#typed-hits")
    page.get_by_role("link", name="Henry Test").wait_for()
    assert page.locator("#typed-said").inner_text() == "Five found. Choose with the arrow keys."
    assert page.evaluate("document.documentElement.scrollHeight") == height, "nothing moves"
    assert violations(page, tags=TAGS) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert found.is_hidden()
    assert field.input_value() == "test", "what was typed stays"
    assert field.evaluate("field => field === document.activeElement")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.innerText").startswith("Henry Test")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{cast.people['henry'].get_absolute_url()}")


def test_the_page_of_the_search_follows_the_typing(open_page, signed_in, cast):
    page = open_page(PAGE, size=NARROW, cookies=signed_in(cast.alice))
    page.get_by_role("searchbox").press_sequentially("hen")
    page.get_by_role("link", name="Henry Test").wait_for()
    page.wait_for_url(f"**{PAGE}?q=hen")
    assert page.locator("#found-said").inner_text() == "One found."
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{cast.people['henry'].get_absolute_url()}")


def test_the_slash_can_be_switched_off_in_this_browser(open_page, signed_in, cast):
    page = open_page(PAGE, cookies=signed_in(cast.alice))
    box = page.get_by_role("checkbox", name="The key / opens the search")
    assert box.is_checked()
    box.uncheck()
    page.goto(TODAY)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    page.goto(PAGE)
    assert not box.is_checked()
    box.check()
    page.goto(TODAY)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow"])
def test_the_search_is_accessible_and_fits(open_page, signed_in, cast, size, scheme):
    cookies = signed_in(cast.alice)
    page = open_page(TODAY, size=size, scheme=scheme, cookies=cookies)
    if size == NARROW:
        page.get_by_role("link", name="Search", exact=True).click()
        page.wait_for_url(f"**{PAGE}")
    for query in ("", "?q=test", "?q=Hnery", "?q=zzzzzz"):
        page.goto(PAGE + query)
        found = violations(page, tags=TAGS)
        assert {each["id"]: [node["html"] for node in each["nodes"]] for each in found} == {}, query
        assert overflow(page) <= 0, query
