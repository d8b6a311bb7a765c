"""One run of everything that is due at an instant: what `manage.py tick` and the scheduler call."""

import json
import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from accounts.services.clocks import Moved
from accounts.services.figures import keep_figures
from accounts.services.further_clocks import follow_duties
from accounts.services.lapses import sweep_lapses
from accounts.services.recomputation import left_behind, recompute_outdated
from accounts.services.requests.passing import late_halves, open_cures
from accounts.services.requests.taking_over import hand_down
from accounts.services.rules.sweep import check_rules
from accounts.services.typed_logins import close_old_typing
from imports.forgetting import forget_cells
from imports.uploads import forget_uploads
from reminders.errors import TickRefused
from reminders.exclusive import only_one
from reminders.models import SweepRun
from reminders.services.deliver import deliver, mail_held
from reminders.services.digests import assemble
from reminders.services.forgetting import forget_mails
from reminders.services.plan import plan_due
from reminders.services.plan_findings import plan_findings
from reminders.services.plan_handed import plan_handed
from systems.models import Policy

MAY_BE_AHEAD: Final = timedelta(hours=1)
FULL_PASS_EVERY: Final = timedelta(days=7)
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
        done = last.catalogue_revision if last else 0
        run = SweepRun.objects.create(at=at, started_at=timezone.now(), catalogue_revision=done)
        plan = _Plan(tick, last, done, up_to_date=revision == done and not left_behind())
        for name, sweep in _sweeps(plan):
            _run(tick, name, sweep)
        run.looked_at_all = plan.looks_at_all and "findings" not in {error["sweep"] for error in tick.errors}
        if "deadlines" not in {error["sweep"] for error in tick.errors}:
            run.catalogue_revision = revision
        run.sweeps = json.dumps(tick.sweeps)
        run.error = "; ".join(f"{error['sweep']}: {error['message']}" for error in tick.errors)[:300]
        run.ended_at = timezone.now()
        run.save(update_fields=["sweeps", "error", "ended_at", "catalogue_revision", "looked_at_all"])
    return tick


def _refuse_bad_instant(at: datetime, last: SweepRun | None) -> None:
    if last is not None and at < last.at:
        raise TickRefused("before_last_run", f"the last run was for {last.at.isoformat()}; time does not run backwards")
    if settings.EMAIL_BACKEND == _SMTP and at > timezone.now() + MAY_BE_AHEAD:
        raise TickRefused("ahead_of_clock", "more than an hour ahead of the clock, and mail would go to real mailboxes")


@dataclass(slots=True)
class _Plan:
    """What a run has to do, after what the last one did."""

    tick: Tick
    last: SweepRun | None
    done: int
    up_to_date: bool
    full_pass: bool = field(init=False)  # a week has passed since everything was looked at

    def __post_init__(self) -> None:
        full = SweepRun.objects.filter(looked_at_all=True).aggregate(at=Max("at"))["at"]
        self.full_pass = full is None or self.tick.at - full >= FULL_PASS_EVERY

    @property
    def looks_at_all(self) -> bool:
        return self.full_pass or not self.up_to_date


def _sweeps(plan: _Plan) -> list[tuple[str, Callable[[datetime], dict[str, int]]]]:
    sweeps: list[tuple[str, Callable[[datetime], dict[str, int]]]] = []
    if not plan.up_to_date:  # a new catalogue, or an act that began before the last one and wrote after it was followed
        sweeps.append(("deadlines", partial(_recompute, since=plan.done)))
    sweeps += [("duties", _duties), ("steps", _steps)]
    sweeps += [("lapses", _lapses), ("findings", partial(_rules, plan=plan)), ("reminders", _plan_reminders)]
    sweeps.append(("imports", _forget))
    if not plan.tick.held:  # a digest written today and let go next week would say what is long past
        sweeps += [("digests", _digests), ("mail", _mail)]
    sweeps.append(("figures", _figures))  # last: what the others did is counted
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


def _recompute(at: datetime, *, since: int) -> dict[str, int]:
    total = sum(recompute_outdated(at=at, since=since), Moved())
    return {"opened": total.opened, "closed": total.closed}


def _duties(at: datetime) -> dict[str, int]:
    followed = follow_duties(at=at)
    return {"opened": followed.opened, "closed": followed.closed}


def _steps(at: datetime) -> dict[str, int]:
    cures = open_cures(at=at)
    opened, closed = late_halves(at=at)
    return {"opened": cures + opened, "closed": closed}


def _lapses(at: datetime) -> dict[str, int]:
    swept = sweep_lapses(at=at)
    return {"opened": swept.opened, "closed": swept.closed}


def _rules(at: datetime, *, plan: _Plan) -> dict[str, int]:
    since = plan.last.at if plan.last else None
    done = check_rules(at=at, since=since, full=plan.full_pass, everything=not plan.up_to_date)
    closed = done.closed + close_old_typing(at=at)
    counts = {"opened": done.opened, "closed": closed, "failed": done.failed}
    if done.failed:
        raise SweepTrouble(f"rules could not be held against {done.failed} organizations", counts)
    if done.differences:
        raise SweepTrouble(f"the weekly full pass found {done.differences} findings that had been missed", counts)
    return counts


def _forget(at: datetime) -> dict[str, int]:
    return {"closed": forget_cells(at=at) + forget_uploads(at=at) + forget_mails(at=at)}


def _plan_reminders(at: datetime) -> dict[str, int]:
    hand_down(at=at)
    return {"planned": plan_due(at=at) + plan_findings(at=at) + plan_handed(at=at)}


def _figures(at: datetime) -> dict[str, int]:
    kept = keep_figures(at=at)
    if kept.failed:
        raise SweepTrouble(f"figures of {kept.failed} organizations could not be counted", {"failed": kept.failed})
    return {}


def _digests(at: datetime) -> dict[str, int]:
    done = assemble(at=at)
    return {"planned": done.planned, "superseded": done.superseded, "failed": done.failed}


def _mail(at: datetime) -> dict[str, int]:
    done = deliver(at=at)
    counts = {"sent": done.sent, "superseded": done.superseded, "failed": done.failed}
    if done.problem:
        raise SweepTrouble(done.problem, counts)
    return counts
