"""The synthetic population is the same for the same seed, whole in every table, and due as much as was asked."""

import json
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import F, Max, Q

from accounts.models import Deadline, LoginEvent, PortalAccount, RoleGrant
from accounts.services.logins import refresh_clocks
from audit.models import AuditEvent, AuditItem
from audit.verify import verify_chains
from facilities.models import Facility, Membership, Organization
from reminders.ladder import first_step, house_ladder
from staff.models import Employment, Person
from tests.tenancy import rows_of_two_tenants
from users.models import User
from web.scale import Population, SeedRefused, records, seed_scale, slugs_of

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

ON = date(2026, 11, 22)
SMALL = Population(facilities=12, accounts=600, on=ON)


@pytest.fixture
def population(catalogue):
    return seed_scale(population=SMALL)


def written():
    """Every fact of the population by natural keys: ids of a sequence go on after a rollback."""
    account = ("account__person__email", "account__system__slug")
    return {
        "people": list(
            Person.objects.order_by("email").values_list("email", "last_name", "employee_number", "user__email")
        ),
        "places": list(
            Facility.objects.order_by("ccn").values_list("organization__slug", "ccn", "name", "zip_code", "zone")
        ),
        "employments": sorted(
            Employment.objects.values_list("person__email", "facility__ccn", "job_title", "valid_from", "valid_to"),
            key=str,
        ),
        "accounts": sorted(
            PortalAccount.objects.values_list(
                "person__email", "system__slug", "status", "opened_on", "login_state", "last_login_on", "lapses_on"
            ),
            key=str,
        ),
        "grants": sorted(RoleGrant.objects.values_list(*account, "facility__ccn", "role__slug", "valid_to"), key=str),
        "logins": sorted(LoginEvent.objects.values_list(*account, "happened_on", "source"), key=str),
        "deadlines": sorted(Deadline.objects.values_list(*account, "kind", "due_on", "check_on"), key=str),
        "items": AuditItem.objects.count(),
        "requests": set(AuditEvent.objects.exclude(chain="installation").values_list("request_id", flat=True)),
    }


def made_and_undone(population):
    with transaction.atomic():
        seed_scale(population=population)
        rows = written()
        transaction.set_rollback(True)
    return rows


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(catalogue):
    first = made_and_undone(SMALL)
    assert first == made_and_undone(SMALL)
    other = made_and_undone(Population(facilities=12, accounts=600, on=ON, seed=2))
    assert other["accounts"] != first["accounts"]
    assert len(other["accounts"]) == len(first["accounts"]) == 600


def test_everything_hangs_together_within_one_tenant_and_the_chains_are_whole(population):
    assert rows_of_two_tenants() == []
    verdict = verify_chains()
    assert verdict.ok
    assert verdict.items >= Person.objects.count() + PortalAccount.objects.count()


def test_it_says_what_it_made(population):
    assert [each.slug for each in population] == ["scale-1-001", "scale-1-002"]
    assert sum(each.accounts for each in population) == PortalAccount.objects.count() == 600
    assert sum(each.facilities for each in population) == Facility.objects.count() == 12
    assert sum(each.people for each in population) == Person.objects.count()
    assert Organization.objects.filter(reminders_started_at=SMALL.at).count() == 2


def test_about_two_and_a_half_accounts_a_person_and_everybody_has_an_own_address(catalogue):
    seed_scale(population=Population(facilities=2, accounts=1000, on=ON))
    assert 2.3 < 1000 / Person.objects.count() < 2.8
    assert Person.objects.values("email").distinct().count() == Person.objects.count()
    assert not Person.objects.filter(email="").exists()


def test_every_facility_and_every_organization_has_an_administrator_who_is_a_person(population):
    offices = Membership.objects.filter(role="administrator", user__people__organization=F("organization"))
    assert set(offices.exclude(facility=None).values_list("facility", flat=True)) == set(
        Facility.objects.values_list("pk", flat=True)
    )
    assert offices.filter(facility=None).values("organization").distinct().count() == 2
    assert not any(user.has_usable_password() for user in User.objects.all())


def test_the_last_login_is_the_newest_event(population):
    newest = PortalAccount.objects.annotate(newest=Max("logins__happened_on"))
    assert not newest.exclude(Q(last_login_on=F("newest")) | Q(last_login_on=None, newest=None)).exists()
    assert newest.filter(newest__isnull=False).count() > 400


def test_replaying_the_history_changes_nothing(population):
    """The facts written in bulk are those that the services would have come to, one login after the other."""
    assert Deadline.objects.filter(check_on__isnull=False).exists(), "the sample must hold logins that came too late"
    before = snapshot()
    refresh_clocks(list(PortalAccount.objects.values_list("pk", flat=True)), at=SMALL.at)
    assert snapshot() == before


def snapshot():
    return [
        list(PortalAccount.objects.order_by("pk").values()),
        list(Deadline.objects.order_by("pk").values()),
    ]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.35, 0.9])
def test_as_many_accounts_are_due_as_was_asked(catalogue, share):
    seed_scale(population=Population(facilities=4, accounts=800, on=ON, due_share=share))
    due = {row.account_id for row in Deadline.objects.open().select_related("policy") if row.due_on <= ladder_end(row)}
    assert abs(len(due) / 800 - share) <= 0.02


def ladder_end(deadline):
    if deadline.policy is None:
        return ON + timedelta(days=house_ladder(mention_days=60, flag_days=90).first)
    limit = deadline.policy.limit_days or deadline.policy.limit_years * 365
    return ON + timedelta(days=first_step(deadline.kind, limit))


def test_more_events_are_older_logins_that_move_no_clock(catalogue):
    few = made_and_undone(SMALL)
    many = made_and_undone(Population(facilities=12, accounts=600, on=ON, events=6000))
    assert len(many["logins"]) == pytest.approx(6000, rel=0.1)
    assert len(few["logins"]) < 1000
    with transaction.atomic():
        seed_scale(population=Population(facilities=12, accounts=600, on=ON, events=6000))
        before = snapshot()
        refresh_clocks(list(PortalAccount.objects.values_list("pk", flat=True)), at=SMALL.at)
        assert snapshot() == before


def test_one_organization_per_two_hundred_facilities_and_at_least_two(settings):
    assert list(slugs_of(Population(facilities=1, accounts=1, on=ON)).values()) == [1]
    assert list(slugs_of(Population(facilities=900, accounts=1, on=ON, organizations=1)).values()) == [900]
    assert list(slugs_of(Population(facilities=2, accounts=1, on=ON, organizations=5)).values()) == [1, 1]
    assert list(slugs_of(Population(facilities=3, accounts=1, on=ON)).values()) == [2, 1]
    assert list(slugs_of(Population(facilities=1000, accounts=1, on=ON)).values()) == [200] * 5


def test_a_second_run_into_the_same_slugs_is_refused_and_into_others_it_is_not(population):
    before = Person.objects.count()
    with pytest.raises(SeedRefused, match="scale-1-001 exists already"):
        seed_scale(population=SMALL)
    assert Person.objects.count() == before
    assert seed_scale(population=Population(facilities=2, accounts=20, on=ON, seed=2))[0].slug == "scale-2-001"


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"facilities": 0}, "--facilities"),
        ({"accounts": -5}, "--accounts"),
        ({"seed": -1}, "--seed"),
        ({"events": -1}, "--events"),
        ({"due_share": 1.5}, "--due-share"),
        ({"due_share": float("nan")}, "--due-share"),
        ({"on": date(1990, 1, 1)}, "--on"),
    ],
)
def test_nonsense_is_refused_by_the_name_of_its_option(wrong, place):
    with pytest.raises(SeedRefused) as refused:
        Population(**({"facilities": 3, "accounts": 30, "on": ON} | wrong))
    assert refused.value.place == place
    assert Population(facilities=3, accounts=30, on=ON)


def test_the_command_prints_one_document(catalogue, capsys):
    call_command("seed_scale", facilities=2, accounts=30, on=ON, json=True)
    document = json.loads(capsys.readouterr().out)
    assert [each["slug"] for each in document["organizations"]] == ["scale-1-001", "scale-1-002"]
    assert set(document["organizations"][0]) == {"slug", "facilities", "accounts", "people"}
    assert document["events"] == LoginEvent.objects.count()


def test_production_settings_are_refused(catalogue, settings, capsys):
    settings.EMBEDDED = False
    with pytest.raises(Exception, match="embedded settings only"):
        call_command("seed_scale", facilities=2, accounts=30, on=ON)
    assert not Organization.objects.exists()


def test_nobody_leaves_before_she_came(catalogue, monkeypatch):
    # With so many leavers this seed has one who came lately; by default it is one in several hundred thousand.
    monkeypatch.setattr(records, "_LEFT", 1.0)
    seed_scale(population=Population(facilities=2, accounts=500, on=date(2026, 11, 22), seed=39))
    ended = Employment.objects.exclude(valid_to=None)
    assert ended.filter(valid_to=F("valid_from")).count() == 1
    assert not ended.filter(valid_to__lt=F("valid_from")).exists()


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_as_many_certifications_are_near_as_other_clocks(catalogue, share):
    seed_scale(population=Population(facilities=6, accounts=1500, on=ON, due_share=share))
    yearly = Deadline.objects.filter(kind=Deadline.Kind.CERTIFICATION)
    near = yearly.filter(due_on__lte=ON + timedelta(days=first_step("certification", 365)))
    assert yearly.count() > 250
    assert abs(near.count() / yearly.count() - share) < 0.06
