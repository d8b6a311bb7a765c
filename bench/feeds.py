"""Measure a day's logins from a list on the database of the settings: product and COPY + UPDATE by turns, rolled back.

A child process of `bench_feed`; prints one JSON document. The database is migrated and empty.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.core.management import call_command
from django.db import connection, transaction

from bench.rosters import (
    AT,
    HEADER,
    PEOPLE_PER_FACILITY,
    Digests,
    people,
    rolled_back,
    settled,
    vacuum,
    write_list,
    written_again,
)
from bench.rosters import product as import_people

if TYPE_CHECKING:
    from facilities.models import Organization

COMMAND = "bench_feed"
LAST_TIME, TODAY = date(2026, 11, 2), date(2026, 11, 21)
_HEADER = ("employee_number", "system", "ccn", "last_login")
_FIRST_HEADER = (*_HEADER, "user_id", "role", "opened")
_ROLE, _OPENED = "Provider Assessment Coordinator", "2025-10-01"


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--pairs", type=int, required=True)
    options = parser.parse_args()
    django.setup()
    call_command("load_catalogue", verbosity=0, stdout=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="pk-bench-") as folder:
        organization, path = prepared(Path(folder), options.rows)
        sys.stdout.write(json.dumps(_measure(organization, path, options.pairs)))


def prepared(folder: Path, rows: int) -> tuple["Organization", Path]:
    """Make so many people with an iQIES account each, last used on one day; return them and today's logins."""
    organization = settled(max(2, rows // PEOPLE_PER_FACILITY))
    ccns = [ccn for ccn in organization.facilities.order_by("pk").values_list("ccn", flat=True) if ccn]
    import_people(organization, write_list(folder / "roster.csv", HEADER, people(rows, ccns)))
    product(
        organization, write_list(folder / "first.csv", _FIRST_HEADER, _accounts(rows, ccns)), AT - timedelta(days=19)
    )
    return organization, write_list(folder / "logins.csv", _HEADER, _logins(rows, ccns, TODAY))


def _logins(rows: int, ccns: list[str], day: date) -> Iterator[list[str]]:
    for number, *_, ccn, _start in people(rows, ccns):
        yield [number, "iQIES", ccn, day.isoformat()]


def _accounts(rows: int, ccns: list[str]) -> Iterator[list[str]]:
    for row in _logins(rows, ccns, LAST_TIME):
        yield [*row, f"U{row[0]}", _ROLE, _OPENED]


def product(organization: "Organization", path: Path, at: Any = AT) -> None:
    """Import the list as `manage.py import_accounts` does."""
    from accounts.services.account_lists import import_account_list
    from facilities.access import Scope

    report = import_account_list(scope=Scope.of_command(organization, COMMAND), path=path, at=at)
    assert not report.rejected, report.rejected[0]


def by_hand(organization: "Organization", path: Path) -> None:
    """Import the list by COPY, INSERTs and UPDATEs."""
    from bench.reference import feed

    feed(organization.pk, path, AT, COMMAND)


def _measure(organization: "Organization", path: Path, pairs: int) -> dict[str, Any]:
    from bench import reference
    from bench.memory import forget_peak, peak

    ours = lambda: product(organization, path)  # noqa: E731
    theirs: Callable[[], None] | None = None
    if connection.vendor == "postgresql":
        reference.prepare()
        theirs = lambda: by_hand(organization, path)  # noqa: E731
    equal = written(ours) == written(theirs) if theirs else None
    times: dict[str, list[float]] = {"product": [], "reference": []}
    for _ in range(pairs):
        vacuum()
        times["product"].append(rolled_back(ours))
        if theirs:
            vacuum()
            times["reference"].append(rolled_back(theirs))
    used = forget_peak()
    rolled_back(ours)
    grown = None if used is None else max(0, peak() - used)
    return {
        "engine": connection.vendor, "times": times, "equal": equal, "memory_growth": grown,
        "rows_again": written_again(ours, written),
    }  # fmt: skip


def written(work: Callable[[], None]) -> Digests:
    """Return a digest of all rows after the work, without keys of sequences and texts made of them; rolled back."""
    from accounts.models import Deadline, LoginEvent, PortalAccount
    from bench.ledger import digest
    from bench.rosters import of_import

    login = ("account", "happened_on", "grade", "source", "recorded_by", "recorded_at", "via__account", "voided_at")
    account = ("pk", "status", "login_state", "last_login_on", "counts_from_on", "lapses_on", "version")
    due = ("subject_key", "kind", "basis_on", "due_on", "target_on", "check_on", "policy", "revision", "cycle", "zone")
    with transaction.atomic():
        work()
        parts = {
            "logins": LoginEvent.objects.order_by("account", "happened_on", "source").values_list(*login),
            "accounts": PortalAccount.objects.order_by("pk").values_list(*account),
            "deadlines": Deadline.objects.order_by("subject_key", "kind").values_list(*due, "closed_at"),
        } | of_import()
        found = {part: digest(rows) for part, rows in parts.items()}
        transaction.set_rollback(True)
    return found


if __name__ == "__main__":
    main()
