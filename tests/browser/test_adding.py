"""Adding a person with accounts in a real browser: without scripts, by keyboard alone, on a small screen."""

import pytest
from allauth.account.models import EmailAddress
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


def test_what_was_typed_when_the_session_had_ended_is_there_after_signing_in_again(open_page, signed_in, cast):
    for user in (cast.carol, cast.alice):
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    page = open_page(reverse("web:person-add", args=["riverside"]), cookies=signed_in(cast.carol))

    def types_presses_and_signs_in(user):
        page.get_by_label("Last name").fill("Ruiz")
        page.context.clear_cookies(name="sessionid")
        page.get_by_role("button", name="Save the person").click()
        page.get_by_role("status").get_by_text("what you pressed last was not done").first.wait_for()
        page.get_by_label("Work e-mail").fill(user.email)
        page.get_by_label("Password").fill("long enough for us")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("heading", name="Add a person", level=1).wait_for()

    types_presses_and_signs_in(cast.carol)
    assert page.get_by_label("Last name").input_value() == "Ruiz"
    types_presses_and_signs_in(cast.alice)
    assert page.get_by_label("Last name").input_value() == "", "it belongs to somebody else"
    assert not Person.objects.filter(last_name="Ruiz").exists()
