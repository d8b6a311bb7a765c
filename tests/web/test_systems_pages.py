"""The list of systems and the guides: what they say, and that nothing is made up."""

import pytest
import time_machine
from django.urls import reverse

from systems.models import Note, Quota, Source, Step, System
from tests import factories
from tests.conftest import NOON
from tests.web.guide_pages import SLUGS, guide, said
from tests.web.holdings import held

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
LIST_QUERIES, GUIDE_QUERIES = 15, {"iqies": 30, "qies": 30, "ep-cnc": 31}  # nine of each are the frame's


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


# What a guide says


def test_whose_role_was_revoked_finds_the_way_back_and_the_help_desk_first(client, cast):
    page = said(guide(client, cast.henry, "iqies"))
    top = page[page.index("The limit") : page.index("Who needs it")]
    assert "Sign in at least every 60 days." in top
    assert "Day 60 is still safe, day 61 is too late." in top
    assert "all iQIES roles are revoked" in top
    assert "request each role again; a Security Official must approve" in top
    assert "1-800-339-9313" in top
    assert "Open now, until 20:00 ET." in top


def test_a_closed_desk_says_when_it_opens_in_eastern_time(client, cast):
    with time_machine.travel(NOON.replace(hour=3), tick=False):
        assert "Closed now. Open on weekdays, 08:00 to 20:00 ET." in said(guide(client, cast.henry, "iqies"))


def test_on_a_federal_holiday_a_desk_may_be_closed(client, cast):
    thanksgiving = NOON.replace(day=26)
    with time_machine.travel(thanksgiving, tick=False):
        page = said(guide(client, cast.henry, "iqies"))
    assert "A federal holiday today: may be closed. Else 08:00 to 20:00 ET." in page
    assert "Open now" not in page


def test_at_seven_in_the_morning_the_page_says_when_the_desk_opens(client, cast):
    with time_machine.travel(NOON.replace(hour=12), tick=False):
        assert "Closed now; opens today at 08:00 ET." in said(guide(client, cast.henry, "iqies"))


def test_a_replaced_system_says_what_moved_when_and_what_was_not_published(client, cast):
    answer = guide(client, cast.henry, "qies")
    page = said(answer)
    assert "Everything that we know to have run over QIES has moved elsewhere" in page
    assert "PBJ staffing: moved to iQIES on Mon 17 Aug 2026." in page
    assert "No retirement date was published." in page
    html = answer.content.decode()
    assert 'href="https://www.qtso.com"' not in html, "nobody is led to an address that is no longer used"
    assert "https://www.qtso.com (no longer used)" in page


def test_versions_say_from_when_until_when_and_what_is_only_reading_matter(client, cast):
    page = said(guide(client, cast.henry, "qies"))
    assert "In force since Mon 26 Jun 2017." in page
    assert "No longer in force: ended on Sun 25 Jun 2017." in page
    assert "Reading matter, not applied: ePOC users as told by Massachusetts" in page
    assert "At most two" not in page
    assert "Individual accounts per facility: at most two" in page
    assert "People with an own account: advised, at least two" in page


def test_steps_of_earlier_times_are_folded_away(client, cast):
    html = guide(client, cast.henry, "qies").content.decode()
    part = html[html.index('id="request-reactivate"') :]
    part = part[: part.index("</section>")]
    shown, folded = part.split('<details class="fold">')
    assert "Call the help desk" in shown
    assert "Self-service (until June 2017)" in folded


def test_an_inference_is_called_our_reading_and_never_a_rule_of_cms(client, cast):
    page = said(guide(client, cast.henry, "idm"))
    assert "This day is our reading: no source says it." in page
    assert "looked for, not found" in page
    hearsay = said(guide(client, cast.henry, "iqies"))
    assert "not from CMS: told by a trade group, vendor or consultant" in hearsay


def test_roles_are_compared_in_words(client, cast):
    page = guide(client, cast.henry, "iqies")
    matrices = {matrix.title: matrix for matrix in page.context["matrices"]}
    mds = next(matrix for title, matrix in matrices.items() if title.startswith("MDS"))
    rows = {row["name"]: {cell.label: cell.word for cell in row["cells"]} for row in mds.rows}
    assert rows["Assessment Submitter"]["Upload files"] == "Yes"
    assert rows["Provider Administrator"]["Upload files"] == "No"
    assert rows["Assessment Submitter"]["View data"] == "Not stated"
    pbj = {row["name"]: {cell.label: cell.word for cell in row["cells"]} for row in matrices["PBJ staffing"].rows}
    assert pbj["Provider Security Official (PSO)"]["Approve access of others"] == "Yes", "what holds for all data"
    assert pbj["PBJ Submitter (Provider)"]["Approve access of others"] == "No"


def test_exact_words_of_forms_can_be_selected_and_copied(client, cast):
    html = guide(client, cast.henry, "qies").content.decode()
    for phrase in System.objects.get(slug="qies").phrases.current():
        assert f'data-copy="phrase-{phrase.key.lower()}"' in html
        assert f'<q id="phrase-{phrase.key.lower()}">{phrase.text}</q>' in html


def test_what_left_the_catalogue_is_not_shown(client, cast):
    Step.objects.filter(system__slug="iqies", key="log-in").update(withdrawn=True)
    Quota.objects.filter(system__slug="iqies").update(withdrawn=True)
    page = said(guide(client, cast.henry, "iqies"))
    assert "The HARP account still works" not in page
    assert "How many people" not in page
    System.objects.filter(slug="ep-cnc").update(withdrawn=True)
    assert client.get(reverse("web:system", args=["riverside", "ep-cnc"])).status_code == 404


def test_an_unknown_system_is_not_found(client, cast):
    client.force_login(cast.alice)
    assert client.get(reverse("web:system", args=["riverside", "nowhere"])).status_code == 404


def test_notes_for_every_system_stand_on_a_page_of_their_own(client, cast):
    Note.objects.create(
        topic="conduct",
        key="sample",
        text="Never lend your password.",
        fact_id="ROB-1",
        source=Source.objects.get(key="S4"),
        confidence="seed",
    )
    client.force_login(cast.henry)
    page = said(client.get(reverse("web:system-rules", args=["riverside"])))
    assert "Never lend your password." in page
    assert "HHS Rules of Behavior, version 3.0" in page
    assert "February 2023" in page
    assert "Never lend your password." not in said(guide(client, cast.henry, "iqies"))


# The list


def rows(answer):
    return {row["slug"]: row for group in answer.context["groups"] for row in group.rows}


def test_every_system_is_on_the_list_once_under_the_way_one_signs_in(client, cast):
    client.force_login(cast.henry)
    answer = client.get(reverse("web:systems", args=["riverside"]))
    groups = {group.key: [row["slug"] for row in group.rows] for group in answer.context["groups"]}
    assert sorted(sum(groups.values(), [])) == sorted(SLUGS)
    assert "iqies" in groups["harp"]
    assert "psr" in groups["idm"]
    assert {"qies", "casper", "cmsnet"} <= set(groups["moved"])
    assert "sams" in groups["own"]
    assert "ep-cnc" in groups["portal"]
    assert "Sign in at least every 60 days. Otherwise: all roles revoked." in said(answer)


def test_the_list_counts_only_what_the_member_may_see(client, cast):
    held(cast, "carol")
    held(cast, "olga", facility=cast.elm)
    stranger = factories.PersonFactory(organization=cast.hilltop)
    factories.AccountFactory(organization=cast.hilltop, person=stranger, system=System.objects.get(slug="iqies"))
    for name, count in (("alice", 2), ("carol", 1), ("henry", 0)):
        client.force_login(getattr(cast, name))
        assert rows(client.get(reverse("web:systems", args=["riverside"])))["iqies"]["accounts"] == count, name


def test_a_guide_counts_only_the_accounts_that_the_member_may_see(client, cast):
    held(cast, "carol")
    held(cast, "olga", facility=cast.elm)
    stranger = factories.PersonFactory(organization=cast.hilltop)
    factories.AccountFactory(organization=cast.hilltop, person=stranger, system=System.objects.get(slug="iqies"))
    for name, count in (("alice", 2), ("carol", 1), ("henry", 0)):
        assert guide(client, getattr(cast, name), "iqies").context["accounts"] == count, name


@pytest.mark.parametrize("asked", ["iqies", "IQIES", "Internet Quality", "staffing since"])
def test_a_search_looks_at_name_full_name_and_purpose(client, cast, asked):
    client.force_login(cast.henry)
    found = rows(client.get(reverse("web:systems", args=["riverside"]), {"q": asked}))
    assert "iqies" in found
    assert "sams" not in found


def test_a_search_without_a_hit_says_so(client, cast):
    client.force_login(cast.henry)
    assert "No system matches" in said(client.get(reverse("web:systems", args=["riverside"]), {"q": "xyzzy\0"}))


def test_neither_page_asks_more_for_more(client, cast, django_assert_num_queries):
    client.force_login(cast.alice)
    held(cast, "carol")
    client.get(reverse("web:systems", args=["riverside"]))
    with django_assert_num_queries(LIST_QUERIES):
        client.get(reverse("web:systems", args=["riverside"]))
    for slug, count in GUIDE_QUERIES.items():
        with django_assert_num_queries(count):
            client.get(reverse("web:system", args=["riverside", slug]), {"last_login": "2026-10-01"})


def test_pages_stay_small(client, cast):
    for slug in ("iqies", "qies", "idm", "harp"):
        assert len(guide(client, cast.henry, slug, last_login="2026-10-01").content) < 130_000, slug
