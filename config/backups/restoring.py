"""Puts a copy back and proves it: manifest, row counts, keys, audit chains; then holds all mail.

A restored ledger has forgotten what was sent after the copy was made, so nothing leaves until a person has looked
(`manage.py release_mail`). What was there before is copied first, and the answer names that copy.
"""

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from audit.commands import Refused
from audit.models import INSTALLATION
from audit.services import Ref, record
from audit.verify import Verdict, verify_chains
from config.backups.databases import PostgresCopy, SqliteCopy, copier
from config.backups.making import make_backup
from config.backups.manifest import EVIDENCE, MANIFEST, Manifest, check_canaries, known_migrations, read_manifest
from config.owner_role import become_owner
from reminders.models import MailHold

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, the copy of what was there before (None for an empty database), and the audit verdict."""

    manifest: Manifest
    previous: Path | None
    verdict: Verdict


def restore_backup(*, file: Path, at: datetime, backups: Path) -> Restored:
    """Restore ``file``; raise Refused, with nothing changed, for a copy that is damaged, foreign or locked."""
    become_owner()
    backups.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=backups) as scratch_name:
        scratch = Path(scratch_name)
        manifest = unpack(file, scratch)
        copy = copier()
        if manifest.engine != copy.engine:
            raise Refused("engine", f"the copy is of {manifest.engine}, DATABASE_URL names {copy.engine}", str(file))
        check_canaries(manifest.canaries, str(file))
        if unknown := sorted(set(manifest.migrations) - known_migrations() - _migrations_of_others(manifest)):
            raise Refused(
                "newer", f"the copy was made by a newer version (it has {unknown[0]}); upgrade first", str(file)
            )
        if isinstance(copy, PostgresCopy) and (others := copy.other_sessions()):
            raise Refused("in_use", f"{others} other sessions use the database; stop web, worker and beat first", "")
        previous = make_backup(folder=backups, at=at).file if holds_something() else None
        dump = scratch / manifest.database_file
        try:
            if isinstance(copy, SqliteCopy):
                verdict = _restore_sqlite(copy, dump, manifest, at, str(file))
            else:
                verdict = _restore_postgres(copy, dump, manifest, at, str(file))
        except Refused as exc:
            exc.document["previous"] = str(previous) if previous else None
            raise
        _put_evidence(scratch / EVIDENCE)
    return Restored(manifest, previous, verdict)


def unpack(file: Path, target: Path) -> Manifest:
    """Unpack an archive into ``target`` and check every file against the manifest; raise Refused otherwise."""
    found: dict[str, str] = {}
    try:
        with tarfile.open(file, "r:gz") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                if content is None or not _is_plain_name(member.name):
                    raise Refused("damaged", f"{member.name!r} does not belong into a copy", str(file))
                found[member.name] = _write(content, target / member.name)
    except (tarfile.TarError, EOFError, OSError) as exc:
        if isinstance(exc, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise Refused("damaged", f"this is no whole archive: {exc}", str(file)) from exc
    if MANIFEST not in found:
        raise Refused("manifest", "the archive has no manifest", str(file))
    manifest = read_manifest((target / MANIFEST).read_text(encoding="utf-8"), str(file))
    del found[MANIFEST]
    for name in sorted(manifest.files.keys() | found.keys()):
        if manifest.files.get(name) != found.get(name):
            what = "is missing" if name not in found else "is not what the manifest lists"
            raise Refused("damaged", f"{name} {what}", str(file))
    return manifest


def _is_plain_name(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and bool(path.parts)


def _write(content: IO[bytes], path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        while block := content.read(_BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _migrations_of_others(manifest: Manifest) -> set[str]:
    """Return migrations of third-party apps: their past versions may have had steps that were squashed since."""
    ours = {app for app in settings.INSTALLED_APPS if "." not in app}
    return {name for name in manifest.migrations if name.partition(".")[0] not in ours}


def holds_something() -> bool:
    """Tell whether the database has people or organizations that a restore would replace."""
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table in ("users_user", "facilities_organization", "audit_auditevent"):
            if table in present:
                cursor.execute(f'SELECT 1 FROM "{table}" LIMIT 1')  # noqa: S608  (names from above)
                if cursor.fetchone():
                    return True
    return False


def _compare(found: tuple[object, object, object], manifest: Manifest, place: str) -> None:
    wanted = (manifest.tables, manifest.chains, manifest.migrations)
    for name, has, should in zip(("row counts", "audit chain heads", "migrations"), found, wanted, strict=True):
        if has != should:
            raise Refused("manifest", f"the {name} of the restored database are not those of the manifest", place)


def _restore_sqlite(copy: SqliteCopy, dump: Path, manifest: Manifest, at: datetime, place: str) -> Verdict:
    """Prove and prepare the copy beside the live file; the live one changes in one transaction, or not at all."""
    _compare(copy.facts_of(dump), manifest, place)
    with _database_file(dump):
        verdict = _finish(manifest, at)
    if verdict.ok:
        copy.load(dump)
    return verdict


@contextmanager
def _database_file(path: Path) -> Iterator[None]:
    connection.close()
    live = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
        connection.settings_dict["NAME"] = live


def _restore_postgres(copy: PostgresCopy, dump: Path, manifest: Manifest, at: datetime, place: str) -> Verdict:
    """Restore in place; whatever the proof says then, the mail is held."""
    copy.load(dump)
    facts = copy.facts()
    verdict = _finish(manifest, at)
    _compare(facts, manifest, place)
    return verdict


def _finish(manifest: Manifest, at: datetime) -> Verdict:
    """Hold the mail before anything else, bring the schema up to date, walk the chains, and record the restore."""
    reason = f"Restored from the copy of {manifest.made_at}"
    call_command("migrate", verbosity=0, interactive=False)
    with transaction.atomic():
        MailHold.objects.create(reason=reason, held_at=at)
    verdict = verify_chains()
    if verdict.ok:
        with transaction.atomic():
            record(
                chain=INSTALLATION,
                action="installation.restored",
                actor=Ref("command:restore", "manage.py restore"),
                subject=Ref("installation", "This installation"),
                at=at,
                reason=reason,
            )
    return verdict


def _put_evidence(source: Path) -> None:
    """Copy the evidence files over; files of later uploads stay, no row of the copy points to them."""
    if source.is_dir():
        shutil.copytree(source, settings.MEDIA_ROOT, dirs_exist_ok=True)
