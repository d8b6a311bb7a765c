"""What each role comes for, done twice: by the names one reads, with a mouse, and by keyboard alone."""

import re
from datetime import timedelta

import pyotp
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from accounts.models import LoginEvent
from audit.models import AuditEvent
from facilities.models.tenancy import Role
from reminders.services.tick import run_tick
from staff.models import Absence
from tests import factories
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.flows.hands import Keyboard, Mouse
from tests.flows.visitors import button, link, row
from tests.reminders.making import started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "long enough for us"  # of every user that the tests make
DONE = "Signed in today, recorded. Next: by Tue 19 Jan 2027 (in 60 days)."
COMING = "If nothing changes until then:"
SIGN_IN = re.compile("^Sign in$")


@pytest.fixture(params=[Mouse, Keyboard], ids=["mouse", "keyboard"])
def hand(request):
    return request.param


@pytest.fixture
def house(clock, cast):
    """Oak House: two people whose accounts are due within the week, and mails that go out."""
    started(cast)
    for person in ("carol", "henry"):
        held(cast, last_login=TODAY - timedelta(days=57), person=person)
    held(cast, "casper", last_login=TODAY - timedelta(days=30))
    return cast


def rail(page, entry):
    return page.get_by_role("navigation", name="Main").get_by_role("link", name=entry)


def heading(page, words):
    return page.get_by_role("heading", name=words, level=1)


def sign_in(by, user, secret=""):
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    by.page.goto("/auth/login/")
    by.write(by.page.get_by_label("Work e-mail"), user.email)
    by.write(by.page.get_by_label("Password"), PASSWORD)
    by.go(button(by.page, SIGN_IN))
    if secret:
        by.write(by.page.get_by_label("code"), pyotp.TOTP(secret).now())
        by.go(button(by.page, SIGN_IN))


def test_a_holder_records_a_login_takes_it_back_and_asks_why(house, newcomer, hand):
    by = hand(newcomer())
    sign_in(by, house.henry)
    due = row(by.page, "iQIES")
    by.press(button(due, "I signed in today"))
    due.get_by_text(DONE).wait_for()
    by.press(button(due, "Undo"))
    button(due, "I signed in today").wait_for()
    by.press(due.get_by_text("Why?"))
    due.get_by_text(COMING).wait_for()
    said = due.inner_text()
    assert "Henry Test" in said
    assert "an administrator of the organization" in said
    assert "Alice" not in said
    [event] = LoginEvent.objects.filter(source="self")
    assert event.voided_at is not None


def test_a_coordinator_records_several_logins_is_away_and_looks_somebody_up(house, newcomer, arriving, hand):
    page = newcomer(cookies=arriving(house.carol))
    by = hand(page)
    page.goto(house.riverside.get_absolute_url())
    by.go(link(page, "Record several logins"))
    for system in ("CASPER", "iQIES"):
        by.tick(page.get_by_role("group", name="You").get_by_role("checkbox", name=system))
    by.go(button(page, "Record these logins"))
    assert "Two logins recorded for today." in page.get_by_role("status").inner_text()

    by.go(link(page, "I will be away"))
    by.write_day(page.get_by_label("First day away"), TODAY + timedelta(days=3))
    by.write_day(page.get_by_label("Last day away"), TODAY + timedelta(days=10))
    by.choose(page.get_by_label("Who stands in"), "Henry Test")
    by.go(button(page, "Record the absence"))
    assert Absence.objects.get().person == house.people["carol"]

    by.search("hen")
    by.go(page.get_by_role("main").get_by_role("link", name="Henry Test"))
    heading(page, "Henry Test").wait_for()


@pytest.mark.parametrize("role", [Role.APPROVER, Role.ADMINISTRATOR])
def test_who_decides_sees_where_it_burns_a_facility_a_why_and_the_settings(house, newcomer, arriving, hand, role):
    run_tick(at=NOON)
    decides = house.alice
    if role == Role.APPROVER:
        decides = factories.UserFactory(email="paula@example.org", name="Paula Test")
        factories.MembershipFactory(user=decides, organization=house.riverside, facility=house.oak, role=role)
    page = newcomer(cookies=arriving(decides))
    by = hand(page)
    page.goto(house.riverside.get_absolute_url())
    by.go(rail(page, "Facilities"))
    by.go(link(page, "Where it burns"))
    by.go(page.get_by_role("rowheader", name="Oak House").get_by_role("link"))
    heading(page, "Oak House").wait_for()

    by.go(link(page, "All findings here, also those of people"))
    wrong = page.get_by_role("main").get_by_role("listitem").filter(has_text="Nobody at Oak House receives")
    by.press(wrong.get_by_text("Why?"))
    wrong.get_by_text(COMING).wait_for()

    by.go(rail(page, "Settings"))
    heading(page, "Settings").wait_for()
    if role == Role.ADMINISTRATOR:
        by.go(link(page, "Invite a member"))
        heading(page, "Invite a member").wait_for()
    else:
        assert link(page, "Invite a member").count() == 0


def test_an_auditor_reads_the_accounts_takes_them_along_and_prints(house, newcomer, hand):
    secret = generate_totp_secret()
    TOTP.activate(house.audrey, secret)
    page = newcomer()
    by = hand(page)
    sign_in(by, house.audrey, secret)
    by.go(rail(page, "Accounts"))
    with page.expect_download() as download:
        by.press(button(page, re.compile("^Export all")))
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 7  # the six accounts below their titles
    assert AuditEvent.objects.filter(action="accounts.exported").count() == 1
    assert button(page, re.compile("^Record")).count() == 0, "who audits changes nothing"

    by.go(page.get_by_role("row").filter(has_text="Henry Test").get_by_role("link").first)
    page.emulate_media(media="print")
    assert not rail(page, "Today").is_visible()
    assert not page.get_by_role("searchbox").is_visible()
    assert page.get_by_text("printed Fri 20 Nov 2026").inner_text().endswith("by Audrey Test")
    assert page.pdf(format="Letter").startswith(b"%PDF")
