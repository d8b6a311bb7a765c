"""Writes what a list of accounts changes, as sets: accounts, roles, logins, deadlines, the import with its rows."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from accounts.lists.reading import AccountList
from accounts.models import LoginEvent, PortalAccount, RoleGrant
from accounts.policy.listing import Change
from accounts.services.account_granting import certify, end_and_lose, write_grants
from accounts.services.account_opening import New, change_states, hold_plans, open_accounts
from accounts.services.account_plans import Planned, Plans
from accounts.services.clocks import Chains
from accounts.services.login_feed import counting_above, feed_logins, follow_logins
from audit.bulk import MANY, among, insert_rows, refresh_statistics
from facilities.access import Scope
from facilities.services.rechecks import recheck
from imports.models import Import, ImportRow
from imports.recording import IMPORT_ROW, record_rows
from staff.models import Person
from staff.policy import Rejection
from staff.roster.reading import SEPARATOR
from systems.selectors import policy_chains

_AT_ONCE: Final = 50_000  # accounts that are written together
_JSON: Final = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(slots=True)
class _Written:
    """Keys of what was written, by account; ``successors``: voided grant -> the ended one in its place."""

    grants: dict[int, list[int]]
    successors: dict[int, int]
    logins: dict[int, int]
    certified: dict[int, list[int]]
    made: dict[tuple[int, int], int]  # person and authority -> the account opened there for a surface
    versions: Mapping[int, int] = field(default_factory=dict)


def write_changes(
    *,
    scope: Scope,
    found: AccountList,
    planned: Plans,
    rejected: Sequence[Rejection],
    counts: dict[str, int],
    at: datetime,
) -> int:
    """Write all of it and one act; return the key of the import. Needs a transaction.

    Raises IntegrityError where the register is not any more what the changes were taken from.
    """
    source = _source(scope, found, counts, at)
    held = hold_plans(scope, planned)
    chains = policy_chains()
    for part in planned.parts(_AT_ONCE):
        rows = _write_part(scope, source, found, part, held, chains, at)
        insert_rows(ImportRow, IMPORT_ROW, ([scope.organization.pk, source.pk, *row] for row in rows))
    refused = map(_rejected_row, rejected)
    insert_rows(ImportRow, IMPORT_ROW, ([scope.organization.pk, source.pk, *row] for row in refused))
    record_rows("accounts.imported", ImportRow.objects.filter(source=source), scope, source, at)
    return int(source.pk)


def _write_part(
    scope: Scope,
    source: Import,
    found: AccountList,
    part: Sequence[Planned],
    held: Mapping[int, int],
    chains: Chains,
    at: datetime,
) -> Iterator[list[Any]]:
    """Write what becomes of some people, of each with all that her sign-in counts for; return the import's rows.

    ``held``: the versions of accounts that were known before.
    """
    authorities = open_accounts(scope, part, at)
    change_states(part)
    touched = [each.account for each in part] + [new.key for new in authorities]
    above = counting_above(touched)
    written = _write_facts(scope, source, part, authorities, above, at)
    only = [each.account for each in part if not each.change.beyond_login]
    changed = set(touched).difference(only)
    if len(part) > MANY:
        refresh_statistics(LoginEvent, *((Person, PortalAccount, RoleGrant) if len(changed) > MANY else ()))
    follow_logins(accounts=changed, signed_in_only=only, above=above, at=at, chains=chains)
    look_again(touched)
    written.versions = held
    if changed:  # what only signed in is still at the version at which it is held
        known = among(each.account for each in part if each.change.account is not None)
        written.versions = dict(PortalAccount.objects.filter(pk__in=known).values_list("pk", "version"))
    return _import_rows(found, part, written)


def _source(scope: Scope, found: AccountList, counts: dict[str, int], at: datetime) -> Import:
    return Import.objects.create(
        organization=scope.organization,
        kind=Import.Kind.ACCOUNTS,
        file_name=found.file.replace("\\", "/").rpartition("/")[2][:200],
        sha256=found.sha256,
        counts=counts,
        columns={name: [each.title, each.confidence] for name, each in found.guess.columns.items()},
        applied_at=at,
        applied_by=scope.actor.label,
    )


def _write_facts(
    scope: Scope,
    source: Import,
    planned: Sequence[Planned],
    authorities: Sequence[New],
    above: Mapping[int, int],
    at: datetime,
) -> _Written:
    grants = write_grants(scope, source, planned, authorities, at)
    successors = end_and_lose(planned, at)
    days = {each.account: each.change.login_on for each in planned if each.change.login_on}
    said_by = f"{scope.actor.label}, {source.file_name}"[:200]
    logins = feed_logins(organization=scope.organization, days=days, above=above, recorded_by=said_by, at=at)
    own = {each.account for each in planned}
    made = {(new.person, new.system): new.key for new in authorities if new.key not in own}
    return _Written(grants, successors, logins, certify(scope, planned, at), made)


def look_again(accounts: Iterable[int]) -> None:
    """Let the rules look at the facilities where these accounts have or had roles."""
    rows = RoleGrant.objects.filter(account__in=among(accounts)).order_by()
    recheck(set(rows.values_list("facility_id", flat=True).distinct()))


def _import_rows(found: AccountList, planned: Sequence[Planned], written: _Written) -> Iterator[list[Any]]:
    for each in planned:
        line = each.change.line
        yield [
            line,
            "updated" if each.change.account is not None else "created",
            ImportRow.Status.APPLIED.value,
            f"account:{each.account}",
            _summary(each.change)[:500],
            "",
            _JSON(found.cells.get(line).split(SEPARATOR)),
            _JSON(_undo(each, written)),
        ]


def _rejected_row(row: Rejection) -> list[Any]:
    """Return a rejected row without its cells: what was not taken is not kept."""
    return [row.line, "rejected", ImportRow.Status.REJECTED.value, "", "", row.reason[:500], "", ""]


def _undo(each: Planned, written: _Written) -> dict[str, Any]:
    """Return what `accounts.services.account_list_undo` needs; what did not happen is left out."""
    change = each.change
    told: dict[str, Any] = {
        "account": each.account,
        "created": change.account is None,
        "version": written.versions.get(each.account, 1),
        "identity": written.made.pop((each.person, each.system.authority or 0), None),
        "grants": written.grants.get(each.account, []),
        "ended": change.ended,
        "closed": [written.successors[key] for key in change.ended],
        "login": written.logins.get(each.account),
        "lost": change.lost,
        "was": change.was if change.account is not None else "",
        "never": change.never and change.account is not None,
        "user_id": change.user_id if change.account is not None or each.system.authority else "",
        "certified": written.certified.get(each.account, []),
    }
    return {name: value for name, value in told.items() if value}


def _summary(change: Change) -> str:
    """Say what changed in keys and days: the audit outlives a person's right to be forgotten."""
    said = ["opened"] if change.account is None else []
    said += [f"role:{told.role} at facility:{told.facility} from {told.since}" for told in change.grants]
    said += [f"grant:{key} ended" for key in change.ended]
    said += [f"signed in on {change.login_on}"] if change.login_on else []
    said += ["never signed in"] if change.never else []
    said += [f"lost: {change.lost}"] if change.lost else []
    said += ["user ID told"] if change.user_id else []
    return "; ".join(said)
