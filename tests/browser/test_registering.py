"""Registering a facility in a real browser: suggestions while typing, by keyboard alone, and without scripts."""

from datetime import date

import pytest
from django.urls import reverse

from facilities.models import Facility, Provider
from tests.axe import violations
from tests.browser.conftest import NARROW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def listed(cast):
    for ccn, name in (("015123", "PINE HILL NURSING CENTER"), ("015124", "PINE VALE")):
        Provider.objects.create(
            ccn=ccn,
            name=name,
            city="RUSSELLVILLE",
            state="AL",
            zip_code="35653",
            provider_type="SNF",
            dataset="nursing-homes",
            first_seen_on=date(2026, 1, 1),
            last_seen_on=date(2026, 11, 1),
        )


def test_a_name_being_typed_brings_facilities_that_the_keyboard_takes_and_registers(open_page, signed_in, cast, listed):
    page = open_page(reverse("web:facility-register", args=["riverside"]), size=NARROW, cookies=signed_in(cast.alice))
    page.get_by_label("Find it in CMS").focus()
    page.keyboard.type("pine", delay=20)
    page.get_by_role("status").get_by_text("Two facilities match.").wait_for()
    assert page.get_by_label("Find it in CMS").input_value() == "pine"
    assert page.evaluate("document.activeElement.id") == "id_find"
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.keyboard.type(" hill", delay=20)
    page.get_by_role("status").get_by_text("One facility matches.").wait_for()
    page.keyboard.press("ArrowDown")
    assert page.get_by_role("link", name="PINE HILL NURSING CENTER").evaluate("e => e === document.activeElement")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "id_find"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="This is PINE HILL NURSING CENTER").wait_for()
    assert page.get_by_label("ZIP Code").input_value() == "35653"
    assert violations(page) == []
    page.get_by_role("button", name="Register PINE HILL NURSING CENTER").press("Enter")
    page.get_by_text("PINE HILL NURSING CENTER is registered.", exact=True).wait_for()
    assert Facility.objects.filter(organization=cast.riverside, ccn="015123").count() == 1


def test_the_same_without_scripts(open_page, signed_in, cast, listed):
    page = open_page(reverse("web:facility-register", args=["riverside"]), scripts=False, cookies=signed_in(cast.alice))
    page.get_by_label("Find it in CMS").fill("vale russellville")
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("link", name="PINE VALE").click()
    page.get_by_role("heading", name="This is PINE VALE").wait_for()
    assert page.get_by_label("CCN", exact=True).input_value() == "015124"
