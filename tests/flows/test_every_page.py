"""Every page of the demo organization in every look: accessible, within the window, without a complaint."""

import pytest
from django.core.management import call_command
from django.urls import reverse

from accounts.models import PortalAccount
from facilities.models import Facility, Membership, Organization
from facilities.models.tenancy import Role
from staff.models import Employment, Person
from tests.chromium import NARROW, WIDE
from tests.flows.visitors import objections

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LISTS = ["today", "accounts", "logins-record", "people", "person-add", "facilities", "facility-register", "settings"]
LISTS += ["member-invite", "start-reminders"]
OF_A_PERSON = ["person", "person-edit", "person-employ", "person-accounts-add"]
OPEN_ALL = "document.querySelectorAll('main details').forEach(each => { each.open = true })"


@pytest.fixture
def demo(site):
    call_command("seed_demo", verbosity=0)
    return Organization.objects.get(slug="demo")


def addresses(demo):
    """Return every page that the demo's administrator can open, accounts of every standing included."""
    mine = {"organization": demo}
    found = [(name, []) for name in LISTS]
    telling = PortalAccount.objects.filter(**mine, person__last_name__in=["Sample", "Placeholder", "Template"])
    found += [("account", [account.pk]) for account in telling.order_by("pk")]
    active = PortalAccount.objects.filter(**mine, status="active").earliest("pk")
    found += [(name, [active.pk]) for name in ("account-edit", "account-remove", "login-another-day")]
    carol, tom = (Person.objects.get(**mine, last_name=name) for name in ("Sample", "Template"))
    found += [*((name, [carol.pk]) for name in OF_A_PERSON), ("person", [tom.pk])]
    oak, palm = Facility.objects.filter(**mine).order_by("name")
    found += [("facility", [oak.pk]), ("facility", [palm.pk]), ("facility-edit", [palm.pk])]
    found.append(("employment-end", [Employment.objects.filter(**mine).earliest("pk").pk]))
    found.append(("member-end", [Membership.objects.filter(**mine, role=Role.COORDINATOR).earliest("pk").pk]))
    return [reverse(f"web:{name}", args=[demo.slug, *args]) for name, args in found]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_of_the_demo_stands_in_nobodys_way(demo, newcomer, arriving, size):
    ana = Membership.objects.get(organization=demo, role=Role.ADMINISTRATOR).user
    page = newcomer(size=size, cookies=arriving(ana))
    found = {}
    for address in addresses(demo):
        page.emulate_media(color_scheme="light")
        answer = page.goto(address)
        assert answer.status == 200, address
        page.evaluate(OPEN_ALL)
        if address.endswith("/add/"):
            for box in page.get_by_role("checkbox").all():
                box.check()
        said = objections(page)
        page.emulate_media(color_scheme="dark")
        said += objections(page, ["color-contrast"])  # all that the colours can change
        if said:
            found[address] = said
    assert found == {}


def test_axe_and_the_width_would_be_noticed(demo, newcomer):
    page = newcomer(size=NARROW)
    page.goto(reverse("account_login"))
    assert objections(page) == []
    page.evaluate("document.querySelector('h1').style = 'color: #bbb; width: 500px'")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    said = " ".join(objections(page))
    assert all(word in said for word in ("color-contrast", "button-name", "wider than the window"))
