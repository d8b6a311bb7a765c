"""What replayed logins come to is written with its last safe day, whether a file changed more or only tells logins."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts.models import Deadline, LoginEvent, PortalAccount
from accounts.services.clock_tables import CLOCK_KINDS, LOGIN_KINDS
from accounts.services.login_feed import follow_logins
from accounts.services.replayed_clocks import recompute_replayed
from accounts.services.replaying import replayed
from systems.selectors import policy_chains
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
OLD, NEW = TODAY - timedelta(days=50), TODAY - timedelta(days=3)


def signed_in(account):
    """Write a login as a file brings it: the clocks stay behind."""
    LoginEvent.objects.create(
        organization=account.organization, account=account, happened_on=NEW, grade="D", source="file",
        recorded_by="x", recorded_at=NOON,
    )  # fmt: skip


def due(account, kind):
    return Deadline.objects.get(account=account, kind=kind).due_on


@pytest.mark.parametrize("only", [True, False])
def test_what_only_signed_in_moves_the_clocks_of_logins_and_no_other(cast, only):
    account, other = (held(cast, "qies", person=name, last_login=OLD) for name in ("henry", "carol"))
    signed_in(account)
    PortalAccount.objects.filter(pk=account.pk).update(password_changed_on=NEW)
    before = due(account, "inactivity")
    assert not Deadline.objects.filter(account=account, kind="password").exists()
    kept = PortalAccount.objects.values().get(pk=other.pk)
    accounts = {"signed_in_only" if only else "accounts": [account.pk]}
    with transaction.atomic():
        follow_logins(**{"accounts": [], **accounts}, above={}, at=NOON, chains=policy_chains())
    account.refresh_from_db()
    assert (account.login_state, account.last_login_on, account.counts_from_on) == ("known", NEW, NEW)
    assert account.lapses_on == due(account, "inactivity") == before + (NEW - OLD)
    passwords = Deadline.objects.filter(account=account, kind="password")
    assert passwords.exists() is not only, "the password is none of a login's clocks"
    assert PortalAccount.objects.values().get(pk=other.pk) == kept


def test_replayed_logins_are_refused_without_the_clock_that_writes_them(cast):
    account = held(cast, "qies", person="henry", last_login=OLD)
    signed_in(account)
    chains = policy_chains()
    with transaction.atomic():
        come = replayed([account.pk], chains=chains)
        for kinds in (["password"], [], [kind for kind in CLOCK_KINDS if kind != "inactivity"]):
            with pytest.raises(ValueError, match="inactivity clock"):
                recompute_replayed(come=come, kinds=kinds, at=NOON, chains=chains)
        assert PortalAccount.objects.get(pk=account.pk).last_login_on == OLD
        moved = recompute_replayed(come=come, kinds=LOGIN_KINDS, at=NOON, chains=chains)
        assert moved.moved > 0
        come = replayed([account.pk], chains=chains)
        again = recompute_replayed(come=come, kinds=LOGIN_KINDS, at=NOON, chains=chains)
    assert (again.opened, again.moved, again.closed) == (0, 0, 0)
    assert PortalAccount.objects.get(pk=account.pk).last_login_on == NEW
