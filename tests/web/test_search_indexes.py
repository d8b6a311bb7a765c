"""Searching lists by how names and user IDs begin: any case, no wildcards, and a range of an index on both engines."""

from datetime import date

import pytest
from django.db import connection
from django.http import QueryDict

from accounts.models import PortalAccount
from staff.models import Person
from systems.models import System
from tests.accounts.holding import held
from tests.factories import AccountFactory, PersonFactory
from web.lists import accounts_as_asked, people_as_asked

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

LEFT = date(2024, 2, 1)


def people(cast, query):
    rows = people_as_asked(cast.scope("alice"), QueryDict(query)).rows
    return sorted(f"{person.first_name} {person.last_name}" for person in rows)


@pytest.fixture
def crowded(cast):
    """Give a tenant as many people and accounts as make an index worth its while, and let the engine know of them."""
    riverside, system = cast.riverside, System.objects.get(slug="iqies")
    people = Person.objects.bulk_create(
        Person(organization=riverside, first_name=f"F{n:04d}", last_name=f"L{n:04d}", employee_number=f"N{n}")
        for n in range(3000)
    )
    PortalAccount.objects.bulk_create(
        AccountFactory.build(
            organization=riverside, person=person, system=system, user_id=f"U{n:04d}", status="removed", removed_on=LEFT
        )
        for n, person in enumerate(people)
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {Person._meta.db_table}, {PortalAccount._meta.db_table}")
    return cast


@pytest.fixture
def named(cast):
    PersonFactory(organization=cast.riverside, first_name="Zoé", last_name="O'Brien", employee_number="e-17")
    PersonFactory(organization=cast.riverside, first_name="Zo", last_name="de la Cruz")
    PersonFactory(organization=cast.hilltop, first_name="Zoe", last_name="O'Hara", employee_number="E-17")
    return cast


def test_beginnings_count_in_any_case_and_signs_stand_for_themselves(named):
    assert people(named, "q=o'b") == ["Zoé O'Brien"]
    assert people(named, "q=ZO") == ["Zo de la Cruz", "Zoé O'Brien"]
    assert people(named, "q=Zoé") == ["Zoé O'Brien"]
    assert people(named, "q=zo+o'br") == ["Zoé O'Brien"]
    assert people(named, "q=E-17") == ["Zoé O'Brien"], "nobody of another tenant"
    for nothing in ("q=E-1", "q=%25", "q=_o", "q=rien"):
        assert people(named, nothing) == []


def test_a_user_id_is_found_by_its_beginning_below_its_authority_too(cast):
    held(cast, person="henry", user_id="HTest_7")
    rows = accounts_as_asked(cast.scope("alice"), QueryDict("q=htest_")).rows
    assert sorted(account.system.slug for account in rows) == ["harp", "iqies"]
    assert not accounts_as_asked(cast.scope("alice"), QueryDict("q=htestx")).rows.exists()


def test_who_holds_no_account_is_found_and_a_removed_one_does_not_count(cast):
    account = held(cast, "ia", person="henry")
    assert "Henry Test" not in people(cast, "holds=none")
    assert people(cast, "holds=some") == ["Henry Test"]
    type(account).objects.filter(pk=account.pk).update(status="removed", removed_on=account.opened_on)
    assert "Henry Test" in people(cast, "holds=none")
    assert people(cast, "holds=some") == []


def test_each_search_is_a_range_of_its_index(crowded):
    scope = crowded.scope("alice")
    told = people_as_asked(scope, QueryDict("q=smi")).rows.explain()
    for index in ("staff_last_begins", "staff_first_begins"):
        assert index in told
    assert "accounts_id_begins" in accounts_as_asked(scope, QueryDict("q=smi")).rows.explain()
    assert "accounts_open_of_person" in people_as_asked(scope, QueryDict("holds=none")).rows.explain()
