"""Asking for access on a phone, without scripts, by the names that people read."""

import pytest
from django.urls import reverse

from accounts.models import AccessRequest
from tests import factories
from tests.accounts.holding import held
from tests.browser.conftest import NARROW, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDER = "document.documentElement.scrollWidth - window.innerWidth"


def _next(page):
    assert page.evaluate(WIDER) <= 0
    page.get_by_role("button", name="Next").click()


def test_idm_for_two_buildings_is_asked_for_on_a_phone_without_scripts(open_page, signed_in, cast):
    factories.MembershipFactory(user=cast.carol, organization=cast.riverside, facility=cast.elm, role="coordinator")
    page = open_page(
        reverse("web:request-new", args=["riverside"]), size=NARROW, scripts=False, cookies=signed_in(cast.carol)
    )
    page.get_by_label("Somebody else").fill("henry test")
    page.get_by_label("Get access to a system").check()
    _next(page)
    page.get_by_text("Step 2 of 4").wait_for()
    page.get_by_role("checkbox", name="Oak House").check()
    page.get_by_role("checkbox", name="Elm House").check()
    page.get_by_role("radio", name="IDM", exact=True).check()
    _next(page)
    page.get_by_text("Step 3 of 4").wait_for()
    page.get_by_role("checkbox").first.check()
    _next(page)
    page.get_by_text("Step 4 of 4").wait_for()
    page.get_by_role("link", name="Change where").click()
    assert page.get_by_role("checkbox", name="Elm House").is_checked()
    _next(page)
    page.get_by_text("Step 4 of 4").wait_for()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Nothing was sent yet, and nothing you typed is lost").wait_for()
    page.get_by_label("Why it is needed").fill("He fetches the reports of both buildings.")
    assert page.evaluate(WIDER) <= 0
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Two requests sent. Whoever decides has it now.", exact=True).wait_for()
    asked = AccessRequest.objects.order_by("facility__name").values_list("facility__name", "kind", "state")
    assert list(asked) == [(place, "new-account", "submitted") for place in ("Elm House", "Oak House")]
    assert AccessRequest.objects.values("bundle").distinct().count() == 1


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["phone", "desk"])
def test_who_goes_and_who_comes_are_asked_for_on_one_form_without_scripts(open_page, signed_in, cast, size):
    account = held(cast, "qies", person="henry", user_id="HTEST01")
    page = open_page(account.get_absolute_url(), size=size, scripts=False, cookies=signed_in(cast.carol))
    page.get_by_role("link", name="Ask for removal").click()
    page.get_by_label("Why it is to be removed").fill("Henry retires, Carol goes on.")
    page.get_by_label("Who takes over", exact=True).fill("carol")
    page.get_by_role("button", name="Put both on one form").click()
    page.get_by_text("Carol Test takes over.").wait_for()
    assert page.evaluate(WIDER) <= 0
    assert page.get_by_label("Why it is to be removed").input_value() == "Henry retires, Carol goes on."
    page.get_by_label("Why it is still needed here").fill("Corrections of 2024.")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("link", name="Remove QIES access of Henry Test").click()
    page.get_by_role("link", name="Data sheet").click()
    sheet = page.get_by_role("main").inner_text()
    assert "HTEST01" in sheet
    assert "Carol Test" in sheet
    assert page.evaluate(WIDER) <= 0
