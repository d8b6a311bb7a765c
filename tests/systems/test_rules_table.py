"""`docs/rules.md` names every rule once, and what it calls built is there."""

import importlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TABLE.splitlines()
    if re.match(r"\| R-\d\d ", line)
]


def test_every_rule_stands_in_the_table_once_and_in_order():
    assert [row[0] for row in ROWS] == [f"R-{number:02d}" for number in range(1, 61)]


def test_a_rule_has_code_and_test_or_the_issue_that_brings_it():
    for name, _, becomes, code, test in ROWS:
        assert bool(code) == bool(test), name
        assert code or re.search(r"issues? \d|with offboarding", becomes), name


def test_the_named_code_and_tests_exist():
    for name, _, _, code, test in ROWS:
        for path in re.findall(r"`([^`]+)`", code):
            module, _, attribute = path.rpartition(".")
            assert callable(getattr(importlib.import_module(module), attribute)), name
        for path in re.findall(r"`([^`]+)`", test):
            assert (ROOT / path).is_file(), name


FOLLOWED = (*range(1, 19), *range(23, 28), 33, 34, 38, 40, 41, 43, *range(47, 50), *range(51, 55), 56)


def test_what_clocks_and_findings_watch_is_followed_by_commands_alone():
    """From lists to what a tick finds: no rule rests on tests of its parts only."""
    for number in FOLLOWED:
        name, *_, test = ROWS[number - 1]
        assert re.search(r"_by_commands\.py|test_officials_lapse\.py", test), name
