"""After the demo, two tenants' days and a week of ticks: no row of two tenants, and every chain still whole."""

from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from io import StringIO

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command

from accounts.models import LoginEvent, PortalAccount
from accounts.services.logins import record_login, void_login
from audit.models import AuditEvent, ChainHead
from facilities.access import Scope
from facilities.models import Organization
from facilities.services.organizations import start_reminders
from reminders.models import Digest
from staff.models import Employment
from tests import factories
from tests.conftest import NOON, TODAY, Cast, made_once, make_cast
from tests.reminders.mailbox import html, outbox, text
from tests.reminders.making import held
from tests.tenancy import rows_of_two_tenants
from web.demo import seed_demo

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

DAY = timedelta(days=1)


@dataclass
class Lived:
    """What eight days left behind."""

    cast: Cast
    mails: list[EmailMessage]


def live_eight_days():
    """Keep the demo beside two organizations with the same CCN, after logins, one taken back, and eight ticks."""
    cast, demo = make_cast(), seed_demo(at=NOON)
    for organization in (cast.riverside, cast.hilltop):
        start_reminders(organization=organization, actor=Scope.of_command(organization, "test").actor, at=NOON)
    factories.EmploymentFactory(facility=cast.summit, person=cast.people["mallory"])
    for name, left in (("carol", 3), ("olga", 10), ("mallory", 3)):
        held(cast, left=left, person=name, facility=cast.elm if name == "olga" else None)
    for organization in (cast.riverside, cast.hilltop, demo):
        scope = Scope.of_command(organization, "test")
        account = PortalAccount.objects.filter(
            organization=organization, system__slug="iqies", login_state="known", status="active"
        ).earliest("pk")
        record_login(scope=scope, account=account, happened_on=TODAY, at=NOON)
        event = LoginEvent.objects.get(account=account, happened_on=TODAY)
        void_login(scope=scope, event=event, reason="typed by mistake", at=NOON)
    for day in range(8):
        call_command("tick", "--at", (NOON + day * DAY).isoformat(), stdout=StringIO())
    return cast


@pytest.fixture(scope="module")
def eight_days(django_db_setup, django_db_blocker):
    """Live them once: each test rolls back only what it did itself."""
    with made_once(django_db_blocker), time_machine.travel(NOON, tick=True):
        mail.outbox.clear()
        yield Lived(live_eight_days(), outbox(mail.outbox))


@pytest.fixture
def lived_in(db, eight_days):
    return eight_days


def test_no_row_belongs_to_two_tenants(lived_in):
    assert Digest.objects.values("person__organization").distinct().count() == 3, "every tenant had mail"
    assert rows_of_two_tenants() == []


def test_a_row_of_two_tenants_would_be_named(lived_in):
    job = Employment.objects.filter(organization=lived_in.cast.riverside).earliest("pk")
    Employment.objects.filter(pk=job.pk).update(facility=lived_in.cast.summit)
    assert rows_of_two_tenants() == ["staff.Employment.facility: 1 rows"]


def test_nobody_is_written_to_about_another_tenant(lived_in):
    organizations = {"Riverside Care": "/o/riverside/", "Hilltop Health": "/o/hilltop/", "Demo Care Group": "/o/demo/"}
    assert len(lived_in.mails) >= 3
    for each in lived_in.mails:
        said = text(each) + html(each)
        mentioned = {name for name, path in organizations.items() if path in said or name in said}
        assert len(mentioned) == 1, each["Subject"]


def test_the_chain_of_every_tenant_is_whole(lived_in, command):
    document = command("verify_audit")
    assert document["ok"] is True
    assert document["events"] == AuditEvent.objects.count() > 0
    keys = {organization.key for organization in Organization.objects.all()}
    assert len(keys) == 3
    assert keys <= set(ChainHead.objects.values_list("chain", flat=True))
