"""Container health checks: ``python -m config.probe web|worker|beat`` exits 0 when that process is alive.

Needs no Django for ``web``, which is asked most often.
"""

import os
import socket
import sys
import urllib.error
import urllib.request


def web_answers() -> bool:
    """Ask /healthz as the proxy would: by the name the product answers to."""
    host = os.environ.get("ALLOWED_HOSTS", "localhost").partition(",")[0].strip()
    port = os.environ.get("GRANIAN_PORT", "8000")
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": host})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310  # nosec B310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def worker_answers() -> bool:
    """Ask the worker of this container over the broker."""
    from config.celery import app

    name = f"celery@{socket.gethostname()}"
    return bool(app.control.inspect(destination=[name], timeout=5).ping())


def beat_leads() -> bool:
    """Tell whether some scheduler holds the leader lock; it expires within 15 seconds of its holder's death."""
    import redis
    from redbeat.schedulers import RedBeatConfig

    from config.celery import app

    with redis.Redis.from_url(app.conf.broker_url, socket_timeout=4) as client:
        return bool(client.exists(RedBeatConfig(app).lock_key))


CHECKS = {"web": web_answers, "worker": worker_answers, "beat": beat_leads}


def main() -> int:
    """Run the named check."""
    if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:
        sys.stderr.write(f"Usage: python -m config.probe {'|'.join(CHECKS)}\n")
        return 2
    if CHECKS[sys.argv[1]]():
        return 0
    sys.stderr.write(f"{sys.argv[1]} does not answer\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
