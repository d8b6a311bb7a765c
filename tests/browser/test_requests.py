"""A request in a real browser, by the names on the screen: asked for, approved with a second factor, carried out."""

import re

import pyotp
import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.utils import timezone

from accounts.models import AccessRequest
from systems.policy import EASTERN, day_in
from tests.axe import violations
from tests.browser.conftest import NARROW
from tests.requests.asking import submitted

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WHAT = "New iQIES account for Henry Test at Oak House: Provider Assessment Viewer"


def press(page, name):
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def follow(page, name):
    with page.expect_navigation():
        page.get_by_role("link", name=name).click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_alice_approves_and_carol_ticks_the_steps(open_page, signed_in, cast, scripts):
    submitted(cast, at=timezone.now())
    secret = generate_totp_secret()
    TOTP.activate(cast.alice, secret)
    page = open_page("/o/riverside/", scripts=scripts, cookies=signed_in(cast.alice))
    main = page.get_by_role("main")
    assert "One request waits for your decision." in main.inner_text()
    follow(page, "Look and decide")
    assert "then Provider Assessment Viewer" in main.inner_text()
    page.get_by_label("Reason or question").fill("She takes over on Monday.")
    press(page, "Approve")
    page.get_by_label("code").fill(pyotp.TOTP(secret).now())
    press(page, re.compile("Confirm"))
    assert page.get_by_label("Reason or question").input_value() == "She takes over on Monday.", "nothing is lost"
    press(page, "Approve")
    assert f"Approved: {WHAT}." in page.get_by_role("status").inner_text()

    carols = open_page("/o/riverside/", size=NARROW, scripts=scripts, cookies=signed_in(cast.carol))
    with carols.expect_navigation():
        carols.get_by_role("navigation", name="Main").get_by_role("link", name="Requests").click()
    follow(carols, "My requests")
    follow(carols, f"{WHAT}.")
    request = AccessRequest.objects.get()
    for _ in range(20):
        done = carols.get_by_role("button", name=re.compile("^Done"))
        if not done.count():
            break
        with carols.expect_navigation():
            done.first.click()
        if not request.steps.filter(state="open").exists():
            break
    assert not request.steps.filter(state__in=["open", "waiting"], cure_for="").exists()
    assert request.steps.filter(state="done", done_on=day_in(timezone.now(), EASTERN)).count() > 1
    request.refresh_from_db()
    assert request.state == "in_progress"
    if scripts:
        carols.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")
        assert [(each["id"], each["nodes"][0]["html"][:120]) for each in violations(carols)] == []
        assert carols.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
