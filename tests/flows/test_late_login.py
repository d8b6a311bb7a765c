"""A login that came too late: nothing turns green by itself, and what was lost can be got back."""

from datetime import date, timedelta

import pytest

from accounts.services.inventory import AccountFacts, add_accounts
from systems.models import System, SystemRole
from tests.conftest import NOON, TODAY
from tests.flows.visitors import button, follow, go, link, press, row
from tests.tenancy import rows_of_two_tenants

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PRESUMED = "Your iQIES roles are presumed revoked: the last safe day was Tue 17 Nov (three days ago)."
CHECK = "Check your iQIES roles: you signed in on Fri 20 Nov, after the last safe day (Tue 17 Nov)."
ROLE = "Assessment Submitter at Oak House"


@pytest.fixture
def idle(cast):
    """Carol's iQIES account, last seen 63 days ago: its last safe day was three days ago."""
    system = System.objects.get(slug="iqies")
    role = SystemRole.objects.get(system=system, slug="assessment-submitter")
    facts = AccountFacts(system, [role], date(2024, 6, 1), TODAY - timedelta(days=63))
    add_accounts(scope=cast.scope("alice"), person=cast.people["carol"], facility=cast.oak, accounts=[facts], at=NOON)


def open_account(page):
    """Go to the account from the list."""
    go(page, "Accounts")
    with page.expect_navigation():
        page.get_by_role("row").filter(has_text="iQIES").get_by_role("link").first.click()


def test_a_late_login_asks_for_the_roles_which_are_gone_and_come_back(clock, idle, cast, newcomer, arriving, command):
    page = newcomer(cookies=arriving(cast.carol))
    page.goto(cast.riverside.get_absolute_url())
    row(page, "iQIES").get_by_role("link", name=PRESUMED).wait_for()

    button(row(page, "iQIES"), "I signed in today").click()
    row(page, "iQIES").get_by_role("link", name=CHECK).wait_for()
    assert "It came after the last safe day" in page.get_by_role("status").inner_text()
    assert button(row(page, "iQIES"), "I signed in today").count() == 0, "another click would cure nothing"
    page.reload()
    page.get_by_role("heading", name="Check your roles").wait_for()

    button(row(page, "iQIES"), "They are gone").click()
    row(page, "iQIES").get_by_text("Your iQIES roles were revoked").wait_for()
    assert row(page, "iQIES").get_by_role("link", name="See the request").is_visible()
    open_account(page)
    about = page.get_by_role("region", name="This account")
    assert "No login keeps it alive until it is given back" in page.get_by_role("main").inner_text()
    assert link(page, "See the request").is_visible(), "the one that is to bring it back is drafted already"
    assert f"{ROLE}, until Fri 20 Nov 2026" in about.inner_text()
    assert button(page, "I signed in today").count() == 0

    follow(page, "It is back")
    press(page, "Record that your iQIES account is back")
    assert "Sign in to iQIES by Tue 19 Jan 2027 (in 60 days)" in page.get_by_role("main").inner_text()
    assert about.inner_text().count(ROLE) == 1
    assert f"{ROLE}, until" not in about.inner_text()
    assert f"Role ended: {ROLE}" in page.get_by_role("main").inner_text(), "the history keeps what happened"

    assert rows_of_two_tenants() == []
    assert command("verify_audit")["ok"] is True


def test_roles_that_are_still_there_start_a_new_clock(clock, idle, cast, newcomer, arriving):
    page = newcomer(cookies=arriving(cast.carol))
    page.goto(cast.riverside.get_absolute_url())
    button(row(page, "iQIES"), "I signed in today").click()
    button(row(page, "iQIES"), "They are still there").click()
    row(page, "iQIES").get_by_text("Signed in today, recorded. Next: by Tue 19 Jan 2027 (in 60 days).").wait_for()
    open_account(page)
    assert ROLE in page.get_by_role("region", name="This account").inner_text()
