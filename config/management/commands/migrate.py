"""``manage.py migrate``: Django's own, run by the owner of the tables where MIGRATION_DATABASE_URL names one.

The everyday role must not own the audit tables, because an owner can switch triggers off.
"""

from typing import Any

from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, connections


class Command(migrate.Command):
    """Takes the connection ``migrations`` where the settings have one and no other was asked for."""

    def handle(self, *args: Any, **options: Any) -> None:
        if options["database"] == DEFAULT_DB_ALIAS and "migrations" in connections.settings:
            options["database"] = "migrations"
        super().handle(*args, **options)
