"""One run of everything that is due at an instant: what `manage.py tick` and the scheduler call."""

import json
import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from accounts.services.clocks import Moved
from accounts.services.lapses import recompute_outdated, sweep_lapses
from reminders.errors import TickRefused
from reminders.exclusive import only_one
from reminders.models import SweepRun
from reminders.services.deliver import deliver, mail_held
from reminders.services.digests import assemble
from reminders.services.plan import plan_due
from systems.models import Policy

MAY_BE_AHEAD: Final = timedelta(hours=1)
_COUNTS: Final = ("opened", "closed", "planned", "sent", "superseded", "failed")
_SMTP: Final = "django.core.mail.backends.smtp.EmailBackend"
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tick:
    """What a run did. ``sweeps``: name -> counts and seconds. ``errors``: what failed while the others went on."""

    at: datetime
    sweeps: dict[str, dict[str, float]] = field(default_factory=dict)
    errors: list[dict[str, str]] = field(default_factory=list)
    held: bool = False
    overlapping: bool = False


class SweepTrouble(Exception):  # noqa: N818
    """A sweep that did what it could; the message says what it could not, the counts what it did."""

    def __init__(self, message: str, counts: dict[str, int]) -> None:
        super().__init__(message)
        self.counts = counts


def run_tick(*, at: datetime) -> Tick:
    """Run every sweep and delivery that is due at an instant, once; of overlapping runs the second does nothing.

    A sweep that fails is recorded in ``errors`` and the others go on. Raises TickRefused for an instant before the
    last run, or more than an hour ahead of the clock while mail goes to SMTP. A repeated run writes its SweepRun only.
    """
    with only_one() as ours:
        if not ours:
            return Tick(at, overlapping=True)
        last = SweepRun.objects.order_by("-at", "-pk").first()
        _refuse_bad_instant(at, last)
        tick = Tick(at, held=mail_held())
        revision = Policy.objects.aggregate(newest=Max("revision"))["newest"] or 0
        done = last.catalogue_revision if last else None
        run = SweepRun.objects.create(at=at, started_at=timezone.now(), catalogue_revision=done or 0)
        for name, sweep in _sweeps(tick, up_to_date=revision == done):
            _run(tick, name, sweep)
        if "deadlines" not in {error["sweep"] for error in tick.errors}:
            run.catalogue_revision = revision
        run.sweeps = json.dumps(tick.sweeps)
        run.error = "; ".join(f"{error['sweep']}: {error['message']}" for error in tick.errors)[:300]
        run.ended_at = timezone.now()
        run.save(update_fields=["sweeps", "error", "ended_at", "catalogue_revision"])
    return tick


def _refuse_bad_instant(at: datetime, last: SweepRun | None) -> None:
    if last is not None and at < last.at:
        raise TickRefused("before_last_run", f"the last run was for {last.at.isoformat()}; time does not run backwards")
    if settings.EMAIL_BACKEND == _SMTP and at > timezone.now() + MAY_BE_AHEAD:
        raise TickRefused("ahead_of_clock", "more than an hour ahead of the clock, and mail would go to real mailboxes")


def _sweeps(tick: Tick, *, up_to_date: bool) -> list[tuple[str, Callable[[datetime], dict[str, int]]]]:
    sweeps: list[tuple[str, Callable[[datetime], dict[str, int]]]] = []
    if not up_to_date:  # only a new catalogue can have made stored dates old
        sweeps.append(("deadlines", _recompute))
    sweeps += [("lapses", _lapses), ("reminders", _plan)]
    if not tick.held:  # a digest written today and let go next week would say what is long past
        sweeps += [("digests", _digests), ("mail", _mail)]
    return sweeps


def _run(tick: Tick, name: str, sweep: Callable[[datetime], dict[str, int]]) -> None:
    began = time.monotonic()
    counts: dict[str, int] = {}
    try:
        counts = sweep(tick.at)
    except SweepTrouble as exc:
        counts = exc.counts
        tick.errors.append({"sweep": name, "code": "incomplete", "message": str(exc)})
    except Exception as exc:  # one broken sweep must not stop the mails of the others
        # Type and place only: a database's message may hold names and addresses.
        place = traceback.extract_tb(exc.__traceback__)[-1]
        _log.error("sweep %s failed: %s at %s:%s", name, type(exc).__name__, place.filename, place.lineno)
        tick.errors.append({"sweep": name, "code": "failed", "message": type(exc).__name__})
    seconds = round(time.monotonic() - began, 3)
    tick.sweeps[name] = dict.fromkeys(_COUNTS, 0) | counts | {"seconds": seconds}


def _recompute(at: datetime) -> dict[str, int]:
    total = sum(recompute_outdated(at=at), Moved())
    return {"opened": total.opened, "closed": total.closed}


def _lapses(at: datetime) -> dict[str, int]:
    swept = sweep_lapses(at=at)
    return {"opened": swept.opened, "closed": swept.closed}


def _plan(at: datetime) -> dict[str, int]:
    return {"planned": plan_due(at=at)}


def _digests(at: datetime) -> dict[str, int]:
    done = assemble(at=at)
    return {"planned": done.planned, "superseded": done.superseded, "failed": done.failed}


def _mail(at: datetime) -> dict[str, int]:
    done = deliver(at=at)
    counts = {"sent": done.sent, "superseded": done.superseded, "failed": done.failed}
    if done.problem:
        raise SweepTrouble(done.problem, counts)
    return counts
