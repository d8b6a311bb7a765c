"""Installations on the engine of this run; each has a database of its own."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.ops.installation import Installation, copy_of, drop_postgres_database, new_postgres_database
from tests.postgres import program


def _new(folder: Path) -> Iterator[Installation]:
    if os.environ.get("TEST_DB") == "sqlite":
        yield Installation(f"sqlite:///{folder}/keeper.sqlite3")
        return
    name = f"ops_{uuid4().hex[:12]}"
    server = os.environ["DATABASE_URL"]
    path = f"{program('pg_dump').parent}{os.pathsep}{os.environ['PATH']}"
    try:
        yield Installation(new_postgres_database(server, name), {"PATH": path})
    finally:
        drop_postgres_database(server, name)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """An empty installation; on PostgreSQL with the client programs of the server's version on the PATH."""
    yield from _new(tmp_path)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A migrated installation with one audit event; never changed, only copied."""
    for fresh in _new(tmp_path_factory.mktemp("migrated")):
        fresh.manage("migrate", "-v", "0")
        fresh.record("before")
        yield fresh


@pytest.fixture
def filled(migrated: Installation, tmp_path: Path) -> Iterator[Installation]:
    """A copy of the migrated installation for one test."""
    server = os.environ.get("DATABASE_URL", "")
    copy = copy_of(migrated, server, tmp_path)
    yield copy
    if not copy.database_url.startswith("sqlite"):
        drop_postgres_database(server, copy.database_url.rpartition("/")[2])
