"""A copy of the catalogue in which rules change, followed through the commands as an operator would."""

import io
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from django.core.management import call_command

from systems.catalogue_files import FOLDER
from tests.conftest import NOON


class Draft:
    """The catalogue's files, copied; every change is written back at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(FOLDER, folder)

    def change(self, slug: str, kind: str, edit: Any) -> None:
        """Let ``edit`` change the list of a system's policies of one kind (and return it, or None for in place)."""
        for path in sorted(self.folder.glob("*.yaml")):
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            for system in content.get("systems") or []:
                if system["slug"] == slug:
                    rest = [each for each in system["policies"] if each["kind"] != kind]
                    mine = [each for each in system["policies"] if each["kind"] == kind]
                    edited = edit(mine)
                    system["policies"] = rest + (mine if edited is None else edited)
                    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
                    return
        raise AssertionError(f"no system {slug} in the catalogue")

    def check(self) -> dict[str, Any]:
        """Ask what loading the draft would do."""
        return ask("load_catalogue", "--check", "--folder", str(self.folder))

    def load(self) -> dict[str, Any]:
        """Load the draft."""
        return ask("load_catalogue", "--folder", str(self.folder))


def ask(*words: str) -> dict[str, Any]:
    """Run a command and return its JSON document."""
    out = io.StringIO()
    call_command(*words, "--json", stdout=out, stderr=io.StringIO())
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def tick(at: Any = NOON) -> dict[str, Any]:
    """Run a tick and return its sweeps."""
    found: dict[str, Any] = ask("tick", "--at", at.isoformat())["sweeps"]
    return found


def version(days: int, start: date | None = None, *, kind: str = "inactivity", **more: Any) -> dict[str, Any]:
    """Return a policy version as the files write it; it cites a fact of its own, for a version is told by its fact."""
    return {
        "kind": kind,
        "basis": "password" if kind == "password" else "login",
        "limit_days": days,
        "consequence": "roles_revoked",
        "consequence_text": "All roles are revoked.",
        "cite": {"fact": f"TEST-{kind.upper()[:5]}-{days}", "source": "O2", "confidence": "official"},
        **({"effective_from": start} if start else {}),
        **more,
    }
