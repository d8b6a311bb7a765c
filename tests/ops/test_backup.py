"""A copy is consistent, says what it holds, opens only with its keys, and a restore proves it."""

import io
import json
import os
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from cryptography.fernet import Fernet

from tests.ops.installation import ROOT, Installation

pytestmark = pytest.mark.db_engines


@pytest.fixture(scope="module")
def made(migrated: Installation, tmp_path_factory) -> Path:
    """A good copy of the migrated installation."""
    return Path(migrated.ask("backup", "--folder", str(tmp_path_factory.mktemp("copies")))["file"])


def actions(installation: Installation) -> list[str]:
    return [action for (action,) in installation.rows("SELECT action FROM audit_auditevent ORDER BY seq")]


def open_holds(installation: Installation) -> int:
    return installation.rows("SELECT count(*) FROM reminders_mailhold WHERE released_at IS NULL")[0][0]


def rewrite(archive: Path, target: Path, change) -> Path:
    """Write a copy of the archive in which ``change(name, body)`` gives each file's new body, or None to drop it."""
    with tarfile.open(archive) as old, tarfile.open(target, "w:gz") as new:
        for member in old:
            body = change(member.name, old.extractfile(member).read())
            if body is not None:
                member.size = len(body)
                new.addfile(member, io.BytesIO(body))
    return target


def test_a_restore_brings_back_exactly_what_the_copy_held_and_holds_the_mail(filled, tmp_path):
    made = filled.ask("backup", "--folder", str(tmp_path / "copies"))
    assert made["tables"]["audit_auditevent"] == 1
    assert made["chains"] == 1
    filled.record("after")

    restored = filled.ask("restore", made["file"], "--folder", str(tmp_path / "copies"))

    assert restored["rows"] == made["rows"]
    assert restored["audit"] == {"ok": True, "events": 1, "items": 1}
    assert restored["mail_held"] is True
    assert actions(filled) == ["test.before", "installation.restored"]
    assert filled.ask("verify_audit")["ok"] is True
    # What was there before is not lost: the restore copied it first.
    assert filled.ask("restore", restored["previous"], "--folder", str(tmp_path / "more"))["audit"]["events"] == 2
    assert actions(filled) == ["test.before", "test.after", "installation.restored"]


def test_after_a_restore_audit_is_append_only_again_and_mail_waits_for_a_person(filled, made):
    assert filled.ask("release_mail")["released"] == 0
    filled.ask("restore", str(made), "--folder", str(made.parent / "before"))
    with pytest.raises((sqlite3.DatabaseError, psycopg2.DatabaseError), match="append-only"):
        filled.rows("UPDATE audit_auditevent SET reason = 'forged'")
    assert open_holds(filled) == 1
    assert filled.ask("release_mail", "--by", "Ana Ruiz")["released"] == 1
    assert open_holds(filled) == 0
    assert actions(filled)[-2:] == ["installation.restored", "mail.released"]


def test_evidence_files_travel_with_the_copy(filled, tmp_path):
    folder = ROOT / "var/evidence" / f"test-{os.getpid()}-{tmp_path.name}"
    folder.mkdir(parents=True)
    try:
        (folder / "proof.pdf").write_bytes(b"proof")
        copy = filled.ask("backup", "--folder", str(tmp_path))
        assert copy["evidence"] >= 1
        (folder / "proof.pdf").unlink()
        filled.ask("restore", copy["file"], "--folder", str(tmp_path / "before"))
        assert (folder / "proof.pdf").read_bytes() == b"proof"
    finally:
        shutil.rmtree(folder)


def test_no_key_is_in_the_copy_and_only_its_owner_may_read_it(migrated, made):
    assert made.stat().st_mode & 0o777 == 0o600
    with tarfile.open(made) as tar:
        everything = b"".join(tar.extractfile(member).read() for member in tar)
    assert b"canaries" in everything
    assert migrated.field_keys.encode() not in everything
    assert b"secret-of-this-test-installation" not in everything


def test_a_copy_made_with_other_keys_is_refused_and_nothing_changes(filled, made, tmp_path):
    filled.record("after")
    other = Fernet.generate_key().decode()
    refused = filled.run("restore", str(made), "--folder", str(tmp_path), "--json", FIELD_KEYS=other)
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["errors"][0]["code"] == "field_keys"
    assert actions(filled) == ["test.before", "test.after"]
    both = filled.ask("restore", str(made), "--folder", str(tmp_path / "x"), FIELD_KEYS=f"{other},{filled.field_keys}")
    assert both["audit"]["ok"] is True


def _damage_database(name, body):
    return body[:-1] + bytes([body[-1] ^ 1]) if name.startswith("database.") else body


def _drop_database(name, body):
    return None if name.startswith("database.") else body


def _drop_manifest(name, body):
    return None if name == "manifest.json" else body


def _claim_more_rows(name, body):
    if name != "manifest.json":
        return body
    manifest = json.loads(body)
    manifest["tables"]["audit_auditevent"] += 1
    return json.dumps(manifest).encode()


def _claim_a_later_version(name, body):
    if name != "manifest.json":
        return body
    manifest = json.loads(body)
    manifest["migrations"].append("users.9999_from_the_future")
    return json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_damage_database, "damaged"),
        (_drop_database, "damaged"),
        (_drop_manifest, "manifest"),
        (_claim_a_later_version, "newer"),
    ],
)
def test_a_copy_that_is_not_whole_or_not_ours_is_refused_and_nothing_changes(migrated, made, tmp_path, change, code):
    bad = rewrite(made, tmp_path / "bad.tar.gz", change)
    refused = migrated.run("restore", str(bad), "--folder", str(tmp_path), "--json")
    assert refused.returncode == 1, refused.stderr
    assert json.loads(refused.stdout)["errors"][0]["code"] == code
    assert "Traceback" not in refused.stderr
    assert actions(migrated) == ["test.before"]
    assert open_holds(migrated) == 0


def test_the_same_archive_written_again_unchanged_is_accepted(filled, made, tmp_path):
    same = rewrite(made, tmp_path / "same.tar.gz", lambda name, body: body)
    assert filled.ask("restore", str(same), "--folder", str(tmp_path / "x"))["audit"]["ok"] is True


def test_row_counts_that_differ_from_the_manifest_are_reported_and_no_mail_leaves(filled, made, tmp_path):
    bad = rewrite(made, tmp_path / "bad.tar.gz", _claim_more_rows)
    refused = filled.run("restore", str(bad), "--folder", str(tmp_path / "x"), "--json")
    assert refused.returncode == 1
    answer = json.loads(refused.stdout)
    assert "row counts" in answer["errors"][0]["message"]
    assert Path(answer["previous"]).is_file()
    # SQLite is proven beside the live file and left alone; PostgreSQL is restored in place, so its mail is held.
    assert open_holds(filled) == (0 if filled.database_url.startswith("sqlite") else 1)


def test_a_copy_whose_audit_chain_was_forged_is_named(filled, tmp_path):
    sqlite = filled.database_url.startswith("sqlite")
    filled.rows("DROP TRIGGER audit_auditevent_update" + ("" if sqlite else " ON audit_auditevent"))
    filled.rows("UPDATE audit_auditevent SET reason = 'forged'")
    copy = filled.ask("backup", "--folder", str(tmp_path))
    refused = filled.run("restore", copy["file"], "--folder", str(tmp_path / "x"), "--json")
    assert refused.returncode == 1
    error = json.loads(refused.stdout)["errors"][0]
    assert (error["code"], error["chain"], error["seq"]) == ("audit", "installation", 1)


def test_a_file_that_is_no_archive_and_a_file_that_is_not_there_are_refused_clearly(migrated, tmp_path):
    (tmp_path / "text.tar.gz").write_text("hello")
    for name, code in (("text.tar.gz", "damaged"), ("absent.tar.gz", "unreadable")):
        refused = migrated.run("restore", str(tmp_path / name), "--json")
        assert refused.returncode == 1
        assert json.loads(refused.stdout)["errors"][0]["code"] == code
        assert "Traceback" not in refused.stderr


def test_an_archive_cannot_write_outside_its_folder(migrated, tmp_path):
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("../../evil")
        member.size = 4
        tar.addfile(member, io.BytesIO(b"evil"))
    refused = migrated.run("restore", str(tmp_path / "evil.tar.gz"), "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["errors"][0]["code"] == "damaged"


def test_missing_client_programs_of_postgresql_are_named(migrated, tmp_path):
    if migrated.database_url.startswith("sqlite"):
        assert migrated.ask("backup", "--folder", str(tmp_path), PATH="/nowhere")["rows"] > 0
        return
    refused = migrated.run("backup", "--folder", str(tmp_path), "--json", PATH="/nowhere")
    assert refused.returncode == 1
    assert "pg_dump is not installed" in json.loads(refused.stdout)["errors"][0]["message"]


def test_a_restore_into_a_database_that_is_in_use_is_refused_on_postgresql(filled, made, tmp_path):
    if filled.database_url.startswith("sqlite"):
        pytest.skip("on SQLite the live file changes in one transaction, whoever reads it")
    with closing(psycopg2.connect(filled.database_url)):
        refused = filled.run("restore", str(made), "--folder", str(tmp_path), "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["errors"][0]["code"] == "in_use"
    assert actions(filled) == ["test.before"]
