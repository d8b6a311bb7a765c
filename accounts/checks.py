"""System check: the triggers on requests stand (`manage.py check --database default`), as those of the audit chain.

They are wanted wherever the audit chain is kept (``audit.W002`` tells where it is not).
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, connection

from accounts.request_triggers import KEPT, PROTECTION


@register(Tags.database)
def check_requests_protected(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn about missing triggers. A warning, not an error: `migrate`, which repairs them, runs this check first."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    wanted = [PROTECTION, KEPT] if settings.AUDIT_TRIGGERS else [PROTECTION]
    tables = set(connection.introspection.table_names())
    missing = [name for each in wanted if each.tables <= tables for name in each.missing()]
    if not missing:
        return []
    named = ", ".join(missing)
    return [Warning(f"Requests are not protected: {named} missing.", hint="Run migrate.", id="accounts.W001")]
