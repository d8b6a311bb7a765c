"""An import can be taken back for thirty days; what somebody touched since stays and is listed."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from audit.models import AuditEvent
from facilities.access import NotAllowed, Scope
from imports.forgetting import forget_cells
from imports.models import Import, ImportRow
from imports.undoing import UndoRefused
from staff.models import Employment, Person
from staff.services.people import PersonFacts, correct_person, employ_person, end_employment
from staff.services.roster_undo import undo_import
from staff.services.rosters import import_roster
from tests import factories
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

HEADER = "employee_number,first_name,last_name,email,phone,job_title,ccn,start_date,end_date,status"
ADA = "A1,Ada,Example,ada@example.org,555-0101,Nurse,015009,2020-01-01,,active"
BOB = "B2,Bob,Sample,bob@example.org,555-0102,Nurse,015009,2020-02-01,,active"
CLEO = "C3,Cleo,O’Test,,,Cook,015009,2020-03-01,,active"
LATER = NOON + timedelta(days=1)
LATEST = NOON + timedelta(days=2)


@pytest.fixture
def scope(db):
    organization = factories.OrganizationFactory(slug="oakwood")
    factories.FacilityFactory(organization=organization, name="Oak House", ccn="015009")
    return Scope.of_command(organization, "test")


@pytest.fixture
def bring(tmp_path, scope):
    def run(*rows, at=NOON):
        path = tmp_path / "roster.csv"
        path.write_text("\n".join([HEADER, *rows]))
        report = import_roster(scope=scope, path=path, at=at)
        return Import.objects.get(pk=report.source) if report.source else None

    return run


def register():
    people = Person.objects.order_by("pk").values_list("first_name", "email", "phone", "employee_number")
    times = Employment.objects.known().order_by("person", "valid_from")
    return list(people), list(times.values_list("person__first_name", "job_title", "valid_from", "valid_to"))


def person(name):
    return Person.objects.get(first_name=name)


def test_leavers_movers_and_contact_are_put_back_and_nothing_is_deleted(scope, bring):
    bring(ADA, BOB, CLEO)
    before = register()
    source = bring(ADA.replace("555-0101", "555-0199"), BOB.replace("Nurse", "Director"), at=LATER)
    assert register() != before
    stored = Employment.objects.count()
    result = undo_import(scope=scope, source=source, at=LATEST)
    assert (result.undone, result.kept) == (3, [])
    assert register() == before
    assert Employment.objects.count() == stored + 2
    assert set(source.rows.values_list("status", flat=True)) == {"undone"}
    event = AuditEvent.objects.get(action="staff.import-undone")
    assert (event.item_count, event.subject_key) == (3, source.key)
    call_command("verify_audit", stdout=StringIO(), stderr=StringIO())


def test_whom_the_import_added_stays_without_employment_and_can_be_imported_again(scope, bring):
    source = bring(ADA, BOB)
    undo_import(scope=scope, source=source, at=LATER)
    people, times = register()
    assert (len(people), times) == (2, [])
    bring(ADA, BOB, at=LATEST)
    people, times = register()
    assert (len(people), len(times)) == (2, 2)


def test_what_somebody_touched_since_stays_and_is_listed(scope, bring):
    bring(ADA, BOB, CLEO)
    source = bring(*(row.replace("Nurse", "Director") for row in (ADA, BOB)), CLEO, at=LATER)
    ada, bob = person("Ada"), person("Bob")
    facts = PersonFacts("Ada", "Married", ada.email, ada.phone, "A1")
    correct_person(scope=scope, person=ada, version=ada.version, facts=facts, at=LATER)
    now = Employment.objects.known().get(person=bob, valid_to=None)
    end_employment(scope=scope, employment=now, last_day_on=TODAY + timedelta(days=9), at=LATER)
    before = register()
    result = undo_import(scope=scope, source=source, at=LATEST)
    assert (result.undone, sorted(result.kept)) == (0, [ada.pk, bob.pk])
    assert register() == before


def test_whom_somebody_has_employed_elsewhere_since_stays_too(scope, bring):
    source = bring(ADA, BOB)
    elm = factories.FacilityFactory(organization=scope.organization, name="Elm House", ccn="015010")
    ada = person("Ada")
    employ_person(scope=scope, person=ada, facility=elm, job_title="Nurse", starts_on=TODAY, at=LATER)
    result = undo_import(scope=scope, source=source, at=LATEST)
    assert (result.undone, result.kept) == (1, [ada.pk])
    assert {time[0] for time in register()[1]} == {"Ada"}


def test_a_later_import_counts_as_a_touch(scope, bring):
    first = bring(ADA, BOB)
    bring(ADA, BOB.replace("Nurse", "Director"), at=LATER)
    before = register()
    result = undo_import(scope=scope, source=first, at=LATEST)
    assert (result.undone, result.kept) == (1, [person("Bob").pk])
    assert [time for time in register()[1] if time[0] == "Bob"] == [time for time in before[1] if time[0] == "Bob"]


def test_an_import_is_undone_once_and_only_for_thirty_days(scope, bring):
    source = bring(ADA)
    with pytest.raises(UndoRefused) as refused:
        undo_import(scope=scope, source=source, at=NOON + timedelta(days=31))
    assert refused.value.code == "too_late"
    undo_import(scope=scope, source=source, at=NOON + timedelta(days=30))
    with pytest.raises(UndoRefused) as refused:
        undo_import(scope=scope, source=source, at=NOON + timedelta(days=30))
    assert refused.value.code == "undone"


def test_only_administrators_of_the_same_organization_undo(cast, bring, scope):
    source = bring(ADA)
    with pytest.raises(NotAllowed):
        undo_import(scope=Scope.of(cast.carol, cast.riverside), source=source, at=LATER)
    with pytest.raises(UndoRefused) as refused:
        undo_import(scope=Scope.of(cast.mallory, cast.hilltop), source=source, at=LATER)
    assert refused.value.code == "other"
    assert undo_import(scope=scope, source=source, at=LATER).undone == 1


def test_cells_and_earlier_values_are_forgotten_when_nothing_can_be_undone_any_more(bring):
    bring(ADA, "B2,Bob")
    assert forget_cells(at=NOON + timedelta(days=30)) == 0
    assert ImportRow.objects.exclude(cells="").count() == 1
    assert forget_cells(at=NOON + timedelta(days=31)) == 1
    assert not ImportRow.objects.exclude(cells="", change="", reason="").exists()
    assert forget_cells(at=NOON + timedelta(days=31)) == 0
    assert Import.objects.get().sha256


def test_a_thousand_people_are_put_back_by_few_statements(scope, bring, django_assert_max_num_queries):
    source = bring(*[f"N{n},First{n},Last{n},,,Nurse,015009,2020-01-01,,active" for n in range(1_000)])
    with django_assert_max_num_queries(45):
        assert undo_import(scope=scope, source=source, at=LATER).undone == 1_000


def test_changed_contact_data_are_dated_and_taking_them_back_is_no_change(scope, bring):
    bring(ADA, BOB, CLEO)
    assert set(Person.objects.values_list("contact_changed_on", flat=True)) == {None}, "new people changed nothing"
    source = bring(ADA.replace("555-0101", "555-0199"), BOB.replace("B2", "B9"), CLEO, at=LATER)
    assert person("Ada").contact_changed_on == LATER.date()
    assert person("Bob").contact_changed_on is None, "a number of our own stands on no system"
    again = bring(ADA.replace("555-0101", "555-0198"), BOB.replace("B2", "B9"), CLEO, at=LATEST)
    assert person("Ada").contact_changed_on == LATEST.date()
    undo_import(scope=scope, source=again, at=LATEST)
    assert person("Ada").contact_changed_on == LATER.date()
    undo_import(scope=scope, source=source, at=LATEST)
    assert (person("Ada").phone, person("Ada").contact_changed_on) == ("555-0199", LATER.date()), "touched since, kept"
