"""`manage.py undo_import` by its contract."""

import json
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from audit.commands import CommandFailed
from facilities.access import Scope
from imports.models import Import
from imports.undoing import UndoRefused
from staff.models import Employment, Person
from staff.services.people import PersonFacts, correct_person
from staff.services.roster_undo import look_ahead
from staff.services.rosters import import_roster
from tests import factories
from tests.conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

HEADER = "employee_number,first_name,last_name,phone,job_title,ccn,start_date"
ADA = "A1,Ada,Example,555-0101,Nurse,015009,2020-01-01"
BOB = "B2,Bob,Sample,555-0102,Nurse,015009,2020-02-01"
LATER = NOON + timedelta(days=1)


@pytest.fixture
def scope(db):
    organization = factories.OrganizationFactory(slug="oakwood")
    factories.FacilityFactory(organization=organization, name="Oak House", ccn="015009")
    return Scope.of_command(organization, "test")


@pytest.fixture
def source(scope, tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text("\n".join([HEADER, ADA, BOB]))
    return Import.objects.get(pk=import_roster(scope=scope, path=path, at=NOON).source)


def undo(key, organization="oakwood", at=LATER):
    out, err = StringIO(), StringIO()
    with time_machine.travel(at, tick=False):
        try:
            call_command("undo_import", str(key), organization=organization, json=True, stdout=out, stderr=err)
        except CommandFailed:
            return json.loads(out.getvalue()) | {"exit": 1}
    return json.loads(out.getvalue()) | {"exit": 0}


def test_an_import_is_taken_back_and_whom_somebody_changed_is_named(scope, source):
    bob = Person.objects.get(first_name="Bob")
    facts = PersonFacts("Bob", "Sample", "", "555-0199", "B2")
    correct_person(scope=scope, person=bob, version=1, facts=facts, at=NOON)
    ahead = look_ahead(scope=scope, source=source, at=LATER)
    assert (ahead.kinds, ahead.kept) == ({"joiner": 1}, [bob.pk])
    assert Employment.objects.known().count() == 2, "looking ahead writes nothing"
    kept = [{"person": "Bob Sample", "employee_number": "B2"}]
    assert undo(source.pk) == {"import": source.pk, "undone": 1, "kept": kept, "exit": 0}
    assert Employment.objects.known().get().person == bob


def test_a_second_time_a_late_time_and_another_tenants_import_are_refused(scope, source):
    factories.OrganizationFactory(slug="hilltop")
    late = undo(source.pk, at=NOON + timedelta(days=31))
    with pytest.raises(UndoRefused):
        look_ahead(scope=scope, source=source, at=NOON + timedelta(days=31))
    elsewhere, unknown = undo(source.pk, "hilltop"), undo(2**70)
    assert undo(source.pk)["exit"] == 0
    again = undo(source.pk)
    answers = [late, elsewhere, unknown, again]
    assert [each["exit"] for each in answers] == [1, 1, 1, 1]
    assert [each["errors"][0]["code"] for each in answers] == ["too_late", "not_found", "not_found", "undone"]
