"""The named cast. Everybody in the tests has a name, a place and a role, so that each refusal has its twin.

Riverside (organization) runs Oak House and Elm House. Alice administers it, Carol coordinates Oak House, Olga
coordinates Elm House, Henry holds accounts of his own, Audrey audits. Mallory administers Hilltop, another tenant.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import hypothesis
import pytest
from django.core.cache import cache
from django.db import transaction

from audit.services import Ref
from facilities.access import Scope
from facilities.models import Facility, Organization
from facilities.models.tenancy import Role
from staff.models import Person
from tests import factories
from tests.catalogue import load_and_keep, load_missing
from tests.chromium import browser  # noqa: F401  (one browser for every folder of tests)
from users.models import User

# A busy machine must not fail a property; speed is measured by the benchmarks.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)  # noon in New York, a Friday
TODAY = NOON.date()


@dataclass
class Cast:
    """Who is who; see the module's docstring."""

    riverside: Organization
    hilltop: Organization
    oak: Facility
    elm: Facility
    summit: Facility
    alice: User
    carol: User
    olga: User
    henry: User
    audrey: User
    mallory: User
    nobody: User
    people: dict[str, Person]

    def scope(self, name: str, organization: Organization | None = None) -> Scope:
        """Return the scope of a member by first name; Mallory's is Hilltop's unless told otherwise."""
        user = getattr(self, name)
        home = organization or (self.hilltop if name == "mallory" else self.riverside)
        scope = Scope.of(user, home)
        assert scope is not None, f"{name} is no member of {home}"
        return scope


@pytest.fixture(autouse=True)
def _fresh_cache(request):
    """Rate limits and used codes live in the cache; no test inherits another's."""
    if {"db", "transactional_db", "live_server"} & set(request.fixturenames):
        cache.clear()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Load the shipped catalogue once; transactional tests that flush it ask for `catalogue`."""
    with django_db_blocker.unblock():
        load_and_keep()


@pytest.fixture
def catalogue(db):
    """The real catalogue, also after another test has flushed every table."""
    load_missing()


@contextmanager
def made_once(django_db_blocker) -> Iterator[None]:
    """Keep what is written inside, beside the catalogue, for the tests of one file, and take it back at their end.

    For fixtures of the scope `module`; each test that asks for `db` as well rolls back only what it did itself.
    """
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around._from_testcase = True  # durable transactions of the product may begin inside, as in every test
        with around:
            cache.clear()
            load_missing()
            yield
            transaction.set_rollback(True)


@pytest.fixture
def cast(catalogue) -> Cast:
    """The two organizations and everybody in them."""
    return make_cast()


def make_cast() -> Cast:
    """Write the two organizations and everybody in them; the catalogue is there."""
    riverside = factories.OrganizationFactory(slug="riverside", name="Riverside Care")
    hilltop = factories.OrganizationFactory(slug="hilltop", name="Hilltop Health")
    oak = factories.FacilityFactory(organization=riverside, name="Oak House", ccn="015009")
    elm = factories.FacilityFactory(organization=riverside, name="Elm House", ccn="015010")
    summit = factories.FacilityFactory(organization=hilltop, name="Summit House", ccn="015009")
    users, people = {}, {}
    roles = {
        "alice": (riverside, None, Role.ADMINISTRATOR),
        "carol": (riverside, oak, Role.COORDINATOR),
        "olga": (riverside, elm, Role.COORDINATOR),
        "henry": (riverside, None, Role.HOLDER),
        "audrey": (riverside, None, Role.AUDITOR),
        "mallory": (hilltop, None, Role.ADMINISTRATOR),
    }
    for name, (organization, facility, role) in roles.items():
        users[name] = factories.UserFactory(email=f"{name}@example.org", name=f"{name.title()} Test")
        factories.MembershipFactory(user=users[name], organization=organization, facility=facility, role=role)
        people[name] = factories.PersonFactory(
            organization=organization,
            first_name=name.title(),
            last_name="Test",
            email=users[name].email,
            user=users[name],
            user_confirmed_at=NOON,
        )
    factories.EmploymentFactory(facility=oak, person=people["carol"])
    factories.EmploymentFactory(facility=oak, person=people["henry"])
    factories.EmploymentFactory(facility=elm, person=people["olga"])
    nobody = factories.UserFactory(email="nobody@example.org", name="Nobody Test")
    return Cast(riverside, hilltop, oak, elm, summit, nobody=nobody, people=people, **users)


@pytest.fixture
def operator() -> Ref:
    """The actor of commands in tests."""
    return Ref("command:test", "a test")
