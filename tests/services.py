"""Pytest plugin: a real PostgreSQL and a real Redis for the suite, before Django reads its settings.

``DATABASE_URL`` and ``REDIS_URL`` from outside win. ``TEST_DB=sqlite`` selects SQLite, the engine ``make run``
ships on. Loaded by ``-p tests.services``. ``python -m tests.services COMMAND...`` runs any command with a
throw-away PostgreSQL and Redis in its environment.
"""

import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest

from config.local_services import LocalRedis, LocalServer
from tests.postgres import LocalPostgres

_started: list[LocalServer] = []


def _database_of_worker(url: str, worker: int) -> str:
    """Return the Redis address with a database number of its own: workers must not share cache and queues."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={worker + 1}"
    return urlunsplit(parts._replace(path=f"/{worker + 1}"))


def start_missing(*, sqlite: bool) -> None:
    """Start what the environment does not name and put the addresses there."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # so that `atexit` runs when a time limit ends the suite
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if sqlite:
        os.environ.pop("DATABASE_URL", None)  # the test settings fall back to SQLite
    elif not os.environ.get("DATABASE_URL"):
        postgres = LocalPostgres().start()
        _started.append(postgres)
        os.environ["DATABASE_URL"] = postgres.url
    if not os.environ.get("REDIS_URL"):
        redis = LocalRedis().start()
        _started.append(redis)
        os.environ["REDIS_URL"] = redis.url


def stop_started() -> None:
    """Stop what we started, last first."""
    while _started:
        _started.pop().stop()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Start the services; in `pytest_configure` pytest-django would have read the settings already."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:  # the addresses were inherited from the controller
        os.environ["REDIS_URL"] = _database_of_worker(os.environ["REDIS_URL"], int(worker.removeprefix("gw")))
        return
    engine = os.environ.get("TEST_DB", "postgres")
    if engine not in {"postgres", "sqlite"}:
        raise pytest.UsageError(f"TEST_DB={engine!r}: use postgres or sqlite.")
    if {"-h", "--help", "--version", "-V"} & set(sys.argv):
        return
    start_missing(sqlite=engine == "sqlite")


def pytest_report_header() -> str:
    """Name the services in the first lines of the run."""
    database = urlsplit(os.environ.get("DATABASE_URL", "")).scheme or "sqlite"
    return f"services: {database}, redis ({'started' if _started else 'given'})"


def pytest_unconfigure() -> None:
    """Stop them at the end; `atexit` and the kernel do it when pytest dies before."""
    stop_started()


def main() -> int:
    """Run the command of the arguments with both services; return its exit code."""
    os.environ.pop("PYTEST_XDIST_WORKER", None)
    start_missing(sqlite=False)
    try:
        return subprocess.run(sys.argv[1:], check=False).returncode
    finally:
        stop_started()


if __name__ == "__main__":
    sys.exit(main())
