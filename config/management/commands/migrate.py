"""``manage.py migrate``: Django's own, run by the owner of the tables where MIGRATION_DATABASE_URL names one."""

from typing import Any

from django.core.management.commands import migrate

from config.owner_role import become_owner


class Command(migrate.Command):
    """Changes the role, then does what Django does."""

    def handle(self, *args: Any, **options: Any) -> None:
        become_owner()
        super().handle(*args, **options)
