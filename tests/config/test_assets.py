"""Browsers get the reviewed files and nothing else."""

import hashlib
import json
from pathlib import Path

import pytest

from scripts.assets import AssetsError, copy_files, served_bytes

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def packages(tmp_path):
    (tmp_path / "packages/thing").mkdir(parents=True)
    (tmp_path / "packages/thing/a.js").write_bytes(b"run();\n//# sourceMappingURL=a.js.map")
    return tmp_path / "packages"


def test_a_reviewed_file_is_copied_without_its_source_map_line(packages, tmp_path):
    wanted = {"a.js": {"from": "thing/a.js", "sha256": hashlib.sha256(b"run();\n").hexdigest()}}
    copy_files(packages, tmp_path / "vendor", wanted, write=False)
    assert (tmp_path / "vendor/a.js").read_bytes() == b"run();\n"


def test_a_changed_file_is_refused_and_the_copies_stay_as_they_were(packages, tmp_path):
    wanted = {"a.js": {"from": "thing/a.js", "sha256": hashlib.sha256(b"run();\n").hexdigest()}}
    copy_files(packages, tmp_path / "vendor", wanted, write=False)
    (packages / "thing/a.js").write_bytes(b"steal();\n")
    with pytest.raises(AssetsError, match=r"a\.js is not the reviewed file"):
        copy_files(packages, tmp_path / "vendor", wanted, write=False)
    assert (tmp_path / "vendor/a.js").read_bytes() == b"run();\n"


def test_a_file_that_left_its_package_is_named(packages, tmp_path):
    with pytest.raises(AssetsError, match=r"thing/b\.js is not in the packages"):
        copy_files(packages, tmp_path / "vendor", {"b.js": {"from": "thing/b.js"}}, write=True)


@pytest.mark.parametrize("ending", [b"//# sourceMappingURL=x.js.map", b"/*# sourceMappingURL=x.css.map */"])
def test_both_forms_of_source_map_lines_are_removed(ending):
    assert served_bytes(b"body" + b"\n" + ending + b"\n") == b"body\n"
    assert served_bytes(b"body\n") == b"body\n", "a file without the line stays"


def test_every_served_file_has_a_reviewed_hash():
    wanted = json.loads((ROOT / "frontend/files.json").read_text())
    assert wanted
    assert all(len(entry["sha256"]) == 64 for entry in wanted.values())


def test_the_lock_file_names_no_host_and_verifies_every_package():
    lock = json.loads((ROOT / "frontend/package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name
