"""What is foretold for the day somebody leaves is what the rules find when she has left."""

import json

import pytest

from accounts.models import Finding, PortalAccount, RecordKeeper
from accounts.models.register import HouseRule
from accounts.policy.records import digest
from accounts.services.backup_records import record_of
from accounts.services.inventory import remove_account
from accounts.services.places import name_keeper
from accounts.services.record_copies import confirm_copy
from accounts.services.rules.sweep import check_rules
from accounts.services.rules.without import if_left
from staff.models import Employment
from staff.services.people import end_employment
from systems.models import SystemRole
from tests import factories
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.reminders.making import DAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


def role(system, slug):
    return SystemRole.objects.get(system__slug=system, slug=slug)


def holds(cast, system, slug, person, facility="oak", last_login=TODAY):
    return held(cast, system, person=person, facility=facility, roles=[role(system, slug)], last_login=last_login)


@pytest.fixture
def busy(cast):
    """Carol submits, approves and keeps the record at Oak House, with Henry beside her in some of it."""
    factories.EmploymentFactory(facility=cast.elm, person=cast.people["carol"])
    for person in ("carol", "henry"):
        holds(cast, "iqies", "provider-security-official", person)
        held(cast, "casper", person=person, last_login=TODAY - 3 * DAY)
    for person, slug in (("carol", "security-official"), ("henry", "end-user")):
        holds(cast, "psr", slug, person)
    held(cast, "iqies", person="carol", facility="elm", last_login=TODAY - 2 * DAY)
    held(cast, "qies", person="carol", last_login=TODAY - 50 * DAY)
    held(cast, "sams", person="carol")
    scope = cast.scope("alice")
    for person in ("carol", "henry"):
        name_keeper(
            scope=scope, facility=cast.oak, person=cast.people[person], since=TODAY - 20 * DAY, at=NOON - 20 * DAY
        )
    HouseRule.objects.create(
        organization=cast.riverside, rule="R-27", enabled_on=TODAY - 30 * DAY, recorded_at=NOON, recorded_by="a test"
    )
    printed = digest(record_of(cast.oak, NOON))
    for person in ("carol", "henry"):
        confirm_copy(scope=scope, facility=cast.oak, person=cast.people[person], shown=printed, at=NOON)
    return cast


def wrong(at=NOON):
    check_rules(at=at, since=None, full=True)
    rows = Finding.objects.open().filter(facility__isnull=False)
    return {(each.kind, each.subject_key): (each.severity, json.loads(each.facts)) for each in rows}


def leave(cast, person):
    """Do through the services what the page is about: the work has ended, then the accounts are removed."""
    scope, who = cast.scope("alice"), cast.people[person]
    for employment in Employment.objects.known().filter(person=who):
        end_employment(scope=scope, employment=employment, last_day_on=TODAY - DAY, at=NOON)
    check_rules(at=NOON, since=None, full=True)
    left = Finding.objects.open().filter(kind="leaver-access", person=who).values_list("account", flat=True)
    accounts = PortalAccount.objects.filter(pk__in=list(left))
    for account in sorted(accounts, key=lambda each: (each.identity_id is None, each.pk)):
        remove_account(scope=scope, account=account, removed_on=TODAY, at=NOON)
    return set(left)


@pytest.mark.parametrize("person", ["carol", "henry"])
def test_what_is_foretold_is_what_the_rules_find_after_she_has_left(busy, person):
    before = wrong()
    who = busy.people[person]
    foretold = if_left(organization=busy.riverside, person=who.pk, facilities=[busy.oak.pk, busy.elm.pk], at=NOON)
    losses = foretold.losses.values()
    opened = {(each.kind, each.subject_key) for loss in losses for each in loss.opened}
    worse = {(each.kind, each.subject_key): each.severity for loss in losses for each in loss.worse}
    closed = {(each.kind, each.subject_key) for loss in losses for each in loss.closed}
    facts = {(each.kind, each.subject_key): dict(each.facts) for loss in losses for each in (*loss.opened, *loss.worse)}

    assert leave(busy, person) == {each.account for each in foretold.accounts}
    after = wrong()

    assert opened == after.keys() - before.keys()
    assert closed == before.keys() - after.keys()
    assert worse == {key: after[key][0] for key in after.keys() & before.keys() if after[key][0] != before[key][0]}
    assert facts == {key: after[key][1] for key in facts}
    assert {kind for kind, _ in opened} >= {"one-official", "no-backup"}
    if person == "carol":
        assert {kind for kind, _ in opened} >= {"few-keepers", "psr-two-people", "stale-record", "no-account"}
        assert {kind for kind, _ in closed} >= {"unknown-logins", "no-backup"}
    assert not Finding.objects.open().filter(person=who).exists()


def test_somebody_on_whom_nothing_hangs_leaves_no_gap(busy):
    for person in ("dora", "eve"):
        who = factories.PersonFactory(organization=busy.riverside, first_name=person.title())
        factories.EmploymentFactory(facility=busy.oak, person=who)
        busy.people[person] = who
    foretold = if_left(organization=busy.riverside, person=busy.people["dora"].pk, facilities=[busy.oak.pk], at=NOON)
    assert foretold.accounts == []
    loss = foretold.losses[busy.oak.pk]
    assert (loss.opened, loss.worse, loss.closed, loss.streams) == ([], [], [], [])


def test_it_says_who_could_still_submit_and_writes_nothing(busy):
    def rest():
        carol = busy.people["carol"].pk
        foretold = if_left(organization=busy.riverside, person=carol, facilities=[busy.oak.pk], at=NOON)
        return {each.stream: each.people for each in foretold.losses[busy.oak.pk].streams}

    written = (Finding.objects.count(), RecordKeeper.objects.count())
    henry = busy.people["henry"]
    assert rest()["PBJ staffing"] == {henry.pk}
    PortalAccount.objects.filter(person=henry, system__slug="iqies").update(status="lost", loss="disabled")
    assert rest()["PBJ staffing"] == frozenset()
    assert (Finding.objects.count(), RecordKeeper.objects.count()) == written


def test_many_facilities_cost_as_much_as_one(busy, django_assert_num_queries):
    def ask(places):
        who = busy.people["carol"].pk
        return if_left(organization=busy.riverside, person=who, facilities=[each.pk for each in places], at=NOON)

    with django_assert_num_queries(41) as few:  # two slices, each asked which files wait
        ask([busy.oak])
    more = [factories.FacilityFactory(organization=busy.riverside) for _ in range(5)]
    for place in more:
        factories.EmploymentFactory(facility=place, person=busy.people["carol"])
    with django_assert_num_queries(len(few)):
        ask([busy.oak, busy.elm, *more])
