"""Celery application: tasks only say "run sweep X now"; the database is the truth."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")

app = Celery("portalkeeper")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "tick": {"task": "reminders.tasks.tick", "schedule": 60.0, "options": {"expires": 55}},
}


@worker_init.connect
@beat_init.connect
def _refuse_demo_sign_ins(**_kwargs: Any) -> None:
    from config.guards import refuse_demo_sign_ins  # Django's settings are not read before this moment

    refuse_demo_sign_ins()
