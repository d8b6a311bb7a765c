from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models.signals import post_migrate, pre_migrate


class AccountsConfig(AppConfig):
    """Keeps the triggers on requests in place: they read several tables, which SQLite cannot rebuild below them."""

    name = "accounts"

    def ready(self) -> None:
        from accounts import checks  # noqa: F401  (registers the check)
        from accounts.services.rules.elsewhere import places_of
        from staff.services.rechecks import also_at

        also_at(places_of)

        pre_migrate.connect(make_way, sender=self, dispatch_uid="accounts.triggers.off")
        post_migrate.connect(protect_requests, sender=self, dispatch_uid="accounts.triggers.on")


def make_way(*, using: str, plan: list[Any] | None = None, **kwargs: Any) -> None:
    """Take the triggers away on SQLite before tables are rebuilt; `protect_requests` puts them back."""
    from accounts.request_triggers import KEPT, PROTECTION

    if using == DEFAULT_DB_ALIAS and plan and connection.vendor == "sqlite":
        PROTECTION.drop()
        KEPT.drop()


def protect_requests(*, using: str, **kwargs: Any) -> None:
    """Install the triggers where the tables exist; those that keep rows wherever the audit chain is kept as well."""
    from accounts.request_triggers import KEPT, PROTECTION

    if using == DEFAULT_DB_ALIAS:
        PROTECTION.install_where_tables_exist()
        if settings.AUDIT_TRIGGERS:
            KEPT.install_where_tables_exist()
