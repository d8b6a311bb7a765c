"""The guides in a browser: a date is worked out in place, words are copied, paper answers too, no mouse is needed."""

import pytest

from tests.axe import violations
from tests.browser.conftest import NARROW, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
GUIDE = "/o/riverside/systems/{}/"


@pytest.fixture
def guide(cast, open_page, signed_in):
    """Return a function: slug -> the guide as Henry, a holder, sees it."""
    cookies = signed_in(cast.henry)
    return lambda slug, query="", **look: open_page(GUIDE.format(slug) + query, cookies=cookies, **look)


def test_a_date_is_worked_out_in_place_by_keyboard_and_its_address_can_be_sent(guide):
    page = guide("iqies")
    page.evaluate("window.sameDocument = true")
    page.get_by_label("That day").fill("2026-01-05")
    page.get_by_label("Seen from").fill("2026-02-01")
    page.get_by_role("button", name="Work it out").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Last safe day: Fri 6 Mar 2026 (in 33 days).", exact=True).wait_for()
    assert page.evaluate("window.sameDocument") is True
    assert page.evaluate("document.activeElement.textContent") == "Work it out"
    assert page.locator("#timeline figure > svg .mark-due").count() == 1
    said = page.get_by_text("Last safe day: Fri 6 Mar 2026 (in 33 days).", exact=True)
    page.goto(page.url)
    assert said.count() == 1


def test_a_refused_day_is_remarked_beside_its_field_and_kept(guide):
    page = guide("iqies")
    page.get_by_label("That day").fill("2026-03-01")
    page.get_by_label("Seen from").fill("2026-02-01")
    page.get_by_role("button", name="Work it out").click()
    page.get_by_text("This day lies after the one you look from.").wait_for()
    assert page.get_by_label("That day").input_value() == "2026-03-01"
    assert page.get_by_label("That day").get_attribute("aria-invalid") == "true"


def test_without_scripts_the_answer_is_a_page_and_the_words_can_be_selected(guide):
    page = guide("qies", scripts=False)
    page.get_by_label("Never signed in").check()
    page.get_by_label("Access granted on").fill("2026-01-05")
    page.get_by_label("Seen from").fill("2026-02-01")
    page.get_by_role("button", name="Work it out").click()
    assert page.get_by_text("Last safe day: Fri 6 Mar 2026 (in 33 days).", exact=True).count() == 1
    assert page.get_by_text("Please remove ALL users assigned to").is_visible()
    assert page.get_by_role("button", name="Copy").count() == 0


def test_one_press_copies_the_exact_words(guide):
    page = guide("qies")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the words for “Facility CCN”").click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "N/A"


def test_a_mark_leads_to_the_document_that_says_so(guide):
    page = guide("iqies")
    page.get_by_role("region", name="At a glance").get_by_role("link", name="Source O2").first.click()
    assert page.url.endswith("#source-O2")
    entry = page.locator("#source-O2")
    assert entry.evaluate("each => each.matches(':target')")
    assert "IQ-INACT-1" in entry.inner_text()
    assert entry.get_by_role("link").get_attribute("href").startswith("https://qtso.cms.gov/")
    covered = page.locator(".topbar").bounding_box()["height"]
    assert entry.bounding_box()["y"] >= covered, "the bar does not hide what the mark led to"


def test_paper_shows_what_is_folded_and_no_form(guide):
    page = guide("qies")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.get_by_text("Self-service (until June 2017)").is_visible()
    assert not page.get_by_role("button", name="Work it out").is_visible()
    assert not page.locator(".topbar").is_visible()
    assert "by Henry Test" in page.locator(".print-only").inner_text()
    assert page.locator("#timeline figure > svg").is_visible()


def test_on_a_phone_the_way_back_and_the_help_desk_stand_on_the_first_screen(guide):
    page = guide("iqies", size=NARROW)
    for name in ("Way back", "Call the help desk"):
        box = page.get_by_role("link", name=name).bounding_box()
        assert box["y"] + box["height"] < NARROW["height"] / 2
    assert page.get_by_role("link", name="Call the help desk").get_attribute("href") == "tel:18003399313"
    wide = guide("iqies", size=WIDE)
    assert not wide.get_by_role("link", name="Call the help desk").is_visible()
    assert wide.get_by_role("region", name="At a glance").get_by_text("1-800-339-9313").bounding_box()["y"] < 500


@pytest.mark.parametrize("width", [320, 768, 900], ids=["zoomed 400 %", "tablet", "small laptop"])
def test_no_width_makes_a_guide_wider_than_its_window(guide, width):
    for slug in ("iqies", "qies", "idm", "ep-cnc"):
        page = guide(slug, "?last_login=2026-01-05&on=2026-02-01", size={"width": width, "height": 640})
        page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, slug


def test_words_in_the_drawing_keep_their_size_on_a_phone_and_lie_apart(guide):
    page = guide("qies", size=NARROW)
    sizes = page.eval_on_selector_all(
        "#timeline svg text", "all => all.map(each => parseFloat(getComputedStyle(each).fontSize))"
    )
    assert min(sizes) >= 11
    boxes = page.eval_on_selector_all(
        "#timeline svg .bar-name:not(.minor), #timeline svg .year-name:not(.minor)",
        "all => all.map(each => { const b = each.getBoundingClientRect(); return [b.left, b.right, b.top, b.bottom] })",
    )
    for one in boxes:
        for other in boxes:
            apart = one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
            assert one is other or apart, (one, other)


def test_the_pages_have_nothing_for_axe_to_object_to(guide):
    for slug, query in (("iqies", "?last_login=2026-01-05&on=2026-02-01"), ("psr", ""), ("harp", "")):
        page = guide(slug, query)
        assert [each["id"] for each in violations(page)] == [], slug
