"""Switching a rule of the organization on or off, and acknowledging, bear at the very next tick."""

from datetime import timedelta

import pytest

from accounts.models import Finding
from accounts.services.duties import record_acknowledgement, switch_rule
from accounts.services.role_needs import state_need
from systems.models import SystemRole
from tests.accounts.holding import held
from tests.accounts.test_profile_rules import new_phone
from tests.conftest import NOON, TODAY
from tests.reminders.test_tick import ask

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
MINUTE = timedelta(minutes=1)


def open_kinds():
    return set(Finding.objects.open().values_list("kind", flat=True)) & {
        "few-keepers", "stale-profile", "privileged-open",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "kind"), [("R-15", "privileged-open"), ("R-27", "few-keepers"), ("R-43", "stale-profile")]
)
def test_a_rule_that_is_switched_on_finds_at_the_next_tick_and_switched_off_nothing_any_more(cast, rule, kind):
    alice = cast.scope("alice")
    official = SystemRole.objects.get(system__slug="psr", slug__contains="official")
    held(cast, "psr", person="henry", last_login=TODAY, roles=[official])
    new_phone(cast)
    ask(NOON)
    assert open_kinds() == set()
    switch_rule(scope=alice, rule=rule, on=True, at=NOON + MINUTE)
    ask(NOON + 2 * MINUTE)
    assert open_kinds() == {kind}
    switch_rule(scope=alice, rule=rule, on=False, at=NOON + 3 * MINUTE)
    ask(NOON + 4 * MINUTE)
    assert open_kinds() == set()


@pytest.mark.parametrize(("document", "left"), [("addendum", set()), ("rules", {"privileged-open"})])
def test_an_acknowledged_addendum_closes_the_finding_at_the_next_tick(cast, document, left):
    alice, henry = cast.scope("alice"), cast.people["henry"]
    official = SystemRole.objects.get(system__slug="psr", slug__contains="official")
    account = held(cast, "psr", person="henry", last_login=TODAY, roles=[official])
    state_need(scope=alice, grant=account.grants.get(), need="Gives the roles there", at=NOON)
    switch_rule(scope=alice, rule="R-15", on=True, at=NOON)
    ask(NOON)
    assert open_kinds() == {"privileged-open"}
    record_acknowledgement(scope=alice, person=henry, document=document, acknowledged_on=TODAY, at=NOON + MINUTE)
    ask(NOON + 2 * MINUTE)
    assert open_kinds() == left
