"""Accounts for tests of pages, made by the services that pages use."""

from datetime import date, timedelta

import time_machine
from django.urls import reverse

from accounts.services.inventory import AccountFacts, add_accounts
from systems.models import System, SystemRole
from tests import factories
from tests.conftest import NOON, TODAY


def held(cast, person="carol", slug="iqies", ago=48, facility=None, opened_on=date(2024, 6, 1), **more):
    """Return an account of somebody of Riverside; ``ago`` is days since the last login, or never or unknown."""
    system = System.objects.get(slug=slug)
    roles = list(SystemRole.objects.filter(system=system)[:1])
    last_login = ago if isinstance(ago, str) else TODAY - timedelta(days=ago)
    facts = AccountFacts(system, roles, opened_on, last_login, **more)
    whose = cast.people[person] if isinstance(person, str) else person
    with time_machine.travel(NOON, tick=False):
        made = add_accounts(
            scope=cast.scope("alice"), person=whose, facility=facility or cast.oak, accounts=[facts], at=NOON
        )
    return next(account for account in made if account.system_id == system.pk)


def crowd(cast, count, ago=50, facility=None):
    """Add people with one iQIES account each."""
    place = facility or cast.oak
    for number in range(count):
        person = factories.PersonFactory(organization=cast.riverside, last_name=f"Crowd {number:03d}")
        factories.EmploymentFactory(facility=place, person=person)
        held(cast, person, ago=ago, facility=place)


def address(name, *args, slug="riverside"):
    """Return the path of a page of Riverside."""
    return reverse(f"web:{name}", args=[slug, *args])
