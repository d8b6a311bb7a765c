"""System checks: the triggers stand (`manage.py check --database default`) and are wanted (`check --deploy`)."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, connection

from audit.triggers import TABLES, missing_triggers


@register(Tags.database)
def check_triggers_stand(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn about missing triggers. A warning, not an error: `migrate`, which repairs them, runs this check first."""
    if DEFAULT_DB_ALIAS not in (databases or ()) or not settings.AUDIT_TRIGGERS:
        return []
    if not set(TABLES) <= set(connection.introspection.table_names()):
        return []
    missing = missing_triggers()
    if not missing:
        return []
    named = ", ".join(missing)
    return [Warning(f"Audit rows are not protected: {named} missing.", hint="Run migrate.", id="audit.W001")]


@register(Tags.security, deploy=True)
def check_triggers_wanted(**kwargs: Any) -> list[CheckMessage]:
    """Warn when a deployment runs without the triggers."""
    if settings.AUDIT_TRIGGERS:
        return []
    return [Warning("AUDIT_TRIGGERS is off: audit rows can be changed in the database.", id="audit.W002")]
