"""Measure what the chain costs: one recorded act on many rows, against a plain INSERT..SELECT of the same rows.

Both write as many rows with the same columns into the same table, indexes and triggers included: the product from
rows it has to describe, number, hash and chain, the reference from finished rows. They alternate, and everything is
rolled back.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps.registry import Apps
from django.db import connection, models, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Cast, Concat, JSONObject

from audit.canonical import ITEMS_PER_EVENT
from audit.rows import compile_rows
from audit.services import Ref, record_many

_COLUMNS = "id, event_id, ordinal, subject_key, payload, item_hash"
_FAR_EVENT = 1 << 30  # below an event that does not exist yet


class BenchRow(models.Model):
    """A row of the temporary table; kept out of the project's registry, so no migration knows it."""

    name = models.TextField()
    last_login_on = models.TextField()

    objects: "models.Manager[BenchRow]" = models.Manager()

    class Meta:
        app_label = "audit_bench"
        db_table = "audit_bench_row"
        apps = Apps()


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians over the pairs: seconds of either, and the ratio product to reference of each pair."""

    product: float
    reference: float
    ratio: float


def measure_many(*, rows: int, pairs: int, at: datetime) -> Measured:
    """Return how long an act on ``rows`` rows takes, and the plain insert of the same rows."""
    product, reference = [], []
    with transaction.atomic():
        _make_rows(rows)
        for _ in range(pairs):
            reference.append(_seconds(_insert_plainly))
            product.append(_seconds(lambda: _record(at)))
        transaction.set_rollback(True)
    ratios = [mine / plain for mine, plain in zip(product, reference, strict=True)]
    return Measured(statistics.median(product), statistics.median(reference), statistics.median(ratios))


def _described() -> "QuerySet[Any, Any]":
    """What a service would say about its rows: name, day and source of a login."""
    return BenchRow.objects.annotate(
        chain=Value("organization:0"),
        subject_key=Concat(Value("account:"), Cast("id", models.TextField())),
        payload=JSONObject(name=F("name"), login=F("last_login_on"), source=Value("file")),
    )


def _make_rows(rows: int) -> None:
    postgresql = connection.vendor == "postgresql"
    numbers = f"generate_series(1, {rows}) AS n" if postgresql else "numbers"
    recursive = f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows}) "  # noqa: S608
    payload = "audit_payload::text" if postgresql else "audit_payload"
    hashed = f"encode(sha256(convert_to({payload}, 'UTF8')), 'hex')" if postgresql else f"SHA256({payload})"
    finished = compile_rows(
        _described().annotate(
            payload=JSONObject(name=F("name"), login=F("last_login_on"), source=Value("file"), subject=F("subject_key"))
        )
    )
    if finished is None:
        raise RuntimeError("the rows of the benchmark are never empty")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE audit_bench_row (id bigint PRIMARY KEY, name text, last_login_on text)")
        cursor.execute(
            f"{'' if postgresql else recursive}INSERT INTO audit_bench_row"  # noqa: S608
            f" SELECT n, 'Person ' || n, '2026-11-22' FROM {numbers}"
        )
        cursor.execute(
            f"CREATE TEMPORARY TABLE audit_bench_item AS SELECT %s + audit_pk - 1 AS id, %s AS event_id,"  # noqa: S608
            f" audit_pk - 1 AS ordinal, audit_subject AS subject_key, {payload} AS payload, {hashed} AS item_hash"
            f" FROM ({finished.sql}) AS source",
            [_FAR_EVENT * ITEMS_PER_EVENT, _FAR_EVENT, *finished.params],
        )
        cursor.execute("ANALYZE")


def _record(at: datetime) -> None:
    record_many(
        action="bench.recorded",
        actor=Ref("command:bench_audit", "manage.py bench_audit"),
        subject=Ref("bench", "benchmark"),
        at=at,
        rows=_described(),
    )


def _insert_plainly() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO audit_audititem ({_COLUMNS}) SELECT {_COLUMNS} FROM audit_bench_item ORDER BY id"  # noqa: S608
        )


def _seconds(work: Callable[[], None]) -> float:
    with transaction.atomic():
        begun = time.perf_counter()
        work()
        seconds = time.perf_counter() - begun
        transaction.set_rollback(True)
    return seconds
