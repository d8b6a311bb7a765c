"""Rules about people through commands alone: files bring the facts, a tick finds what is wrong."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction

from accounts.models import Finding, HouseRule
from accounts.services.inventory import AccountFacts, add_accounts
from accounts.services.rules.sweep import Checked, check_rules
from facilities.access import Scope
from facilities.services.rechecks import recheck
from staff.models import Person
from systems.models import System
from tests.conftest import NOON
from tests.reminders.test_tick import ask

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
ROSTER = "employee_number,last_name,first_name,email,ccn,start_date,end_date,status"
ACCOUNTS = "employee_number,system,ccn,user_id,role,granted_on,last_login_on"
ADA, BOB = "1,Example,Ada,ada@example.org,015009,2020-01-06,,", "2,Example,Bob,bob@example.org,015009,2020-01-06,,"
DAY = timedelta(days=1)


def take(command, path, *rows, **options):
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    call_command(command, str(path), organization="riverside", verbosity=0, stdout=StringIO(), **options)


def kinds():
    return sorted(Finding.objects.open().filter(person__isnull=False).values_list("kind", flat=True))


@pytest.fixture
def lists(cast, tmp_path):
    """Return functions that import a roster and a list of accounts on a day."""

    def roster(*rows, at=NOON):
        with time_machine.travel(at, tick=False):
            take("import_staff", tmp_path / "roster.csv", ROSTER, *rows, allow_mass_leavers=True)

    def accounts(*rows, at=NOON):
        with time_machine.travel(at, tick=False):
            take("import_accounts", tmp_path / "accounts.csv", ACCOUNTS, *rows)

    return roster, accounts


def test_whoever_left_by_a_roster_and_still_has_access_is_found_the_day_after(lists):
    roster, accounts = lists
    roster(ADA, BOB)
    accounts("1,QIES,015009,AEX1,Individual user,2024-01-02,2026-11-10")
    ask(NOON)
    roster(ADA.replace(",2020-01-06,,", ",2020-01-06,2026-11-20,"), BOB)
    ask(NOON + timedelta(hours=1))
    assert kinds() == []
    ask(NOON + DAY)
    assert kinds() == ["leaver-access"]
    assert Finding.objects.open().get(kind="leaver-access").severity == "high"
    ask(NOON + 2 * DAY)
    assert Finding.objects.open().get(kind="leaver-access").severity == "critical"


def test_in_the_night_between_two_zones_it_is_found_once_when_the_day_is_over_everywhere(cast, lists):
    type(cast.elm).objects.filter(pk=cast.elm.pk).update(zone="Pacific/Honolulu")  # Oak House lies in Chicago's
    roster, accounts = lists
    here, there = (f"1,Example,Ada,ada@example.org,{ccn},2020-01-06,2026-11-20," for ccn in ("015009", "015010"))
    roster(here, there, BOB)
    accounts("1,iQIES,015009,AEX1,Provider Assessment Viewer,2024-01-02,2026-11-10")
    ask(NOON)
    found = []
    for hour in range(5, 12):
        at = NOON.replace(day=21, hour=hour)
        if hour < 10:  # somebody corrects the one or the other place: that must not matter
            with transaction.atomic():
                recheck([(cast.oak, cast.elm)[hour % 2].pk])
        ask(at)
        with transaction.atomic():
            assert check_rules(at=at, since=None, full=False, everything=True) == Checked()
        found.append(kinds())
    assert found == [[]] * 5 + [["leaver-access"]] * 2, "10:00 UTC is midnight in Honolulu"


def test_whoever_moved_by_a_roster_and_keeps_the_old_access_is_found(lists):
    roster, accounts = lists
    roster(ADA, BOB)
    accounts("1,QIES,015009,AEX1,Individual user,2024-01-02,2026-11-10")
    roster(ADA.replace("015009", "015010").replace("2020-01-06,,", "2026-11-20,,"), BOB)
    ask(NOON + 3 * DAY)
    assert kinds() == ["moved-access"]


def test_a_user_id_that_a_list_gives_to_somebody_else_is_told_or_found(lists):
    roster, accounts = lists
    roster(ADA, BOB)
    accounts("1,QIES,015009,AEX1,Individual user,2024-01-02,2026-11-10")
    accounts("2,QIES,015009,aex1,Individual user,2024-01-02,2026-11-10")
    ask(NOON)
    assert kinds() == [], "a list that contradicts the register is no evidence against both"
    with time_machine.travel(NOON, tick=False):
        bob = Person.objects.get(employee_number="2")
        system = System.objects.get(slug="qies")
        add_accounts(
            scope=Scope.of_command(bob.organization, "test"),
            person=bob,
            facility=bob.employments.get().facility,
            accounts=[AccountFacts(system, list(system.roles.all()[:1]), NOON.date(), "unknown", "aex1")],
            at=NOON,
        )
    ask(NOON + timedelta(hours=1))
    assert kinds() == ["shared-id", "shared-id"]


TITLED = f"{ROSTER},job_title,phone"
ALL = {"allow_mass_leavers": True}


def test_another_job_and_another_phone_of_a_roster_are_found(lists, tmp_path):
    _, accounts = lists
    with time_machine.travel(NOON, tick=False):
        take("import_staff", tmp_path / "one.csv", TITLED, f"{ADA},Nurse,555-0101", f"{BOB},Nurse,555-0102", **ALL)
    accounts("1,QIES,015009,AEX1,Individual user,2024-01-02,2026-11-10")
    HouseRule.objects.create(
        organization=Person.objects.get(employee_number="1").organization,
        rule="R-43", enabled_on=NOON.date(), recorded_at=NOON, recorded_by="x",
    )  # fmt: skip
    ask(NOON)
    assert kinds() == []
    later = NOON + timedelta(hours=1)
    with time_machine.travel(later, tick=False):
        take("import_staff", tmp_path / "two.csv", TITLED, f"{ADA},Director,555-0199", f"{BOB},Cook,555-0198", **ALL)
    ask(later)
    assert kinds() == ["job-change", "stale-profile"], "Bob holds nothing"
