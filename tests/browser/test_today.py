"""Today in a real browser: the button moves the clock, undo brings it back, with scripts and without."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import PortalAccount
from accounts.services.inventory import AccountFacts, add_accounts
from accounts.services.logins import record_login
from systems.models import System, SystemRole
from systems.policy import EASTERN, day_in
from tests.axe import violations
from tests.browser.conftest import NARROW, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def account(cast):
    """Carol's iQIES account, last seen 57 days ago."""
    now = timezone.now()
    today = day_in(now, EASTERN)
    system = System.objects.get(slug="iqies")
    role = SystemRole.objects.filter(system=system).first()
    facts = AccountFacts(system, [role], today - timedelta(days=500), today - timedelta(days=57))
    return add_accounts(
        scope=cast.scope("alice"), person=cast.people["carol"], facility=cast.oak, accounts=[facts], at=now
    )[0]


def days_ahead(account):
    today = day_in(timezone.now(), EASTERN)
    return (PortalAccount.objects.get(pk=account.pk).lapses_on - today).days


def test_i_signed_in_today_moves_the_clock_in_place_and_undo_brings_it_back(open_page, signed_in, cast, account):
    page = open_page("/o/riverside/", cookies=signed_in(cast.carol))
    page.evaluate("window.sameDocument = true")
    page.get_by_role("button", name="I signed in today").click()
    page.locator(f"#row-{account.pk}.is-done").wait_for()
    assert page.evaluate("window.sameDocument") is True
    assert days_ahead(account) == 60
    assert "Login to iQIES recorded" in page.locator("#toasts").inner_text()
    assert "Nothing is late" in page.locator("#greeting").inner_text()
    page.locator(f"#row-{account.pk} button", has_text="Undo").click()
    page.locator(f"#row-{account.pk}:not(.is-done)").wait_for()
    assert days_ahead(account) == 3


def test_a_row_that_leaves_takes_its_section_along_but_not_the_focus(open_page, signed_in, cast):
    now = timezone.now()
    today = day_in(now, EASTERN)
    system = System.objects.get(slug="iqies")
    facts = AccountFacts(system, [SystemRole.objects.filter(system=system).first()], today - timedelta(days=500), today)
    scope = cast.scope("alice")
    [fresh] = add_accounts(scope=scope, person=cast.people["carol"], facility=cast.oak, accounts=[facts], at=now)
    record_login(scope=cast.scope("carol"), account=fresh, happened_on=today, at=timezone.now())
    page = open_page("/o/riverside/", cookies=signed_in(cast.carol))
    page.get_by_role("button", name="Undo").press("Enter")
    page.locator("#toasts").get_by_text("Taken back").first.wait_for()
    page.wait_for_function("document.activeElement.id === 'main'")
    assert page.get_by_role("heading", name="Done today").count() == 0


def test_a_day_that_is_refused_leaves_the_row_where_it_is(open_page, signed_in, cast, account):
    page = open_page("/o/riverside/", cookies=signed_in(cast.carol))
    page.locator(".another-day summary").click()
    page.evaluate(f"document.getElementById('row-{account.pk}-on').removeAttribute('max')")
    page.locator(f"#row-{account.pk}-on").fill("2099-01-01")
    page.get_by_role("button", name="Record this day").click()
    page.get_by_text("A login cannot lie in the future.").first.wait_for()
    assert page.locator(f"#row-{account.pk}").count() == 1
    assert days_ahead(account) == 3


def test_the_same_works_without_scripts(open_page, signed_in, cast, account):
    page = open_page("/o/riverside/", scripts=False, cookies=signed_in(cast.carol))
    page.get_by_role("button", name="I signed in today").click()
    page.get_by_role("heading", name="Done today").wait_for()
    assert days_ahead(account) == 60
    page.locator(f"#row-{account.pk} button", has_text="Undo").click()
    page.get_by_role("heading", name="This week").wait_for()
    assert days_ahead(account) == 3


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_stands_in_anybodys_way(open_page, signed_in, cast, account, size):
    page = open_page("/o/riverside/", size=size, cookies=signed_in(cast.carol))
    page.evaluate("document.querySelectorAll('.why, .another-day').forEach(each => { each.open = true })")
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in violations(page)] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
