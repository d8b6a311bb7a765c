"""What people see and use: accessible, within the window, by keyboard, without scripts, and light to load."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse

from tests.axe import violations
from tests.browser.conftest import NARROW, WIDE
from users.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ENTRANCE = ["account_login", "account_reset_password", "account_signup"]
MINE = ["mfa_index", "mfa_activate_totp", "account_change_password", "account_email", "usersessions_list"]
MINE += ["mfa_add_webauthn", "mfa_list_webauthn", "account_logout"]
LOOKS = [(WIDE, "light"), (NARROW, "dark"), (NARROW, "light"), (WIDE, "dark")]
IDS = ["wide-light", "narrow-dark", "narrow-light", "wide-dark"]


def objections(page) -> dict[str, list[str]]:
    """Return what axe objects to: rule → the elements."""
    return {each["id"]: [node["html"] for node in each["nodes"]] for each in violations(page, tags=TAGS)}


def overflow(page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.fixture
def jane(db):
    """Somebody with an account here and no organization."""
    user = User.objects.create_user("jane@example.org", "correct horse battery staple", name="Jane Sample")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=IDS)
def test_the_style_page_is_accessible_and_fits(open_page, size, scheme):
    page = open_page(reverse("web:style"), size=size, scheme=scheme)
    page.evaluate("document.querySelectorAll('details:not(.menu)').forEach(part => { part.open = true })")
    assert objections(page) == {}
    assert overflow(page) <= 0


@pytest.mark.parametrize(("size", "scheme"), LOOKS[:2], ids=IDS[:2])
@pytest.mark.parametrize("name", ENTRANCE)
def test_pages_before_sign_in_are_accessible_and_fit(open_page, name, size, scheme):
    page = open_page(reverse(name), size=size, scheme=scheme)
    assert objections(page) == {}
    assert overflow(page) <= 0


@pytest.mark.parametrize(("size", "scheme"), LOOKS[:2], ids=IDS[:2])
def test_pages_about_my_sign_in_are_accessible_and_fit(open_page, signed_in, jane, size, scheme):
    cookies = signed_in(jane)
    for name in MINE:
        page = open_page(reverse(name), size=size, scheme=scheme, cookies=cookies)
        if "reauthenticate" in page.url:
            page.get_by_label("Password").fill("correct horse battery staple")
            page.get_by_role("button", name="Confirm").click()
            page.wait_for_load_state("networkidle")
        assert reverse(name) in page.url
        assert objections(page) == {}, name
        assert overflow(page) <= 0, name


def test_every_button_and_menu_is_big_enough_for_a_finger(open_page):
    page = open_page(reverse("web:style"), size=NARROW)
    small = page.evaluate(
        # a word inside a sentence is as high as its line
        """() => [...document.querySelectorAll(
                "main :is(button:not(.term-word), .btn, summary), .topbar :is(summary, a), .rail > ul > li > *")]
            .filter(part => part.getClientRects().length)
            .map(part => [part.textContent.trim(), part.getBoundingClientRect().height])
            .filter(([, height]) => height < 43.5)"""
    )
    assert small == []


def test_the_keyboard_alone_reaches_content_and_menus(open_page, signed_in, jane):
    page = open_page(reverse("account_change_password"), cookies=signed_in(jane))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    menu = page.locator(".topbar-end details")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    assert menu.get_attribute("open") is not None
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Password"
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY", "focus returns to the menu's button"


def test_the_bottom_bar_keeps_the_other_pages_under_more(open_page):
    page = open_page(reverse("web:style"), size=NARROW)
    bar = page.locator(".rail > ul > li:visible")
    assert [" ".join(words.split()) for words in bar.all_inner_texts()][-1] == "More"
    assert bar.count() == 5
    tabs = page.evaluate(
        """() => [...document.querySelectorAll(".rail > ul > li > a, .rail .more summary")]
            .map(part => part.getBoundingClientRect()).filter(box => box.width)
            .map(box => [Math.round(box.left), Math.round(box.right), Math.round(box.top)])"""
    )
    assert len(tabs) == 5
    assert all(0 <= left < right <= NARROW["width"] for left, right, _ in tabs), tabs
    assert len({top for _, _, top in tabs}) == 1, "all in one line"
    icons = page.evaluate(
        """() => [...document.querySelectorAll(".rail > ul > li > a, .rail .more summary")]
            .filter(part => part.getClientRects().length)
            .map(part => Math.round(part.querySelector(".icon").getBoundingClientRect().top))"""
    )
    assert len(set(icons)) == 1, "More looks like the others: its icon above its word"
    settings_link = page.locator(".rail .more").get_by_role("link", name="Settings")
    assert not settings_link.is_visible()
    page.locator(".rail .more summary").click()
    assert settings_link.is_visible()


def test_signing_in_works_without_scripts(open_page, jane):
    page = open_page(reverse("account_login"), scripts=False)
    assert not page.get_by_role("button", name="Sign in with a passkey").is_visible()
    page.get_by_label("Work e-mail").fill("jane@example.org")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").inner_text()
    assert page.get_by_label("Work e-mail").input_value() == "jane@example.org", "what was typed stays"
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: reverse("account_login") not in url)


def test_paper_shows_where_it_comes_from_and_not_the_frame(open_page, signed_in, jane):
    page = open_page(reverse("web:style"), cookies=signed_in(jane))
    page.emulate_media(media="print")
    assert not page.locator(".topbar").is_visible()
    assert not page.locator(".rail").is_visible()
    printed = page.locator(".print-only")
    assert printed.is_visible()
    assert reverse("web:style") in printed.inner_text()
    assert "by Jane Sample" in printed.inner_text()
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 within its margins
    row = page.locator(".table-box:not(.wide-table) .list tbody tr").first
    assert row.evaluate("row => getComputedStyle(row).display") == "table-row", "a card is for phones"
    assert overflow(page) <= 0


def test_paper_opens_the_why_of_one_thing_but_not_of_a_long_list(open_page, signed_in, jane):
    page = open_page(reverse("web:style"), cookies=signed_in(jane))
    opened = "() => [...document.querySelectorAll('main details.why')].filter(part => part.open).length"
    page.evaluate("document.querySelectorAll('main details.why').forEach(part => { part.open = false })")
    page.evaluate("document.querySelectorAll('ol.rows > li').forEach((row, at) => { if (at > 1) row.remove() })")
    folded = page.evaluate("document.querySelectorAll('main details.why').length")
    assert folded
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(opened) == folded
    page.evaluate("document.querySelectorAll('main details.why').forEach(part => { part.open = false })")
    row = "ol.rows > li:has(details.why)"
    page.locator(row).first.evaluate("row => { for (let n = 0; n < 6; n++) row.after(row.cloneNode(true)) }")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelectorAll('ol.rows details.why[open]').length") == 0


@pytest.mark.parametrize("address", ["/auth/login/", "/o/riverside/", "/o/riverside/requests/new/"])
def test_the_first_view_stays_below_200_kilobytes(client, cast, address):
    """The style page shows every part at once and is nobody's first view."""
    if address.startswith("/o/"):
        client.force_login(cast.alice)
    page = client.get(address)
    assert page.status_code == 200
    weight = len(page.content)
    fetched = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page.content.decode()))
    assert len(fetched) >= 6
    for each in sorted(fetched):
        answer = client.get(each, headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200, each
        weight += len(b"".join(answer.streaming_content) if answer.streaming else answer.content)
    assert weight < 200_000
