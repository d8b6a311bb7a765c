"""Clocks that rest on advice or on the organization's own window, through commands alone."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.urls import reverse

from accounts.models import Deadline, Finding, PortalAccount
from accounts.policy.advising import advice_is_near
from accounts.services.places import keep_in_use
from reminders.models import Reminder
from systems.models import System
from tests.conftest import NOON, TODAY
from tests.reminders.making import DAY, started
from tests.reminders.test_tick import ask

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
COLUMNS = "employee_number,last_name,first_name,system,ccn,role,granted_on,last_login_on"


@pytest.fixture
def listed(cast, tmp_path):
    """Return a function that imports one account of Henry's, and is given back as a row."""
    started(cast)
    henry = cast.people["henry"]
    type(henry).objects.filter(pk=henry.pk).update(employee_number="E1")

    def take(system, idle, ccn=None):
        row = f"E1,Test,Henry,{system},{ccn or cast.oak.ccn},Individual user,2024-01-05,{TODAY - idle * DAY}"
        path = tmp_path / f"{system}.csv"
        path.write_text(f"{COLUMNS}\n{row}\n", encoding="utf-8")
        with time_machine.travel(NOON, tick=False):
            call_command("import_accounts", str(path), organization="riverside", verbosity=0, stdout=StringIO())
        return PortalAccount.objects.get(person=henry, system__slug=system)

    return take


def steps(account):
    rows = Reminder.objects.filter(deadline__account=account).exclude(state="skipped")
    return set(rows.values_list("step", flat=True))


def lapses(account):
    return list(Finding.objects.open().filter(kind="lapse", account=account).values_list("severity", flat=True))


def test_hqr_has_no_published_limit_so_the_usual_window_of_the_house_mentions_and_flags_it(listed):
    account = listed("hqr", idle=59)
    ask(NOON)
    assert steps(account) == set()
    ask(NOON + DAY)
    assert steps(account) == {30}, "60 days without a login are mentioned"
    ask(NOON + 31 * DAY)
    assert lapses(account) == []
    ask(NOON + 32 * DAY)
    assert lapses(account) == ["low"], "more than 90 days are flagged, as an assumption of the house"
    assert Deadline.objects.get(account=account, kind="inactivity").policy is None


@pytest.mark.parametrize(("idle", "near"), [(49, False), (50, True), (61, True)])
def test_the_advised_login_is_near_ten_days_ahead(idle, near):
    assert advice_is_near(TODAY - timedelta(days=idle), 60, TODAY) is near


@pytest.mark.parametrize(
    ("idle", "in_use", "told"),
    [(49, True, False), (50, True, True), (50, False, False)],
    ids=["early", "near", "closed"],
)
def test_fifty_days_after_the_last_login_to_casper_its_page_repeats_the_advice(
    client, cast, listed, idle, in_use, told
):
    account = listed("casper", idle=idle)
    if in_use:
        casper = System.objects.get(slug="casper")
        keep_in_use(scope=cast.scope("alice"), facility=cast.oak, system=casper, reason="Old reports", at=NOON)
    ask(NOON)
    client.force_login(cast.alice)
    with time_machine.travel(NOON, tick=False):
        said = client.get(reverse("web:account", args=["riverside", account.pk])).content.decode()
    assert "Sign in at least every 60 days." in said
    assert ("50 days have passed since the last login." in said) is told
