"""An administrator's first hour in a real browser: from an empty Today to a test digest in her own mailbox."""

import pytest
from django.core import mail
from django.urls import reverse

from facilities.models.tenancy import Role
from tests import factories
from tests.axe import violations
from tests.browser.conftest import NARROW
from tests.reminders.mailbox import outbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PEOPLE = "Employee number\tFirst name\tLast name\tWork email\tCCN\n7\tAda\tExample\tada@example.org\t015980"
ACCOUNTS = (
    "Employee number\tCCN\tSystem\tUser ID\tRole\tLast login\n"
    "7\t015980\tiQIES\tADA7\tProvider Security Official (PSO)\tnever"
)


def paste(page, table):
    page.get_by_label("Or paste a table").fill(table)
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name="Import: ").click()
    page.get_by_role("heading", name="Pasted table", exact=True).wait_for()


def test_five_steps_lead_from_an_empty_page_to_ones_first_digest(open_page, signed_in, catalogue):
    young = factories.OrganizationFactory(slug="young")
    chief = factories.MembershipFactory(organization=young, role=Role.ADMINISTRATOR).user
    page = open_page(reverse("web:today", args=["young"]), size=NARROW, cookies=signed_in(chief))

    def go_on(said):
        page.get_by_role("link", name="Today").first.click()
        page.get_by_text(f"five steps done; next: {said}").wait_for()
        page.get_by_role("link", name="Getting started").click()

    go_on("register a facility")
    page.get_by_role("link", name="Register a facility").click()
    page.get_by_label("CCN", exact=True).fill("015980")
    page.get_by_label("State or territory").select_option("Alabama")
    page.get_by_label("ZIP Code").fill("35653")
    page.get_by_role("button", name="Check with CMS’s directory").click()
    page.get_by_label("Name").fill("Harbor View")
    page.get_by_label("Why").fill("It has just opened")
    page.get_by_role("button", name="Register").click()
    page.get_by_role("heading", name="Harbor View", level=1).wait_for()

    go_on("paste your people")
    assert violations(page) == []
    page.get_by_role("link", name="Paste your people").click()
    paste(page, PEOPLE)
    go_on("say who the Security Officials are")
    page.get_by_role("link", name="Paste accounts").click()
    paste(page, ACCOUNTS)
    go_on("settle who hears what")
    page.get_by_role("link", name="See who would get what").click()
    page.get_by_role("button", name="Start reminders").click()
    go_on("send yourself a test digest")
    page.get_by_role("button", name="Send me a test digest").click()
    page.get_by_role("status").get_by_text(f"A test digest is on its way to {chief.email}").first.wait_for()
    assert page.get_by_text("All five steps are done.").is_visible()
    [sent] = outbox(mail.outbox)
    assert (sent["To"], sent["Subject"].partition(":")[0]) == (chief.email, "Test")
    page.get_by_role("link", name="Today").first.click()
    page.get_by_role("heading", level=1).wait_for()
    assert page.get_by_role("link", name="Getting started").count() == 0
