"""Heads signed with AUDIT_SIGNING_KEY: what somebody with the database but not the key cannot forge."""

import hmac
import json
from io import StringIO

import pytest
from django.core.management import call_command

from audit.commands import CommandFailed
from audit.models import AuditEvent, ChainHead
from audit.verify import verify_chains
from tests.audit.acts import one_act, some_history

pytestmark = [pytest.mark.db_engines, pytest.mark.django_db]


def test_a_head_is_signed_as_it_moves(settings):
    settings.AUDIT_SIGNING_KEY = "key"
    some_history()
    head = ChainHead.objects.get(chain="organization:1")
    message = json.dumps(["organization:1", head.seq, head.hash]).encode()
    assert head.signature == hmac.new(b"key", message, "sha256").hexdigest()
    assert verify_chains().ok


@pytest.mark.parametrize("key", ["another", ""])
def test_the_wrong_key_or_none_does_not_verify(settings, key):
    settings.AUDIT_SIGNING_KEY = "key"
    one_act()
    settings.AUDIT_SIGNING_KEY = key
    assert "signed" in verify_chains().first_bad.why
    settings.AUDIT_SIGNING_KEY = "key"
    assert verify_chains().ok


def test_a_forged_head_is_never_signed_over(settings):
    settings.AUDIT_SIGNING_KEY = "key"
    one_act()
    ChainHead.objects.filter(chain="organization:1").update(signature="f" * 64)
    one_act()
    assert ChainHead.objects.get(chain="organization:1").signature == ""
    bad = verify_chains().first_bad
    assert (bad.chain, bad.seq) == ("organization:1", 2)


def test_sign_audit_refuses_chains_that_are_not_whole(settings):
    some_history()
    settings.AUDIT_SIGNING_KEY = "key"
    AuditEvent.objects.filter(chain="organization:1", seq=1).update(reason="x")
    out = StringIO()
    with pytest.raises(CommandFailed):
        call_command("sign_audit", "--json", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue())["errors"][0]["chain"] == "organization:1"
    assert not ChainHead.objects.exclude(signature="").exists()


def test_sign_audit_takes_the_signatures_off_when_the_key_is_gone(settings):
    some_history()
    settings.AUDIT_SIGNING_KEY = "key"
    call_command("sign_audit", stdout=StringIO())
    assert not ChainHead.objects.filter(signature="").exists()
    settings.AUDIT_SIGNING_KEY = ""
    assert not verify_chains().ok
    out = StringIO()
    call_command("sign_audit", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"heads": 3, "signed": False}
    assert verify_chains().ok
