"""``make check``: everything that can be said without running the product. Runs all of it, then names what failed."""

import ast
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
APPS = ["audit", "users", "systems", "facilities", "imports", "staff", "accounts", "reminders", "web", "api", "config"]
HARD_LINES = 500
# Enough for Django to read the production settings; nothing is opened or sent.
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SECRET_KEY": "only-for-make-check-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    "FIELD_KEYS": "A" * 43 + "=",
    "ALLOWED_HOSTS": "keeper.example.org",
    "SITE_URL": "https://keeper.example.org",
    "DATABASE_URL": "postgres://nobody@localhost/none",
    "REDIS_URL": "redis://localhost:6379/0",
    "EMAIL_URL": "smtp://localhost",
}
IN_MEMORY = {"DATABASE_URL": "sqlite:///:memory:", "SECRET_KEY": "only-for-make-check", "FIELD_KEYS": "A" * 43 + "="}


def tool(name: str, *arguments: str) -> list[str]:
    """Return the command of a tool of this environment."""
    return [str(BIN / name), *arguments]


def manage(*arguments: str) -> list[str]:
    """Return a manage.py command."""
    return [sys.executable, "manage.py", *arguments]


Check = tuple[str, list[str], dict[str, str]]  # title, command, variables of its own
CHECKS: list[Check] = [
    ("lint", tool("ruff", "check", "."), {}),
    ("format", tool("ruff", "format", "--check", "."), {}),
    ("templates", tool("djlint", "templates", "--lint", "--quiet"), {}),
    ("types", tool("mypy", *APPS, "scripts", "manage.py"), {}),
    ("order of apps", tool("lint-imports"), {}),
    ("security", tool("bandit", "-q", "-ll", "-c", "pyproject.toml", "-r", *APPS, "scripts", "manage.py"), {}),
    ("migrations", manage("makemigrations", "--check", "--dry-run"), IN_MEMORY),
    ("deployment", manage("check", "--deploy", "--fail-level", "WARNING"), PRODUCTION),
]


def oversized_files() -> list[str]:
    """Return our Python files above the hard limit of lines."""
    found = []
    for folder in [*APPS, "scripts", "tests", "bench"]:
        for path in sorted((ROOT / folder).rglob("*.py")):
            lines = path.read_text(encoding="utf-8").count("\n")
            if "migrations" not in path.parts and lines > HARD_LINES:
                found.append(f"{path.relative_to(ROOT)}: {lines} lines, at most {HARD_LINES}")
    return found


def unlocked_sources() -> list[str]:
    """Return lines of lock files that name a place to fetch from, and packages without a hash.

    Which registry serves the packages is the machine's business; the hash says whether they are the right ones.
    """
    found = []
    for path in [*ROOT.glob("requirements*.txt"), ROOT / "frontend/package-lock.json"]:
        text = path.read_text(encoding="utf-8")
        found += [
            f"{path.name}: {line}" for line in re.findall(r'"resolved": .+|(?:https?|file)://\S+\.(?:tgz|whl|gz)', text)
        ]
        if path.suffix == ".txt":
            entries = re.findall(r"^[A-Za-z0-9][^\s;]*==.*(?:\n(?: |#).*)*", text, flags=re.MULTILINE)
            found += [
                f"{path.name}: no hash for {entry.split()[0]}" for entry in entries if "--hash=sha256:" not in entry
            ]
    return found


def phony_targets() -> list[str]:
    """Return targets of the Makefile's contract that are not declared .PHONY."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    [declared] = re.findall(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE)
    targets = re.findall(r"^([a-z-]+):", text, flags=re.MULTILINE)
    return [f"Makefile: {name} is not .PHONY" for name in targets if name not in declared.split()]


def blind_tests() -> list[str]:
    """Return tests in which nothing is asserted, expected or awaited as an error: they could not fail."""
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                seen = ast.dump(node)
                if not any(sign in seen for sign in ("Assert(", "raises", "assert", "expect", "check_", "wait_for")):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} asserts nothing")
    return found


OWN_CHECKS = (oversized_files, unlocked_sources, phony_targets, blind_tests)


def timed(check: Check) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run one check; return what came of it and the seconds it took."""
    _, command, variables = check
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)
    return done, time.monotonic() - started


def main() -> int:
    """Run every check; return 1 when any failed."""
    failed = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for (title, *_), (done, seconds) in zip(CHECKS, pool.map(timed, CHECKS), strict=True):
            verdict = "ok" if done.returncode == 0 else "FAILED"
            print(f"{verdict:<7}{seconds:5.1f} s  {title}", flush=True)
            if done.returncode:
                print(done.stdout + done.stderr)
                failed.append(title)
    for check in OWN_CHECKS:
        remarks = check()
        print(f"{'FAILED' if remarks else 'ok':<15}  {check.__name__.replace('_', ' ')}")
        if remarks:
            print("\n".join(remarks))
            failed.append(check.__name__)
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nAll checks passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
