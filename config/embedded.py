"""``make run``: the whole product on one machine, with nothing installed beside Python.

Prepares the database, then starts web, worker and scheduler and a private Redis; Ctrl-C or SIGTERM stops all of
it. What the processes write goes to ``var/log/``, so that the address and the sign-ins stay on the screen.
"""

import argparse
import fcntl
import io
import os
import shlex
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.embedded"

import django
from django.core.management import CommandError
from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Message
from honcho.process import Popen, Process

from config import env
from config.local_services import LocalRedis, ServiceError, die_with_parent

ROOT: Final = Path(__file__).resolve().parent.parent
VAR: Final = ROOT / "var"
LOGS: Final = VAR / "log"
SECONDS_TO_ANSWER: Final = 60


class CannotStartError(Exception):
    """The product cannot be started here; the message says why and what to do."""


def say(text: str) -> None:
    """Write one line for the person at the terminal."""
    print(text, flush=True)  # noqa: T201


class _TiedPopen(Popen):
    """The program itself instead of a shell around it, ended by the kernel when its guardian dies."""

    def __init__(self, cmd: str, **kwargs: Any) -> None:
        super().__init__(f"exec {cmd}", preexec_fn=die_with_parent(signal.SIGTERM), **kwargs)


class _TiedProcess(Process):
    """A guardian that dies with us even on SIGKILL, and its program with it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._child_ctor = _TiedPopen
        self._us = os.getpid()

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        die_with_parent(signal.SIGKILL, self._us)()
        super().run(events, ignore_signals)


class _LogPrinter:
    """Writes each process's lines to its own file; only the end of a process is news for the terminal."""

    width = 0

    def __init__(self) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self._files: dict[str, IO[bytes]] = {}
        self.stopping = False

    def write(self, message: Message) -> None:
        if message.name == SYSTEM_PRINTER_NAME:
            if "stopped (" in message.data and not self.stopping:
                self.stopping = True  # the others follow because of this one
                self._report(message.data.strip())
            return
        if message.name not in self._files:
            self._files[message.name] = (LOGS / f"{message.name}.log").open("wb", buffering=0)
        data = message.data if isinstance(message.data, bytes) else message.data.encode()
        self._files[message.name].write(data)

    def _report(self, news: str) -> None:
        """Say which process ended and show the end of its log: there is the reason."""
        path = LOGS / f"{news.partition(' ')[0]}.log"
        tail = path.read_text(errors="replace").splitlines()[-5:] if path.exists() else []
        say("\n".join([f"{news}; stopping the rest. The end of {path.relative_to(ROOT)}:", *tail]))


class _Supervisor(Manager):
    """Starts the processes together, stops them together, and says when the web answers."""

    def __init__(self, port: int) -> None:
        self._out = _LogPrinter()
        super().__init__(self._out)
        self._process_ctor = _TiedProcess
        self._port = port
        self._stop_wanted = False

    def _start(self) -> None:
        super()._start()
        # Only now, because a process must not be forked while another thread holds a lock.
        threading.Thread(target=announce, args=(self._port,), daemon=True).start()
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))

    def terminate(self) -> None:
        """Stop all; a stop that arrives while some still start waits until it can reach them."""
        if self.returncode in (130, 143):
            self._out.stopping = True
        if super()._all_started():
            super().terminate()
        else:
            self._stop_wanted = True

    def _all_started(self) -> bool:
        started = bool(super()._all_started())
        if started and self._stop_wanted:
            self._stop_wanted = False
            super().terminate()
        return started


def announce(port: int) -> None:
    """Wait until the web answers, then print the address, the demo sign-ins and a current code for each."""
    from django.core.management import call_command
    from django.db import connections

    address = f"http://127.0.0.1:{port}/healthz"
    for _ in range(SECONDS_TO_ANSWER * 10):
        try:
            urllib.request.urlopen(address, timeout=2).close()  # noqa: S310  # nosec B310
            break
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    else:
        say(f"The web does not answer after {SECONDS_TO_ANSWER} seconds; see {LOGS.relative_to(ROOT)}/web.log.")
        return
    say(f"\nPortalkeeper runs at http://localhost:{port}\n")
    try:
        call_command("seed_demo", print=True)
    finally:
        connections.close_all()
    say("\nNew codes: make totp. Logs: var/log/. Mail: var/mail/. Stop with Ctrl-C.")


def lock_folder() -> IO[str]:
    """Return the open lock file; raise CannotStartError while another `make run` uses the same folder."""
    VAR.mkdir(exist_ok=True)
    lock = (VAR / "run.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        lock.close()
        raise CannotStartError("Portalkeeper already runs from this folder; stop it with Ctrl-C there first.") from exc
    return lock


def check_port(port: int) -> None:
    """Raise CannotStartError when another program listens on the port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except PermissionError as exc:
            raise CannotStartError(
                f"Port {port} needs more rights; choose one above 1023: make run PORT=8000."
            ) from exc
        except OSError as exc:
            raise CannotStartError(
                f"Port {port} is in use by another program; choose another: make run PORT={port % 65535 + 1}."
            ) from exc


def prepare() -> None:
    """Bring database, catalogue, directory and demo up to date and run one tick."""
    from django.core.management import call_command
    from django.db import connections

    say("Preparing the database.")
    call_command("migrate", verbosity=0, interactive=False)
    for command in ("load_catalogue", "load_directory", "seed_demo"):
        told = io.StringIO()
        call_command(command, stdout=told)
        say(told.getvalue().strip().rpartition("\n")[2])
    try:
        call_command("tick", stdout=io.StringIO())
    except CommandError as exc:  # a broken row or a clock set back must not keep the pages away
        say(f"The first tick reported: {exc}")
    connections.close_all()


def processes(port: int) -> dict[str, str]:
    """Return the command line of each process by name."""
    binaries = Path(sys.executable).parent
    celery = shlex.join([str(binaries / "celery"), "-A", "config"])
    granian = shlex.join([str(binaries / "granian"), "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)])
    return {
        "web": f"{granian} --workers 1 --blocking-threads 4 --no-ws config.wsgi:application",
        "worker": f"{celery} worker --concurrency 1 --loglevel INFO",
        "scheduler": f"{celery} beat -s {shlex.quote(str(VAR / 'beat'))} --pidfile= --loglevel INFO",
    }


def _stop_early(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run() -> int:
    """Start everything, wait for its end, and return the exit code: 0 after Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, _stop_early)
    port = env.read("PORT", env.whole_number(1, 65535), 8000)
    lock = lock_folder()
    check_port(port)
    redis = None
    try:
        if not os.environ.get("REDIS_URL") and not os.environ.get("REDIS_URL_FILE"):
            redis = LocalRedis(VAR / "redis").start()
            os.environ["REDIS_URL"] = redis.url
        django.setup()
        prepare()
        supervisor = _Supervisor(port)
        for name, command in processes(port).items():
            supervisor.add_process(name, command, cwd=str(ROOT))
        supervisor.loop()
        asked_to_stop = supervisor.returncode in (130, 143)
        return 0 if asked_to_stop else supervisor.returncode or 1
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if redis is not None:
            redis.stop()
        lock.close()


def main() -> int:
    """Read the arguments, run, and turn expected troubles into one clear line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--with-parent", action="store_true", help="stop when the starting program is gone")
    if parser.parse_args().with_parent:
        die_with_parent(signal.SIGTERM, os.getppid())()
    try:
        return run()
    except KeyboardInterrupt:
        return 0
    except (CannotStartError, CommandError, ServiceError, env.EnvironmentRefused) as exc:
        sys.stderr.write(f"Portalkeeper cannot start: {exc}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
