"""Help: the glossary, the one-page guides, and the hints beside words, which cost no query."""

import re
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.template import RequestContext, Template
from django.urls import reverse

from systems.catalogue_files import read_catalogue
from systems.models import Term
from systems.terms import _hints, first_sentence, hint_of
from tests.conftest import NOON
from tests.web.guide_pages import said
from tests.web.test_guide_sources import uncited
from web.guides.citing import Bibliography
from web.guides.leaflets import LEAFLETS, mails, told
from web.templatetags.hints import OF_FINDINGS

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
TEMPLATES = Path(settings.BASE_DIR) / "templates"
USED = re.compile(r'{% term "([^"]+)"')
TERMS = read_catalogue().all_of("terms")


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def glossary(client, user, **asked):
    client.force_login(user)
    return client.get(reverse("web:glossary", args=["riverside"]), asked)


# The glossary


def test_every_term_stands_in_the_glossary_in_order_with_who_says_so(client, cast):
    page = glossary(client, cast.henry).content.decode()
    assert re.findall(r'id="term-([a-z-]+)"', page) == [
        row.slug for row in sorted(Term.objects.current(), key=lambda row: row.name.casefold())
    ]
    assert uncited(page) == ([], [])
    for row in Term.objects.current():
        entry = page[page.index(f'id="term-{row.slug}"') :].partition("</dl>")[0].partition('class="glossary-term"')[0]
        assert ("our word" in entry) == row.ours
        assert (f"#source-{row.source.key}" in entry) if row.source else ("#source-" not in entry)


def test_a_part_of_a_word_or_of_what_it_stands_for_finds_it(client, cast):
    assert re.findall(r'id="term-([a-z-]+)"', glossary(client, cast.henry, q="payroll").content.decode()) == ["pbj"]
    assert 'id="term-security-official"' in glossary(client, cast.henry, q="pso").content.decode()
    nothing = said(glossary(client, cast.henry, q="zebra"))
    assert "No word matches" in nothing
    assert "Sources" not in nothing


def test_the_glossary_asks_the_database_no_more_for_more_words(client, cast, django_assert_num_queries):
    for asked in ("", "harp"):
        glossary(client, cast.henry, q=asked)
        with django_assert_num_queries(10 + 2):  # ten are the frame's; the words, and sources that they name further
            glossary_again = client.get(reverse("web:glossary", args=["riverside"]), {"q": asked})
        assert glossary_again.status_code == 200


def test_a_word_gone_from_the_catalogue_is_gone_from_the_glossary(client, cast):
    Term.objects.filter(slug="casper").update(withdrawn=True)
    page = glossary(client, cast.henry).content.decode()
    assert "term-casper" not in page
    assert 'id="term-qies"' in page


# Hints


def draw(words, request, **context):
    return Template(words).render(RequestContext(request, context))


def test_templates_and_findings_name_words_that_are_explained():
    used = {word: path.name for path in TEMPLATES.rglob("*.html") for word in USED.findall(path.read_text("utf-8"))}
    assert len(used) >= 6
    assert {word: where for word, where in used.items() if hint_of(word) is None} == {}
    assert [word for word in OF_FINDINGS.values() if hint_of(word) is None] == []


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.slug)
def test_a_hint_has_no_figure_and_does_not_call_anything_late(term):
    # It stands away from its source, and on pages that say of nothing that it is late.
    sentence = first_sentence(term.text)
    assert sentence.endswith(".")
    assert not re.search(r"\d|late\b", f"{sentence} {term.full_name}".casefold())


def test_the_first_of_a_word_carries_the_hint_and_the_next_is_plain(rf):
    drawn = draw(
        '{% term "CASPER" %} and {% term "casper" "its reports" %}; {% term "CASPER" once=True %}.', rf.get("/")
    )
    assert drawn.count('popovertarget="hint-casper"') == drawn.count('id="hint-casper" popover') == 1
    assert drawn.endswith("</span> and its reports; .")
    assert "The older CMS site for reports" in drawn
    assert "final validation" in drawn
    assert draw("{% term word %}", rf.get("/"), word="Nobody knows <this>") == "Nobody knows &lt;this&gt;"


def test_a_hint_costs_no_query_even_as_the_first_of_a_process(rf, django_assert_num_queries):
    _hints.cache_clear()
    with django_assert_num_queries(0):
        assert "hint-harp" in draw('{% term "HARP" %}', rf.get("/"))


def test_a_hint_leads_to_its_place_in_the_glossary(client, cast):
    client.force_login(cast.henry)
    page = client.get(reverse("web:systems", args=["riverside"])).content.decode()
    assert f'href="{reverse("web:glossary", args=["riverside"])}#term-harp"' in page
    assert page.count('id="hint-harp"') == 1


# One-page guides


@pytest.mark.parametrize("leaflet", LEAFLETS, ids=lambda leaflet: leaflet.slug)
def test_a_guide_cites_what_cms_says_and_leads_to_pages_that_open(client, cast, leaflet):
    client.force_login(cast.henry)  # of all members the one who may open the fewest pages
    answer = client.get(reverse("web:leaflet", args=["riverside", leaflet.slug]))
    page = answer.content.decode()
    assert uncited(page) == ([], [])
    assert set(answer.context["facts"]) == {fact.name for fact in leaflet.facts}
    main = page[page.index('id="main"') :]
    links = set(re.findall(r'href="(/o/riverside/[^"#]*)', main))
    assert len(links) >= 2
    assert {url: client.get(url).status_code for url in links} == dict.fromkeys(links, 200)


def test_every_fact_of_a_guide_is_in_the_catalogue(catalogue):
    for leaflet in LEAFLETS:
        found = told(leaflet, Bibliography(), NOON.date())
        assert set(found) == {fact.name for fact in leaflet.facts}, leaflet.slug


def test_who_hears_is_read_off_the_ladders_that_plan_the_mails():
    rows = {row["label"]: row for row in mails()}
    assert rows["A login"] == {
        "label": "A login",
        "days": "20, 10, 5, 2; then the day after",
        "first": "The person",
        "facility": "5 days",
        "organization": "2 days",
    }
    assert rows["Certification of a role"]["first"] == "The approver"
    assert rows["Access of somebody who leaves"]["days"] == "7, 1, on the day; then daily"


def test_help_is_one_press_away_and_stands_beside_the_rail(client, cast):
    client.force_login(cast.henry)
    today = client.get(reverse("web:today", args=["riverside"])).content.decode()
    address = reverse("web:help", args=["riverside"])
    link = re.search(r'<a class="topbar-help"[^>]*>', today).group()
    assert f'href="{address}"' in link
    assert 'aria-label="Help"' in link
    answer = client.get(address)
    assert [entry["label"] for entry in answer.context["nav"] if entry["active"]] == []
    for leaflet in LEAFLETS:
        assert leaflet.title in said(answer)


def test_a_guide_that_nobody_wrote_does_not_exist(client, cast):
    client.force_login(cast.henry)
    assert client.get("/o/riverside/help/nonsense/").status_code == 404
