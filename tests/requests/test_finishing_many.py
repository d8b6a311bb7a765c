"""A bundle that has every step behind it is finished in one act, with one proof; each request is guarded as alone."""

import json
from datetime import timedelta

import pytest
import time_machine

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, RequestStep
from accounts.policy.requesting import Kind, State
from accounts.services.requests import finishing_many
from accounts.services.requests.drafting import draft
from accounts.services.requests.ending import let_hold
from accounts.services.requests.finishing_many import finish_many
from accounts.services.requests.submitting import submit
from accounts.services.requests.undoing import undo
from audit.models import AuditEvent, AuditItem
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.requests.asking import ask
from tests.requests.scenes import YESTERDAY, viewer
from tests.web.holdings import address

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
PROOF = {"effective_on": TODAY, "proof": "note", "proof_text": "The help desk said so, case 12."}


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        yield


@pytest.fixture
def bundle(cast):
    """A removal and a certification for Henry, the same for Carol who asks, and a forgotten ID."""
    asks = []
    for person in ("henry", "carol"):
        for kind, slug, roles in ((Kind.REMOVAL, "iqies", [viewer()]), (Kind.CERTIFICATION, "idm", None)):
            account = held(cast, slug, last_login=YESTERDAY, person=person, **({"roles": roles} if roles else {}))
            grant = account.grants.get()
            asks.append(ask(cast, kind=kind, role="", system=slug, person=person, account=account, grant=grant))
    account = held(cast, "qies", last_login=YESTERDAY, person="henry")
    asks.append(ask(cast, kind=Kind.FORGOTTEN_ID, role="", system="qies", account=account))
    drafts = draft(scope=cast.scope("carol"), asks=asks, at=NOON)
    return submit(scope=cast.scope("carol"), requests=drafts, at=NOON)


def through(requests):
    """Let every step be behind them."""
    steps = RequestStep.objects.filter(request__in=requests, cure_for="")
    steps.update(state="done", done_on=TODAY, done_at=NOON, done_by="x")


def test_a_bundle_is_finished_in_one_act_and_who_may_not_is_named(cast, bundle):
    carol = cast.scope("carol")
    found = finish_many(scope=carol, requests=bundle, at=NOON, **PROOF)
    assert (len(found.done), len(found.refused)) == (0, 5)
    assert "is still to do. Record that step on its page first" in found.refused[1][1]
    through(bundle)
    for wrong, field in (
        ({"proof": "file"}, "proof"),
        ({"proof_text": " "}, "proof_text"),
        ({"proof": "seen", "seen_by": None}, "seen_by"),
        ({"effective_on": TODAY + timedelta(days=2)}, "effective_on"),
    ):
        with pytest.raises(AccountRefused) as refusal:
            finish_many(scope=carol, requests=bundle, at=NOON, **(PROOF | wrong))
        assert refusal.value.field == field
    found = finish_many(scope=carol, requests=bundle, at=NOON, **PROOF)
    assert [row.beneficiary_person.first_name for row in found.done] == ["Henry", "Henry"]
    why = {(row.beneficiary_person.first_name, row.kind): words for row, words in found.refused}
    assert why.keys() == {("Carol", "removal"), ("Carol", "certification"), ("Henry", "forgotten-id")}
    assert why["Carol", "removal"].endswith("Ask an administrator of this facility.")
    assert why["Carol", "certification"].endswith("ask a coordinator of this facility.")
    assert "finish it on its own page" in why["Henry", "forgotten-id"]
    event = AuditEvent.objects.get(action="request.done")
    assert (event.item_count, event.reason) == (2, PROOF["proof_text"])
    told = [json.loads(item.payload) for item in AuditItem.objects.of_event(event.pk)]
    assert {(each["kind"], each["own_removal"], each["subject"]) for each in told} == {
        (row.kind, False, row.key) for row in found.done
    }
    states = (
        AccessRequest.objects.filter(pk__in=[row.pk for row in bundle]).order_by("pk").values_list("state", flat=True)
    )
    assert list(states) == ["done", "done", "in_progress", "in_progress", "in_progress"]
    again = finish_many(scope=carol, requests=bundle, at=NOON, **PROOF)
    assert len(again.done) == 2
    assert AuditEvent.objects.filter(action="request.done").count() == 1, "the same again changes nothing"
    alice = cast.scope("alice")
    seen = {"effective_on": TODAY, "proof": "seen", "seen_by": cast.people["alice"]}
    rest = finish_many(scope=alice, requests=bundle[2:], at=NOON, **seen)
    assert [row.pk for row in rest.done] == [bundle[2].pk, bundle[3].pk]
    undone = undo(scope=alice, request=bundle[0], reason="It was another Henry.", at=NOON)
    assert undone.state == State.IN_PROGRESS


def test_of_one_that_cannot_hold_nothing_stays_and_the_others_are_finished(cast, bundle, monkeypatch):
    through(bundle)
    removal, certification = bundle[:2]

    def refused_late(scope, request, *args):
        told = let_hold(scope, request, *args)
        if request.pk == removal.pk:
            raise AccountRefused("It is the way in to CASPER.")
        return told

    monkeypatch.setattr(finishing_many, "let_hold", refused_late)
    found = finish_many(scope=cast.scope("carol"), requests=bundle[:2], at=NOON, **PROOF)
    assert [row.pk for row in found.done] == [certification.pk]
    assert found.refused == [(removal, "It is the way in to CASPER.")]
    removal.refresh_from_db()
    assert (removal.state, removal.grant.valid_to) == (State.IN_PROGRESS, None)


def test_the_page_names_them_first_and_takes_no_other_than_those(client, cast, bundle):
    through(bundle)
    url = address("requests-finish", bundle[0].bundle_id)
    client.force_login(cast.carol)
    assert client.get(bundle[0].get_absolute_url()).context["bundle"]["ready"] == 5
    listed = client.get(address("requests"), {"show": "all", "bundle": bundle[0].bundle_id}).context["finish"]
    assert listed == {"number": 5, "url": url}
    page = client.get(url).context
    assert (len(page["each"]), len(page["left_out"])) == (2, 3)
    typed = {
        "effective_on": TODAY.isoformat(),
        "proof": "note",
        "proof_text": "Seen.",
        "seen": page["form"]["seen"].value(),
    }
    assert "changed meanwhile" in client.post(url, typed | {"seen": "x"}).content.decode()
    assert "Say in words how it is known." in client.post(url, typed | {"proof_text": ""}).content.decode()
    assert not AccessRequest.objects.filter(state="done").exists()
    RequestStep.objects.filter(request=bundle[1]).update(state="open", started_on=TODAY)
    assert "changed meanwhile" in client.post(url, typed).content.decode(), "one of them is to be worked on again"
    through(bundle)
    answer = client.post(url, typed, follow=True)
    assert "Two requests finished" in answer.content.decode()
    assert AccessRequest.objects.filter(state="done", proof_text="Seen.").count() == 2
    assert client.get(url).context["each"] == []
    client.force_login(cast.audrey)
    assert client.get(url).status_code == 403
    assert client.get(address("requests"), {"show": "all", "bundle": bundle[0].bundle_id}).context["finish"] == {}
    client.force_login(cast.olga)
    assert client.get(url).status_code == 404
