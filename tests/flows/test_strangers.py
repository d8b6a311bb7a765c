"""A coordinator of another facility and another tenant's administrator at the very addresses that others use."""

from datetime import date, timedelta

import pytest

from accounts.models import LoginEvent
from accounts.services.inventory import AccountFacts, add_accounts
from accounts.services.logins import record_login
from audit.models import AuditEvent
from systems.models import System, SystemRole
from tests.conftest import NOON, TODAY
from tests.flows.visitors import refused

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SECRETS = ["Henry", "HTEST77", "Oak House", "015009"]  # what must not leave Oak House
LISTS = ["", "accounts/", "people/", "facilities/", "logins/", "settings/"]


@pytest.fixture
def addresses(cast):
    """Every address that shows something of Henry at Oak House, and two that would change it."""
    system = System.objects.get(slug="iqies")
    role = SystemRole.objects.get(system=system, slug="assessment-submitter")
    harp = AccountFacts(System.objects.get(slug="harp"), [], date(2024, 6, 1), "unknown", user_id="HTEST77")
    harp.roles.extend(SystemRole.objects.filter(system__slug="harp"))
    facts = AccountFacts(system, [role], date(2024, 6, 1), TODAY - timedelta(days=57))
    henry, alice = cast.people["henry"], cast.scope("alice")
    made = add_accounts(scope=alice, person=henry, facility=cast.oak, accounts=[harp, facts], at=NOON)
    account = next(each for each in made if each.system_id == system.pk)
    event = record_login(scope=alice, account=account, happened_on=TODAY - timedelta(days=56), at=NOON).event
    pages = [f"accounts/{account.pk}/{part}" for part in ("", "edit/", "remove/", "login-on/")]
    pages += [f"people/{henry.pk}/{part}" for part in ("", "edit/", "work/", "accounts/add/")]
    pages += [f"facilities/{cast.oak.pk}/{part}" for part in ("", "edit/")]
    pages += [f"employments/{henry.employments.get().pk}/end/"]
    return pages, [f"accounts/{account.pk}/login/", f"logins/{event.pk}/void/"]


def post(page, address):
    """Send a form to an address, from a page of the site and with its token, as a forged page could not even do."""
    return page.evaluate(
        """async address => {
            const token = document.querySelector("[name=csrfmiddlewaretoken]").value
            const body = new URLSearchParams({csrfmiddlewaretoken: token})
            return (await fetch(address, {method: "POST", body, redirect: "manual"})).status
        }""",
        address,
    )


def acts():
    return LoginEvent.objects.count(), LoginEvent.objects.standing().count(), AuditEvent.objects.count()


def test_whoever_may_sees_it_all(clock, cast, addresses, newcomer, arriving):
    pages, _ = addresses
    page = newcomer(cookies=arriving(cast.alice))
    for path in pages:
        assert page.goto(f"/o/riverside/{path}").status == 200, path
        assert any(word in page.content() for word in SECRETS), path
    page.goto("/o/riverside/accounts/")
    assert "Henry" in page.content()


def test_a_coordinator_of_another_facility_sees_nothing_of_it(clock, cast, addresses, newcomer, arriving):
    pages, deeds = addresses
    page = newcomer(cookies=arriving(cast.olga))
    for path in LISTS:
        assert page.goto(f"/o/riverside/{path}").status == 200, path
        assert [word for word in SECRETS if word in page.content()] == [], path
    before = acts()
    with refused(page, newcomer.complaints):
        for path in pages:
            assert page.goto(f"/o/riverside/{path}").status == 404, path
            assert [word for word in SECRETS if word in page.content()] == [], path
        page.goto("/o/riverside/")
        assert [post(page, f"/o/riverside/{path}") for path in deeds] == [404, 404]
        assert page.goto("/o/riverside/logins/?person=1").status == 200
    assert acts() == before


def test_another_tenants_administrator_does_not_even_find_the_organization(clock, cast, addresses, newcomer, arriving):
    pages, deeds = addresses
    page = newcomer(cookies=arriving(cast.mallory))
    before = acts()
    with refused(page, newcomer.complaints):
        for path in [*LISTS, *pages]:
            assert page.goto(f"/o/riverside/{path}").status == 404, path
            assert [word for word in [*SECRETS, "Riverside"] if word in page.content()] == [], path
        for path in pages:  # the same keys below the own organization
            assert page.goto(f"/o/hilltop/{path}").status == 404, path
        page.goto("/o/hilltop/")
        assert [post(page, f"/o/{slug}/{path}") for path in deeds for slug in ("riverside", "hilltop")] == [404] * 4
    for path in LISTS:
        assert page.goto(f"/o/hilltop/{path}").status == 200, path
        assert [word for word in ("Henry", "HTEST77", "Oak House", "Riverside") if word in page.content()] == [], path
    assert acts() == before
