"""Empty pages teach: what will stand there, and the one next deed, to those who may do it."""

import pytest
from django.urls import reverse

from facilities.models.tenancy import Role
from tests import factories

pytestmark = pytest.mark.django_db
PAGES = ("today", "facilities", "people", "accounts", "findings")


@pytest.fixture
def young(catalogue):
    return factories.OrganizationFactory(slug="young")


def deeds(client, organization, role, page, facility=None):
    """Return the links of the empty state on a page, as a fresh member with that role sees it."""
    user = factories.UserFactory()
    factories.MembershipFactory(user=user, organization=organization, role=role, facility=facility)
    client.force_login(user)
    html = client.get(reverse(f"web:{page}", args=["young"])).content.decode()
    assert html.count('class="empty"') == 1, page
    empty = html.partition('class="empty"')[2].partition("</div>")[0]
    return [part.partition('"')[0] for part in empty.split('href="')[1:] if part.startswith("/o/")]


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_organization_begins_with_a_facility(client, young, page):
    assert deeds(client, young, Role.ADMINISTRATOR, page) == [reverse("web:facility-register", args=["young"])]
    for role in (Role.AUDITOR, Role.HOLDER):
        if (role, page) in {(Role.HOLDER, "facilities"), (Role.HOLDER, "people")}:
            continue  # her rail does not lead there
        assert deeds(client, young, role, page) == []


def test_then_come_the_people_then_their_accounts_each_by_those_who_may(client, young):
    place = factories.FacilityFactory(organization=young)
    paste, add = reverse("web:import-new", args=["young"]), reverse("web:person-add", args=["young"])
    for page in ("people", "accounts"):
        assert deeds(client, young, Role.ADMINISTRATOR, page) == [paste]
        assert deeds(client, young, Role.COORDINATOR, page, place) == [add]
        assert deeds(client, young, Role.AUDITOR, page) == []
    factories.EmploymentFactory(facility=place)
    assert deeds(client, young, Role.ADMINISTRATOR, "accounts") == [f"{paste}?kind=accounts"]
    assert deeds(client, young, Role.COORDINATOR, "accounts", place) == [add]
    assert deeds(client, young, Role.ADMINISTRATOR, "imports") == [paste]


def test_nothing_is_filtered_counted_or_drawn_where_there_is_nothing(client, young):
    user = factories.UserFactory()
    factories.MembershipFactory(user=user, organization=young, role=Role.ADMINISTRATOR)
    client.force_login(user)
    for page in ("accounts", "facilities", "findings", "forecast", "burning"):
        html = client.get(reverse(f"web:{page}", args=["young"])).content.decode().partition("<main")[2]
        assert html.count('class="empty"') == 1, page
        assert not any(part in html for part in ("filter-bar", "<table", "figures", "<figure")), page
