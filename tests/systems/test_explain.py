"""`explain`: the published limits by command, for dates on both sides of every line."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit.commands import CommandFailed

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]


def explain(**options):
    out = io.StringIO()
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    call_command("explain", *words, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def row(kind, **options):
    [found] = [each for each in explain(**options)["deadlines"] if each["kind"] == kind]
    return found


@pytest.mark.parametrize(
    ("system", "kind", "last_login", "due_on", "policy", "consequence", "confidence"),
    [
        ("qies", "inactivity", "2015-03-01", "2015-05-30", "QIES-INACT-1", "inactive", "seed"),
        ("qies", "inactivity", "2017-03-25", "2017-06-23", "QIES-INACT-1", "inactive", "seed"),
        ("qies", "inactivity", "2017-04-10", "2017-06-25", "QIES-INACT-3", "disabled", "official"),
        ("qies", "inactivity", "2017-04-26", "2017-06-25", "QIES-INACT-3", "disabled", "official"),
        ("qies", "inactivity", "2017-04-28", "2017-06-27", "QIES-INACT-3", "disabled", "official"),
        ("qies", "inactivity", "2026-06-16", "2026-08-15", "QIES-INACT-3", "disabled", "official"),
        ("qies", "deletion", "2015-01-01", "2017-06-25", "QIES-INACT-4", "deleted", "official"),
        ("qies", "deletion", "2025-11-22", "2026-11-22", "QIES-INACT-4", "deleted", "official"),
        ("casper", "inactivity", "2015-03-01", "2015-05-30", "CASP-INACT-1", "inactive", "seed"),
        ("casper", "inactivity", "2026-09-01", "2026-10-31", "CASP-INACT-2", "disabled", "inference"),
        ("casper", "deletion", "2024-02-29", "2025-02-28", "CASP-INACT-2", "deleted", "inference"),
        ("cmsnet", "inactivity", "2026-01-01", "2026-03-31", "CMSN-INACT-1", "deactivated", "state"),
        ("iqies", "inactivity", "2023-04-17", "2024-05-19", "IQ-INACT-1", "roles_revoked", "official"),
        ("iqies", "inactivity", "2026-09-23", "2026-11-22", "IQ-INACT-1", "roles_revoked", "official"),
        ("eqrs", "inactivity", "2021-09-01", "2021-10-31", "EQRS-INACT-1", "roles_revoked", "official"),
        ("eqrs", "inactivity", "2021-01-01", "2021-10-14", "EQRS-INACT-1", "roles_revoked", "official"),
        ("qualitynet", "inactivity", "2014-01-01", "2014-05-01", "QNET-INACT-1", "deactivated", "official"),
        ("idm", "inactivity", "2022-01-01", "2022-06-30", "EP-INACT-2", "password_expired", "inference"),
        ("idm", "inactivity", "2022-12-01", "2023-03-31", "EP-INACT-1", "password_expired", "inference"),
        ("idm", "inactivity", "2023-04-01", "2023-05-31", "EP-INACT-1", "password_expired", "official"),
    ],
)
def test_published_limits(catalogue, system, kind, last_login, due_on, policy, consequence, confidence):
    found = row(kind, system=system, last_login=last_login, on="2026-11-22")
    assert (found["due_on"], found["policy"], found["consequence"]) == (due_on, policy, consequence)
    assert found["confidence"] == confidence
    assert found["cure"]
    assert found["source"]


def test_the_last_safe_day_is_not_overdue_and_the_next_one_is(catalogue):
    on_the_day = row("inactivity", system="iqies", last_login="2026-09-23", on="2026-11-22")
    assert (on_the_day["days_left"], on_the_day["overdue"]) == (0, False)
    after = row("inactivity", system="iqies", last_login="2026-09-23", on="2026-11-23")
    assert (after["days_left"], after["overdue"]) == (-1, True)


def test_the_idle_and_the_deletion_clock_of_qies_run_side_by_side(catalogue):
    answer = explain(system="qies", last_login="2026-09-01", on="2026-11-22")
    assert [each["kind"] for each in answer["deadlines"]] == ["inactivity", "deletion"]
    assert [each["kind"] for each in answer["not_counted"]] == ["password"]
    assert answer["unknown"] is False


def test_who_never_signed_in_is_counted_from_the_grant(catalogue):
    said = row("inactivity", system="iqies", last_login="never", granted_on="2026-10-01", on="2026-11-22")
    silent = row("inactivity", system="iqies", granted_on="2026-10-01", on="2026-11-22")
    assert said == silent
    assert (said["due_on"], said["basis_on"]) == ("2026-11-30", "2026-10-01")


def test_a_login_counts_before_the_grant_does(catalogue):
    found = row("inactivity", system="iqies", last_login="2026-11-01", granted_on="2026-01-01", on="2026-11-22")
    assert found["basis_on"] == "2026-11-01"


def test_an_unknown_login_gets_no_date_whatever_the_grant(catalogue):
    answer = explain(system="idm", last_login="unknown", granted_on="2026-10-01", on="2026-11-22")
    assert (answer["deadlines"], answer["unknown"]) == ([], True)


def test_never_signed_in_and_no_grant_day_leaves_nothing_to_count_from(catalogue):
    answer = explain(system="iqies", on="2026-11-22")
    assert (answer["deadlines"], answer["unknown"]) == ([], True)
    assert answer["not_counted"][0]["kind"] == "inactivity"


@pytest.mark.parametrize("system", ["harp", "hqr", "ia", "sams"])
def test_a_system_without_a_published_limit_has_no_deadlines(catalogue, system):
    answer = explain(system=system, last_login="2020-01-01", granted_on="2020-01-01", on="2026-11-22")
    assert (answer["deadlines"], answer["unknown"]) == ([], False)


@pytest.mark.parametrize(
    ("granted_on", "due_on"),
    [
        ("2026-01-15", "2027-01-14"),
        ("2024-02-29", "2025-02-27"),
        ("2020-01-01", "2021-06-30"),
        ("2020-08-01", "2021-07-31"),
    ],
)
@pytest.mark.parametrize("system", ["idm", "psr"])
def test_certification_is_due_the_day_before_the_anniversary(catalogue, system, granted_on, due_on):
    found = row("certification", system=system, last_login="2026-11-01", granted_on=granted_on, on="2026-11-22")
    assert (found["due_on"], found["policy"], found["consequence"]) == (due_on, "EP-CERT-2", "role_removed")


def test_without_a_grant_day_certification_is_said_not_to_be_counted(catalogue):
    answer = explain(system="idm", last_login="2026-11-01", on="2026-11-22")
    assert [each["kind"] for each in answer["deadlines"]] == ["inactivity"]
    assert [each["kind"] for each in answer["not_counted"]] == ["certification"]


def test_an_assumed_start_is_shown_as_such(catalogue):
    found = row("inactivity", system="idm", last_login="2026-11-01", on="2026-11-22")
    assert (found["effective_from"], found["start_confidence"]) == ("2023-04-01", "inference")


def test_a_figure_of_one_state_is_never_applied_against_the_owners_notice(catalogue):
    assert "QIES-INACT-5" not in json.dumps(explain(system="qies", last_login="2014-01-01", on="2026-11-22"))


def test_an_unknown_system_is_refused_with_the_names_that_exist(catalogue):
    with pytest.raises(CommandFailed) as caught:
        explain(system="qeis", last_login="2026-11-01", on="2026-11-22")
    [error] = caught.value.document["errors"]
    assert error["place"] == "--system"
    assert "'qeis'" in error["message"]
    assert "qies" in error["message"].replace("qeis", "")


@pytest.mark.parametrize("field", ["last_login", "granted_on"])
def test_a_day_after_the_day_asked_about_is_refused(catalogue, field):
    assert explain(system="iqies", on="2026-11-22", **{field: "2026-11-22"})["deadlines"]
    with pytest.raises(CommandFailed, match="2026-11-23 lies after"):
        explain(system="iqies", on="2026-11-22", **{field: "2026-11-23"})


@pytest.mark.parametrize("text", ["2026-02-30", "22.11.2026", "20261122", "2026-W47-7", "today", "", "２０２６-11-22"])
@pytest.mark.parametrize("field", ["last_login", "on", "granted_on"])
def test_what_is_no_date_is_misuse(catalogue, field, text):
    options = {"system": "iqies", "last_login": "2026-11-01", "on": "2026-11-22"} | {field: text}
    with pytest.raises(CommandError, match="argument --"):
        explain(**options)


def test_the_ends_of_the_calendar_are_answered(catalogue):
    assert row("inactivity", system="qies", last_login="9999-12-31", on="9999-12-31")["due_on"] == "9999-12-31"
    assert row("inactivity", system="qies", last_login="0001-01-01", on="2026-11-22")["due_on"] == "0001-04-01"


def test_people_read_sentences(catalogue):
    out = io.StringIO()
    call_command("explain", "--system=iqies", "--last-login=2026-09-23", "--on=2026-11-25", stdout=out)
    text = out.getvalue()
    assert "inactivity: last safe day 2026-11-22 (3 days overdue)." in text
    assert "request each role again" in text
    assert "IQ-INACT-1" in text


def test_misuse_on_the_command_line_exits_two_without_a_traceback():
    command = [sys.executable, "manage.py", "explain", "--system=iqies", "--on=tomorrow", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'tomorrow' is no date" in done.stderr
    assert "Traceback" not in done.stderr
