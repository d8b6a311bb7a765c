"""Uploads between preview and consent: outside the web root, readable by us alone, gone after a day.

Callers hand over what they have searched for secrets, never the file as it came.
"""

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from facilities.access import Scope, authorize
from facilities.errors import FacilitiesError
from imports.mappings import ACTIONS
from imports.models import Import, PendingImport

KEPT_FOR: Final = timedelta(hours=24)
OPEN_AT_MOST: Final = 10  # uploads that one member looks at; the oldest goes


class UploadGone(FacilitiesError):
    """What was uploaded is not there any more: expired, discarded, or left behind by a restored backup."""

    code = "gone"


@dataclass(frozen=True, slots=True)
class Agreed:
    """A person's consent to one upload with one outcome. ``really_left``: facilities whose brake she overrules."""

    pending: PendingImport
    digest: str
    really_left: frozenset[int] = frozenset()


def keep_upload(
    *,
    scope: Scope,
    kind: Import.Kind,
    file_name: str,
    sha256: str,
    content: bytes,
    at: datetime,
    columns: dict[str, str] | None = None,
    system: str = "",
) -> PendingImport:
    """Keep an upload for a day. Raises NotAllowed. Not an act of the audit: nothing of the register changes yet."""
    authorize(scope, ACTIONS[kind])
    assert scope.user_id is not None  # commands read their file where it lies
    stored_as = secrets.token_hex(24)
    write_private(_folder(scope.organization.pk) / stored_as, content)
    with transaction.atomic():
        pending = PendingImport.objects.create(
            organization=scope.organization,
            user_id=scope.user_id,
            kind=kind,
            file_name=file_name.replace("\\", "/").rpartition("/")[2][:200],
            sha256=sha256,
            stored_as=stored_as,
            columns=columns or {},
            system=system,
            created_at=at,
            expires_at=at + KEPT_FOR,
        )
        for old in pending_of(scope, at=at).order_by("-created_at", "-pk")[OPEN_AT_MOST:]:
            _drop(old)
    return pending


def pending_of(scope: Scope, *, at: datetime) -> "QuerySet[PendingImport]":
    """Return the member's own uploads that are neither taken nor expired."""
    mine = PendingImport.objects.filter(organization=scope.organization, user=scope.user_id)
    return mine.filter(expires_at__gt=at, source=None, noted_at=None)


def choose_columns(*, scope: Scope, pending: PendingImport, columns: dict[str, str], system: str = "") -> None:
    """Keep which column a person chose for which field, and which system; the next preview follows it."""
    authorize(scope, ACTIONS[Import.Kind(pending.kind)])
    pending.columns, pending.system = columns, system
    pending.save(update_fields=["columns", "system"])


def content_of(pending: PendingImport) -> bytes:
    """Return what `keep_upload` was given. Raises UploadGone."""
    try:
        return _path(pending).read_bytes()
    except OSError as exc:
        raise UploadGone(f"“{pending.file_name}” is not kept any more. Please choose the file again.") from exc


def discard_upload(*, scope: Scope, pending: PendingImport) -> None:
    """Throw an upload away before it was imported. Repeating it changes nothing."""
    authorize(scope, ACTIONS[Import.Kind(pending.kind)])
    with transaction.atomic():
        _drop(pending)


def written_as(pending: PendingImport) -> int | None:
    """Return the key of the import that an upload became, read anew; None before.

    Raises UploadGone, also for one that was taken without becoming an import (`mark_noted`).
    """
    found = PendingImport.objects.filter(pk=pending.pk).first()
    if found is None:
        raise UploadGone(f"“{pending.file_name}” was discarded meanwhile. Please choose the file again.")
    if found.noted_at is not None:
        raise UploadGone(f"“{pending.file_name}” was taken already.")
    return found.source_id


def mark_written(pending: PendingImport, source: int) -> None:
    """Bind an upload to the import it became and let go of its content. Needs the import's transaction."""
    PendingImport.objects.filter(pk=pending.pk).update(source=source)
    transaction.on_commit(lambda: _path(pending).unlink(missing_ok=True))


def mark_noted(pending: PendingImport, at: datetime) -> None:
    """Say that an upload was taken although no import came of it. Needs the transaction of what was noted."""
    PendingImport.objects.filter(pk=pending.pk).update(noted_at=at)
    transaction.on_commit(lambda: _path(pending).unlink(missing_ok=True))


def forget_uploads(*, at: datetime) -> int:
    """Remove expired uploads, and files to which no upload belongs; return how many."""
    with transaction.atomic():
        over = list(PendingImport.objects.filter(expires_at__lte=at).order_by("pk")[:500])
        for pending in over:
            _drop(pending)
    gone = len(over)
    known = set(PendingImport.objects.filter(source=None).values_list("stored_as", flat=True))
    for path in Path(settings.UPLOAD_ROOT).glob("*/*"):
        if path.name not in known and datetime.fromtimestamp(path.stat().st_mtime, UTC) < at - KEPT_FOR:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def _drop(pending: PendingImport) -> None:
    path = _path(pending)
    PendingImport.objects.filter(pk=pending.pk).delete()
    transaction.on_commit(lambda: path.unlink(missing_ok=True))


def _folder(organization: int) -> Path:
    return Path(settings.UPLOAD_ROOT) / str(organization)


def _path(pending: PendingImport) -> Path:
    return _folder(pending.organization_id) / pending.stored_as


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only we read, in a folder that only we enter. Raises FileExistsError."""
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
