"""Accounts on closed systems: their dates are counted, but nobody is told to sign in (design 4)."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import Deadline, Finding
from accounts.services.lapses import sweep_lapses
from accounts.services.places import end_in_use, keep_in_use
from accounts.services.rules.sweep import check_rules
from facilities.models import Facility
from reminders.models import Reminder
from systems.models import System
from tests import factories
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.reminders.making import started

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
LATER = NOON + timedelta(minutes=5)


def run(at=NOON, since=None):
    sweep_lapses(at=at)
    return check_rules(at=at, since=since, full=since is None)


def quiet(account):
    found = set(Deadline.objects.open().filter(account=account).values_list("muted", flat=True))
    assert len(found) == 1, "all clocks of an account go quiet together"
    return found.pop()


def lapse(account):
    return Finding.objects.open().get(kind="lapse", account=account, deadline__kind="inactivity").severity


def test_clocks_on_a_closed_system_go_quiet_and_on_a_live_one_they_do_not(cast):
    closed = held(cast, "cmsnet", last_login=TODAY - timedelta(days=200))
    live = held(cast, "iqies", last_login=TODAY - timedelta(days=200))
    run()
    assert (quiet(closed), quiet(live)) == (True, False)
    assert (lapse(closed), lapse(live)) == ("info", "critical")
    due_on = Deadline.objects.get(account=closed, kind="inactivity").due_on
    assert due_on == TODAY - timedelta(days=200 - 89), "the date is still counted"


def test_an_account_stays_loud_as_long_as_one_of_its_facilities_uses_the_system(cast):
    account = held(cast, "qies", last_login=TODAY - timedelta(days=20))
    Facility.objects.filter(pk=cast.elm.pk).update(provider_type="ASC")  # QIES has no way there, so it is not closed
    grant = factories.GrantFactory(account=account, facility=cast.elm)
    run()
    assert not quiet(account)
    grant.voided_at = NOON
    grant.save()
    run()
    assert quiet(account)


def test_still_in_use_makes_them_loud_again_and_the_lapse_as_bad_as_it_is(cast):
    account = held(cast, "cmsnet", last_login=TODAY - timedelta(days=200))
    run()
    place = {"scope": cast.scope("alice"), "facility": cast.oak, "system": System.objects.get(slug="cmsnet")}
    keep_in_use(**place, reason="Old reports", at=NOON)
    run(LATER, since=NOON)
    assert (quiet(account), lapse(account)) == (False, "medium")
    end_in_use(**place, at=LATER)
    run(LATER, since=NOON)
    assert (quiet(account), lapse(account)) == (True, "info")


def test_a_repeated_run_changes_nothing(cast):
    held(cast, "cmsnet", last_login=TODAY - timedelta(days=200))
    run()
    before = list(Deadline.objects.order_by("pk").values()), list(Finding.objects.order_by("pk").values())
    run(LATER, since=NOON)
    run(LATER)
    assert (list(Deadline.objects.order_by("pk").values()), list(Finding.objects.order_by("pk").values())) == before


def test_no_mail_asks_to_sign_in_to_a_closed_system(cast):
    started(cast)
    quiet_one = held(cast, "cmsnet", person="henry", last_login=TODAY - timedelta(days=85))
    loud_one = held(cast, "iqies", person="henry", last_login=TODAY - timedelta(days=55))
    call_command("tick", at=NOON.isoformat(), verbosity=0, stdout=StringIO())
    assert not Reminder.objects.filter(deadline__account=quiet_one).exists()
    assert Reminder.objects.filter(deadline__account=loud_one).exists()


def test_an_unknown_login_on_a_closed_system_only_informs(cast):
    held(cast, "cmsnet")
    held(cast, "iqies")
    run()
    found = Finding.objects.open().filter(kind="unknown-logins", facility=cast.oak)
    assert dict(found.values_list("subject_key", "severity")) == {
        f"facility:{cast.oak.pk}/system:cmsnet": "info",
        f"facility:{cast.oak.pk}/system:iqies": "medium",
        f"facility:{cast.oak.pk}/system:harp": "medium",
    }
