"""Where it burns: the figures of what a member reads, the worst facility first, from kept figures where many."""

import html
import random
import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import FacilityFigures, Finding, OrganizationFigures, PortalAccount
from accounts.services.clocks import recompute
from accounts.services.figures import Figures, keep_figures
from accounts.services.lapses import sweep_lapses
from accounts.services.rules.sweep import check_rules
from accounts.words import count_noun
from audit.services import Ref, record
from staff.models import Employment
from systems.models import System
from tests import factories
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


def scattered(cast, seed):
    """Let people hold what nobody would plan: roles ended, to come, voided and at a closed facility; some have left."""
    rng, day = random.Random(seed), NOON.date()
    gone = factories.FacilityFactory(organization=cast.riverside, closed_on=day - timedelta(days=9))
    places = [cast.oak, cast.elm, factories.FacilityFactory(organization=cast.riverside), gone]
    logins = [{"login_state": "known", "last_login_on": day - timedelta(days=ago)} for ago in (1, 57, 70, 400)]
    spans = [(500, None), (500, None), (500, 3), (500, -20), (-20, None)]  # days ago: from, to
    for _ in range(30):
        job = factories.EmploymentFactory(facility=rng.choice(places[:3]))
        Employment.objects.filter(pk=job.pk).update(valid_to=rng.choice([None, day - timedelta(days=2)]))
        account = factories.AccountFactory(
            person=job.person,
            system=System.objects.get(slug=rng.choice(["iqies", "idm", "psr", "cmsnet"])),
            **rng.choice([{}, {}, {}, {"status": "lost", "loss": "inactive"}]),
            **rng.choice([*logins, {"login_state": "unknown"}, {"login_state": "never"}]),
        )
        for place in rng.sample(places, rng.randint(0, 3)):
            since, until = rng.choice(spans)
            factories.GrantFactory(
                account=account,
                facility=place,
                valid_from=day - timedelta(days=since),
                valid_to=None if until is None else day - timedelta(days=until),
                voided_at=NOON if rng.random() < 0.1 else None,
            )
    with transaction.atomic():
        recompute(accounts=PortalAccount.objects.all(), at=NOON)
    sweep_lapses(at=NOON)
    check_rules(at=NOON, since=None, full=True)


def test_every_number_of_every_facility_is_as_long_as_the_list_behind_it(client, cast):
    scattered(cast, seed=1)
    followed = 0
    for member in ("alice", "olga"):
        text = html.unescape(page(client, cast, member).content.decode())
        for url, number in re.findall(r'<a href="([^"]+)">([\d,]+)<span class="visually-hidden"', text):
            shown = client.get(url).context
            length = shown["count"].number if "count" in shown else sum(each["group"].count for each in shown["groups"])
            assert int(number) == length, (member, url)
            assert "&held=now" not in url or "Role held: Now" in " ".join(chip["text"] for chip in shown["chips"])
            followed += 1
        grid = client.get(reverse("web:facilities", args=[cast.riverside.slug])).context
        for cell in (cell for row in grid["rows"] for cell in row["cells"] if "url" in cell):
            length = client.get(cell["url"]).context["count"].number
            people, _, accounts = cell["text"].partition(", ")
            said = accounts or people.replace("person", "account").replace("people", "accounts")
            assert said.lower() == count_noun(length, "account,accounts"), (member, cell["url"])
    assert followed > 15
    shown = page(client, cast).context["overview"]
    assert {row.facility.pk: row.figures.serious for row in shown.rows} == serious_of(cast, shown)


def serious_of(cast, shown):
    """Return by facility how many serious findings stand there, told grant by grant."""
    on, found, nowhere = NOON.date(), {row.facility.pk: 0 for row in shown.rows}, 0
    wrong = Finding.objects.open().filter(organization=cast.riverside, severity__in=["critical", "high"])
    for finding in wrong.exclude(kind="lapse", deadline__account__isnull=False):
        stands = {finding.facility_id}
        if finding.facility_id is None and finding.account is not None:
            grants = [grant for grant in finding.account.grants.all() if grant.voided_at is None]
            now = [each for each in grants if each.valid_from <= on and (each.valid_to is None or each.valid_to >= on)]
            stands, nowhere = {grant.facility_id for grant in now or grants}, nowhere + (not now and bool(grants))
        for place in stands & set(found):
            found[place] += 1
    assert nowhere, "access of somebody who left and has no role any more"
    return found


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
