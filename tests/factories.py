"""Test data by factories; dependent values are derived lazily. The real catalogue is loaded by `tests.conftest`."""

from datetime import UTC, date, datetime

import factory
from factory.django import DjangoModelFactory

from accounts.models import PortalAccount, RoleGrant
from facilities.models import Facility, Membership, Organization
from facilities.models.tenancy import Role
from staff.models import Employment, Person
from systems.models import System, SystemRole
from users.models import User

RECORDED = datetime(2026, 1, 2, 15, tzinfo=UTC)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@example.org")
    name = factory.Faker("name")
    password = factory.django.Password("long enough for us")


class OrganizationFactory(DjangoModelFactory):
    class Meta:
        model = Organization

    slug = factory.Sequence(lambda n: f"org-{n}")
    name = factory.Sequence(lambda n: f"Organization {n}")
    zone = "America/New_York"


class FacilityFactory(DjangoModelFactory):
    class Meta:
        model = Facility

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Facility {n}")
    # Skilled nursing facilities of Alabama that no test names, so that a long run meets no number twice.
    ccn = factory.Sequence(lambda n: f"01{5200 + n % 600:04d}")
    provider_type = "SNF"
    state = "AL"
    zip_code = "35653"
    zone = "America/Chicago"


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    organization = factory.SubFactory(OrganizationFactory)
    facility = None
    role = Role.COORDINATOR


class PersonFactory(DjangoModelFactory):
    class Meta:
        model = Person

    organization = factory.SubFactory(OrganizationFactory)
    first_name = factory.Faker("first_name")
    last_name = factory.Faker("last_name")
    email = factory.Sequence(lambda n: f"person{n}@example.org")


class EmploymentFactory(DjangoModelFactory):
    class Meta:
        model = Employment

    facility = factory.SubFactory(FacilityFactory)
    organization = factory.SelfAttribute("facility.organization")
    person = factory.SubFactory(PersonFactory, organization=factory.SelfAttribute("..organization"))
    job_title = "MDS coordinator"
    valid_from = date(2024, 1, 1)
    recorded_at = RECORDED


class AccountFactory(DjangoModelFactory):
    """An account without deadlines: call `accounts.services.logins.refresh_clocks` or use the services."""

    class Meta:
        model = PortalAccount

    person = factory.SubFactory(PersonFactory)
    organization = factory.SelfAttribute("person.organization")
    system = factory.LazyFunction(lambda: System.objects.get(slug="iqies"))
    opened_on = date(2024, 1, 1)


class GrantFactory(DjangoModelFactory):
    class Meta:
        model = RoleGrant

    account = factory.SubFactory(AccountFactory)
    organization = factory.SelfAttribute("account.organization")
    facility = factory.SubFactory(FacilityFactory, organization=factory.SelfAttribute("..organization"))
    role = factory.LazyAttribute(lambda o: SystemRole.objects.filter(system=o.account.system).first())
    valid_from = date(2024, 1, 1)
    recorded_at = RECORDED
