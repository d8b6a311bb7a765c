"""Two tables of what people type and spreadsheets leave, each row with the answer the rules of the number give it.

Every row goes through the command. The CCN table gives the problems of number and state, the ZIP table those of
the ZIP; what depends on the directory alone (``not_listed``) is told by the directory.
"""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from audit.commands import CommandFailed
from audit.services import Ref
from facilities.ccn import state_of_zip
from facilities.models import Provider
from imports.providers import import_providers

DATA = Path(__file__).resolve().parent.parent / "data"
pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture(autouse=True)
def directory(db):
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    import_providers(paths=[DATA / "providers_small.csv"], at=at, actor=Ref("command:test", "a test"))
    return {row.ccn: row for row in Provider.objects.all()}


def table(name):
    """Return the rows of a table; \\u200b and the like are written out as in Python."""
    with (DATA / name).open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row | {"typed": row["typed"].encode().decode("unicode_escape")} for row in rows]


def answer(ccn, state, zip_code):
    """Return (document, exit code) of one run of the command."""
    out = io.StringIO()
    try:
        call_command("check_facility", f"--ccn={ccn}", f"--state={state}", f"--zip={zip_code}", "--json", stdout=out)
    except CommandFailed as failed:
        return json.loads(out.getvalue()), failed.returncode
    return json.loads(out.getvalue()), 0


def told(document, *fields):
    return sorted(problem["code"] for problem in document["problems"] if problem["field"] in fields)


def a_zip_in(state):
    tried = ["96799", "96950", *(f"{prefix:03d}01" for prefix in range(5, 1000))]
    return next(zip_code for zip_code in tried if state_of_zip(zip_code) == state)


def test_every_typed_number_gets_the_answer_of_the_rules(directory):
    cases = table("ccn_cases.csv")
    assert len(cases) > 240
    wrong = []
    for case in cases:
        listed = directory.get(case["ccn"])
        state = case["state"].upper()[:2] if case["state"] not in ("", "Ontario") else ""
        zip_code = listed.zip_code if listed and state in ("", listed.state) else a_zip_in(state or "AL")
        document, code = answer(case["typed"], case["state"], zip_code)
        expected = case["codes"].split() + (["not_listed"] if case["ccn"] and not listed else [])
        found = {
            "ccn": document["normalized_ccn"] or "",
            "extension": document["extension"] or "",
            "type": document["provider_type"] or "",
            "codes": told(document, "ccn", "state"),
        }
        right = {key: case[key] for key in ("ccn", "extension", "type")} | {"codes": sorted(expected)}
        if found != right:
            wrong.append((case["typed"], case["state"], found, right))
        assert document["name"] == (listed.name if listed else None), case
        assert document["ok"] is (not set(expected) - {"licensed_only"} and not told(document, "zip")), case
        assert code == (0 if document["ok"] else 1), case
    assert wrong == []


def test_every_typed_zip_gets_the_answer_of_the_rules():
    cases = table("zip_cases.csv")
    assert len(cases) > 80
    found = [told(answer(row["ccn"], row["state"], row["typed"])[0], "zip") for row in cases]
    asked = [(row["ccn"], row["state"], row["typed"]) for row in cases]
    right = [sorted(row["codes"].split()) for row in cases]
    assert list(zip(asked, found, strict=True)) == list(zip(asked, right, strict=True))
