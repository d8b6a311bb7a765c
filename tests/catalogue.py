"""The real catalogue, loaded once for each worker and put back row by row where a transactional test has flushed it.

A load reads and checks all files again, which takes longer than most tests; a copy inside the database does not.
"""

from io import StringIO

from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction

from systems.models import System

_kept: list[str] = []  # the tables that the load filled: the catalogue's and the audit chain's


def load_and_keep() -> None:
    """Load the shipped catalogue into the suite's new database and copy what the load wrote."""
    before = _filled()
    call_command("load_catalogue", stdout=StringIO())
    _kept[:] = sorted(_filled() - before)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("CREATE SCHEMA kept")  # out of the sight of what lists the product's tables
        for table in _kept:
            cursor.execute(f'CREATE TABLE {_copy_of(table)} AS SELECT * FROM "{table}"')


def load_missing() -> None:
    """Put the catalogue back, and the record of its load, where a transactional test has flushed all tables."""
    if System.objects.exists():
        return
    with transaction.atomic(), connection.cursor() as cursor:  # foreign keys are checked at the end
        for table in _kept:
            cursor.execute(f'INSERT INTO "{table}" SELECT * FROM {_copy_of(table)}')


def _filled() -> set[str]:
    models = apps.get_models(include_auto_created=True)
    return {model._meta.db_table for model in models if model._base_manager.exists()}


def _copy_of(table: str) -> str:
    return f'kept."{table}"' if connection.vendor == "postgresql" else f'"kept_{table}"'
