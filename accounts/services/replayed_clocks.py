"""Clocks of many accounts whose logins were replayed: what these come to and the last safe day are written at once.

``accounts_clock_come`` stands beside the tables of `clock_tables` and holds what the policy made of the logins: values
on their way to the account, which the facts are read from meanwhile. No rule stands in this SQL (design 9.2).
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from django.db import connection

from accounts.models import Deadline
from accounts.services import clock_tables as tables
from accounts.services.clocks import Chains, Moved, bring_in_line, recheck_holders
from accounts.services.replaying import COLUMNS, Replayed
from audit.bulk import load_rows

_TABLE: Final = "accounts_clock_come"
_CREATE: Final = (
    f"CREATE TEMPORARY TABLE IF NOT EXISTS {_TABLE} (account_id bigint NOT NULL PRIMARY KEY,"
    " login_state varchar(10) NOT NULL, last_login_on date NULL, counts_from_on date NULL)"
)
# Each account is written once: twice would be twice the work at all of its indexes.
_WRITE: Final = f"""
UPDATE accounts_portalaccount AS a SET login_state = w.login_state, last_login_on = w.last_login_on,
    counts_from_on = w.counts_from_on, lapses_on = w.due_on
FROM (
    SELECT c.account_id, c.login_state, c.last_login_on, c.counts_from_on, d.due_on
    FROM accounts_clock_now n JOIN {_TABLE} c ON c.account_id = n.subject_id LEFT JOIN {tables.JOIN}
    WHERE n.kind = 'inactivity') w
WHERE a.id = w.account_id AND (
    a.login_state <> w.login_state
    OR COALESCE(a.last_login_on, '0001-01-01') <> COALESCE(w.last_login_on, '0001-01-01')
    OR COALESCE(a.counts_from_on, '0001-01-01') <> COALESCE(w.counts_from_on, '0001-01-01')
    OR COALESCE(a.lapses_on, '0001-01-01') <> COALESCE(w.due_on, '0001-01-01'))
"""  # noqa: S608  (constants only)
_CHOSEN: Final = tables.Chosen(
    "c.account_id > 0",
    (),
    source=f"{_TABLE} c JOIN accounts_portalaccount a ON a.id = c.account_id",
    logins="c",
    lapses=_WRITE,
)


def recompute_replayed(*, come: Sequence[Replayed], kinds: Sequence[str], at: datetime, chains: Chains) -> Moved:
    """Write what logins come to and bring the deadlines of these accounts in line, as `recompute` does.

    ``kinds``: of clock, inactivity among them. Runs inside the transaction that locked and replayed the accounts.
    Raises ValueError without inactivity: what logins come to is written together with its day, and would be lost.
    """
    if Deadline.Kind.INACTIVITY not in kinds:
        raise ValueError(f"recompute_replayed() writes logins with the inactivity clock; it is not among {list(kinds)}")
    with connection.cursor() as cursor:
        cursor.execute(_CREATE)
        load_rows(_TABLE, ("account_id", *COLUMNS), ((each.account, *each.come) for each in come))
        moved = bring_in_line(
            chosen=_CHOSEN, kinds=kinds, at=at, chains=chains, meanwhile=partial(recheck_holders, at=at)
        )
        tables.empty(cursor, len(come), _TABLE)
    return moved


__all__ = ["recompute_replayed"]
