"""Facility rules through commands alone: a file or a service brings the facts, a tick finds what is wrong."""

import json
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction

from accounts.models import Finding
from accounts.models.register import HouseRule
from accounts.services.places import name_keeper
from facilities.services.rechecks import recheck
from staff.services.absences import record_absence
from staff.services.people import employ_person, end_employment
from tests.conftest import NOON, TODAY
from tests.reminders.test_tick import ask

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
ROLES = "employee_number,last_name,first_name,system,ccn,role,granted_on,last_login_on\n"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def oak(cast):
    """Oak House, whose people have numbers that a list can name."""
    for number, name in enumerate(("carol", "henry", "alice"), start=1):
        person = cast.people[name]
        person.employee_number = f"E{number}"
        person.save()
    return cast.oak


def listed(tmp_path, *rows):
    path = tmp_path / "accounts.csv"
    path.write_text(ROLES + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    call_command("import_accounts", str(path), organization="riverside", verbosity=0, stdout=StringIO())


def kinds(place):
    return set(Finding.objects.open().filter(facility=place).values_list("kind", flat=True))


def test_a_tick_finds_what_an_unmanned_facility_lacks(oak):
    HouseRule.objects.create(
        organization=oak.organization, rule="R-27", enabled_on=NOON.date(), recorded_at=NOON, recorded_by="x"
    )
    document, ok = ask(NOON)
    assert ok
    assert document["sweeps"]["findings"]["opened"] > 0
    assert kinds(oak) == {"no-official", "no-account", "no-epoc-administrator", "psr-two-people", "few-keepers"}
    again, _ = ask(NOON + timedelta(minutes=1))
    assert (again["sweeps"]["findings"]["opened"], again["sweeps"]["findings"]["closed"]) == (0, 0)


def test_a_list_of_accounts_puts_right_what_it_shows_and_tells_what_is_too_much(oak, tmp_path):
    ask(NOON)
    listed(
        tmp_path,
        f"E1,Test,Carol,iqies,{oak.ccn},Provider Security Official (PSO),2026-01-05,2026-11-18",
        f"E1,Test,Carol,cmsnet,{oak.ccn},Individual user,2024-01-05,2026-11-18",
        f"E2,Test,Henry,cmsnet,{oak.ccn},Individual user,2024-01-05,2026-11-18",
        f"E3,Test,Alice,cmsnet,{oak.ccn},Individual user,2024-01-05,2026-11-18",
        f"E2,Test,Henry,iqies,{oak.ccn},Provider ePOC Administrator,2026-01-05,2026-11-18",
    )
    ask(NOON + timedelta(minutes=1))
    assert kinds(oak) == {"one-official", "no-backup", "psr-two-people", "quota", "closed-system"}
    assert Finding.objects.open().get(facility=oak, kind="quota").severity == "info", "CMSNet has closed there"


def test_old_access_after_a_move_is_found(oak, tmp_path):
    listed(tmp_path, f"E1,Test,Carol,qies,{oak.ccn},Individual user,2024-01-05,2026-11-18")
    ask(NOON)
    assert {"no-successor", "closed-system", "no-account"} <= kinds(oak)
    staffing = Finding.objects.open().get(kind="no-successor", subject_key=f"facility:{oak.pk}/stream:pbj")
    severities = {}
    for on in ("2027-01-14", "2027-01-15", "2027-02-14", "2027-02-15"):
        _, ok = ask(f"{on}T17:00Z")
        assert ok, "the weekly pass found something that had been missed"
        staffing.refresh_from_db()
        severities[on] = (staffing.severity, json.loads(staffing.facts).get("due_on"))
    near = ("critical", "2027-02-14")  # 45 days after the quarter's end
    assert list(severities.values()) == [("high", None), near, near, ("high", None)]


def test_whoever_works_at_another_place_counts_here_while_she_works_and_is_not_away(oak, cast, tmp_path):
    scope, olga, day = cast.scope("alice"), cast.people["olga"], timedelta(days=1)
    type(olga).objects.filter(pk=olga.pk).update(employee_number="E9")
    HouseRule.objects.create(
        organization=oak.organization, rule="R-27", enabled_on=TODAY, recorded_at=NOON, recorded_by="x"
    )
    for place in (oak, cast.elm):  # at Elm House Carol keeps the record and is nothing else
        for keeper in (olga, cast.people["carol"]):
            name_keeper(scope=scope, facility=place, person=keeper, since=TODAY, at=NOON)
    coordinator = f"iqies,{oak.ccn},Provider Assessment Coordinator,2026-01-05,2026-11-18"
    listed(tmp_path, f"E1,Test,Carol,{coordinator}", f"E9,Test,Olga,{coordinator}")

    def lacking(days):
        _, ok = ask(NOON + days * day)
        assert ok, "the weekly pass found something that had been missed"
        return sorted(kinds(oak) & {"no-backup", "few-keepers"})

    assert lacking(0) == []
    with transaction.atomic():
        recheck([cast.elm.pk])
    ask(NOON + timedelta(minutes=1))
    assert "few-keepers" not in kinds(cast.elm), "looked at alone, it has both keepers as well"
    record_absence(scope=scope, person=olga, away_from_on=TODAY + 2 * day, away_to_on=TODAY + 3 * day, at=NOON)
    assert [lacking(days) for days in (1, 2, 3, 4)] == [[], ["no-backup"], ["no-backup"], []]
    end_employment(scope=scope, employment=olga.employments.get(), last_day_on=TODAY + 5 * day, at=NOON + 4 * day)
    assert [lacking(days) for days in (5, 6)] == [[], ["few-keepers", "no-backup"]]
    again = TODAY + 6 * day
    employ_person(scope=scope, person=olga, facility=cast.elm, job_title="", starts_on=again, at=NOON + 6 * day)
    assert lacking(6) == []
    record_absence(scope=scope, person=olga, away_from_on=again, away_to_on=None, at=NOON + 6 * day)
    assert lacking(6) == ["no-backup"]
