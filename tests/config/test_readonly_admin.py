"""The admin is off by default, and with ADMIN_PATH it only shows, to staff with a second factor."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROBE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from facilities.models import Organization
from users.models import User
organization = Organization.objects.create(slug="one", name="One")
plain = User.objects.create_user("plain@example.org", "x")
weak = User.objects.create_user("weak@example.org", "x", is_staff=True)
strong = User.objects.create_user("strong@example.org", "x", is_staff=True)
TOTP.activate(strong, generate_totp_secret())
page = f"/watch/facilities/organization/{organization.pk}/change/"
for user in (plain, weak, strong):
    client = Client()
    client.force_login(user)
    print(user.email, client.get(page).status_code, client.post(page, {"name": "Two", "slug": "two"}).status_code)
print(Organization.objects.get().name)
print(Client().get("/admin/").status_code)
"""


@pytest.fixture
def answers(tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
        "DATABASE_URL": f"sqlite:///{tmp_path}/admin.sqlite3",
        "SECRET_KEY": "admin-test",
        "ADMIN_PATH": "watch",
        "ALLOWED_HOSTS": "testserver",
    }
    found = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.split("\n")


def test_only_staff_with_a_second_factor_see_it_and_nobody_changes_anything(answers):
    plain, weak, strong, name, elsewhere = answers[:5]
    assert plain.split()[1] in {"302", "403"}
    assert weak.split()[1] in {"302", "403"}
    assert strong.split()[1:] == ["200", "403"]
    assert name == "One"
    assert elsewhere in {"302", "404"}  # nothing at the usual address: not signed in, or not there
