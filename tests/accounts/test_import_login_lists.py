"""Lists of logins without a facility: whose account is meant, and that nothing else is written."""

import contextlib
import json
from datetime import date, timedelta

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import LoginEvent, PortalAccount, RoleGrant
from audit.commands import CommandFailed
from audit.models import AuditEvent
from tests import factories
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture
def listed(cast, tmp_path, capsys):
    """Return a function (rows, header) -> the command's document."""

    def run(*rows, header):
        path = tmp_path / "logins.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        capsys.readouterr()
        with time_machine.travel(NOON, tick=False), contextlib.suppress(CommandFailed):
            call_command("import_accounts", str(path), "--organization", "riverside", "--json")
        return json.loads(capsys.readouterr().out)

    return run


def _account(cast, person):
    return PortalAccount.objects.get(person=cast.people[person], system__slug="iqies")


def _written():
    return [
        list(model.objects.order_by("pk").values_list()) for model in (PortalAccount, RoleGrant, LoginEvent, AuditEvent)
    ]


def test_a_list_of_logins_needs_no_facility_where_person_and_system_are_clear(cast, listed):
    for person, facility in (("henry", "oak"), ("olga", "elm"), ("carol", "oak"), ("audrey", "oak")):
        held(cast, "iqies", person=person, facility=facility, last_login=TODAY - timedelta(days=30))
    factories.AccountFactory(organization=cast.riverside, person=cast.people["carol"])
    PortalAccount.objects.filter(person=cast.people["audrey"]).update(status="requested")
    twin = factories.PersonFactory(
        organization=cast.riverside, first_name="Olga", last_name="Test", email="o2@example.org"
    )
    factories.AccountFactory(
        organization=cast.riverside, person=twin, status="lost", loss="roles_revoked", lost_at=NOON
    )
    header = "System,Last Name,First Name,Work Email,Status,Last Login,User ID"
    rows = [
        "iQIES,Test,Henry,,,11/19/2026",  # nobody else here is called so, but the list may mean somebody else
        "iQIES,Test,Olga,,,11/18/2026",
        "iQIES,Test,Olga,olga@example.org,,11/17/2026,OTEST1",
        "iQIES,Test,Carol,carol@example.org,,11/18/2026",
        "CASPER,Test,Henry,henry@example.org,,11/18/2026",
        "iQIES,Test,Henry,henry@example.org,Revoked,11/19/2026",
        "iQIES,Test,Henry,henry@example.org,,11/18/2026",
        "iQIES,Test,Audrey,audrey@example.org,,11/18/2026,ATEST1",
        "iQIES,Test,Olga,o2@example.org,,11/18/2026",
    ]
    rows = [row + "," * (header.count(",") - row.count(",")) for row in rows]
    document = listed(*rows, header=header)
    assert [document[name] for name in ("rows", "matched", "created", "updated")] == [9, 2, 0, 2]
    assert _account(cast, "henry").last_login_on == date(2026, 11, 18)
    assert _account(cast, "olga").last_login_on == date(2026, 11, 17)
    assert [(row["line"], row["reason"]) for row in document["unknown_people"]] == [
        (line, "without a facility a name alone tells nobody: give the employee number, the e-mail or the user ID")
        for line in (2, 3)
    ]
    reasons = {row["line"]: row["reason"] for row in document["rejected"]}
    columns = {row["line"]: row["column"] for row in document["rejected"]}
    assert columns == {5: "User ID", 6: "User ID", 7: "Status", 9: "User ID", 10: "User ID"}
    assert "say at which facility" in reasons[9]
    assert "marked as lost" in reasons[10]
    assert _account(cast, "audrey").status == "requested"
    assert not PortalAccount.objects.filter(user_id__in=["OTEST1", "ATEST1"]).exists(), "it tells of logins only"
    assert "several accounts on this system" in reasons[5]
    assert "opens none" in reasons[6]
    assert "ends no access" in reasons[7]
    assert document["missing_in_file"] == [], "it speaks of no place"
    assert any("read as a list of logins" in note for note in document["notes"])
    assert RoleGrant.objects.filter(account__person=twin).count() == 0
    before = _written()
    assert listed(*rows, header=header)["updated"] == 0
    assert _written() == before, "the same list again writes nothing"


def test_a_list_without_facilities_and_logins_is_refused_and_says_what_it_lacks(cast, listed):
    document = listed("iQIES,Test,Henry", header="System,Last Name,First Name")
    assert "in a list of logins the last login" in json.dumps(document, ensure_ascii=False)
