from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    """Re-installs the triggers after every migrate: a table rebuild on SQLite drops them silently."""

    name = "audit"

    def ready(self) -> None:
        from audit import checks  # noqa: F401  (registers the checks)

        post_migrate.connect(protect_tables, sender=self, dispatch_uid="audit.triggers")


def protect_tables(*, using: str, plan: list[Any] | None = None, **kwargs: Any) -> None:
    """Install the triggers where the tables exist; `migrate audit zero` has just removed them."""
    from audit.triggers import PROTECTION

    if using == DEFAULT_DB_ALIAS and settings.AUDIT_TRIGGERS:
        PROTECTION.install_where_tables_exist()
