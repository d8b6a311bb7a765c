"""The page of findings: by cause, within what the member reads, each with its why and the way to the deed."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.finding_words import WORDS, sentence
from accounts.models import Finding
from accounts.services.lapses import sweep_lapses
from accounts.services.rules.sweep import check_rules
from accounts.telling import SUBJECTS, about, names
from facilities.models import Facility, Recheck
from tests.accounts.holding import held
from tests.accounts.rules import only
from tests.conftest import NOON, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _few_rules(monkeypatch):
    only(monkeypatch, "unknown-logins", "two-accounts")


def page(client, cast, query=""):
    return client.get(reverse("web:findings", args=[cast.riverside.slug]) + query)


def run_rules():
    sweep_lapses(at=NOON)
    check_rules(at=NOON, since=None, full=True)


def sentences(answer):
    return [row["sentence"] for group in answer.context["groups"] for row in group["group"].rows]


@pytest.fixture
def troubled(cast):
    """Carol's last login at Oak House is unknown, Olga's at Elm House, and Henry's has lapsed."""
    held(cast, "sams", person="carol")
    held(cast, "sams", person="olga", facility="elm")
    held(cast, "qies", person="henry", last_login=TODAY - timedelta(days=200))
    run_rules()
    return cast


def test_causes_stand_together_the_worst_first_with_why_and_deed(client, troubled):
    client.force_login(troubled.alice)
    answer = page(client, troubled)
    assert [group["group"].kind for group in answer.context["groups"]] == ["lapse", "unknown-logins"]
    unknown = answer.context["groups"][1]["group"].rows
    assert {row["sentence"] for row in unknown} == {
        "Ask at Oak House: the last login to SAMS is not known for one account.",
        "Ask at Elm House: the last login to SAMS is not known for one account.",
    }
    to_ask = client.get(unknown[0]["links"][0]["url"])
    assert len(to_ask.context["rows"]) == 1, "the deed leads to exactly the accounts that are meant"
    assert "What clears it" in answer.content.decode()


def test_everybody_sees_her_own_facilities_only(client, troubled):
    seen = {}
    for name in ("carol", "olga", "henry", "audrey"):
        client.force_login(getattr(troubled, name))
        seen[name] = sorted(sentence.split(":")[0] for sentence in sentences(page(client, troubled)))
    assert [said for said in seen["carol"] if said.startswith("Ask")] == ["Ask at Oak House"]
    assert seen["olga"] == ["Ask at Elm House"]
    assert len(seen["henry"]) == 1, "his own lapse, nobody's unknown login"
    assert len(seen["audrey"]) == 3


def test_the_filter_names_only_facilities_that_the_member_reads(client, troubled):
    for name, places in (
        ("carol", [troubled.oak]),
        ("olga", [troubled.elm]),
        ("henry", []),
        ("alice", [troubled.elm, troubled.oak]),
    ):
        client.force_login(getattr(troubled, name))
        assert list(page(client, troubled).context["form"].fields["facility"].queryset) == places, name


def test_another_tenant_sees_nothing_of_it(client, troubled):
    client.force_login(troubled.mallory)
    answer = client.get(reverse("web:findings", args=[troubled.hilltop.slug]))
    assert answer.context["groups"] == []
    assert "Nothing is wrong" in answer.content.decode()
    place = Facility.objects.filter(organization=troubled.hilltop).first()
    Recheck.objects.create(organization=troubled.hilltop, facility=place)
    said = client.get(reverse("web:findings", args=[troubled.hilltop.slug])).content.decode()
    assert "What changed last is being looked at" in said, "what nobody looked at yet is not called right"
    assert (
        "that is still being looked at"
        in client.get(reverse("web:start-reminders", args=[troubled.hilltop.slug])).content.decode()
    )


def test_filters_narrow_and_can_be_taken_away(client, troubled):
    client.force_login(troubled.alice)
    at_elm = page(client, troubled, f"?facility={troubled.elm.pk}")
    assert sentences(at_elm) == ["Ask at Elm House: the last login to SAMS is not known for one account."]
    medium = page(client, troubled, "?severity=medium")
    assert {row.split(":")[0] for row in sentences(medium)} == {"Ask at Oak House", "Ask at Elm House"}
    (chip,) = medium.context["chips"]
    assert len(sentences(page(client, troubled, chip["url"]))) == 3


@pytest.mark.parametrize("query", ["?kind=nonsense", "?severity=x&facility=999999", "?facility=a%00b&after=x"])
def test_a_filter_that_means_nothing_breaks_nothing(client, troubled, query):
    client.force_login(troubled.alice)
    assert page(client, troubled, query).status_code == 200


def test_one_cause_has_its_own_pages(client, troubled, monkeypatch):
    monkeypatch.setattr("web.views.findings.PAGE_ROWS", 1)
    client.force_login(troubled.alice)
    first = page(client, troubled, "?kind=unknown-logins")
    second = page(client, troubled, first.context["page"].next_url)
    assert {row["sentence"].split(":")[0] for row in first.context["rows"] + second.context["rows"]} == {
        "Ask at Oak House",
        "Ask at Elm House",
    }
    assert second.context["page"].next_url == ""
    assert page(client, troubled, second.context["page"].previous_url).context["rows"] == first.context["rows"]


def test_what_is_put_right_leaves_the_page(client, troubled):
    Finding.objects.filter(kind="lapse").update(closed_at=NOON)
    client.force_login(troubled.alice)
    assert [group["group"].kind for group in page(client, troubled).context["groups"]] == ["unknown-logins"]


def test_the_page_costs_the_same_with_three_findings_and_with_thirty(
    client, cast, django_assert_num_queries, django_assert_max_num_queries
):
    held(cast, "sams", person="carol")
    held(cast, "sams", person="olga", facility="elm")
    run_rules()
    client.force_login(cast.alice)
    page(client, cast)
    with django_assert_max_num_queries(20) as few:
        page(client, cast)
    for person in ("henry", "alice"):
        for facility in ("oak", "elm"):
            held(cast, "casper", person=person, facility=facility)
            held(cast, "eqrs", person=person, facility=facility)
    run_rules()
    with django_assert_num_queries(len(few)):
        page(client, cast)


def test_every_kind_has_words(cast):
    assert set(WORDS) == set(Finding.Kind.values)


def test_whom_a_member_may_not_read_is_somebody_at_another_facility(client, cast):
    henry, olga = cast.people["henry"], cast.people["olga"]
    account = held(cast, "qies", person="henry", last_login=TODAY)
    Finding.objects.create(
        organization=cast.riverside, kind="shared-id", subject_key=f"account:{account.pk}", severity="high",
        facts=json.dumps({"system": "qies", "people": [olga.pk]}), person=henry, account=account, opened_on=TODAY,
    )  # fmt: skip
    url = reverse("web:findings", args=["riverside"])
    wrong = Finding.objects.select_related(*SUBJECTS).get()
    facts = json.loads(wrong.facts)
    mailed = about(wrong, facts, names([cast.riverside.pk], [facts]), TODAY, mailed=True)
    assert sentence("shared-id", facts, mailed).startswith(f"{henry} has the same QIES user ID as somebody else: each")

    def said(user):
        client.force_login(user)
        return client.get(url).content.decode()

    assert f"{henry} has the same QIES user ID as {olga}" in said(cast.alice)
    assert f"{henry} has the same QIES user ID as somebody at another facility: each" in said(cast.carol)
    assert str(olga) not in said(cast.carol)
    held(cast, "casper", person="olga", last_login=TODAY)
    assert f"as {olga}" in said(cast.carol), "who holds something at her facility is hers to know"
