"""Keeps a database of the present version for later upgrade tests: ``python -m scripts.keep_database v0.1.0``.

Run it once, on the commit that gets the tag; commit ``tests/data/upgrade/<version>/`` with it. The rows are those
of the demo organization: visibly made up, with keys made for this file alone.
"""

import argparse
import base64
import gzip
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLES = ["users_user", "facilities_organization", "staff_person", "accounts_portalaccount", "accounts_loginevent"]
STEPS = (["migrate", "-v", "0"], ["load_catalogue"], ["seed_demo"], ["tick"])


def keep(version: str) -> Path:
    """Make the database, back it up, and return the folder that now keeps it."""
    folder = ROOT / "tests/data/upgrade" / version
    keys = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "keeper.sqlite3"
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
            "DATABASE_URL": f"sqlite:///{file}",
            "SECRET_KEY": "kept-database",
            "FIELD_KEYS": keys,
        }
        for command in STEPS:
            program = [sys.executable, "manage.py", *command]
            if subprocess.run(program, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
                sys.exit(f"manage.py {command[0]} failed; nothing was kept.")
        with closing(sqlite3.connect(file)) as connection:
            # The names are the constants above.
            counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}  # noqa: S608
            connection.execute("VACUUM INTO ?", (str(Path(scratch) / "whole.sqlite3"),))
        folder.mkdir(parents=True, exist_ok=True)
        packed = gzip.compress((Path(scratch) / "whole.sqlite3").read_bytes(), mtime=0)
        (folder / "database.sqlite3.gz").write_bytes(packed)
    (folder / "facts.json").write_text(json.dumps({"field_keys": keys, "counts": counts}, indent=1) + "\n")
    return folder


def main() -> None:
    """Read the version and keep the database."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("version", help="the tag this commit gets, such as v0.1.0")
    print(f"Kept in {keep(parser.parse_args().version).relative_to(ROOT)}; commit it.")


if __name__ == "__main__":
    main()
