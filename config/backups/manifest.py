"""What a copy says about itself, so that a restore can tell whether it got everything and may open it."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from audit.commands import Refused

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
EVIDENCE: Final = "evidence"
_CANARY: Final = b"portalkeeper backup canary"
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything needed to judge a copy; holds no key.

    ``tables`` maps table to number of rows, ``chains`` maps audit chain to ``[seq, hash]`` of its head,
    ``files`` maps each path in the archive to its SHA-256, ``migrations`` lists ``app.name`` as applied, and
    ``canaries`` holds one known text encrypted with each of the FIELD_KEYS.
    """

    format: int
    made_at: str
    version: str
    engine: str
    database_file: str
    tables: dict[str, int]
    chains: dict[str, list[Any]]
    migrations: list[str]
    files: dict[str, str]
    canaries: list[str]

    def as_json(self) -> str:
        """Return the text of the archive's ``manifest.json``."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)


def read_manifest(text: str, place: str) -> Manifest:
    """Parse a manifest; raise Refused for anything that is not one of this format."""
    try:
        values = json.loads(text)
        if values.get("format") != FORMAT:
            raise ValueError(f"format {values.get('format')!r}, this version reads {FORMAT}")
        found = Manifest(**{field.name: values[field.name] for field in fields(Manifest)})
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        raise Refused("manifest", f"the manifest cannot be read: {exc}", place) from exc
    if found.database_file not in found.files:
        raise Refused("manifest", "the manifest does not name its database file", place)
    return found


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def make_canaries() -> list[str]:
    """Return the known text encrypted with each of the FIELD_KEYS: rows may be encrypted with any of them."""
    return [Fernet(key).encrypt(_CANARY).decode() for key in settings.FIELD_KEYS]


def check_canaries(canaries: list[str], place: str) -> None:
    """Raise Refused when a canary opens with none of the FIELD_KEYS: second factors would be lost."""
    keys = [Fernet(key) for key in settings.FIELD_KEYS]
    for position, canary in enumerate(canaries, start=1):
        if not any(_opens(key, canary) for key in keys):
            raise Refused(
                "field_keys",
                f"FIELD_KEYS of this installation do not open key {position} of {len(canaries)} of the copy;"
                " give the keys that were in use when the copy was made",
                place,
            )


def _opens(key: Fernet, canary: str) -> bool:
    try:
        return key.decrypt(canary) == _CANARY
    except (InvalidToken, TypeError):
        return False


def known_migrations() -> set[str]:
    """Return ``app.name`` of every migration this version of the product has."""
    return {f"{app}.{name}" for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations}
