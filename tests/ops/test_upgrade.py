"""A database made by the previous version, with rows in it, becomes one of this version, and nothing is lost."""

import gzip
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.ops.installation import ROOT, Installation, copy_of, drop_postgres_database

pytestmark = pytest.mark.db_engines

KEPT = ROOT / "tests/data/upgrade"
TABLES = ["users_user", "facilities_organization", "staff_person", "accounts_portalaccount", "accounts_loginevent"]


def previous_tag() -> str | None:
    """Return the newest tag that the present code descends from and is not; None without git or tag."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return None
    for commit in ("HEAD^", "HEAD"):  # on the very commit of a tag the one before is the previous version
        done = subprocess.run(
            [git, "-c", f"safe.directory={ROOT}", "describe", "--tags", "--abbrev=0", commit],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return None


def counts(installation: Installation) -> dict[str, int]:
    return {table: installation.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def assert_upgraded(installation: Installation, before: dict[str, int]) -> None:
    """Migrate with the present code and look: rows, chains, schema, and that the product works on it."""
    assert any(before.values()), "an upgrade of an empty database proves nothing"
    installation.manage("migrate", "-v", "0")
    assert counts(installation) == before
    verdict = installation.ask("verify_audit")
    assert verdict["ok"], verdict
    assert verdict["events"] > 0
    installation.manage("makemigrations", "--check", "--dry-run")
    installation.manage("load_catalogue")
    installation.manage("tick")
    installation.manage("check", "--database", "default")


def test_a_database_of_the_newest_tag_with_rows_is_upgraded(installation, tmp_path):
    tag = previous_tag()
    if tag is None:
        pytest.skip("NO UPGRADE WAS TESTED FROM A TAG: there is no git or no earlier tag here")
    with (tmp_path / "old.tar").open("wb") as archive:
        subprocess.run(["git", "-c", f"safe.directory={ROOT}", "archive", tag], cwd=ROOT, stdout=archive, check=True)
    with tarfile.open(tmp_path / "old.tar") as tar:
        tar.extractall(tmp_path / "old", filter="data")
    old = Installation(installation.database_url, installation.variables, installation.field_keys, tmp_path / "old")
    old.manage("migrate", "-v", "0")
    old.manage("load_catalogue")
    old.manage("seed_demo")
    assert_upgraded(installation, counts(installation))


@pytest.mark.parametrize("folder", sorted(KEPT.glob("v*")), ids=lambda folder: folder.name)
def test_a_kept_database_of_an_earlier_version_is_upgraded(folder: Path, tmp_path):
    """Kept by `scripts/keep_database.py` with the keys it was made with; needs no git."""
    if os.environ.get("TEST_DB") != "sqlite":
        pytest.skip("the kept databases are SQLite files; the tag test covers PostgreSQL")
    facts = json.loads((folder / "facts.json").read_text())
    file = tmp_path / "keeper.sqlite3"
    file.write_bytes(gzip.decompress((folder / "database.sqlite3.gz").read_bytes()))
    installation = Installation(f"sqlite:///{file}", field_keys=facts["field_keys"])
    assert counts(installation) == facts["counts"]
    assert_upgraded(installation, facts["counts"])


def test_the_steps_of_an_upgrade_hold_on_a_database_of_this_version(migrated, tmp_path):
    """The same steps from this version to itself: keeps the test above honest before there is a tag."""
    server = os.environ.get("DATABASE_URL", "")
    copy = copy_of(migrated, server, tmp_path)
    try:
        copy.manage("load_catalogue")
        copy.manage("seed_demo")
        assert_upgraded(copy, counts(copy))
    finally:
        if not copy.database_url.startswith("sqlite"):
            drop_postgres_database(server, copy.database_url.rpartition("/")[2])
