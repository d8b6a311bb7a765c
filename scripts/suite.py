"""``make test``: the whole suite on PostgreSQL, then everything that touches the database again on SQLite.

Both engines always: `make run` ships on SQLite, production runs on PostgreSQL. Arguments go to pytest.
"""

import os
import subprocess
import sys
import time

NO_TESTS = 5  # pytest's exit code for an empty selection, which ARGS may well produce
PASSES: tuple[tuple[str, str, list[str]], ...] = (
    ("PostgreSQL, Redis, browser, SMTP", "postgres", []),
    ("SQLite", "sqlite", ["--database-only", "-m", "not (browser or compose or installation or one_engine)"]),
)
# In the order of `tests.selection`: by number of tests, the longest files would come last and leave a worker idle.
WORKERS = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]


def main() -> int:
    """Run both passes, even when the first fails; return 1 when any did."""
    results = []
    for title, engine, selection in PASSES:
        print(f"\n== {title} ==", flush=True)
        started = time.monotonic()
        workers = WORKERS if (os.cpu_count() or 1) > 1 else []
        command = [sys.executable, "-m", "pytest", "-q", *workers, *selection, *sys.argv[1:]]
        code = subprocess.run(command, env=os.environ | {"TEST_DB": engine}, check=False).returncode
        passed = code == 0 or (code == NO_TESTS and len(sys.argv) > 1)
        results.append((title, passed, time.monotonic() - started))
    print()
    for title, passed, seconds in results:
        print(f"{'passed' if passed else 'FAILED'}  {seconds:5.0f} s  {title}")
    return 0 if all(passed for _, passed, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
