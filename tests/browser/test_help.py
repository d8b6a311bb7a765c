"""Help in a browser: hints by keyboard and without scripts, a glossary that filters, guides that fit one sheet."""

import re

import pytest
from django.urls import reverse

from tests.accounts.holding import held
from tests.axe import violations
from tests.browser.conftest import NARROW
from web.guides.leaflets import LEAFLETS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")


@pytest.fixture
def visit(cast, open_page, signed_in):
    """Return a function: (URL name, its arguments) -> the page as Carol, a coordinator, sees it."""
    cookies = signed_in(cast.carol)
    return lambda name, *args, **look: open_page(
        reverse(f"web:{name}", args=["riverside", *args]), cookies=cookies, **look
    )


def test_a_hint_opens_and_closes_by_keyboard_and_without_scripts(visit):
    page = visit("systems", scripts=False)
    word = page.get_by_role("button", name="What is HARP?")
    hint = page.get_by_text("The one user ID and password behind iQIES")
    assert not hint.is_visible()
    word.focus()
    page.keyboard.press("Enter")
    assert hint.is_visible()
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "More in the glossary"
    page.keyboard.press("Escape")
    assert not hint.is_visible()
    word.click()
    page.get_by_role("link", name="More in the glossary").click()
    assert page.url.endswith("/help/glossary/#term-harp")


def test_the_glossary_is_accessible_fits_a_phone_and_filters_while_typing(visit):
    page = visit("glossary", size=NARROW, scheme="dark")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.get_by_label("Word, or part of one").press_sequentially("hospice")
    page.get_by_text("with “hospice”").wait_for()
    assert page.get_by_text("The records that hospices submit").is_visible()
    assert page.get_by_text("The reports a provider fetches").count() == 0
    assert page.url.endswith("?q=hospice")


def test_an_open_hint_is_accessible_and_inside_a_phone(visit):
    page = visit("system", "iqies", size=NARROW)
    assert violations(page) == []
    page.get_by_role("button", name="what is that?").click()
    hint = page.get_by_text("The one user ID and password behind iQIES")
    box = hint.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= NARROW["width"]
    # What the open hint covers in part is out of reach until it closes.
    assert [each for each in violations(page) if each["id"] != "target-size"] == []


def test_each_guide_fits_one_printed_page_and_a_phone_without_complaint(visit):
    for leaflet in LEAFLETS:
        page = visit("leaflet", leaflet.slug, size=NARROW)
        assert violations(page) == [], leaflet.slug
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, leaflet.slug
        assert len(PAGE.findall(page.pdf(format="Letter"))) == 1, leaflet.slug


def test_the_words_of_the_cover_grid_are_explained_on_a_phone_too(visit, cast):
    held(cast)
    page = visit("facilities", size=NARROW)
    assert violations(page) == []
    page.get_by_role("button", name="iQIES").press("Enter")
    assert page.get_by_role("link", name="More in the glossary").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
