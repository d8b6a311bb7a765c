"""Makes the virtual environment and installs one lock file into it; needs nothing but the standard library.

uv installs in seconds; where it cannot be fetched or cannot reach the index (it reads no pip.conf), pip
installs the same lock with the same hashes.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUIET = ["-q", "--disable-pip-version-check", "--root-user-action=ignore"]


def run(*command: str, **variables: str) -> bool:
    """Run a command with further variables; tell whether it succeeded."""
    return subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=False).returncode == 0


def make_environment(venv: Path) -> Path:
    """Return the environment's Python, making the environment where there is none of this Python version."""
    python = venv / "bin" / "python"
    wanted = f"import sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    if not (python.exists() and run(str(python), "-c", wanted)):
        print(f"Making {venv} with Python {sys.version.split()[0]}.", flush=True)
        if not run(sys.executable, "-m", "venv", "--clear", str(venv)):
            sys.exit("Python cannot make a virtual environment here; on Debian install python3-venv.")
    return python


def install(python: Path, lock: str) -> None:
    """Install the lock file, every package checked against its hash."""
    print(f"Installing {lock}.", flush=True)
    uv = python.parent / "uv"
    if not uv.exists():
        run(str(python), "-m", "pip", "install", *QUIET, "--require-hashes", "-r", "requirements-uv.txt")
    with_uv = [str(uv), "pip", "install", "-q", "--python", str(python), "--require-hashes", "-r", lock]
    if uv.exists() and run(*with_uv, UV_HTTP_TIMEOUT="60"):
        return
    print("uv could not install it here; pip takes over (some minutes).", flush=True)
    if not run(str(python), "-m", "pip", "install", *QUIET, "--require-hashes", "-r", lock):
        sys.exit(f"{lock} could not be installed; pip's message above says why.")


def main() -> None:
    """Read the arguments and install."""
    if sys.version_info < (3, 11):  # noqa: UP036  (nothing is installed yet; somebody may have given PYTHON=)
        sys.exit(f"Portalkeeper needs Python 3.11 or later; this is {sys.version.split()[0]}.")
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("lock")
    options = parser.parse_args()
    install(make_environment((ROOT / options.venv).absolute()), options.lock)


if __name__ == "__main__":
    main()
