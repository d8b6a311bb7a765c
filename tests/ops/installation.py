"""A whole installation of its own for a test: database, folders, keys, and manage.py run against them."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[2]

_RECORD = """
from django.db import transaction
from django.utils import timezone
from audit.services import Ref, record
with transaction.atomic():
    record(chain="installation", action="test.{word}", actor=Ref("user:1", "Ana"), subject=Ref("user:1", "Ana"),
           at=timezone.now(), payload={{"word": "{word}"}})
"""


@dataclass
class Installation:
    """Runs commands with its own environment; nothing of the test's settings leaks in."""

    database_url: str
    variables: dict[str, str] = field(default_factory=dict)
    field_keys: str = field(default_factory=lambda: Fernet.generate_key().decode())
    code: Path = ROOT

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
            "DATABASE_URL": self.database_url,
            "SECRET_KEY": "secret-of-this-test-installation",
            "FIELD_KEYS": self.field_keys,
            **self.variables,
        }

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run manage.py and return what happened."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.code,
            env=self.environment() | variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def manage(self, *arguments: str, **variables: str) -> str:
        """Run manage.py, expect success, and return its standard output."""
        done = self.run(*arguments, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, *arguments: str, **variables: str) -> dict[str, Any]:
        """Run a contract command with --json and return its document."""
        return json.loads(self.manage(*arguments, "--json", **variables))

    def record(self, word: str) -> None:
        """Append one audit event with the action ``test.<word>``."""
        self.python(_RECORD.format(word=word))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run one statement directly on the database, past the product, and return what it gives."""
        if self.database_url.startswith("sqlite"):
            with closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"))) as connection, connection:
                return connection.execute(sql).fetchall()
        with closing(psycopg2.connect(self.database_url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def python(self, code: str) -> str:
        """Run a few lines inside the product and return what they print."""
        done = self.run("shell", "--no-imports", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def _on_server(server_url: str, *statements: str) -> None:
    with closing(psycopg2.connect(server_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def new_postgres_database(server_url: str, name: str, template: str = "template1") -> str:
    """Create a database on the server of the suite and return its address; ``template`` is copied whole."""
    _on_server(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return server_url.rpartition("/")[0] + f"/{name}"


def drop_postgres_database(server_url: str, name: str) -> None:
    """Remove it again, whoever is still connected."""
    _on_server(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def copy_of(original: Installation, server_url: str, folder: Path) -> Installation:
    """Return an installation with the same keys on a copy of the database; the original must be idle."""
    if original.database_url.startswith("sqlite"):
        shutil.copyfile(original.database_url.removeprefix("sqlite:///"), folder / "keeper.sqlite3")
        url = f"sqlite:///{folder}/keeper.sqlite3"
    else:
        template = original.database_url.rpartition("/")[2]
        url = new_postgres_database(server_url, f"{template}_{uuid4().hex[:8]}", template)
    return Installation(url, original.variables, original.field_keys)
