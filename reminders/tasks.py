"""What the scheduler starts. A task carries nothing whose loss would matter: the database is the truth."""

import logging

from celery import shared_task
from django.utils import timezone

from reminders.errors import TickRefused
from reminders.services.tick import run_tick

_log = logging.getLogger(__name__)


@shared_task(name="reminders.tasks.tick")
def tick() -> None:
    """Run what is due now. Lost or doubled, the next one makes up for it."""
    try:
        done = run_tick(at=timezone.now())
    except TickRefused as exc:
        _log.warning("tick refused: %s", exc.message)
        return
    if done.overlapping:
        _log.info("another tick is running")
