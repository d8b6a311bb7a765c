"""``make audit``: known weaknesses of what we depend on. Exit 0 clean, 1 weaknesses found, 3 not audited.

An index that cannot be reached must never look like a clean result, so that case is said loudly.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from scripts.assets import FRONTEND, find_npm

ROOT = Path(__file__).resolve().parent.parent
CLEAN, WEAK, NOT_AUDITED = 0, 1, 3


def run(command: list[str], cwd: Path = ROOT) -> tuple[dict[str, Any] | None, str]:
    """Return the JSON document a tool printed (None when it printed none), and what it said beside it."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    try:
        document = json.loads(done.stdout)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else None, done.stderr.strip()[-600:]


def audit_python(lock: str) -> int:
    """Ask pip-audit about one lock file; every entry has to be answered for."""
    tool = shutil.which("pip-audit", path=str(Path(sys.executable).parent)) or "pip-audit"
    arguments = ["--strict", "--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    document, said = run([tool, *arguments, "-r", lock])
    answers = (document or {}).get("dependencies") or []
    if not answers or any("skip_reason" in answer for answer in answers):
        print(f"NOT AUDITED: {lock}: {said or 'no answer for every package'}")
        return NOT_AUDITED
    weak = [answer for answer in answers if answer.get("vulns")]
    for dependency in weak:
        for found in dependency["vulns"]:
            fixed = ", ".join(found.get("fix_versions") or ["none yet"])
            print(f"WEAK: {dependency['name']} {dependency['version']}: {found['id']} (fixed in {fixed})")
    print(f"{lock}: {len(answers)} packages audited, {len(weak)} weak.")
    return WEAK if weak else CLEAN


def audit_npm() -> int:
    """Ask npm about the front-end packages."""
    document, said = run([*find_npm(), "audit", "--json"], FRONTEND)
    counts = (document or {}).get("metadata", {}).get("vulnerabilities")
    if counts is None:
        message = ((document or {}).get("error") or {}).get("summary") or (document or {}).get("message") or said
        print(f"NOT AUDITED: frontend/package-lock.json: {message}")
        return NOT_AUDITED
    print(f"frontend/package-lock.json: {counts.get('total', 0)} weaknesses.")
    return WEAK if counts.get("total") else CLEAN


def main() -> int:
    """Audit everything; the worst result counts, a weakness before a gap."""
    results = {audit_python("requirements.txt"), audit_python("requirements-dev.txt"), audit_npm()}
    if NOT_AUDITED in results:
        print("\n*** NOT EVERYTHING WAS AUDITED; this is no clean result. ***")
    return WEAK if WEAK in results else NOT_AUDITED if NOT_AUDITED in results else CLEAN


if __name__ == "__main__":
    sys.exit(main())
