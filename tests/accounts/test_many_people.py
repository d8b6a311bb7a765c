"""A facility with more people than SQLite takes values in one statement (32,766 as shipped; fewer here)."""

import json
import sqlite3
from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import Deadline, Finding, HouseRule, PortalAccount, RoleGrant
from accounts.services.rules.sweep import check_rules
from facilities.models import Recheck
from reminders.models import Digest
from reminders.services.deliver import deliver
from staff.models import Absence, Employment, Person
from systems.models import Policy, SystemRole
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

TAKES = 1_000  # the least that Django's own batches need
PEOPLE = 1_100
AGO = TODAY - timedelta(days=400)


@pytest.fixture
def few_values(db):
    """Let SQLite take few values in a statement; PostgreSQL takes any number and must find the same."""
    connection.ensure_connection()
    if connection.vendor != "sqlite":
        yield
        return
    before = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, TAKES)
    yield
    connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)


def _crowd(cast):
    """Write people who are away and hold an open account on a closed system under a user ID of another one.

    And one on a living system, which lapses today.
    """
    home, known = cast.riverside, {"organization": cast.riverside, "recorded_at": NOON}
    people = Person.objects.bulk_create(
        [Person(organization=home, first_name="P", last_name=str(n), contact_changed_on=TODAY) for n in range(PEOPLE)],
        batch_size=90,
    )
    since = {"valid_from": AGO}
    Employment.objects.bulk_create(
        [
            Employment(person=each, facility=cast.oak, job_title=job, **dates, **known)
            for each in people
            for job, dates in (
                ("Nurse", {"valid_from": AGO - timedelta(days=30), "valid_to": TODAY - timedelta(days=6)}),
                ("Clerk", {"valid_from": TODAY - timedelta(days=5)}),
            )
        ],
        batch_size=90,
    )
    Absence.objects.bulk_create(
        [Absence(person=each, recorded_by="a test", **since, **known) for each in people], batch_size=90
    )
    role = SystemRole.objects.filter(system__slug="qies").first()
    accounts = PortalAccount.objects.bulk_create(
        [
            PortalAccount(
                organization=home,
                person=each,
                system=role.system,
                user_id=f"id{n // 2}-{n % 2 if n > PEOPLE - 3 else ''}",
                opened_on=AGO,
                login_state="known",
                last_login_on=AGO,
                counts_from_on=AGO,
                lapses_on=TODAY,
            )
            for n, each in enumerate(people)
        ],
        batch_size=30,
    )
    RoleGrant.objects.bulk_create(
        [
            RoleGrant(account=each, facility=cast.oak, role=role, evidence="a test", **since, **known)
            for each in accounts
        ],
        batch_size=90,
    )
    viewer = SystemRole.objects.select_related("system").get(system__slug="iqies", slug="provider-assessment-viewer")
    living = PortalAccount.objects.bulk_create(
        [PortalAccount(organization=home, person=each, system=viewer.system, opened_on=AGO) for each in people],
        batch_size=90,
    )
    policy = Policy.objects.get(system=viewer.system, kind="inactivity", applied=True)
    clock = {"organization": home, "kind": "inactivity", "zone": policy.zone, "basis_on": AGO, "due_on": TODAY}
    Deadline.objects.bulk_create(
        [Deadline(subject_key=each.key, account=each, policy=policy, **clock) for each in living], batch_size=60
    )
    RoleGrant.objects.bulk_create(
        [RoleGrant(account=each, facility=cast.oak, role=viewer, evidence="x", **since, **known) for each in living],
        batch_size=90,
    )
    Recheck.objects.bulk_create([Recheck(organization=home, facility=cast.oak)] * PEOPLE, batch_size=300)
    for rule in HouseRule.Rule.values:
        HouseRule.objects.create(rule=rule, enabled_on=AGO, recorded_by="a test", **known)
    return accounts


def test_a_nightly_pass_finds_everything_about_more_people_than_a_statement_takes_values(cast, few_values):
    accounts = _crowd(cast)
    done = check_rules(at=NOON, since=None, full=False)
    assert done.failed == 0
    assert not Recheck.objects.exists()
    found = Finding.objects.open()
    for kind, each_has in (("absence-lapse", 1), ("stale-profile", 2), ("job-change", 1)):
        assert found.filter(kind=kind).count() == each_has * PEOPLE, kind
    assert found.filter(kind="shared-id").count() == PEOPLE - 2
    assert json.loads(found.get(kind="closed-system", subject_key__contains="qies").facts)["count"] == len(accounts)
    assert check_rules(at=NOON, since=NOON, full=True).differences == 0


def test_mails_that_have_nothing_left_to_say_are_taken_back_however_many_wait(cast, few_values):
    people = Person.objects.bulk_create(
        [Person(organization=cast.riverside, first_name="P", last_name=str(n)) for n in range(PEOPLE)], batch_size=90
    )
    Digest.objects.bulk_create(
        [
            Digest(
                organization=cast.riverside,
                person=each,
                local_on=TODAY - timedelta(days=1),
                address="someone@example.org",
                message_id=f"<{each.pk}@example.org>",
                created_at=NOON - timedelta(days=1),
            )
            for each in people
        ],
        batch_size=50,
    )
    deliver(at=NOON)
    assert Digest.objects.filter(state=Digest.State.WITHDRAWN).count() == PEOPLE
