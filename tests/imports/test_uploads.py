"""Uploads between preview and consent: whose they are, where they lie, when they go."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as configured

from facilities.access import NotAllowed
from imports.models import Import, PendingImport
from imports.uploads import (
    OPEN_AT_MOST,
    UploadGone,
    content_of,
    discard_upload,
    forget_uploads,
    keep_upload,
    pending_of,
    written_as,
)
from tests.conftest import NOON

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(settings, tmp_path):
    settings.UPLOAD_ROOT = tmp_path / "uploads"
    return settings.UPLOAD_ROOT


@pytest.fixture
def keep(cast, folder):
    def kept(name="alice", at=NOON, content=b"cells", file_name="roster.csv"):
        facts = {"kind": Import.Kind.STAFF, "file_name": file_name, "sha256": "0" * 64, "content": content}
        return keep_upload(scope=cast.scope(name), at=at, **facts)

    return kept


def files(folder):
    return sorted(path for path in folder.glob("*/*"))


def test_an_upload_lies_in_the_organizations_folder_readable_by_us_alone(cast, keep, folder):
    pending = keep(file_name="C:\\HR\\roster.csv")
    [path] = files(folder)
    assert path.parent.name == str(cast.riverside.pk)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert path.name == pending.stored_as
    assert (pending.file_name, "roster" in path.name) == ("roster.csv", False)
    assert content_of(pending) == b"cells"
    assert configured.MEDIA_ROOT not in folder.parents


def test_only_who_may_import_keeps_an_upload_and_only_she_sees_it(cast, keep, folder):
    with pytest.raises(NotAllowed):
        keep("carol")
    assert files(folder) == []
    pending = keep()
    assert list(pending_of(cast.scope("alice"), at=NOON)) == [pending]
    assert not pending_of(cast.scope("audrey"), at=NOON).exists()
    assert not pending_of(cast.scope("mallory"), at=NOON).exists()


def test_an_upload_is_gone_after_a_day_and_not_before(cast, keep, folder):
    keep()
    young = keep(at=NOON + timedelta(hours=1))
    assert forget_uploads(at=NOON + timedelta(hours=23)) == 0
    assert len(files(folder)) == 2
    assert forget_uploads(at=NOON + timedelta(hours=24)) == 1
    assert [path.name for path in files(folder)] == [young.stored_as]
    assert list(pending_of(cast.scope("alice"), at=NOON + timedelta(hours=24))) == [young]
    assert forget_uploads(at=NOON + timedelta(hours=24)) == 0


def test_a_file_to_which_no_upload_belongs_goes_when_it_is_old(keep, folder):
    pending = keep()
    stray = files(folder)[0].parent / "left-by-a-crash"
    stray.write_bytes(b"cells")
    at = datetime(2026, 11, 20, 18, tzinfo=UTC)
    os.utime(stray, (at.timestamp(), at.timestamp()))
    assert forget_uploads(at=at) == 0
    PendingImport.objects.update(expires_at=at + timedelta(days=9))
    assert forget_uploads(at=at + timedelta(days=2)) == 1
    assert [path.name for path in files(folder)] == [pending.stored_as]


def test_what_was_discarded_or_lost_says_so(cast, keep, folder):
    pending = keep()
    files(folder)[0].unlink()
    with pytest.raises(UploadGone, match="choose the file again"):
        content_of(pending)
    discard_upload(scope=cast.scope("alice"), pending=pending)
    discard_upload(scope=cast.scope("alice"), pending=pending)
    with pytest.raises(UploadGone):
        written_as(pending)
    assert not PendingImport.objects.exists()


def test_nobody_fills_the_disk_with_uploads(cast, keep, folder):
    kept = [keep(at=NOON + timedelta(minutes=n)) for n in range(OPEN_AT_MOST + 2)]
    assert len(files(folder)) == OPEN_AT_MOST
    left = set(pending_of(cast.scope("alice"), at=NOON + timedelta(hours=1)))
    assert left == set(kept[2:])
