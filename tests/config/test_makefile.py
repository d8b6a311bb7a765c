"""The targets people and outside checks call exist, are .PHONY, and `make -n` understands them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ["setup", "run", "test", "check", "audit", "bench", "bench-small", "shots", "backup", "restore", "lock"]
CONTRACT += ["assets", "totp"]
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-n", f"PYTHON={sys.executable}", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@needs_make
@pytest.mark.parametrize("target", CONTRACT)
def test_every_target_of_the_contract_is_phony_and_known_to_make(target):
    [declared] = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert target in declared.split()
    assert make(target, "FILE=copy.tar.gz").returncode == 0


@needs_make
def test_an_unknown_target_is_refused():
    assert make("no-such-target").returncode != 0


@needs_make
def test_run_starts_nothing_but_the_embedded_product_and_dies_with_make():
    assert "-m config.embedded --with-parent" in make("run").stdout


@needs_make
def test_what_a_target_starts_keeps_its_bytecode_whatever_the_shell_says():
    says = "--eval=said:\n\t@echo bytecode: $$PYTHONDONTWRITEBYTECODE."
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run(
        ["make", "-s", says, "said"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout == "bytecode: .\n"
