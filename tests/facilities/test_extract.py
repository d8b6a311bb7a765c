"""The extract of the directory that ships: written, loaded, skipped, refused."""

import gzip
import io
import json
from datetime import UTC, date, datetime

import pytest
from django.core.management import call_command

from audit.commands import CommandFailed
from audit.models import AuditEvent
from audit.services import Ref
from facilities.ccn import dataset_titles
from facilities.errors import FacilitiesError
from facilities.extract import SHIPPED, load_extract, write_extract
from facilities.models import DirectoryEdition, Provider
from tests.facilities.shipped import shipped_rows

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LOADER = Ref("command:load_directory", "load_directory")
pytestmark = pytest.mark.django_db


@pytest.fixture
def small(tmp_path):
    """An extract of the first 300 shipped rows."""
    lines = gzip.decompress(SHIPPED.read_bytes()).splitlines(keepends=True)
    path = tmp_path / "small.csv.gz"
    path.write_bytes(gzip.compress(b"".join(lines[:301])))
    return path


def load(path):
    return load_extract(path=path, at=AT, actor=LOADER)


@pytest.mark.db_engines
def test_an_extract_loads_once_and_is_skipped_then(small):
    first = load(small)
    assert (first.fresh, first.providers, first.created) == (True, 300, 300)
    assert Provider.objects.count() == 300
    assert AuditEvent.objects.filter(action="directory.loaded").count() == 1

    second = load(small)
    assert (second.fresh, second.providers, second.created) == (False, 300, 0)
    assert DirectoryEdition.objects.count() == 1
    assert AuditEvent.objects.filter(action="directory.loaded").count() == 1


def test_what_was_written_is_what_loads_and_the_same_rows_give_the_same_bytes(small, tmp_path):
    load(small)
    rows = list(Provider.objects.order_by("ccn").values())
    out, again = tmp_path / "out.csv.gz", tmp_path / "again.csv.gz"
    count, digest = write_extract(path=out)
    assert write_extract(path=again) == (count, digest)
    assert out.read_bytes() == again.read_bytes()

    Provider.objects.all().delete()
    assert load(out).created == count == 300
    assert list(Provider.objects.order_by("ccn").values()) == rows


def test_a_newer_row_of_the_directory_survives_the_extract(small):
    ccn = shipped_rows()[0]["ccn"]
    newer = {"name": "RENAMED", "dataset": "hospitals", "vintage": "2099-01-01", "provider_type": "ACUTE"}
    Provider.objects.create(ccn=ccn, first_seen_on=AT.date(), last_seen_on=AT.date(), **newer)
    load(small)
    assert Provider.objects.get(ccn=ccn).name == "RENAMED"


def test_facilities_no_longer_listed_are_not_shipped(small, tmp_path):
    load(small)
    Provider.objects.filter(ccn=shipped_rows()[0]["ccn"]).update(unlisted_on=date(2026, 11, 1))
    assert write_extract(path=tmp_path / "out.csv.gz")[0] == 299


@pytest.mark.parametrize("damage", ["cut", "text", "columns", "row", "missing"])
def test_a_damaged_extract_writes_nothing(small, tmp_path, damage):
    data = gzip.decompress(small.read_bytes())
    broken = {
        "cut": small.read_bytes()[:-20],
        "text": data,
        "columns": gzip.compress(b"ccn,name\n015009,BURNS\n"),
        "row": gzip.compress(data + b"nonsense\n"),
    }
    path = tmp_path / "broken.csv.gz"
    if damage in broken:
        path.write_bytes(broken[damage])
    with pytest.raises(FacilitiesError):
        load(path)
    assert not Provider.objects.exists()
    assert load(small).created == 300


def test_the_shipped_extract_is_compact_and_every_row_names_its_source():
    rows = shipped_rows()
    assert SHIPPED.stat().st_size < 2_000_000
    assert len({row["ccn"] for row in rows}) == len(rows) > 50_000
    assert {row["dataset"] for row in rows} <= set(dataset_titles())
    assert all(row["vintage"] for row in rows if row["dataset"] != "other")
    assert {"AL", "TX", "PR", "GU", "HI", "VI", "AS", "MP"} <= {row["state"] for row in rows}


def test_the_command_says_what_it_did(small):
    out = io.StringIO()
    call_command("load_directory", f"--file={small}", "--json", stdout=out)
    assert json.loads(out.getvalue())["created"] == 300
    out = io.StringIO()
    call_command("load_directory", f"--file={small}", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {
        "loaded": False,
        "providers": 300,
        "created": 0,
        "updated": 0,
        "unchanged": 0,
    }
    out = io.StringIO()
    with pytest.raises(CommandFailed):
        call_command("load_directory", "--file=nothing.csv.gz", "--json", stdout=out)
    assert json.loads(out.getvalue())["errors"][0]["code"] == "unreadable"
