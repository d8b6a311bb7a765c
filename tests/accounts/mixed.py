"""Riverside with one account of each standing that presses."""

from datetime import timedelta

from accounts.services.logins import record_login
from accounts.services.rules.sweep import check_rules
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY, Cast
from tests.factories import GrantFactory


def ago(days):
    return TODAY - timedelta(days=days)


def press(cast: Cast) -> Cast:
    """Let Riverside hold one account of each standing; the late one has a role at both facilities."""
    late = held(cast, "iqies", person="carol", last_login=ago(70))
    GrantFactory(account=late, facility=cast.elm)
    held(cast, "iqies", person="henry", facility="elm", last_login=ago(57))  # due in three days
    held(cast, "iqies", person="olga", facility="elm", last_login="unknown")
    checked = held(cast, "iqies", person="alice", last_login=ago(200))
    record_login(scope=cast.scope("alice"), account=checked, happened_on=ago(1), at=NOON)
    check_rules(at=NOON, since=None, full=True)
    return cast
