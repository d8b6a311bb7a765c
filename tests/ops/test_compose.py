"""The commands of docker-compose.yml themselves, against real PostgreSQL, real Redis and a real SMTP peer.

No container engine is needed: the file is read, host names are pointed at local servers, and the commands of each
service run as they stand, with the environment that the file gives them.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from config.local_services import LocalServer, redis_executable
from scripts.production_env import environment_for
from tests.ops.installation import ROOT
from tests.postgres import LocalPostgres, free_port, program

FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = ("migrate", "web", "worker", "beat")
SECRET_NAMES = re.compile(r"PASSWORD|SECRET|KEY|TOKEN")
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::([?-])([^}]*))?\}")


def expand(text: str, given: dict[str, str]) -> str:
    """Replace ${NAME}, ${NAME:-default} and ${NAME:?message} as compose does."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if given.get(name):
            return given[name]
        assert kind == "-", f"{name} {rest}"
        return rest

    return _VARIABLE.sub(value, text).replace("$$", "$")


# --- What the file says ------------------------------------------------------------------------------------------


def test_no_secret_stands_in_the_file():
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if SECRET_NAMES.search(variable):
                assert _VARIABLE.search(value), f"{name}: {variable}"
            if "://" in value and "@" in value:
                assert re.search(r":\$\{\w+:\?[^}]*\}@", value), f"{name}: {variable} carries a password"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_runs_without_root_and_is_watched(name):
    service = SERVICES[name]
    assert str(service["user"]).partition(":")[0] not in {"", "0", "root"}
    assert ("healthcheck" in service) is (name != "migrate")


def test_the_others_wait_for_the_one_shot_migrate():
    assert SERVICES["migrate"]["restart"] == "no"
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_only_migrate_knows_the_owner_of_the_tables():
    knows = {name for name in OURS if "MIGRATION_DATABASE_URL" in SERVICES[name]["environment"]}
    assert knows == {"migrate"}


def test_redis_keeps_what_it_was_given():
    command = " ".join(SERVICES["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_every_volume_that_is_used_is_declared():
    used = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith((".", "/"))
    }
    assert used == set(FILE["volumes"])


def test_nothing_is_published_beyond_this_machine():
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_a_fresh_env_file_holds_every_variable_the_file_requires():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    required = {name for name, kind, _ in _VARIABLE.findall(text) if kind == "?"}
    fresh = environment_for("keeper.example.org")
    assert required == fresh.keys()
    assert fresh != environment_for("keeper.example.org")


# --- What its commands do ----------------------------------------------------------------------------------------


class ComposeProcess(LocalServer):
    """One service's own process and its log."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        folder.mkdir()
        super().__init__(folder, temporary=False)

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")


class Stack:
    """The data services of the file on free ports, and what our services need to reach them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.web_port, self.redis_port, self.smtp_port = free_port(), free_port(), free_port()
        self.given = environment_for("keeper.example.org")
        self.postgres = LocalPostgres().start()
        (folder / "mail").mkdir()
        self.smtp = Controller(Mailbox(folder / "mail" / "box"), hostname="127.0.0.1", port=self.smtp_port)
        self.smtp.start()
        self.running: list[LocalServer] = [self.postgres]

    def start_data_services(self) -> None:
        redis = ComposeProcess("redis", self.folder / "redis")
        command = [redis_executable(), *SERVICES["redis"]["command"][1:]]
        redis.launch([*command, "--port", str(self.redis_port), "--bind", "127.0.0.1", "--dir", str(redis.folder)])
        self.running.append(redis)
        # What the image of PostgreSQL does on its first start: run the script that the file mounts.
        [script] = [v.partition(":")[0] for v in SERVICES["postgres"]["volumes"] if "initdb.d" in v]
        subprocess.run(
            ["sh", str(ROOT / script)],
            env=self.environment("postgres") | {"PGHOST": "127.0.0.1", "PGPORT": str(self.postgres.port)},
            check=True,
            capture_output=True,
        )

    def environment(self, name: str) -> dict[str, str]:
        local = {
            "@postgres:5432/": f"@127.0.0.1:{self.postgres.port}/",
            "redis://redis:6379": f"redis://127.0.0.1:{self.redis_port}",
            "//mail:1025": f"//127.0.0.1:{self.smtp_port}",
        }
        found = {key: expand(value, self.given) for key, value in SERVICES[name]["environment"].items()}
        for inside, outside in local.items():
            found = {key: value.replace(inside, outside) for key, value in found.items()}
        if name == "web":
            found |= {"GRANIAN_PORT": str(self.web_port)}
        path = [str(Path(sys.executable).parent), str(program("psql").parent), os.environ["PATH"]]
        return found | {"PATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}

    def command(self, name: str) -> list[str]:
        first, *rest = [expand(part, self.given) for part in SERVICES[name]["command"]]
        return [shutil.which(first, path=self.environment(name)["PATH"]) or first, *rest]

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command with a service's environment, as `docker compose run` does."""
        return subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment(name),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def start(self, name: str) -> ComposeProcess:
        process = ComposeProcess(name, self.folder / name)
        process.launch(self.command(name), cwd=ROOT, env=self.environment(name))
        self.running.append(process)
        return process

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        url = self.environment("web")["DATABASE_URL"]
        with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def get(self, path: str) -> tuple[int, str]:
        """Ask the web as the TLS proxy does."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web_port}{path}",
            headers={"Host": "keeper.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()
        except OSError:
            return 0, ""

    def stop(self) -> None:
        for server in reversed(self.running):
            server.stop()
        self.smtp.stop()


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("compose"))
    try:
        stack.start_data_services()
        yield stack
    finally:
        stack.stop()


def wait_for(condition, seconds: float, processes: list[ComposeProcess]) -> None:
    end = time.monotonic() + seconds
    while not condition():
        for process in processes:
            assert process.process.poll() is None, f"{process.name} ended:\n{process.output[-3000:]}"
        assert time.monotonic() < end, "\n".join(f"{p.name}:\n{p.output[-2000:]}" for p in processes)
        time.sleep(0.25)


@pytest.mark.compose
def test_a_sweep_scheduled_by_beat_arrives_and_everything_stops_in_order(stack):
    migrate = stack.start("migrate")
    assert migrate.process.wait(300) == 0, migrate.output[-3000:]
    collected = stack.run("web", "manage.py", "collectstatic", "--noinput", "-v", "0")  # what the Dockerfile does
    assert collected.returncode == 0, collected.stderr

    processes = [stack.start(name) for name in ("web", "worker", "beat")]
    wait_for(lambda: stack.get("/healthz")[0] == 200, 60, processes)
    status, page = stack.get("/auth/login/")
    assert (status, "<form" in page) == (200, True)

    wait_for(lambda: stack.rows("SELECT 1 FROM reminders_sweeprun WHERE ended_at IS NOT NULL"), 150, processes)
    wait_for(lambda: stack.get("/readyz")[0] == 200, 30, processes)
    for name in ("web", "worker", "beat"):
        probe = SERVICES[name]["healthcheck"]["test"]
        assert probe[:2] == ["CMD", "python"]
        done = stack.run(name, *probe[2:])
        assert done.returncode == 0, f"{name}: {done.stderr}"

    for process in reversed(processes):
        process.process.send_signal(signal.SIGTERM)
    for process in processes:
        assert process.process.wait(30) in (0, -signal.SIGTERM), process.output[-2000:]
    assert stack.run("beat", "-m", "config.probe", "web").returncode == 1


@pytest.mark.compose
def test_the_everyday_role_cannot_touch_the_audit_triggers_or_tables(stack):
    stack.rows("SELECT count(*) FROM audit_auditevent")
    for forbidden in (
        "ALTER TABLE audit_auditevent DISABLE TRIGGER ALL",
        "TRUNCATE audit_auditevent CASCADE",
        "CREATE TABLE mine (id int)",
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            stack.rows(forbidden)


@pytest.mark.compose
def test_mail_reaches_the_mail_server_of_the_file(stack):
    done = stack.run("worker", "manage.py", "sendtestemail", "ana@example.org")
    assert done.returncode == 0, done.stderr
    [message] = list((stack.folder / "mail/box/new").iterdir())
    assert "ana@example.org" in message.read_text()


@pytest.mark.compose
def test_without_a_required_secret_the_product_refuses_to_start(stack):
    environment = {key: value for key, value in stack.environment("web").items() if key != "SECRET_KEY"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "SECRET_KEY" in done.stderr
