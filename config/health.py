"""What a watcher asks: is the process up, is the installation ready, and its figures.

The three addresses need no sign-in and tell nothing about people, accounts or addresses.
"""

import hmac
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from audit.triggers import missing_triggers
from config import metrics
from reminders.models import SweepRun

SWEEP_MAY_BE_OLD: Final = timedelta(hours=26)
_BROKER_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of readiness and what was found."""

    ok: bool
    detail: str


def check_database() -> Check:
    """Ask the database for an answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Check(False, "does not answer")
    return Check(True, connection.vendor)


def check_broker() -> Check:
    """Ask Redis for an answer; an installation without a broker runs on `tick` alone."""
    if not settings.REDIS_URL:
        return Check(True, "none configured")
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=_BROKER_SECONDS, socket_connect_timeout=_BROKER_SECONDS
        ) as client:
            client.ping()
    except redis.exceptions.RedisError:
        return Check(False, "does not answer")
    return Check(True, "redis")


def check_sweep(*, at: datetime) -> Check:
    """Tell whether the newest finished sweep is younger than 26 hours at the instant ``at``."""
    try:
        ended_at = SweepRun.objects.filter(ended_at__isnull=False).order_by("-at").values_list("ended_at", flat=True)
        newest = ended_at.first()
    except DatabaseError:
        return Check(False, "cannot be read")
    if newest is None:
        return Check(False, "none has finished yet")
    return Check(at - newest < SWEEP_MAY_BE_OLD, f"ended {newest.isoformat(timespec='seconds')}")


def check_audit() -> Check:
    """Tell whether the triggers that keep the audit tables append-only are in place."""
    try:
        missing = missing_triggers()
    except DatabaseError:
        return Check(False, "cannot be read")
    return Check(not missing, f"missing: {', '.join(missing)}" if missing else "append-only")


def readiness(*, at: datetime) -> dict[str, Check]:
    """Return every condition by name; all must hold."""
    checks: dict[str, Callable[[], Check]] = {
        "database": check_database,
        "broker": check_broker,
        "sweep": lambda: check_sweep(at=at),
        "audit": check_audit,
    }
    return {name: check() for name, check in checks.items()}


@login_not_required
@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer as long as the process can answer at all."""
    return JsonResponse({"ok": True})


@login_not_required
@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 when all conditions hold, else 503; both name every condition."""
    found = readiness(at=timezone.now())
    ok = all(check.ok for check in found.values())
    checks = {name: {"ok": check.ok, "detail": check.detail} for name, check in found.items()}
    return JsonResponse({"ok": ok, "checks": checks}, status=200 if ok else 503)


def may_see_metrics(request: HttpRequest) -> bool:
    """Tell whether the request carries METRICS_TOKEN, or comes from this very machine without a proxy between.

    Behind a proxy every request seems to come from the proxy, so nearness proves nothing there.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    if settings.TRUSTED_PROXY_COUNT or forwarded:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


@login_not_required
@require_safe
@never_cache
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus' text format to loopback or to the bearer of METRICS_TOKEN; 403 to others."""
    if not may_see_metrics(request):
        return HttpResponse("Metrics need METRICS_TOKEN.\n", status=403, content_type="text/plain")
    found = readiness(at=timezone.now())
    return HttpResponse(
        generate_latest(metrics.collect(found, at=timezone.now())), content_type=CONTENT_TYPE_PLAIN_0_0_4
    )
