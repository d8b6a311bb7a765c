"""The manners of contract commands, on small commands made here."""

import json
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit.commands import CommandFailed, ContractCommand, Outcome, Refused
from audit.context import request_id


def answers(run):
    """Return a command whose run() is the given function."""

    class Command(ContractCommand):
        requires_system_checks = []

        def add_options(self, parser):
            parser.add_argument("--name", default="")

        def run(self, **options):
            return run(options)

    return Command()


def call(command, *args):
    out, err = StringIO(), StringIO()
    failure = None
    try:
        call_command(command, *args, stdout=out, stderr=err)
    except CommandFailed as exc:
        failure = exc
    return out.getvalue(), err.getvalue(), failure


def test_a_success_prints_one_document_with_iso_dates():
    document = {"on": date(2026, 11, 22), "at": datetime(2026, 11, 22, 5, tzinfo=UTC)}
    out, err, failure = call(answers(lambda options: Outcome(document, ["fine"])), "--json")
    assert json.loads(out) == {"on": "2026-11-22", "at": "2026-11-22T05:00:00+00:00"}
    assert (err, failure) == ("", None)


def test_people_read_lines_instead():
    out, _, failure = call(answers(lambda options: Outcome({"a": 1}, ["one", "two"])))
    assert (out, failure) == ("one\ntwo\n", None)


def test_not_ok_still_prints_its_document_and_fails():
    out, _, failure = call(answers(lambda options: Outcome({"ok": False}, ["bad"], ok=False)), "--json")
    assert json.loads(out) == {"ok": False}
    assert failure.returncode == 1
    assert failure.document == {"ok": False}


def refuse(options):
    raise Refused("unknown_zone", "No such zone.", "--zone", {"rows": 0})


def test_a_refusal_names_place_and_reason_in_the_document():
    out, err, failure = call(answers(refuse), "--json")
    error = {"code": "unknown_zone", "message": "No such zone.", "place": "--zone"}
    assert json.loads(out) == {"rows": 0, "errors": [error]}
    assert err == "--zone: No such zone.\n"
    assert failure.returncode == 1


def test_a_refusal_without_json_goes_to_standard_error_only():
    out, err, failure = call(answers(refuse))
    assert (out, err) == ("", "--zone: No such zone.\n")
    assert failure.returncode == 1


def test_a_place_may_be_file_line_and_column():
    refused = Refused("date", "not a day", {"file": "a.csv", "line": 3, "column": "start_date"})
    assert str(refused) == "file a.csv, line 3, column start_date: not a day"
    assert refused.as_error()["line"] == 3


def test_a_command_error_becomes_a_document_too():
    def run(options):
        raise CommandError("nothing to do")

    out, _, failure = call(answers(run), "--json")
    assert json.loads(out)["errors"][0]["message"] == "nothing to do"
    assert failure.returncode == 1


@pytest.mark.django_db
@pytest.mark.db_engines
def test_a_missing_table_says_run_migrate_first():
    def run(options):
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM audit_never_made")

    out, _, failure = call(answers(run), "--json")
    error = json.loads(out)["errors"][0]
    assert error["code"] == "not_migrated"
    assert "manage.py migrate" in error["message"]
    assert failure.returncode == 1


def test_a_missing_file_is_named(tmp_path):
    out, _, _ = call(answers(lambda options: (tmp_path / "none.csv").open()), "--json")
    assert json.loads(out)["errors"][0]["place"].endswith("none.csv")


def test_a_fault_of_ours_is_not_dressed_as_a_refusal():
    with pytest.raises(ZeroDivisionError):
        call(answers(lambda options: 1 / 0), "--json")


def test_text_that_no_database_takes_is_refused():
    out, _, _ = call(answers(lambda options: Outcome({})), "--json", "--name", "a\udcff")
    assert json.loads(out)["errors"][0]["place"] == "--name"
    out, _, failure = call(answers(lambda options: Outcome({"n": options["name"]})), "--json", "--name", "aß")
    assert (json.loads(out), failure) == ({"n": "aß"}, None)


def test_misuse_from_the_command_line_exits_2_and_refusal_exits_1(capsys):
    with pytest.raises(SystemExit) as misuse:
        answers(refuse).run_from_argv(["manage.py", "some", "--nonsense"])
    assert misuse.value.code == 2
    with pytest.raises(SystemExit) as refusal:
        answers(refuse).run_from_argv(["manage.py", "some", "--json"])
    assert refusal.value.code == 1
    assert json.loads(capsys.readouterr().out)["errors"][0]["code"] == "unknown_zone"


def test_a_run_has_a_request_id_of_its_own_and_leaves_none_behind():
    seen = []

    def run(options):
        seen.append(request_id.get())
        return Outcome({})

    call(answers(run))
    call(answers(run))
    assert len(set(seen)) == 2
    assert all(len(value) == 32 for value in seen)
    assert request_id.get() == ""
