import json
from io import StringIO

import pytest
from django.core.management import call_command

from audit.commands import CommandFailed
from audit.models import AuditEvent, AuditItem

pytestmark = [pytest.mark.db_engines, pytest.mark.django_db]


def answer(*args):
    out = StringIO()
    try:
        call_command("bench_audit", *args, "--json", stdout=out, stderr=StringIO())
    except CommandFailed as exc:
        return json.loads(out.getvalue()), exc.returncode
    return json.loads(out.getvalue()), 0


def test_the_benchmark_measures_both_sides_and_keeps_nothing():
    told, _ = answer("--rows", "300", "--pairs", "3")  # the verdict on so few rows is chance
    assert (told["rows"], told["pairs"], told["gate"]) == (300, 3, 2.5)
    assert told["product_seconds"] > 0
    assert told["reference_seconds"] > 0
    assert told["ok"] == (told["ratio"] <= 2.5)
    assert not AuditEvent.objects.exists()
    assert not AuditItem.objects.exists()


def test_a_benchmark_of_nothing_is_refused():
    told, code = answer("--rows", "0")
    assert (told["errors"][0]["place"], code) == ("--rows", 1)
