"""``make lock``: renew every lock file from its source; versions move only where the source lets them."""

import re
import subprocess
import sys
from pathlib import Path

from scripts.assets import FRONTEND, find_npm

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("requirements", "requirements-dev", "requirements-uv", "requirements-node")
UNIVERSAL = ["--universal", "--generate-hashes", "--python-version", "3.11", "-q", "--no-header"]


def lock_python(name: str) -> None:
    """Write one hashed lock for every platform."""
    uv = str(Path(sys.executable).parent / "uv")
    subprocess.run([uv, "pip", "compile", *UNIVERSAL, f"{name}.in", "-o", f"{name}.txt"], cwd=ROOT, check=True)


def lock_npm() -> None:
    """Write the npm lock without the address of the registry that answered; integrity hashes stay."""
    command = [*find_npm(), "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=FRONTEND, check=True)
    path = FRONTEND / "package-lock.json"
    path.write_text(re.sub(r'\n\s*"resolved": "[^"]*",', "", path.read_text()))


def main() -> int:
    """Renew all; stop at the first that cannot be resolved."""
    try:
        for name in NAMES:
            lock_python(name)
        lock_npm()
    except subprocess.CalledProcessError as exc:
        print(f"Not locked: {' '.join(map(str, exc.cmd[:4]))} failed.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
