"""A list too long to be in memory at once is tied, compared and written in parts of people, as if it were one."""

import json
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction

from accounts.models import Deadline, Finding, LoginEvent, PortalAccount, RoleGrant
from accounts.services import account_list_comparing, account_list_tying, account_list_writing
from imports.models import ImportRow
from tests.conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
# Systems of one person far apart, two of them below one authority, her user ID in the later row only; one ID of two
# people; somebody unknown; a role that does not exist; a row for a list without facilities is another test.
ROWS = """System,CCN,Last Name,First Name,Work Email,User ID,Role,Role Status,Granted On,Last Login,Last Certified,By
iQIES,015009,Test,Henry,henry@example.org,,Provider Assessment Viewer,Active,2026-03-01,2026-11-01,,
QIES,015009,Test,Carol,carol@example.org,CT1,,Active,2025-02-01,never,,
iQIES,015009,Nobody,Nora,nora@example.org,NN1,Provider Assessment Viewer,Active,,,,
QIES,015009,Test,Henry,henry@example.org,HT9,,Active,2026-02-01,,,
iQIES,015009,Test,Carol,carol@example.org,HT1,Provider Assessment Viewer,Active,2026-04-01,2026-10-05,2026-04-02,Ana
iQIES,015009,Test,Carol,carol@example.org,,Provider Assessment Coordinator,Active,2026-04-01,2026-10-07,,
iQIES,015009,Test,Carol,carol@example.org,,King,Active,,,,
HQR,015009,Test,Henry,henry@example.org,HT1,,Active,2026-01-05,,,
"""


@pytest.fixture
def bring(cast, tmp_path):
    path = tmp_path / "list.csv"

    def run(text=ROWS):
        path.write_text(text, encoding="utf-8")
        out = StringIO()
        with time_machine.travel(NOON, tick=False):
            call_command(
                "import_accounts", str(path), organization="riverside", json=True, stdout=out, stderr=StringIO()
            )
        return json.loads(out.getvalue())

    return run


def stored():
    """Return all that a list writes, without keys."""
    account = ("account__person__last_name", "account__person__first_name", "account__system__slug")
    return [
        sorted(map(str, rows))
        for rows in (
            PortalAccount.objects.values_list(
                "person__first_name", "system__slug", "identity__system__slug", "user_id", "status", "opened_on",
                "login_state", "last_login_on", "lapses_on", "version",
            ),
            RoleGrant.objects.values_list(*account, "facility", "role", "valid_from", "valid_to", "evidence"),
            LoginEvent.objects.values_list(*account, "happened_on", "grade", "source"),
            Deadline.objects.values_list(*account, "kind", "basis_on", "due_on", "target_on"),
            Finding.objects.values_list("kind", "person__first_name", "facts"),
            ImportRow.objects.values_list("line", "kind", "status", "reason", "cells"),
        )
    ]  # fmt: skip


def _without_keys(document):
    missing = [{**each, "account": 0} for each in document["missing_in_file"]]
    return {name: said for name, said in document.items() if name != "import"} | {"missing_in_file": missing}


def test_in_parts_a_list_comes_to_the_same(bring, monkeypatch):
    later = ROWS.replace("2026-11-01", "2026-11-12").replace("Coordinator,Active", "Coordinator,Revoked")
    told, left = [], []
    for parts in (None, 1):
        if parts:
            monkeypatch.setattr(account_list_tying, "_ROWS_AT_ONCE", parts)
            monkeypatch.setattr(account_list_comparing, "_PEOPLE_AT_ONCE", parts)
            monkeypatch.setattr(account_list_writing, "_AT_ONCE", parts)
        with transaction.atomic():
            documents = [bring(), bring(), bring(later)]
            told.append(list(map(_without_keys, documents)))
            left.append(stored())
            transaction.set_rollback(True)
    assert told[0] == told[1]
    assert left[0] == left[1]
    first, again, last = told[1]
    assert (first["created"], again["unchanged"], last["updated"]) == (5, 5, 2)
    assert len(first["rejected"]) == len(first["unknown_people"]) == 1
    assert first["notes"][0].startswith("Lines 6 and 9 give one user ID to two people")
