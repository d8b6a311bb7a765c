"""Accounts of the cast, added as an administrator would."""

from datetime import date

from accounts.services.inventory import AccountFacts, add_accounts
from systems.models import System, SystemRole
from tests.conftest import NOON


def held(cast, slug="iqies", last_login="unknown", opened_on=date(2024, 6, 1), person="carol", facility="oak", **more):
    """Return an account that somebody holds at a facility, by default with the system's first role."""
    system = System.objects.get(slug=slug)
    roles = more.pop("roles", None) or list(SystemRole.objects.filter(system=system)[:1])
    facts = AccountFacts(system, roles, opened_on, last_login, **more)
    accounts = add_accounts(
        scope=cast.scope("alice"),
        person=cast.people[person],
        facility=getattr(cast, facility),
        accounts=[facts],
        at=NOON,
    )
    return next(account for account in accounts if account.system_id == system.pk)
