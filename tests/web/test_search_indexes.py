"""Searching lists by how names and user IDs begin: any case, no wildcards, and a range of an index on both engines."""

from datetime import date

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from accounts.models import PortalAccount
from staff.models import Person
from staff.names import people_called, people_nearly_called
from systems.models import System
from tests.accounts.holding import held
from tests.factories import AccountFactory, PersonFactory
from web.lists import accounts_as_asked, people_as_asked
from web.searching.people import accounts_found

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
        Person(
            organization=riverside,
            first_name=f"F{n:04d}",
            last_name=f"L{n:04d}",
            employee_number=f"N{n}",
            email=f"e{n:04d}@example.org",
        )
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


@pytest.fixture
def told(crowded):
    """Return a function that does something and returns how the engine answered each query of it."""

    def explained(does):
        with CaptureQueriesContext(connection) as queries:
            does()
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        plans = []
        for query in queries.captured_queries:
            with connection.cursor() as cursor:
                cursor.execute(f"{explain} {query['sql']}".replace("%", "%%"))
                plans.append("\n".join(str(row[-1]) for row in cursor.fetchall()))
        return plans

    return explained


def test_the_search_looks_at_the_first_rows_of_ranges_only(crowded, told):
    readable = Person.objects.visible_to(crowded.scope("alice"))
    plan, *_ = told(lambda: people_called(readable, "l0", 9))
    for index in ("staff_last_begins", "staff_first_begins", "staff_email_begins", "staff_one_per_number"):
        assert index in plan
    assert "employee_number>?" not in plan, "a number is looked up, not all who have one"
    assert not reads_all(plan, "staff_person")
    plan, *_ = told(lambda: people_called(readable, "f000 l0", 9))
    assert not reads_all(plan, "staff_person")


def test_what_is_spelled_nearly_so_is_looked_up_in_the_same_indexes(crowded, told):
    readable = Person.objects.visible_to(crowded.scope("alice"))
    plans = told(lambda: people_nearly_called(readable, crowded.riverside, "f001l l0010", 9))
    assert len(plans) == 4
    assert "staff_last_begins" in plans[0]
    assert "staff_first_begins" in plans[1]
    assert not any(reads_all(plan, "staff_person") for plan in plans)


def test_user_ids_are_a_range_of_their_index_below_the_authority_too(crowded, told):
    scope = crowded.scope("alice")
    plans = told(lambda: accounts_found(scope, "U00", LEFT))
    assert len(plans) == 2
    for plan in plans:
        assert "accounts_id_begins" in plan
        assert not reads_all(plan, "accounts_portalaccount")


def reads_all(plan, table):
    """Tell whether a plan walks through all rows of a table."""
    return f"Seq Scan on {table}" in plan or any(
        line.startswith("SCAN") and table in line and "INDEX" not in line for line in plan.splitlines()
    )
