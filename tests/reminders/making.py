"""Accounts with clocks, administrators, and the reminders they came to, for the tests of this folder."""

from datetime import date, timedelta

from accounts.models import Deadline, HouseWindow
from accounts.services.inventory import AccountFacts, add_accounts
from facilities.models.tenancy import Role
from reminders.models import Reminder
from systems.models import System, SystemRole
from tests import factories
from tests.conftest import NOON, TODAY

DAY = timedelta(days=1)


def started(cast):
    """Let Riverside's mails go out."""
    cast.riverside.reminders_started_at = NOON - 300 * DAY
    cast.riverside.save(update_fields=["reminders_started_at"])
    return cast


def held(cast, *, left, slug="iqies", person="henry", limit=60, facility=None):
    """Return an account of a system with a clock of ``limit`` days, of which so many are left on TODAY."""
    system = System.objects.get(slug=slug)
    facts = AccountFacts(
        system, list(SystemRole.objects.filter(system=system)[:1]), date(2024, 6, 1), TODAY - (limit - left) * DAY
    )
    who = cast.people[person]
    scope = cast.scope("mallory" if who.organization_id == cast.hilltop.pk else "alice")
    place = facility or (cast.summit if who.organization_id == cast.hilltop.pk else cast.oak)
    made = add_accounts(scope=scope, person=who, facility=place, accounts=[facts], at=NOON)
    return next(account for account in made if account.system_id == system.pk)


def only_published_limits(cast):
    """Switch Riverside's own window for HARP off, so that an idle iQIES account is not mentioned twice."""
    harp = System.objects.get(slug="harp")
    HouseWindow.objects.create(organization=cast.riverside, system=harp, enabled=False)


def clock(account, kind="inactivity"):
    return Deadline.objects.get(account=account, kind=kind)


def administrator(cast, name, facility):
    """Add an administrator of one facility, who is a person too."""
    user = factories.UserFactory(email=f"{name}@example.org")
    factories.MembershipFactory(
        user=user, organization=facility.organization, facility=facility, role=Role.ADMINISTRATOR
    )
    person = factories.PersonFactory(
        organization=facility.organization, first_name=name.title(), last_name="Test", email=user.email, user=user
    )
    cast.people[name] = person
    return person


def ledger(account, kind="inactivity", state=None):
    """Return (first name of the recipient, step, state) of the account's reminders in their order."""
    rows = Reminder.objects.filter(deadline=clock(account, kind)).order_by("recipient__first_name", "-step")
    if state:
        rows = rows.filter(state=state)
    return list(rows.values_list("recipient__first_name", "step", "state"))
