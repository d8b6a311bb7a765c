"""All Security Officials about to lapse together, through commands alone; each is named with the own day."""

import json
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from accounts.finding_words import About, sentence
from accounts.models import Finding, PortalAccount
from accounts.policy.officials import all_lapsing
from accounts.services.logins import record_login
from accounts.services.rules.sweep import check_rules
from tests.conftest import NOON, TODAY
from tests.reminders.test_tick import ask

db = [pytest.mark.django_db, pytest.mark.db_engines]
DAY = timedelta(days=1)
COLUMNS = "employee_number,last_name,first_name,system,ccn,role,granted_on,last_login_on"


@pytest.mark.parametrize(
    ("left", "severity"),
    [
        ([14], "high"), ([15], ""), ([14, 15], ""), ([3, -1], "high"), ([-1, -9], "critical"), ([0], "high"),
        ([14, None], "high"), ([-1, None], "high"), ([None], ""), ([], ""),
    ],
)  # fmt: skip
def test_all_lapse_while_none_is_known_to_be_safe(left, severity):
    days = [None if each is None else TODAY + each * DAY for each in left]
    assert all_lapsing(days, TODAY) == severity


def listed(cast, tmp_path, **idle):
    """Import an official of Oak House per name, who signed in so many days ago."""
    rows = []
    for number, (name, days) in enumerate(sorted(idle.items()), start=1):
        person = cast.people[name]
        type(person).objects.filter(pk=person.pk).update(employee_number=f"E{number}")
        role = "Provider Security Official (PSO)"
        rows.append(f"E{number},Test,{name.title()},iqies,{cast.oak.ccn},{role},2024-01-05,{TODAY - days * DAY}")
    path = tmp_path / "officials.csv"
    path.write_text("\n".join([COLUMNS, *rows]) + "\n", encoding="utf-8")
    with time_machine.travel(NOON, tick=False):
        call_command("import_accounts", str(path), organization="riverside", verbosity=0, stdout=StringIO())


def found():
    return [
        (finding.severity, json.loads(finding.facts))
        for finding in Finding.objects.open().filter(kind="officials-lapse")
    ]


class TestByCommands:
    pytestmark = db

    def test_the_day_comes_without_anybody_doing_anything_and_a_login_of_one_of_them_ends_it(self, cast, tmp_path):
        listed(cast, tmp_path, carol=45, henry=50)
        ask(NOON)
        assert found() == []
        ask(NOON + DAY)
        ((severity, facts),) = found()
        people = [cast.people[name].pk for name in ("henry", "carol")]
        days = [(TODAY + left * DAY).isoformat() for left in (10, 15)]
        assert (severity, facts) == ("high", {"system": "iqies", "people": people, "lapse_on": days})
        about = About(facility="Oak House", system="iQIES", others=("Henry Test", "Carol Test"), on=TODAY + DAY)
        assert sentence("officials-lapse", facts, about) == (
            "Every Security Official of Oak House on iQIES is about to lapse:"
            " Henry Test (last safe day Mon 30 Nov 2026) and Carol Test (last safe day Sat 5 Dec 2026)."
        )
        assert check_rules(at=NOON + DAY, since=NOON + DAY, full=True).differences == 0
        account = PortalAccount.objects.get(person=cast.people["carol"], system__slug="iqies")
        at = NOON + DAY + timedelta(hours=1)
        record_login(scope=cast.scope("alice"), account=account, happened_on=TODAY + DAY, at=at)
        ask(at)
        assert found() == []

    def test_when_the_last_of_them_has_lapsed_it_is_critical(self, cast, tmp_path):
        listed(cast, tmp_path, carol=59, henry=70)
        ask(NOON)
        assert [severity for severity, _ in found()] == ["high"]
        ask(NOON + 2 * DAY)
        assert [severity for severity, _ in found()] == ["critical"]

    def test_one_who_is_safe_is_enough(self, cast, tmp_path):
        listed(cast, tmp_path, carol=10, henry=70)
        ask(NOON)
        assert found() == []
