"""The figures of ``/metrics``, read from the database at each scrape, so that every web process tells the same."""

import contextlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from django.db import DatabaseError
from prometheus_client import CollectorRegistry, Gauge

from reminders.models import Digest, MailHold, SweepRun


class Condition(Protocol):
    """Anything with a verdict."""

    @property
    def ok(self) -> bool: ...


def collect(conditions: Mapping[str, Condition], *, at: datetime) -> CollectorRegistry:
    """Return a registry with the conditions of readiness and, where the database answers, the work's figures."""
    registry = CollectorRegistry()
    ready = Gauge("portalkeeper_ready", "1 where the condition of readiness holds", ["condition"], registry=registry)
    for name, condition in conditions.items():
        ready.labels(name).set(condition.ok)
    with contextlib.suppress(DatabaseError):  # the condition "database" tells it
        _collect_work(registry, at)
    return registry


def _collect_work(registry: CollectorRegistry, at: datetime) -> None:
    waiting = Gauge("portalkeeper_digests_waiting", "Digests ready to be sent", registry=registry)
    waiting.set(Digest.objects.filter(state=Digest.State.READY).count())
    held = Gauge("portalkeeper_mail_held", "1 while no mail leaves after a restore", registry=registry)
    held.set(MailHold.objects.filter(released_at=None).exists())
    run = SweepRun.objects.filter(ended_at__isnull=False).order_by("-at").first()
    if run is None or run.ended_at is None:
        return
    age = Gauge("portalkeeper_sweep_age_seconds", "Seconds since the newest sweep ended", registry=registry)
    age.set((at - run.ended_at).total_seconds())
    failed = Gauge("portalkeeper_sweep_failed", "1 where the newest sweep reported an error", registry=registry)
    failed.set(bool(run.error))
    rows = Gauge("portalkeeper_sweep_rows", "What the newest sweep did", ["sweep", "outcome"], registry=registry)
    for sweep, counts in json.loads(run.sweeps).items():
        for outcome, count in counts.items():
            rows.labels(sweep, outcome).set(count)
