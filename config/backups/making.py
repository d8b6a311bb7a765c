"""Makes one archive: database, evidence files and a manifest. No key is in it."""

import os
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from config.backups.databases import copier
from config.backups.manifest import EVIDENCE, FORMAT, MANIFEST, Manifest, make_canaries, sha256_of


@dataclass(frozen=True, slots=True)
class Made:
    """One finished copy."""

    file: Path
    manifest: Manifest


def make_backup(*, folder: Path, at: datetime) -> Made:
    """Write ``portalkeeper-<instant>.tar.gz`` (mode 0600) into ``folder``, complete or not at all.

    The database is copied first: an evidence file is on disk before its row is, so every row finds its file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"portalkeeper-{at:%Y%m%dT%H%M%SZ}.tar.gz"
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as scratch_name:
        scratch = Path(scratch_name)
        copy = copier()
        dump = scratch / copy.file_name
        tables, chains, migrations = copy.dump(dump)
        manifest = Manifest(
            format=FORMAT,
            made_at=at.isoformat(timespec="seconds"),
            version=product_version(),
            engine=copy.engine,
            database_file=copy.file_name,
            tables=tables,
            chains=chains,
            migrations=migrations,
            files={copy.file_name: sha256_of(dump)},
            canaries=make_canaries(),
        )
        archive = scratch / final.name
        with os.fdopen(os.open(archive, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as tar:
                tar.add(dump, copy.file_name)
                for path in evidence_files():
                    name = f"{EVIDENCE}/{path.relative_to(settings.MEDIA_ROOT).as_posix()}"
                    tar.add(path, name)
                    manifest.files[name] = sha256_of(path)
                # Last, because only now every hash is known; a reader finds it by name.
                (scratch / MANIFEST).write_text(manifest.as_json(), encoding="utf-8")
                tar.add(scratch / MANIFEST, MANIFEST)
            raw.flush()
            os.fsync(raw.fileno())
        archive.replace(final)
    return Made(final, manifest)


def evidence_files() -> list[Path]:
    """Return the uploaded evidence files in a stable order."""
    root = Path(settings.MEDIA_ROOT)
    return sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def product_version() -> str:
    """Return the version of ``pyproject.toml``; the product is run from its folder, not installed as a package."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
