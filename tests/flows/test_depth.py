"""One organization deep in data: no page grows with it, in rows, in bytes or in queries."""

import re
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import PortalAccount, RoleGrant
from accounts.services.logins import refresh_clocks
from facilities.models import Facility
from staff.models import Employment, Person
from systems.models import System, SystemRole
from tests import factories
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

FEW, MANY = 40, 400  # people; each page is full with fewer than FEW
PAGES = ["today", "accounts", "people", "facilities", "logins-record", "settings", "start-reminders", "person-add"]
ROWS = 80  # more than any page shows of one kind
BYTES = 200_000


def crowd(cast, count):
    """Fill Oak House: everybody has HARP and iQIES, last seen between a day and a hundred days ago."""
    before = Person.objects.filter(organization=cast.riverside).count()
    riverside, harp, iqies = cast.riverside, System.objects.get(slug="harp"), System.objects.get(slug="iqies")
    people = Person.objects.bulk_create(
        Person(organization=riverside, first_name="Jo", last_name=f"Deep {n:03d}", email=f"jo{n}@example.org")
        for n in range(before, before + count)
    )
    begin = {"valid_from": date(2024, 1, 1), "recorded_at": NOON}
    Employment.objects.bulk_create(
        Employment(organization=riverside, person=person, facility=cast.oak, job_title="Nurse", **begin)
        for person in people
    )

    def held(system, **more):
        return PortalAccount.objects.bulk_create(
            PortalAccount(
                organization=riverside,
                person=person,
                system=system,
                opened_on=date(2024, 1, 1),
                login_state="known",
                last_login_on=TODAY - timedelta(days=1 + n % 100),
                counts_from_on=TODAY - timedelta(days=1 + n % 100),
                **{name: values[n] for name, values in more.items()},
            )
            for n, person in enumerate(people)
        )

    identities = held(harp)
    surfaces = held(iqies, identity=identities)
    roles = {system.pk: SystemRole.objects.filter(system=system).first() for system in (harp, iqies)}
    RoleGrant.objects.bulk_create(
        RoleGrant(organization=riverside, account=each, facility=cast.oak, role=roles[each.system_id], **begin)
        for each in [*identities, *surfaces]
    )
    for number in range(count // 4):
        factories.FacilityFactory(
            organization=riverside, name=f"Deep House {before + number:03d}", ccn=None, licensed_only=True
        )
    refresh_clocks([each.pk for each in [*identities, *surfaces]], at=NOON)


def addresses(cast):
    account = PortalAccount.objects.filter(organization=cast.riverside).latest("pk")
    found = [reverse(f"web:{name}", args=["riverside"]) for name in PAGES]
    found += [reverse("web:account", args=["riverside", account.pk])]
    found += [reverse("web:person", args=["riverside", account.person_id])]
    found += [reverse("web:facility", args=["riverside", cast.oak.pk])]
    return found


def around(answer, name):
    """Return an address of the page beside this one, as the list was given it."""
    return getattr(answer.context.get("page"), name, "")


def look(client, address):
    """Open a page; return its rows, bytes and queries."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    assert answer.status_code == 200, address
    page = answer.content.decode()
    return SimpleNamespace(
        rows=len(re.findall(r"<tr\b|<li class=\"row-action|name=\"accounts\"", page)),
        bytes=len(answer.content),
        queries=len(queries),
        previous_url=around(answer, "previous_url"),
        next_url=around(answer, "next_url"),
    )


@pytest.fixture
def alices(client, cast, clock):
    client.force_login(cast.alice, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_ten_times_the_people_cost_no_further_query_and_no_longer_page(alices, cast):
    crowd(cast, FEW)
    few = {address.rpartition("/")[0]: look(alices, address) for address in addresses(cast)}
    crowd(cast, MANY - FEW)
    assert Person.objects.filter(organization=cast.riverside, last_name__startswith="Deep").count() == MANY
    assert Facility.objects.filter(organization=cast.riverside).count() > MANY // 4
    many = {address.rpartition("/")[0]: look(alices, address) for address in addresses(cast)}
    told = {}
    for (before, small), (address, large) in zip(few.items(), many.items(), strict=True):
        if large.rows > ROWS or large.bytes > BYTES or large.queries > small.queries:
            told[address] = (before, small, large)
    assert told == {}


def walk(client, address):
    """Follow a list to its end; return the pages."""
    pages = [look(client, address)]
    while pages[-1].next_url:
        pages.append(look(client, address + pages[-1].next_url))
        assert len(pages) < 100, "no end in sight"
    return pages


def listed(pages):
    return sum(page.rows - 1 for page in pages)  # without the row of headings


@pytest.mark.parametrize("name", ["accounts", "people", "facilities"])
def test_the_last_page_of_a_list_is_as_light_as_the_first_and_nobody_is_left_out(alices, cast, name):
    crowd(cast, MANY)
    first, *others = walk(alices, reverse(f"web:{name}", args=["riverside"]))
    assert others
    for page in others:
        assert page.queries <= first.queries
        assert page.rows <= first.rows
        assert page.bytes < BYTES
    stored = {"accounts": PortalAccount, "people": Person, "facilities": Facility}[name]
    assert listed([first, *others]) == stored.objects.filter(organization=cast.riverside).count()


@pytest.mark.parametrize("dated", [0, 1, 49, 60], ids=lambda number: f"{number}-dated")
def test_accounts_without_a_date_are_all_listed_however_few_have_one(alices, cast, dated):
    crowd(cast, FEW * 2)
    mine = PortalAccount.objects.filter(organization=cast.riverside).order_by("pk")
    mine.exclude(pk__in=list(mine.values_list("pk", flat=True)[:dated])).update(lapses_on=None)
    pages = walk(alices, reverse("web:accounts", args=["riverside"]))
    assert listed(pages) == FEW * 4
    assert pages[0].previous_url == ""
    assert all(page.previous_url for page in pages[1:])
