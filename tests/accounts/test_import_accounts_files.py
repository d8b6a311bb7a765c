"""Lists of accounts as people keep them: workbooks, foreign titles, lost zeros, secrets in cells."""

import json
from datetime import date, datetime

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import PortalAccount
from audit.commands import CommandFailed
from audit.models import AuditEvent
from imports.models import Import, ImportRow
from tests.conftest import NOON
from tests.imports.workbooks import write_workbook

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
SEEN = datetime(2026, 11, 10, 8, 30)  # noqa: DTZ001  (a workbook knows no zones)
TITLES = ["Employee", "Login ID", "Provider CCN", "Portal", "Role(s)", "Acct Status", "Last Sign In", "Remarks"]


@pytest.fixture
def answer(cast, tmp_path, capsys):
    """Return a function (path, options) -> the command's document with its exit code."""

    def run(path, *options):
        capsys.readouterr()
        with time_machine.travel(NOON, tick=False):
            try:
                call_command("import_accounts", str(path), "--organization", "riverside", "--json", *options)
            except CommandFailed:
                return json.loads(capsys.readouterr().out) | {"exit": 1}
        return json.loads(capsys.readouterr().out) | {"exit": 0}

    return run


def test_a_facilitys_own_workbook_is_understood(cast, answer, tmp_path):
    path = write_workbook(
        tmp_path / "accounts.xlsx",
        {
            "Read me": [["Kept by Carol since 2019"]],
            "Users": [
                ["Oak House: who has what"],
                [],
                TITLES,
                ["Test, Henry", "htest1", 15009, "iQIES (Internet)", "pso; Assessment Submitter", "Active",
                 SEEN, "ok"],
                ["Carol Test", None, "015009", "MDS", None, "active", "Nov 2, 2026", None],
                ["Olga Test", " OTEST1 ", "15010", "IQIES", "Provider Security Official (PSO)", "ACTIVE",
                 date(2026, 11, 3), None],
            ],
        },
    )  # fmt: skip
    document = answer(path)
    assert (document["exit"], document["rejected"], document["unknown_people"]) == (0, [], [])
    assert (document["created"], document["matched"]) == (3, 3)
    assert {each["ccn"] for each in document["restored"]} == {"015009", "015010"}
    assert document["ignored_columns"] == ["Remarks"]
    held = PortalAccount.objects.filter(identity__isnull=False) | PortalAccount.objects.filter(system__slug="qies")
    told = {(str(each.person), each.system.slug): each.last_login_on for each in held}
    assert told == {
        ("Henry Test", "iqies"): date(2026, 11, 10),
        ("Carol Test", "qies"): date(2026, 11, 2),
        ("Olga Test", "iqies"): date(2026, 11, 3),
    }
    assert PortalAccount.objects.get(system__slug="harp", person=cast.people["olga"]).user_id == "OTEST1"
    assert PortalAccount.objects.get(system__slug="iqies", person=cast.people["henry"]).grants.count() == 2
    assert answer(path)["import"] is None


def test_day_first_files_are_read_by_all_values_of_the_column_and_told(cast, answer, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(
        "System,CCN,Name,E-mail,Access Role,Last Time In\n"
        "iQIES,015009,Henry Test,henry@example.org,PSO,03/11/2026\n"
        "iQIES,015009,Carol Test,carol@example.org,PSO,19/11/2026\n"
    )
    document = answer(path)
    assert document["dates"] == {"last_login_on": "day/month/year"}
    assert PortalAccount.objects.get(system__slug="iqies", person=cast.people["henry"]).last_login_on == date(
        2026, 11, 3
    )


@pytest.mark.parametrize(
    ("title", "cell"),
    [("Remarks", "pw: Summer2026!"), ("SSN", "078-05-1120"), ("Notes", "SSN 078-05-1120"), ("Security Answer", "Rex")],
)
def test_a_secret_anywhere_refuses_the_file_and_is_written_nowhere(cast, answer, tmp_path, title, cell):
    path = tmp_path / "list.csv"
    path.write_text(f"System,CCN,Name,Role,{title}\niQIES,015009,Henry Test,PSO,{cell}\n")
    document = answer(path)
    assert (document["exit"], document["errors"][0]["code"]) == (1, "secret")
    assert cell not in json.dumps(document)
    assert not PortalAccount.objects.exists()
    assert not Import.objects.exists()
    clean = tmp_path / "clean.csv"
    clean.write_text("System,CCN,Name,Role,Remarks\niQIES,015009,Henry Test,PSO,none\n")
    assert answer(clean)["created"] == 1


def test_two_people_with_one_user_id_in_one_list_are_both_written(cast, answer, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(
        "System,CCN,Name,E-mail,User ID,Role\n"
        "iQIES,015009,Henry Test,henry@example.org,SHARED1,PSO\n"
        "iQIES,015009,Carol Test,carol@example.org,shared1,PSO\n"
    )
    assert answer(path)["created"] == 2
    ids = PortalAccount.objects.filter(system__slug="harp").values_list("user_id", flat=True)
    assert {each.lower() for each in ids} == {"shared1"}
    assert answer(path)["import"] is None


def test_one_row_twice_and_two_user_ids_of_one_person(cast, answer, tmp_path):
    path = tmp_path / "list.csv"
    row = "iQIES,015009,Henry Test,henry@example.org,HTEST1,PSO\n"
    path.write_text("System,CCN,Name,E-mail,User ID,Role\n" + row + row + row.replace("HTEST1", "HTEST2"))
    document = answer(path)
    assert (document["created"], document["matched"], document["rejected"][0]["line"]) == (1, 2, 4)
    assert "another row gives another user ID" in document["rejected"][0]["reason"]


def test_what_was_not_taken_is_told_in_the_import_without_its_cells(cast, answer, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(
        "System,CCN,Name,E-mail,Role\niQIES,015009,Henry Test,henry@example.org,PSO\n"
        "iQIES,015009,Carol Test,carol@example.org,Chief\n"
    )
    answer(path)
    row = ImportRow.objects.get(status="rejected")
    assert (row.line, row.cells, row.subject_key) == (3, "", "")
    assert "has no role “Chief”" in row.reason
    event = AuditEvent.objects.get(action="accounts.imported")
    assert event.item_count == 1
    assert "example.org" not in json.dumps(list(AuditEvent.objects.values_list("reason", "subject_label")))


@pytest.mark.parametrize("content", [b"", b"System,CCN\n", b"\xff\xfe\x00\x00", b"PK\x03\x04broken"])
def test_a_file_that_cannot_be_read_whole_is_refused_with_a_reason(cast, answer, tmp_path, content):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    document = answer(path)
    assert document["exit"] == 1
    assert document["errors"][0]["message"]
    assert not Import.objects.exists()
