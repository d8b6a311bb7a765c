"""Help beside a request to unlock says what the lock-out policy in force says."""

from datetime import date

import pytest
from django.template.loader import render_to_string

from systems.models import Policy, System
from tests import factories
from tests.conftest import TODAY
from tests.requests.asking import submitted
from web.lock_out import lock_out_help

pytestmark = pytest.mark.django_db


def helped(slug, on=TODAY):
    found = lock_out_help(System.objects.get(slug=slug), on)
    return render_to_string("web/lock_out.html", {"help": found}) if found else ""


def test_the_policy_in_force_is_told_with_its_source(catalogue):
    idm = helped("idm")
    assert "Three wrong passwords lock the account for one hour." in idm
    assert "After three wrong passwords stop, and do not try on." in idm
    assert "EP-LOCK-1" in idm
    assert "Answer the security questions in QUMA." in helped("qies")
    assert "30 minutes" in helped("idm", date(2025, 8, 14))
    assert "no source found for HARP (HARP-LOCK-1)." in helped("iqies"), "who signs in with HARP is locked out by HARP"
    Policy.objects.filter(kind="lockout").update(withdrawn=True)
    assert helped("qies") == ""


def test_a_request_to_unlock_says_what_not_to_try(client, cast):
    account = factories.AccountFactory(person=cast.people["henry"], system=System.objects.get(slug="qies"))
    factories.GrantFactory(account=account, facility=cast.oak)
    request = submitted(cast, kind="unlock", system="qies", role="", account=account, still_needed_reason="Old.")
    client.force_login(cast.henry)
    said = client.get(request.get_absolute_url()).content.decode()
    assert "After three wrong passwords stop, and do not try on." in said
