"""Findings at facilities as people read them: a whole sentence, why, and the page where the deed is done."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from accounts.models.register import HouseRule
from accounts.place_sentences import SENTENCES
from accounts.services.rules.sweep import check_rules
from systems.models import SystemRole
from tests.accounts.holding import held
from tests.accounts.rules import only
from tests.conftest import NOON, TODAY

pytestmark = pytest.mark.django_db
KEYS = (
    "submitting",
    "officials",
    "epoc-administrators",
    "psr-two-people",
    "record-keepers",
    "quotas",
    "closed-systems",
)


def page(client, cast, query=""):
    return client.get(reverse("web:findings", args=["riverside"]) + query)


def rows(answer):
    return {row["sentence"]: row for group in answer.context["groups"] for row in group["group"].rows}


@pytest.fixture
def oak(cast, monkeypatch):
    """Carol is the only one at Oak House who can do anything; three people hold CMSNet IDs there."""
    only(monkeypatch, *KEYS)
    official = SystemRole.objects.get(slug="provider-security-official")
    held(cast, "iqies", roles=[official], last_login=TODAY)
    for person in ("carol", "henry", "alice"):
        held(cast, "cmsnet", person=person, last_login=TODAY)
    HouseRule.objects.create(
        organization=cast.riverside, rule="R-27", enabled_on=TODAY, recorded_at=NOON, recorded_by="x"
    )
    check_rules(at=NOON, since=None, full=True)
    return cast.oak


def test_each_sentence_names_the_place_and_the_only_person(client, cast, oak):
    client.force_login(cast.carol)
    said = rows(page(client, cast))
    assert set(said) == {
        "Carol Test is the only Security Official of Oak House on iQIES; name a second one.",
        "Carol Test is the only one at Oak House who can submit MDS 3.0 assessments on iQIES.",
        "Carol Test is the only one at Oak House who can submit PBJ staffing on iQIES.",
        "Nobody at Oak House receives statements of deficiencies: it has no ePOC administrator.",
        "Oak House lacks on PS&R a Security Official and a user, two different people.",
        "Nobody keeps the backup record of Oak House; name two people.",
        "At Oak House, three people hold an ID on CMSNet; two are allowed.",
        "CMSNet has closed for Oak House, last day Fri 14 Aug 2026: remove three accounts there.",
    }


def test_each_deed_leads_to_a_page_that_the_member_can_open(client, cast, oak):
    client.force_login(cast.carol)
    links = [link for row in rows(page(client, cast)).values() for link in row["links"]]
    assert len(links) == 11, "a closed system leads to two pages, and four findings also to asking for access"
    for link in links:
        assert client.get(link["url"]).status_code == 200, link
    client.force_login(cast.audrey)
    links = [link["label"] for row in rows(page(client, cast)).values() for link in row["links"]]
    assert set(links) == {"See the accounts", "Who has moved"}, (
        "who changes nothing is sent nowhere to change something"
    )


def test_why_says_what_was_counted_and_the_fact_behind_it(client, cast, oak):
    client.force_login(cast.carol)
    said = rows(page(client, cast))
    told = [
        fact["text"] for sentence, row in said.items() for fact in row["why"]["facts"] if "ID on CMSNet" in sentence
    ]
    assert told == [
        "The system has closed for this facility, so no request is waiting.",
        "Fact CMSN-QUO-1 of the catalogue.",
    ]
    assert "Counted are people at work" in page(client, cast).content.decode()


def test_all_facility_kinds_have_sentences(oak):
    assert len(SENTENCES) == 15


def test_an_account_on_a_closed_system_is_not_late_on_any_page(client, cast, oak):
    late = held(cast, "qies", person="henry", last_login=TODAY - timedelta(days=200))
    live = held(cast, "eqrs", person="henry", last_login=TODAY - timedelta(days=200))
    check_rules(at=NOON, since=None, full=True)
    client.force_login(cast.alice)
    with time_machine.travel(NOON, tick=False):
        today = client.get(reverse("web:today", args=["riverside"])).content.decode()
        assert ("EQRS roles are presumed revoked" in today, "QIES" in today) == (True, False)
        by_standing = {
            standing: {row["cells"][1]["text"] for row in _accounts(client, standing)}
            for standing in ("late", "closed")
        }
        assert by_standing == {"late": {"EQRS"}, "closed": {"QIES", "CMSNet"}}
        account = client.get(late.get_absolute_url())
        assert account.context["held"].standing == "closed"
        assert [row["sentence"] for row in account.context["rows"]][0] == (
            "QIES has closed for the facilities of Henry Test: have the account removed there."
        )
        assert client.get(live.get_absolute_url()).context["held"].standing == "presumed_lapsed"


def _accounts(client, standing):
    answer = client.get(reverse("web:accounts", args=["riverside"]) + f"?standing={standing}")
    assert answer.status_code == 200
    return answer.context["rows"]
