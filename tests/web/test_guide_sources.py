"""Every number of every guide leads to its source on the page, in one click."""

import re
from html.parser import HTMLParser

import pytest
import time_machine
from django.urls import reverse

from systems.models import Policy, System
from tests.conftest import NOON
from tests.web.guide_pages import SLUGS, guide, said
from tests.web.holdings import held

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
# A value and its mark stand in one of these; a table cell is read with its row.
UNITS = {"p", "li", "dd", "tr", "h1", "h2", "h3", "h4", "summary", "caption", "legend"}
VOID = {"br", "hr", "img", "input", "link", "meta", "use", "wbr", "source"}


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


class Element:
    def __init__(self, tag, attrs, parent):
        self.tag, self.attrs, self.parent = tag, attrs, parent
        self.children, self.texts = [], []

    def up(self):
        while self is not None:
            yield self
            self = self.parent

    def has(self, test):
        return test(self) or any(child.has(test) for child in self.children)


class Tree(HTMLParser):
    """The elements of a page with their text, as far as the test of citations needs them."""

    def __init__(self, html):
        super().__init__()
        self.root = self.here = Element("root", {}, None)
        self.texts = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.here.children.append(element := Element(tag, dict(attrs), self.here))
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag, attrs):
        self.here.children.append(Element(tag, dict(attrs), self.here))

    def handle_endtag(self, tag):
        found = next((each for each in self.here.up() if each.tag == tag), None)
        if found is not None and found.parent is not None:
            self.here = found.parent

    def handle_data(self, data):
        if data.strip():
            self.texts.append((data.strip(), self.here))


def is_cite(element):
    return element.tag == "a" and re.search(r"#source-[A-Z]+\d*$", element.attrs.get("href") or "") is not None


def free_of_sources(element):
    """Return whether a number here is none of the catalogue's: marks, the list of sources, forms, our own counts."""
    for each in element.up():
        if is_cite(each) or each.tag in {"form", "nav", "script"} or "data-own" in each.attrs:
            return True
        if each.attrs.get("id") == "sources" or "print-only" in (each.attrs.get("class") or ""):
            return True
    return False


def uncited(html):
    """Return the texts with a digit that stand in no unit with a mark, and the marks that lead nowhere."""
    tree = Tree(html)
    ids = set(re.findall(r'id="([^"]+)"', html))
    found = []
    for text, element in tree.texts:
        inside = any(each.attrs.get("id") == "main" for each in element.up())
        if not inside or not re.search(r"\d", text) or free_of_sources(element):
            continue
        unit = next((each for each in element.up() if each.tag in UNITS or "data-cited" in each.attrs), None)
        whole = next((each for each in element.up() if "data-cited" in each.attrs), None)
        if not any(each is not None and each.has(is_cite) for each in (unit, whole)):
            found.append(text)
    marks = re.findall(r'href="(?:[^"#]*)#(source-[A-Z]+\d*)"', html)
    return found, [mark for mark in marks if mark not in ids]


def test_the_slugs_of_this_test_are_those_of_the_catalogue(catalogue):
    assert sorted(System.objects.current().values_list("slug", flat=True)) == sorted(SLUGS)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_number_of_a_guide_has_its_source_on_the_page(client, cast, slug):
    for asked in ({}, {"last_login": "2026-10-01", "granted_on": "2025-02-01"}):
        page = guide(client, cast.henry, slug, **asked).content.decode()
        assert uncited(page) == ([], [])


@pytest.mark.parametrize("slug", SLUGS)
def test_every_guide_says_its_limit_or_that_none_was_published(client, cast, slug):
    page = said(guide(client, cast.henry, slug))
    glance = page[page.index("The limit") : page.index("After that")]
    row = Policy.objects.current().filter(system__slug=slug, kind="inactivity", applied=True, effective_to=None)
    limit = row.exclude(limit_days=None).first()
    if limit:
        assert f"{limit.limit_days} days" in glance
    else:
        assert "No limit was published" in glance
        assert "Your rule: a login every 90 days; no rule of CMS." in glance
    for title in ("Way back", "Help now", "Limits and what they mean", "Work out a date", "Sources"):
        assert title in page


def test_the_list_and_the_general_rules_lead_to_sources_too(client, cast):
    client.force_login(cast.henry)
    page = client.get(reverse("web:systems", args=["riverside"])).content.decode()
    assert uncited(page)[0] == []
    for target in set(re.findall(r'href="(/o/riverside/systems/[^"#]+)#(source-[A-Z]+\d*)"', page)):
        assert f'id="{target[1]}"' in client.get(target[0]).content.decode(), target
    assert uncited(client.get(reverse("web:system-rules", args=["riverside"])).content.decode()) == ([], [])


def test_a_number_whose_mark_is_missing_would_be_noticed(client, cast):
    page = guide(client, cast.henry, "iqies").content.decode()
    first = page.index('<sup class="cite">', page.index("day 61 is too late."))
    broken = page[:first] + page[page.index("</sup>", first) + 6 :]
    assert any("day 61 is too late." in text for text in uncited(broken)[0])
    lost = page.replace('id="source-O2"', 'id="elsewhere"')
    assert "source-O2" in uncited(lost)[1]


def test_a_value_without_a_mark_in_a_list_would_be_noticed(client, cast):
    page = guide(client, cast.henry, "qies").content.decode()
    assert uncited(page.replace("</h1>", "</h1><p>Call 555-0100.</p>", 1))[0] == ["Call 555-0100."]
    assert uncited(page.replace("</h1>", "</h1><div>60 days</div>", 1))[0] == ["60 days"]


def test_every_phone_number_of_the_catalogue_stands_on_its_system(client, cast):
    for system in System.objects.current().prefetch_related("contacts__points"):
        points = [p for contact in system.contacts.all() if not contact.withdrawn for p in contact.points.all()]
        page = said(guide(client, cast.henry, system.slug))
        assert [point.value for point in points if not point.withdrawn and point.value not in page] == []


def test_what_is_not_the_catalogues_is_only_our_own_counts_questions_and_rules(client, cast):
    own = re.compile(r"<(\w+)[^>]* data-own[^>]*>(.*?)</\1>", re.S)
    held(cast, "henry", slug="sams", ago=5)
    for slug in ("sams", "harp", "iqies"):
        page = guide(client, cast.henry, slug, last_login="2026-10-01").content.decode()
        texts = [" ".join(re.sub(r"<[^>]+>", "", text).split()) for _, text in own.findall(page)]
        assert texts
        for text in texts:
            assert re.match(r"Your rule: .* no rule of CMS\.|(One|Two) accounts?$|Last signed in on ", text), text
