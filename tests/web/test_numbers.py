"""Whatever number a page shows with a link, so many rows has the list that opens; for members with different scope."""

from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
import time_machine
from django.urls import resolve, reverse

from tests.conftest import NOON, made_once
from tests.web.awkward import SLUG, awkward
from tests.web.markup import tree
from tests.web.numbers import length, shown
from tests.web.test_exports import sign_in
from web import burning

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture(scope="module")
def members(django_db_setup, django_db_blocker):
    with time_machine.travel(NOON, tick=False), made_once(django_db_blocker):
        yield awkward()


def pages(client):
    """Yield (address, page) of one page of each kind that links lead to from Today."""
    queue, seen = [reverse("web:today", args=[SLUG])], set()
    while queue:
        url = queue.pop(0)
        asked = dict(parse_qsl(urlsplit(url).query))
        kind = (resolve(urlsplit(url).path).url_name, *sorted(asked))
        if kind in seen or asked.keys() & {"after", "before"}:
            continue
        answer = client.get(url)
        if answer.status_code != 200 or "html" not in answer["Content-Type"]:
            continue
        seen.add(kind)
        page = tree(answer.content.decode())
        yield url, page
        links = [link for link in page.all("a") if not link.has("class_", "chip-filter")]
        found = [urljoin(url, link.attrs.get("href") or "").partition("#")[0] for link in links]
        queue += [each for each in found if urlsplit(each).path.startswith(f"/o/{SLUG}/")]


@pytest.mark.parametrize(("name", "least"), [("all", 60), ("two", 40), ("holder", 5)])
def test_every_number_with_a_link_is_the_length_of_its_list(db, client, members, monkeypatch, name, least):
    monkeypatch.setattr(burning, "COUNTED_LIVE", 0)  # who reads all sees the figures that are kept
    sign_in(client, members[name])
    numbers = {number for url, page in pages(client) for number in shown(page, url)}
    opened = {each.opens: length(client, each) for each in numbers}
    wrong = [f"{each}: {opened[each.opens]}" for each in numbers if opened[each.opens] != each.number]
    assert sorted(wrong) == []
    assert len(numbers) >= least, "there is something to compare"
