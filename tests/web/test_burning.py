"""Where it burns: the figures of what a member reads, the worst facility first, from kept figures where many."""

import html
import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import FacilityFigures, Finding, OrganizationFigures, RoleGrant
from accounts.services.figures import Figures, keep_figures
from audit.services import Ref, record
from tests.accounts.holding import held
from tests.accounts.mixed import press
from tests.conftest import NOON
from web import burning
from web.burning import told

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def mixed(cast):
    return press(cast)


def page(client, cast, member="alice", organization=None):
    client.force_login(getattr(cast, member))
    return client.get(reverse("web:burning", args=[(organization or cast.riverside).slug]))


def test_the_worst_facility_stands_first_with_its_figures(client, mixed):
    answer = page(client, mixed)
    shown = answer.context["overview"]
    assert {row.facility.name for row in shown.rows} == {"Elm House", "Oak House"}
    assert shown.rows[0].figures.burning >= shown.rows[1].figures.burning > 0, "worst first"
    text = answer.content.decode()
    assert f"standing=late&amp;facility={mixed.elm.pk}" in text
    assert shown.sentence in text
    assert shown.sentence.startswith("One account is late")
    assert shown.sentence.endswith("at two of two facilities.")


def test_each_number_of_serious_findings_leads_to_as_many(client, mixed):
    left, wrong = held(mixed, "idm", person="carol"), {"kind": Finding.Kind.LEAVER_ACCESS, "severity": "critical"}
    RoleGrant.objects.filter(account=left).update(valid_to=NOON.date() - timedelta(days=3))
    Finding.objects.create(
        organization=mixed.riverside,
        account=left,
        person=left.person,
        subject_key="left",
        opened_on=NOON.date(),
        **wrong,
    )
    answer = page(client, mixed)
    text = html.unescape(answer.content.decode())
    for row in answer.context["overview"].rows:
        [query] = re.findall(rf"findings/(\?severity=serious[^\"]*facility={row.facility.pk}&[^\"]*)", text)
        shown = client.get(reverse("web:findings", args=[mixed.riverside.slug]) + query).context
        assert sum(each["group"].count for each in shown["groups"]) == row.figures.serious > 0
        assert "Role held: Now" in {chip["text"] for chip in shown["chips"]}


def test_kept_figures_are_shown_where_there_are_many_and_say_when_somebody_acted_since(client, mixed, monkeypatch):
    live = page(client, mixed).context["overview"]
    monkeypatch.setattr(burning, "COUNTED_LIVE", 1)
    keep_figures(at=NOON)
    kept = page(client, mixed)
    shown = kept.context["overview"]
    assert (shown.whole, shown.troubled, shown.behind) == (live.whole, live.troubled, False)
    assert [(row.facility, row.figures) for row in shown.rows] == [(row.facility, row.figures) for row in live.rows]
    chain = mixed.riverside.key
    record(chain=chain, action="test.acted", actor=Ref("user:1", "a"), subject=Ref("x:1", "x"), at=NOON)
    assert "the figures follow" in page(client, mixed).content.decode()
    keep_figures(at=NOON)
    assert "the figures follow" not in page(client, mixed).content.decode()


def test_kept_figures_cost_the_same_whatever_is_stored(client, mixed, monkeypatch):
    monkeypatch.setattr(burning, "COUNTED_LIVE", 1)
    keep_figures(at=NOON)
    page(client, mixed)
    with CaptureQueriesContext(connection) as queries:
        page(client, mixed)
    touched = " ".join(query["sql"] for query in queries)
    assert "accounts_portalaccount" not in touched
    assert "accounts_deadline" not in touched


def test_who_reads_one_facility_sees_that_one_and_another_tenant_nothing(client, mixed):
    keep_figures(at=NOON)
    shown = page(client, mixed, "olga").context["overview"]
    assert [row.facility.name for row in shown.rows] == ["Elm House"]
    assert shown.facilities == 1
    assert page(client, mixed, "mallory").status_code == 404
    theirs = page(client, mixed, "mallory", mixed.hilltop).context["overview"]
    assert [row.facility.name for row in theirs.rows] == ["Summit House"]
    holder = page(client, mixed, "henry")
    assert "Elm House" not in holder.content.decode()


def test_an_organization_without_figures_yet_is_counted_at_once(client, mixed):
    assert not OrganizationFigures.objects.exists()
    assert not FacilityFigures.objects.exists()
    assert page(client, mixed).context["overview"].whole.late == 1


@pytest.mark.parametrize(
    ("whole", "places", "said"),
    [
        (Figures(), (0, 0), "There is no facility here yet."),
        (Figures(week=1), (1, 0), "Nothing is late or serious at one facility. One account has a date this week."),
        (
            Figures(late=2, serious=1),
            (300, 4),
            "Two accounts are late and one serious finding is open, at four of 300 facilities.",
        ),
        (Figures(check_roles=1), (12, 1), "The roles of one account have to be looked at, at one of 12 facilities."),
    ],
)
def test_the_sentence_says_what_is_wrong_first(whole, places, said):
    assert told(whole, *places) == said
