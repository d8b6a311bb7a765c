"""Lets `migrate` and `restore` work as the owner of the tables, and nothing else.

The everyday role must not own the audit tables, because an owner can switch their triggers off.
"""

from django.conf import settings
from django.db import connection


def become_owner() -> None:
    """Point this process's database connection at MIGRATION_DATABASE_URL, where the settings have one.

    One connection changes its role instead of a second one being added, so that handlers which run after a
    migration (such as the one that installs the audit triggers) have the owner's rights too.
    """
    owner = getattr(settings, "MIGRATION_DATABASE", None)
    if owner is None:
        return
    connection.close()
    connection.settings_dict.update({key: owner[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")})
