"""Files that prove how a request ended: taken by their content, outside the web root, readable by us alone.

A file is on disk before its row is, so that a backup finds what its rows name (`config.backups.making`).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, RequestFile
from audit.secrets import found_secret
from facilities.access import Scope
from imports.uploads import write_private

LARGEST: Final = 5 * 2**20  # bytes
FILES_AT_MOST: Final = 10  # of one request
_SIGNS: Final = (
    (b"%PDF-", "application/pdf", ".pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
)
_TEXT: Final = ("text/plain", ".txt")
_LINE_ENDS: Final = frozenset("\t\n\r\f")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it arrived, still in memory."""

    name: str
    content: bytes


def keep_file(*, scope: Scope, request: AccessRequest, upload: Upload, at: datetime) -> RequestFile:
    """Keep a file of a request; the caller has locked it and records the act. The row falls with its transaction.

    The file itself does not: the caller hands it to `drop` when the transaction fails. Raises AccountRefused for a
    file that is empty, too large, of another kind, or holds a secret.
    """
    content_type, suffix = _kind_of(upload)
    if RequestFile.objects.filter(request=request).count() >= FILES_AT_MOST:
        raise AccountRefused(f"A request keeps {FILES_AT_MOST} files at most. Write down in words what it shows.")
    path = f"{request.organization_id}/{secrets.token_hex(24)}"
    kept = RequestFile(
        organization_id=request.organization_id,
        request=request,
        name=_plain_name(upload.name, suffix),
        content_type=content_type,
        size=len(upload.content),
        sha256=hashlib.sha256(upload.content).hexdigest(),
        path=path,
        at=at,
        by=scope.actor.label,
    )
    write_private(Path(settings.MEDIA_ROOT) / path, upload.content)
    try:
        kept.save(force_insert=True)
    except BaseException:
        drop(kept)
        raise
    return kept


def drop(file: RequestFile) -> None:
    """Remove what `keep_file` wrote, where the act did not come about."""
    (Path(settings.MEDIA_ROOT) / file.path).unlink(missing_ok=True)


def content_of(file: RequestFile) -> bytes:
    """Return a file as it was kept. Raises AccountRefused where it is missing or not what it was."""
    try:
        content = (Path(settings.MEDIA_ROOT) / file.path).read_bytes()
    except OSError as exc:
        raise AccountRefused(
            f"“{file.name}” is not in the evidence folder. Ask who runs the server to put it back from a backup.",
            code="gone",
        ) from exc
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise AccountRefused(
            f"“{file.name}” was changed after it was kept, so it proves nothing. Ask who runs the server to put it back"
            " from a backup.",
            code="changed",
        )
    return content


def _kind_of(upload: Upload) -> tuple[str, str]:
    """Return content type and suffix by what is in the file, whatever it is called."""
    if not upload.content:
        raise AccountRefused("The file is empty.", field="file")
    if len(upload.content) > LARGEST:
        raise AccountRefused("The file is larger than 5 MB. Make the picture smaller, or keep one page.", field="file")
    if found_secret(upload.name):
        raise AccountRefused("The file’s name looks like a secret. Give it another name.", field="file", code="secret")
    for sign, content_type, suffix in _SIGNS:
        if upload.content.startswith(sign):
            return content_type, suffix
    text = _as_text(upload.content)
    if text is None:
        raise AccountRefused("Choose a PDF, a PNG or JPEG picture, or plain text.", field="file", code="type")
    kind = found_secret(text)
    if kind:
        raise AccountRefused(
            f"The file holds what looks like {kind}. Portalkeeper never keeps one: take it out, then choose it again.",
            field="file",
            code="secret",
        )
    return _TEXT


def _as_text(content: bytes) -> str | None:
    """Return plain text as text; None for anything else."""
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")  # saved by an old editor
        except UnicodeDecodeError:
            return None
    return text if all(sign in _LINE_ENDS or sign.isprintable() or ord(sign) > 0x9F for sign in text) else None


def _plain_name(name: str, suffix: str) -> str:
    """Return the file's own name without folders and control characters, with the suffix of what is in it."""
    last = name.replace("\\", "/").rpartition("/")[2]
    stem = "".join(sign for sign in last if sign.isprintable()).rpartition(".")[0] or last or "evidence"
    return f"{stem.strip(' .')[:150] or 'evidence'}{suffix}"
