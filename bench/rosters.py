"""Measure the import of a roster on the database of the settings: product and COPY + MERGE by turns, rolled back.

A child process of `bench_import`; prints one JSON document. The database is migrated and empty.
"""

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.db import connection, transaction

if TYPE_CHECKING:
    from facilities.models import Organization

AT = datetime(2026, 11, 22, 15, tzinfo=UTC)
HEADER = ("employee_number", "last_name", "first_name", "email", "phone", "job_title", "ccn", "start_date")
_JOBS = ("MDS Coordinator", "Administrator", "Director of Nursing", "Biller", "Social Worker")
PEOPLE_PER_FACILITY = 60
COMMAND = "bench_import"
Digests = dict[str, tuple[int, str]]  # of each table: number of rows, and what they hold
_CHANGED = 50  # one person in so many changes between the two files


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--pairs", type=int, required=True)
    options = parser.parse_args()
    django.setup()
    organization = settled(max(2, options.rows // PEOPLE_PER_FACILITY))
    with tempfile.TemporaryDirectory(prefix="pk-bench-") as folder:
        sys.stdout.write(json.dumps(_measure(organization, Path(folder), options.rows, options.pairs)))


def settled(facilities: int) -> "Organization":
    """Make an organization with so many nursing facilities, 1,500 to a state."""
    from audit.services import Ref
    from facilities.models import Facility
    from facilities.services.organizations import create_organization

    organization, _, _ = create_organization(
        slug="bench",
        name="Bench",
        zone="America/Chicago",
        admin_email="bench@example.org",
        actor=Ref(f"command:{COMMAND}", "a benchmark"),
        at=AT,
    )
    Facility.objects.bulk_create(
        Facility(
            organization=organization,
            name=f"House {number}",
            ccn=f"{1 + number // 1500:02d}{5000 + number % 1500}",
            provider_type="SNF",
            state="AL",
            zip_code="35653",
            zone="America/Chicago",
        )
        for number in range(facilities)
    )
    return organization


def people(rows: int, ccns: list[str], *, changed: bool = False) -> Iterator[list[str]]:
    """Yield rows of a clean roster; in the changed one a fiftieth has moved, married or got another telephone."""
    for number in range(rows):
        other = changed and number % _CHANGED == 0
        start = date(2015, 1, 1) + timedelta(days=number * 7 % 4000)
        yield [
            f"E{number:07d}",
            f"Sample{number % 9973}{'x' if other and number % 3 == 0 else ''}",
            f"Person{number}",
            f"person{number}@example.org",
            f"555010{number % 10_000 + (1 if other and number % 3 == 1 else 0):04d}",
            _JOBS[number % len(_JOBS)],
            ccns[(number + (other and number % 3 == 2)) % len(ccns)],
            start.isoformat(),
        ]


def write_list(path: Path, header: Sequence[str], rows: Iterator[list[str]]) -> Path:
    """Write a list and return its path."""
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def product(organization: "Organization", path: Path) -> None:
    """Import the file as `manage.py import_staff` does."""
    from facilities.access import Scope
    from staff.services.rosters import import_roster

    import_roster(scope=Scope.of_command(organization, COMMAND), path=path, at=AT)


def by_hand(organization: "Organization", path: Path) -> None:
    """Import the file by COPY, MERGE and plain INSERTs."""
    from bench.reference import roster

    roster(organization.pk, path, AT, COMMAND)


def _measure(organization: "Organization", folder: Path, rows: int, pairs: int) -> dict[str, Any]:
    from bench import reference
    from facilities.models import Facility

    ccns = [ccn for ccn in Facility.objects.order_by("pk").values_list("ccn", flat=True) if ccn]
    first = write_list(folder / "roster.csv", HEADER, people(rows, ccns))
    second = write_list(folder / "changed.csv", HEADER, people(rows, ccns, changed=True))
    memory = _memory(organization, folder, [rows // 2, rows], ccns)  # first: what was freed once is not asked for again
    ours = lambda: product(organization, first)  # noqa: E731
    theirs: Callable[[], None] | None = None
    if connection.vendor == "postgresql":
        reference.prepare()
        theirs = lambda: by_hand(organization, first)  # noqa: E731
    equal = written(ours) == written(theirs) if theirs else None
    times: dict[str, list[float]] = {"new": [], "reference": [], "same": [], "changed": []}
    for _ in range(pairs):
        if theirs:
            vacuum()
            times["reference"].append(rolled_back(theirs))
        vacuum()
        with transaction.atomic():
            times["new"].append(timed(ours))
            times["same"].append(timed(ours))
            times["changed"].append(timed(lambda: product(organization, second)))
            transaction.set_rollback(True)
    rows_again = written_again(ours, written)
    return {"engine": connection.vendor, "times": times, "equal": equal, **memory, "rows_again": rows_again}


def _memory(organization: "Organization", folder: Path, sizes: list[int], ccns: list[str]) -> dict[str, float | None]:
    """Return how peak memory grows in an import of each size, and by how much with each row between the two sizes."""
    from bench.memory import forget_peak, peak

    used = forget_peak()
    if used is None:
        return {"memory_growth": None, "memory_per_row": None}
    peaks = []
    for rows in sizes:
        lists = [
            write_list(folder / f"memory-{changed}.csv", HEADER, people(rows, ccns, changed=changed))
            for changed in (False, True)
        ]
        with transaction.atomic():
            for each in lists:
                product(organization, each)
            transaction.set_rollback(True)
        peaks.append(peak())
    few, many = peaks
    return {"memory_growth": max(0, many - used), "memory_per_row": (many - few) / (sizes[1] - sizes[0])}


def written_again(work: Callable[[], None], written: Callable[[Callable[[], None]], Digests]) -> int:
    """Return how many tables the same file changes a second time."""
    with transaction.atomic():
        work()
        before = written(lambda: None)
        work()
        after = written(lambda: None)
        transaction.set_rollback(True)
    return sum(after[part] != before[part] for part in after)


def written(work: Callable[[], None]) -> Digests:
    """Return a digest of all rows after the work, without keys of sequences and texts made of them; rolled back."""
    from bench.ledger import digest
    from staff.models import Employment, Person

    name = ("employee_number", "last_name", "first_name", "email", "phone", "affiliation", "version")
    spell = ("person__employee_number", "facility__ccn", "job_title", "valid_from", "valid_to", "recorded_at")
    with transaction.atomic():
        work()
        parts = {
            "people": Person.objects.order_by("employee_number").values_list(*name),
            "times": Employment.objects.order_by(*spell).values_list(*spell),
        } | of_import()
        found = {part: digest(rows) for part, rows in parts.items()}
        transaction.set_rollback(True)
    return found


def of_import() -> dict[str, Any]:
    """Return what every import writes: itself and its rows, its act with the items, facilities to look at again."""
    from audit.models import AuditEvent, AuditItem
    from facilities.models import Recheck
    from imports.models import Import, ImportRow

    return {
        "imports": Import.objects.order_by("pk").values_list("kind", "file_name", "sha256", "applied_by"),
        "rows": ImportRow.objects.order_by("source", "line").values_list("line", "kind", "status", "reason", "cells"),
        "events": AuditEvent.objects.order_by("chain", "seq").values_list("chain", "seq", "action", "item_count"),
        "items": AuditItem.objects.order_by("event_id", "ordinal").values_list("ordinal"),
        "rechecks": Recheck.objects.order_by("facility").values_list("facility__ccn"),
    }


def rolled_back(work: Callable[[], None]) -> float:
    """Return the seconds that the work takes, and leave nothing of it."""
    with transaction.atomic():
        spent = timed(work)
        transaction.set_rollback(True)
    return spent


def timed(work: Callable[[], None]) -> float:
    """Return the seconds that the work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def vacuum() -> None:
    """Clear away what was rolled back, so that every turn meets the same tables."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)" if connection.vendor == "postgresql" else "ANALYZE")


if __name__ == "__main__":
    main()
