"""Files that prove how a request ended: taken by content, searched for secrets, kept with their hash, in the backup."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, RequestFile
from accounts.policy.requesting import State
from accounts.services.requests.ending import finish
from accounts.services.requests.evidence import LARGEST, Upload, content_of
from audit.models import AuditEvent, AuditItem
from config.backups.making import evidence_files
from config.env import EnvironmentRefused, folder, read
from tests.conftest import NOON, TODAY
from tests.requests.asking import cms_did
from tests.requests.scenes import running

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n1 0 obj\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"


@pytest.fixture(autouse=True)
def evidence(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "evidence"
    return settings.MEDIA_ROOT


def prove(cast, request, name, content):
    return finish(
        scope=cast.scope("carol"), request=request, effective_on=TODAY, proof="file", upload=Upload(name, content),
        cms_side=cms_did(request), at=NOON,
    )  # fmt: skip


def test_a_file_is_kept_with_its_hash_where_only_we_read_it_and_travels_with_the_backup(cast, evidence):
    request = running(cast)
    assert prove(cast, request, "C:\\scans\\IQIES approval.exe", PDF).state == State.DONE
    kept = RequestFile.objects.get()
    assert (kept.name, kept.content_type, kept.size) == ("IQIES approval.pdf", "application/pdf", len(PDF))
    assert kept.sha256 == hashlib.sha256(PDF).hexdigest()
    [path] = evidence_files()
    assert path == evidence / kept.path
    assert path.parent.name == str(cast.riverside.pk)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert content_of(kept) == PDF
    [item] = AuditItem.objects.of_event(AuditEvent.objects.get(action="request.done").pk)
    assert json.loads(item.payload)["files"] == [kept.sha256]
    path.write_bytes(PDF + b"forged")
    with pytest.raises(AccountRefused, match="proves nothing"):
        content_of(kept)
    path.unlink()
    with pytest.raises(AccountRefused, match="from a backup"):
        content_of(kept)


@pytest.mark.parametrize(
    ("name", "content", "kept_as"),
    [
        ("shot.jpg", PNG, "shot.png"),
        ("shot", JPEG, "shot.jpg"),
        ("mail.txt", "The role was added – CMS".encode(), "mail.txt"),
        ("mail.eml", "Rôle added".encode("utf-16"), "mail.txt"),
        ("old.txt", "Approved – see above".encode("cp1252"), "old.txt"),
        ("../../etc/passwd", b"approved", "passwd.txt"),
    ],
)
def test_what_is_in_a_file_counts_not_its_name(cast, name, content, kept_as):
    prove(cast, running(cast), name, content)
    assert RequestFile.objects.get().name == kept_as


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", b"", "empty"),
        ("a.pdf", PDF + b"0" * LARGEST, "5 MB"),
        ("a.pdf", b"MZ\x90\x00\x03", "Choose a PDF"),
        ("a.txt", b"plain\x00text", "Choose a PDF"),
        ("a.txt", b"User ID: HT01\nPassword: Winter2026!", "looks like a password"),
        ("ssn 123-45-6789.pdf", PDF, "name looks like a secret"),
    ],
)
def test_what_is_no_evidence_is_refused_and_nothing_is_written(cast, name, content, said, evidence):
    request = running(cast)
    with pytest.raises(AccountRefused, match=said) as refused:
        prove(cast, request, name, content)
    assert refused.value.field == "file"
    request.refresh_from_db()
    assert request.state == State.APPROVED
    assert not RequestFile.objects.exists()
    assert not list(Path(evidence).rglob("*.*")) + [path for path in Path(evidence).rglob("*") if path.is_file()]


def test_a_file_of_an_act_that_fails_is_removed(cast):
    request = running(cast, wanted_until=TODAY - timedelta(days=3), at=NOON - timedelta(days=5))
    with pytest.raises(AccountRefused, match="wanted until"):
        prove(cast, request, "a.pdf", PDF)
    assert evidence_files() == []
    assert AccessRequest.objects.get().state == State.APPROVED


def test_the_folder_is_an_absolute_path_or_the_start_stops(monkeypatch, tmp_path):
    monkeypatch.setenv("EVIDENCE_DIR", str(tmp_path / "proofs"))
    assert read("EVIDENCE_DIR", folder, None) == tmp_path / "proofs"
    monkeypatch.setenv("EVIDENCE_DIR", "proofs")
    with pytest.raises(EnvironmentRefused, match="EVIDENCE_DIR: 'proofs' cannot be used: use the absolute path"):
        read("EVIDENCE_DIR", folder, None)
