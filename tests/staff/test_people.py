"""People and employments: facts are corrected, never edited, and stay inside their organization."""

from datetime import date, timedelta

import pytest

from audit.models import AuditEvent
from facilities.access import NotAllowed
from staff.models import Employment, Person
from staff.services.people import (
    PersonFacts,
    PersonRefused,
    add_person,
    correct_person,
    employ_person,
    end_employment,
)
from tests import factories
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
RUTH = PersonFacts("Ruth", "Reed", " Ruth.Reed@Example.org ", employee_number="E-7")


def added(cast, facts=RUTH, by="carol", facility="oak"):
    return add_person(
        scope=cast.scope(by),
        facility=getattr(cast, facility),
        facts=facts,
        job_title="Nurse",
        starts_on=date(2026, 1, 5),
        at=NOON,
    )


def test_a_coordinator_adds_somebody_at_her_own_facility_and_not_at_another(cast):
    person = added(cast)
    assert person.email == "ruth.reed@example.org"
    assert Employment.objects.get(person=person).facility == cast.oak
    assert AuditEvent.objects.filter(action="person.added", chain=cast.riverside.key).count() == 1
    with pytest.raises(NotAllowed):
        added(cast, PersonFacts("Rosa", "Reed"), facility="elm")


def test_an_auditor_changes_nothing(cast):
    with pytest.raises(NotAllowed):
        added(cast, by="audrey")
    assert added(cast, by="alice").pk


def test_a_facility_of_another_tenant_is_refused_even_by_an_administrator(cast):
    with pytest.raises(PersonRefused, match="does not belong"):
        added(cast, by="alice", facility="summit")


def test_an_employee_number_is_unique_in_its_organization_only(cast):
    added(cast)
    with pytest.raises(PersonRefused, match="E-7"):
        added(cast, PersonFacts("Other", "Person", employee_number="E-7"))
    twin = add_person(
        scope=cast.scope("mallory"),
        facility=cast.summit,
        facts=PersonFacts("Other", "Person", employee_number="E-7"),
        job_title="",
        starts_on=TODAY,
        at=NOON,
    )
    assert twin.organization == cast.hilltop


@pytest.mark.parametrize("name", ["olga", "henry", "audrey"])
def test_who_may_not_edit_a_person_corrects_nothing_and_ends_nothing(cast, name):
    person = added(cast)
    job, scope = person.employments.get(), cast.scope(name)
    with pytest.raises(NotAllowed):
        correct_person(scope=scope, person=person, version=1, facts=PersonFacts("Ruth", "Rode"), at=NOON)
    with pytest.raises(NotAllowed):
        end_employment(scope=scope, employment=job, last_day_on=TODAY, at=NOON)
    assert Person.objects.get(pk=person.pk).last_name == "Reed"
    assert Employment.objects.known().get(person=person).valid_to is None
    scope = cast.scope("carol")
    assert (
        correct_person(scope=scope, person=person, version=1, facts=PersonFacts("Ruth", "Rode"), at=NOON).version == 2
    )
    assert end_employment(scope=scope, employment=job, last_day_on=TODAY, at=NOON).valid_to == TODAY


def test_where_somebody_only_worked_before_nobody_changes_where_her_mails_go(cast):
    person = added(cast)
    facts = PersonFacts("Ruth", "Reed", email="mine@example.org")
    Employment.objects.filter(person=person).update(valid_to=TODAY - timedelta(days=1))
    factories.EmploymentFactory(facility=cast.elm, person=person)
    with pytest.raises(NotAllowed):
        correct_person(scope=cast.scope("carol"), person=person, version=1, facts=facts, at=NOON)
    assert correct_person(scope=cast.scope("olga"), person=person, version=1, facts=facts, at=NOON).version == 2


def test_an_administrator_of_another_tenant_corrects_nobody_and_ends_nothing(cast):
    person = added(cast)
    job, scope = person.employments.get(), cast.scope("mallory")
    with pytest.raises(PersonRefused) as refused:
        correct_person(scope=scope, person=person, version=1, facts=PersonFacts("Ruth", "Rode"), at=NOON)
    assert refused.value.code == "stale"
    with pytest.raises(PersonRefused) as refused:
        end_employment(scope=scope, employment=job, last_day_on=TODAY, at=NOON)
    assert refused.value.code == "stale"
    assert Person.objects.get(pk=person.pk).last_name == "Reed"
    assert Employment.objects.known().get(person=person).valid_to is None
    assert not AuditEvent.objects.filter(chain=cast.hilltop.key).exists()


def test_a_stale_save_is_refused_and_the_fresh_one_passes(cast):
    person = added(cast)
    corrected = correct_person(
        scope=cast.scope("carol"), person=person, version=1, facts=PersonFacts("Ruth", "Rode"), at=NOON
    )
    assert (corrected.last_name, corrected.version) == ("Rode", 2)
    with pytest.raises(PersonRefused, match="meanwhile"):
        correct_person(scope=cast.scope("carol"), person=person, version=1, facts=PersonFacts("R", "Rose"), at=NOON)
    assert Person.objects.get(pk=person.pk).last_name == "Rode"


def test_ending_an_employment_voids_the_open_row_and_keeps_the_person(cast):
    person = added(cast)
    employment = person.employments.get()
    ended = end_employment(scope=cast.scope("carol"), employment=employment, last_day_on=TODAY, at=NOON)
    employment.refresh_from_db()
    assert employment.voided_at == NOON
    assert (ended.valid_from, ended.valid_to) == (date(2026, 1, 5), TODAY)
    assert not Person.objects.employed_on(TODAY + timedelta(days=1)).filter(pk=person.pk).exists()
    assert Person.objects.employed_on(TODAY).filter(pk=person.pk).exists()


def test_ending_it_again_on_the_same_day_changes_nothing(cast):
    employment = added(cast).employments.get()
    ended = end_employment(scope=cast.scope("carol"), employment=employment, last_day_on=TODAY, at=NOON)
    events = AuditEvent.objects.count()
    again = end_employment(scope=cast.scope("carol"), employment=ended, last_day_on=TODAY, at=NOON)
    assert again.pk == ended.pk
    assert AuditEvent.objects.count() == events


def test_the_last_day_cannot_lie_before_the_first(cast):
    employment = added(cast).employments.get()
    with pytest.raises(PersonRefused, match="before the start"):
        end_employment(scope=cast.scope("carol"), employment=employment, last_day_on=date(2025, 12, 31), at=NOON)


def test_a_second_facility_is_added_by_somebody_who_may_and_only_once(cast):
    person = added(cast)
    with pytest.raises(NotAllowed):
        employ_person(
            scope=cast.scope("carol"), person=person, facility=cast.elm, job_title="", starts_on=TODAY, at=NOON
        )
    place = {"person": person, "facility": cast.elm, "job_title": "", "starts_on": TODAY, "at": NOON}
    employ_person(scope=cast.scope("alice"), **place)
    with pytest.raises(PersonRefused, match="already works"):
        employ_person(scope=cast.scope("alice"), **place)


def test_people_are_visible_where_they_work_and_to_themselves(cast):
    person = added(cast)
    visible = {
        name: set(Person.objects.visible_to(cast.scope(name)))
        for name in ["alice", "carol", "olga", "henry", "audrey", "mallory"]
    }
    assert {name for name, people in visible.items() if person in people} == {"alice", "carol", "audrey"}
    assert visible["henry"] == {cast.people["henry"]}
    assert cast.people["olga"] in visible["olga"]


def test_a_time_that_would_run_beside_a_known_one_is_refused_and_one_after_it_passes(cast):
    person = added(cast)
    place = {"person": person, "facility": cast.oak, "job_title": "", "at": NOON}
    with pytest.raises(PersonRefused, match="already works"):
        employ_person(scope=cast.scope("alice"), starts_on=date(2025, 1, 1), **place)
    end_employment(scope=cast.scope("alice"), employment=person.employments.get(), last_day_on=TODAY, at=NOON)
    with pytest.raises(PersonRefused, match="already works"):
        employ_person(scope=cast.scope("alice"), starts_on=TODAY, **place)
    assert employ_person(scope=cast.scope("alice"), starts_on=TODAY + timedelta(days=1), **place).pk


def test_an_address_too_long_for_the_database_is_refused_in_words(cast):
    longest = f"r@{'.'.join(['example' * 8] * 4)}.{'x' * 20}.org"
    assert len(longest) == 254
    assert added(cast, PersonFacts("Ruth", "Reed", longest)).email == longest
    with pytest.raises(PersonRefused, match="not an e-mail"):
        added(cast, PersonFacts("Rosa", "Reed", f"r{longest}"))
