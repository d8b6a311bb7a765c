"""How a roster is read is kept under a name, and reads the next one."""

import json

import pytest
from django.core.management import call_command

from audit.commands import CommandFailed
from imports.models import SavedMapping

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


def test_a_mapping_is_saved_and_reads_the_next_roster(cast, tmp_path, capsys):
    def run(*options, row="Henry Test,015009,henry@example.org"):
        path = tmp_path / "list.csv"
        path.write_text("Who,Place,Letters\n" + row)
        capsys.readouterr()
        call_command(
            "import_staff", str(path), "--organization", "riverside", "--json", "--allow-mass-leavers", *options
        )
        return json.loads(capsys.readouterr().out)

    how = ["--column", "full_name=Who", "--column", "ccn=Place", "--column", "email=", "--save-mapping", "Payroll"]
    run(*how, "--dry-run")
    assert not SavedMapping.objects.exists()
    run(*how)
    saved = SavedMapping.objects.get()
    assert (saved.kind, saved.header) == ("staff", ["Who", "Place", "Letters"])
    assert saved.columns == {"full_name": "Who", "ccn": "Place", "email": ""}
    again = run("--mapping", "Payroll")
    assert {column["field"]: column["title"] for column in again["columns"]} == {"full_name": "Who", "ccn": "Place"}
    with pytest.raises(CommandFailed):
        run("--mapping", "Other")
    assert "Saved are: Payroll" in json.loads(capsys.readouterr().out)["errors"][0]["message"]
    with pytest.raises(CommandFailed):
        run("--column", "email=Nowhere")
    assert json.loads(capsys.readouterr().out)["errors"][0]["code"] == "unknown_column"
