"""`make run` on a copy of the tree: one start brings everything up, one signal takes everything down."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.ops.installation import ROOT

pytestmark = pytest.mark.installation
SECONDS_TO_START = 240  # the first start reads the provider directory; two busy cores take their time


class Product:
    """The product as `make run` starts it, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder.with_suffix(".log")

    @property
    def said(self) -> str:
        return self.log.read_text()

    def launch(self, **variables: str) -> subprocess.Popen[bytes]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return subprocess.Popen(
            [sys.executable, "-m", "config.embedded", "--with-parent"],
            cwd=self.folder,
            env={**kept, "PORT": str(self.port), "PYTHONUNBUFFERED": "1", **variables},
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def start(self) -> None:
        self.process = self.launch()
        end = time.monotonic() + SECONDS_TO_START
        while "Stop with Ctrl-C" not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.1)

    def get(self, host: str, path: str) -> tuple[int, str]:
        with urllib.request.urlopen(f"http://{host}:{self.port}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()

    def processes(self) -> dict[int, str]:
        """Return the command lines of all processes that work in the folder."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if self.folder in [entry.joinpath("cwd").resolve(), *entry.joinpath("cwd").resolve().parents]:
                    found[int(entry.name)] = entry.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return {pid: line for pid, line in found.items() if line}  # a zombie has no command line

    def stop(self, send) -> int:
        assert self.process is not None
        send(self.process)
        code = self.process.wait(30)
        end = time.monotonic() + 10  # after SIGKILL the kernel ends the others one by one
        while self.processes() and time.monotonic() < end:
            time.sleep(0.1)
        return code

    def rows(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(self.folder / "var/portalkeeper.sqlite3")) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def product(tmp_path_factory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("tree").resolve() / "portalkeeper"
    shutil.copytree(
        ROOT, folder, ignore=shutil.ignore_patterns(".git", ".venv", "var", "node_modules", "__pycache__", ".*_cache")
    )
    product = Product(folder)
    yield product
    for pid in product.processes():
        os.kill(pid, signal.SIGKILL)


def ctrl_c(process: subprocess.Popen[bytes]) -> None:
    """What a terminal does: the whole foreground group gets the signal."""
    os.killpg(process.pid, signal.SIGINT)


def test_first_start_answers_shows_sign_ins_and_ctrl_c_leaves_no_process(product):
    product.start()
    assert f"http://localhost:{product.port}" in product.said
    sign_ins = [line for line in product.said.splitlines() if "@" in line]
    assert len(sign_ins) >= 3
    assert all(any(word.isdigit() and len(word) == 6 for word in line.split()) for line in sign_ins)
    for host in ("localhost", "127.0.0.1"):
        assert product.get(host, "/healthz")[0] == 200
    status, page = product.get("localhost", "/auth/login/")
    assert status == 200
    assert "<form" in page
    running = " ".join(product.processes().values())
    for program in ("granian", "celery", "beat", "redis-server"):
        assert program in running

    assert product.stop(ctrl_c) == 0
    assert product.processes() == {}


def test_second_start_keeps_data_and_secrets_and_sigterm_leaves_no_process(product):
    people = product.rows("SELECT id, email, password FROM users_user ORDER BY id")
    secret = (product.folder / "var/secret_key").read_text()
    assert people
    product.start()
    assert product.rows("SELECT id, email, password FROM users_user ORDER BY id") == people
    assert (product.folder / "var/secret_key").read_text() == secret

    twin = product.launch(PORT="1")
    assert twin.wait(60) == 1
    assert "already runs from this folder" in product.said

    assert product.stop(lambda process: process.terminate()) == 0
    assert product.processes() == {}


def test_even_a_killed_supervisor_leaves_no_process(product):
    product.start()
    assert product.processes()
    assert product.stop(lambda process: process.kill()) == -signal.SIGKILL
    assert product.processes() == {}


def test_a_port_in_use_is_named_and_nothing_is_started(product):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = product.launch(PORT=str(port))
        assert refused.wait(60) == 1
    said = product.said
    assert f"Port {port} is in use" in said
    assert "Traceback" not in said
    assert product.processes() == {}
