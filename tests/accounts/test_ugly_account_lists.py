"""Lists of accounts as people keep them: no user ID that is none, no row for the wrong one."""

import json
from contextlib import suppress
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import PortalAccount
from audit.commands import CommandFailed
from tests.conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
HEADER = "System,CCN,Last Name,First Name,Work Email,User ID,Role,Role Status,Granted On,Last Login"
HENRY = "iQIES,015009,Test,Henry,henry@example.org,HT1,Provider Assessment Viewer,Active,,"
CAROL = "iQIES,015009,Test,Carol,carol@example.org,CT1,Provider Assessment Viewer,Active,,"


@pytest.fixture
def bring(cast, tmp_path):
    def run(*rows, header=HEADER):
        path, out = tmp_path / "list.csv", StringIO()
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        with time_machine.travel(NOON, tick=False), suppress(CommandFailed):
            call_command("import_accounts", str(path), organization="riverside", json=True, stdout=out,
                         stderr=StringIO())  # fmt: skip
        return json.loads(out.getvalue())

    return run


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("1.23E+05", "rounded this number"),
        ("2026-05-03", "made a day of this"),
        ("same as above", "refers to another row"),
        ("#CALC!", "spreadsheet error"),
    ],
)
def test_what_is_no_user_id_is_refused_with_its_cell(bring, given, reason):
    document = bring(HENRY.replace("HT1", given))
    assert [(row["line"], row["column"]) for row in document["rejected"]] == [(2, "User ID")]
    assert reason in document["rejected"][0]["reason"]
    assert not PortalAccount.objects.exists()


@pytest.mark.parametrize(("given", "kept"), [("12345.0", "12345"), ("N/A", None), ("pending", None), ("ht1", "ht1")])
def test_a_user_id_is_kept_as_it_was_before_the_spreadsheet(bring, given, kept):
    assert bring(HENRY.replace("HT1", given))["created"] == 1
    assert PortalAccount.objects.get(system__slug="harp").user_id == kept


def test_one_user_id_of_two_people_is_remarked_on(bring):
    document = bring(HENRY, CAROL.replace("CT1", "ht1"))
    remark = "Lines 2 and 3 give one user ID to two people: a slip, or an account that they share?"
    assert (document["created"], document["notes"]) == (2, [remark])
    assert bring(HENRY.replace("HT1", ""))["notes"] == []


def test_a_row_below_a_merged_cell_is_nobody_s(bring):
    document = bring(
        '"Test, Henry",iQIES,015009,Provider Assessment Viewer', ",CASPER,015009,", header="Name,System,CCN,Role"
    )
    assert document["created"] == 1
    assert [(row["line"], row["column"]) for row in document["rejected"]] == [(3, "Name")]
