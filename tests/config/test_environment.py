"""Every variable is read strictly, shown without secrets, and documented."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config import env

pytestmark = pytest.mark.installation
ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SECRET_KEY": "a-very-secret-key-of-the-test",
    "FIELD_KEYS": Fernet.generate_key().decode(),
    "ALLOWED_HOSTS": "keeper.example.org",
    "SITE_URL": "https://keeper.example.org",
    "DATABASE_URL": "postgres://keeper:database-password@db.example.org:5432/keeper",
    "EMAIL_URL": "smtp+tls://mailer:mail-password@mail.example.org:587",
}


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with exactly these variables."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def variables_of(**variables: str) -> dict[str, dict]:
    answer = manage("check_config", "--json", **variables)
    assert answer.returncode == 0, answer.stderr
    return {row["name"]: row for row in json.loads(answer.stdout)["variables"]}


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("IDLE_TIMEOUT", "soon", "600"),
        ("IDLE_TIMEOUT", "1801", "1800"),
        ("TRUSTED_PROXY_COUNT", "-1", "1"),
        ("AUDIT_TRIGGERS", "maybe", "yes"),
        ("LOG_LEVEL", "LOUD", "warning"),
        ("PORT", "70000", "7000"),
        ("DATABASE_URL", "mysql://x@y/z", "sqlite:///:memory:"),
        ("DATABASE_URL", "postgres://user@host", "postgres://user@host/name"),
        ("REDIS_URL", "localhost:6379", "redis://localhost:6379/0"),
        ("REDIS_URL", "redis://localhost:99999/0", "unix:///run/redis.sock?db=1"),
        ("REDIS_URL", "redis://localhost:6379/first", "rediss://:word@localhost"),
        ("EMAIL_URL", "mail.example.org", "smtp://mail.example.org"),
        ("FIELD_KEYS", "short", "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="),
        ("ALLOWED_HOSTS", "a.example.org,,b.example.org", "a.example.org,b.example.org"),
        ("ALLOWED_HOSTS", "https://a.example.org", ".example.org,[::1]"),
        ("ALLOWED_HOSTS", "a.example.org:8000", "*"),
        ("SITE_URL", "keeper.example.org", "https://keeper.example.org"),
        ("SITE_URL", "https://keeper.example.org:port", "https://keeper.example.org:8443"),
        ("ADMIN_PATH", "a b", "staff-only"),
    ],
)
def test_a_value_that_cannot_be_read_stops_the_start_with_its_name(name, wrong, right):
    refused = manage("check_config", "--json", **{name: wrong})
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["errors"][0]["place"] == name
    assert name in refused.stderr
    assert "Traceback" not in refused.stderr
    accepted = variables_of(**{name: right})
    assert accepted[name]["source"] == "environment"


@pytest.mark.parametrize("missing", sorted(PRODUCTION.keys() - {"DJANGO_SETTINGS_MODULE"}))
def test_production_refuses_to_start_without_each_required_variable(missing):
    refused = manage("check_config", **{name: value for name, value in PRODUCTION.items() if name != missing})
    assert refused.returncode == 1
    assert f"{missing} is not set" in refused.stderr


def test_production_starts_with_all_required_variables_and_shows_no_secret():
    answer = manage("check_config", "--json", **PRODUCTION)
    assert answer.returncode == 0, answer.stderr
    for secret in (PRODUCTION["SECRET_KEY"], PRODUCTION["FIELD_KEYS"], "database-password", "mail-password"):
        assert secret not in answer.stdout + answer.stderr
    rows = {row["name"]: row for row in json.loads(answer.stdout)["variables"]}
    assert rows["SECRET_KEY"]["value"] == rows["DATABASE_URL"]["value"] == "set"
    assert rows["METRICS_TOKEN"] == {"name": "METRICS_TOKEN", "value": "unset", "source": "default", "secret": True}
    assert rows["SITE_URL"]["value"] == "https://keeper.example.org"


def test_a_secret_may_come_from_a_file_but_not_from_both(tmp_path):
    file = tmp_path / "key"
    file.write_text("from-the-file\n")
    assert variables_of(SECRET_KEY_FILE=str(file))["SECRET_KEY"]["source"] == "file"
    both = manage("check_config", SECRET_KEY="x", SECRET_KEY_FILE=str(file))
    assert both.returncode == 1
    assert "SECRET_KEY and SECRET_KEY_FILE are both set" in both.stderr
    unreadable = manage("check_config", SECRET_KEY_FILE=str(tmp_path / "absent"))
    assert unreadable.returncode == 1
    assert "SECRET_KEY_FILE: cannot read" in unreadable.stderr


def test_the_message_for_a_wrong_secret_does_not_repeat_it():
    refused = manage("check_config", FIELD_KEYS="nearly-a-key")
    assert refused.returncode == 1
    assert "FIELD_KEYS" in refused.stderr
    assert "nearly-a-key" not in refused.stdout + refused.stderr


def test_the_documentation_lists_exactly_the_variables_that_are_read():
    read = variables_of().keys() | variables_of(**PRODUCTION).keys()
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", page, flags=re.MULTILINE))
    assert documented == read


def test_a_generated_secret_is_made_once_and_readable_by_its_owner_only(tmp_path):
    path = tmp_path / "deep" / "secret"
    first = env.kept_secret(path, env.random_text)
    assert env.kept_secret(path, env.random_text) == first
    assert len(first) >= 50
    assert path.stat().st_mode & 0o777 == 0o600
