"""The long lists in a real browser: filter, keep, tick, record, take back; with scripts and without."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import LoginEvent
from accounts.services.inventory import AccountFacts, add_accounts
from systems.models import System, SystemRole
from systems.policy import EASTERN, day_in
from tests.axe import violations
from tests.browser.conftest import NARROW, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def accounts(cast):
    """CASPER accounts of Carol and Henry at Oak House; they sign in to QIES for it."""
    now = timezone.now()
    today = day_in(now, EASTERN)
    system = System.objects.get(slug="casper")
    role = SystemRole.objects.filter(system=system).first()
    facts = AccountFacts(system, [role], today - timedelta(days=500), today - timedelta(days=30))
    for name in ("carol", "henry"):
        add_accounts(scope=cast.scope("alice"), person=cast.people[name], facility=cast.oak, accounts=[facts], at=now)


def today_recorded():
    on = day_in(timezone.now(), EASTERN)
    return LoginEvent.objects.standing().filter(happened_on=on).count()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_filter_tick_record_and_take_back(open_page, signed_in, cast, accounts, scripts):
    page = open_page("/o/riverside/accounts/", cookies=signed_in(cast.carol), scripts=scripts)
    page.get_by_label("System").select_option("casper")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="System: CASPER").wait_for()
    if scripts:
        page.get_by_label("Tick all on this page").check()
    else:
        page.get_by_label("Tick Carol Test, CASPER").check()
        page.get_by_label("Tick Henry Test, CASPER").check()
    page.get_by_role("button", name="Record logins of ticked").click()
    page.get_by_text("Two accounts that you ticked.").wait_for()
    page.get_by_label("Who told you, and how").fill("Both of them, at noon")
    page.get_by_role("button", name="Record two logins").click()
    page.get_by_text("Two logins recorded").first.wait_for()
    assert "system=casper" in page.url
    assert today_recorded() == 2
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    page.get_by_text("Taken back: two logins no longer count.").first.wait_for()
    assert today_recorded() == 0


def test_a_view_is_kept_by_keyboard_and_found_above_the_list(open_page, signed_in, cast, accounts):
    page = open_page("/o/riverside/accounts/?system=casper", cookies=signed_in(cast.carol))
    page.get_by_role("link", name="Keep this view").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name").fill("My CASPER people")
    page.keyboard.press("Enter")
    kept = page.get_by_role("navigation", name="Kept views").get_by_role("link", name="My CASPER people", exact=True)
    kept.wait_for()
    assert kept.get_attribute("aria-current") == "page"
    page.get_by_role("link", name="Show all").click()
    page.get_by_role("navigation", name="Kept views").get_by_role("link", name="My CASPER people").click()
    page.get_by_role("link", name="System: CASPER").wait_for()


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide-light", "narrow-dark"])
@pytest.mark.parametrize(
    "path", ["accounts/?system=casper&standing=nope", "people/?state=working", "accounts/logins/?all=1"]
)
def test_the_lists_are_accessible_and_fit(open_page, signed_in, cast, accounts, path, size, scheme):
    page = open_page(f"/o/riverside/{path}", size=size, scheme=scheme, cookies=signed_in(cast.carol))
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in violations(page)] == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
