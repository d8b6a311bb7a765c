"""The command that opens the first door: repeated it changes nothing, and says what it did not take."""

import json

import pytest
from django.core.management import call_command

from facilities.models import Organization

pytestmark = pytest.mark.django_db


def made(capsys, *more, name="Riverside", zone="America/Chicago"):
    call_command("create_organization", "riverside", f"--name={name}", f"--zone={zone}", "--admin=a@x.example", *more)
    return capsys.readouterr().out


def test_what_an_organization_keeps_is_said(capsys):
    first = json.loads(made(capsys, "--json"))
    assert (first["created"], first["name"], first["zone"], first["kept"]) == (True, "Riverside", "America/Chicago", [])
    assert "stays" not in made(capsys, name=" Riverside ")
    told = made(capsys, name="Lakeside", zone="America/Denver")
    assert "Its name stays “Riverside”: --name “Lakeside” changes nothing of what exists." in told
    assert "Its zone stays “America/Chicago”: --zone “America/Denver” changes nothing of what exists." in told
    again = json.loads(made(capsys, "--json", name="Lakeside"))
    assert (again["created"], again["name"], again["kept"]) == (False, "Riverside", ["name"])
    assert Organization.objects.get().zone == "America/Chicago"
