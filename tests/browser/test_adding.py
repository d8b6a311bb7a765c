"""Adding a person with accounts in a real browser: without scripts, by keyboard alone, on a small screen."""

import pytest
from django.urls import reverse

from staff.models import Person
from tests.axe import violations
from tests.browser.conftest import NARROW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_ticked_system_shows_its_fields_and_everything_is_saved_without_scripts(open_page, signed_in, cast):
    page = open_page(reverse("web:person-add", args=["riverside"]), scripts=False, cookies=signed_in(cast.carol))
    user_id = page.locator("#id_at-harp-user_id")
    assert not user_id.is_visible()
    page.get_by_label("Last name").focus()
    page.keyboard.type("Ruiz")
    page.locator("#id_at-harp-hold").focus()
    page.keyboard.press("Space")
    assert user_id.is_visible()
    user_id.focus()
    page.keyboard.type("ANARUIZ01")
    page.keyboard.press("Enter")
    page.get_by_text("Nothing was saved yet, and nothing you typed is lost").wait_for()
    assert user_id.input_value() == "ANARUIZ01"
    page.locator("#id_at-harp-opened_on").fill("2025-03-01")
    page.get_by_role("button", name="Save the person").press("Enter")
    page.get_by_role("heading", name="Ruiz", exact=True).wait_for()
    assert Person.objects.get(last_name="Ruiz").accounts.get().user_id == "ANARUIZ01"


def test_the_long_form_is_accessible_and_fits_a_small_screen(open_page, signed_in, cast):
    page = open_page(reverse("web:person-add", args=["riverside"]), size=NARROW, cookies=signed_in(cast.carol))
    seldom = page.get_by_label("PECOS DM", exact=True)
    assert not seldom.is_visible()  # what few people hold is folded, so that the list stays short
    page.get_by_text("further systems").click()
    assert seldom.is_visible()
    assert seldom.get_by_label("Opened on").count() == 0  # comes when it is ticked: the page stays light
    seldom.get_by_role("checkbox").first.check()
    seldom.get_by_label("Opened on").wait_for()
    for row in page.locator(".account-row").all():
        row.locator("> .pick").check()
        row.get_by_label("Opened on").first.wait_for()  # its fields push what is below: a click meanwhile misses
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
