"""`as_of`: who held what on a day, as known now and as known then."""

import io
import json
import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from accounts.models import RoleGrant
from accounts.services.inventory import AccountFacts, add_accounts
from accounts.services.logins import end_grants
from audit.commands import CommandFailed
from systems.models import System, SystemRole
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
DAY = timedelta(days=1)


def as_of(on, organization="riverside", **options):
    out = io.StringIO()
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    call_command("as_of", str(on), f"--organization={organization}", *words, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def grant(cast, slug="iqies", opened_on=date(2026, 3, 1), at=NOON):
    role = SystemRole.objects.filter(system__slug=slug).first()
    facts = AccountFacts(System.objects.get(slug=slug), [role], opened_on=opened_on, last_login="unknown")
    [account] = add_accounts(
        scope=cast.scope("carol"), person=cast.people["henry"], facility=cast.oak, accounts=[facts], at=at
    )
    return account


def test_a_grant_is_told_from_its_first_to_its_last_day(cast):
    account = grant(cast)
    end_grants(account=account, on=date(2026, 8, 31), at=NOON)
    [told] = [each for each in as_of("2026-08-31")["grants"] if each["system"] == "iqies"]
    assert (told["person"], told["ccn"]) == (str(cast.people["henry"]), cast.oak.ccn)
    assert (told["valid_from"], told["valid_to"]) == ("2026-03-01", "2026-08-31")
    assert told["role"] == account.grants.first().role.slug
    for day in ("2026-02-28", "2026-09-01"):
        assert not [each for each in as_of(day)["grants"] if each["system"] == "iqies"]
    assert [each for each in as_of("2026-03-01")["grants"] if each["system"] == "iqies"]


def test_what_was_corrected_later_is_told_as_it_was_known_then(cast):
    account = grant(cast, at=NOON)
    later = NOON + 5 * DAY
    end_grants(account=account, on=TODAY - 10 * DAY, at=later)

    def held(**options):
        return [each["valid_to"] for each in as_of(TODAY, **options)["grants"] if each["system"] == "iqies"]

    assert held() == []
    assert held(known_on=later.date()) == []
    assert held(known_on=(later - DAY).date()) == [None]
    assert held(known_on=(NOON - DAY).date()) == []


def test_a_day_of_knowledge_ends_at_midnight_in_the_east(cast):
    grant(cast, at=datetime(2026, 11, 21, 4, 59, tzinfo=UTC))  # 23:59 on the 20th in New York
    assert [each["system"] for each in as_of(TODAY, known_on="2026-11-20")["grants"]]
    RoleGrant.objects.update(recorded_at=datetime(2026, 11, 21, 5, 0, tzinfo=UTC))
    assert as_of(TODAY, known_on="2026-11-20")["grants"] == []


def test_what_was_corrected_at_midnight_in_the_east_was_known_all_day_before(cast):
    grant(cast, at=NOON)
    RoleGrant.objects.update(voided_at=datetime(2026, 11, 21, 5, 0, tzinfo=UTC))
    assert as_of(TODAY, known_on="2026-11-20")["grants"]
    assert as_of(TODAY, known_on="2026-11-21")["grants"] == []
    RoleGrant.objects.update(voided_at=datetime(2026, 11, 21, 4, 59, tzinfo=UTC))
    assert as_of(TODAY, known_on="2026-11-20")["grants"] == []


def test_any_history_agrees_with_a_reader_of_the_two_axes(cast):
    chance = random.Random(11)
    account = grant(cast)
    template = account.grants.first()
    RoleGrant.objects.all().delete()
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    rows = []
    for _ in range(40):
        first = start.date() + chance.randrange(0, 60) * DAY
        last = first + chance.randrange(0, 40) * DAY
        recorded = start + chance.randrange(0, 60) * DAY
        voided = recorded + chance.randrange(0, 30) * DAY if chance.random() < 0.5 else None
        rows.append((first, last, recorded, voided))
        RoleGrant.objects.create(
            organization=template.organization,
            account=account,
            facility=template.facility,
            role=template.role,
            valid_from=first,
            valid_to=last,
            recorded_at=recorded,
            voided_at=voided,
        )
    for _ in range(60):
        on, known_on = (start.date() + chance.randrange(0, 100) * DAY for _ in range(2))
        expected = sorted(
            (str(first), str(last))
            for first, last, recorded, voided in rows
            if first <= on <= last and recorded.date() <= known_on and (voided is None or voided.date() > known_on)
        )
        answer = as_of(on, known_on=known_on)["grants"]
        assert sorted((each["valid_from"], each["valid_to"]) for each in answer) == expected


def test_another_organization_is_never_told(cast):
    grant(cast)
    assert as_of(TODAY)["grants"]
    assert as_of(TODAY, organization=cast.summit.organization.slug)["grants"] == []
    with pytest.raises(CommandFailed) as caught:
        as_of(TODAY, organization="nobody")
    assert caught.value.document["grants"] == []
    assert caught.value.document["errors"][0]["place"] == "--organization"


@pytest.mark.parametrize("text", ["tomorrow", "2026-02-30", "20261122"])
def test_what_is_no_day_is_misuse(cast, text):
    with pytest.raises(CommandError, match="argument"):
        as_of(text)


def test_people_read_lines(cast):
    grant(cast)
    out = io.StringIO()
    call_command("as_of", str(TODAY), "--organization=riverside", stdout=out)
    assert f"iqies {SystemRole.objects.filter(system__slug='iqies').first().slug} at {cast.oak.ccn}" in out.getvalue()
