"""Components say in words what they draw, work without scripts, and keep to the strict policy of what may run."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.template import engines
from django.test import Client
from django.urls import reverse

from systems.policy import Standing
from web.context import RAIL
from web.style_samples import samples
from web.templatetags import words

TEMPLATES = Path(settings.BASE_DIR) / "templates"


class Page(HTMLParser):
    """Collects what a page must not have, and what a screen reader would read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def component(rf, name: str, **values) -> Page:
    """Render one component as pages do: included, with nothing but its own values."""
    passed = " ".join(f"{key}={key}" for key in values)
    source = f"{{% include 'components/{name}.html' with {passed} only %}}"
    return Page(engines["django"].from_string(source).render(values, rf.get("/")))


@pytest.fixture
def style_page(client, db) -> str:
    """The style page as anybody gets it."""
    response = client.get(reverse("web:style"))
    assert response.status_code == 200
    return response.content.decode()


def test_the_style_page_is_absent_in_production(client, db, settings):
    settings.EMBEDDED = False
    assert client.get(reverse("web:style")).status_code == 404


def test_the_style_page_shows_every_component(style_page):
    sources = (TEMPLATES / "web/style.html").read_text()
    used = set(re.findall(r"components/(\w+)\.html", sources)) | {"errors"}  # comes along with the refused form
    for name in [*used]:
        used |= set(re.findall(r"components/(\w+)\.html", (TEMPLATES / f"components/{name}.html").read_text()))
    assert used == {path.stem for path in (TEMPLATES / "components").glob("*.html")}


def test_no_page_carries_inline_scripts_styles_or_handlers(style_page, client):
    for html in [style_page, client.get(reverse("account_login")).content.decode()]:
        for tag, attrs in Page(html).tags:
            assert not {name for name in attrs if name == "style" or name.startswith("on")}, (tag, attrs)
            assert tag != "style"
            if tag == "script":
                assert "src" in attrs or attrs.get("type") == "application/json", attrs


def test_no_page_asks_another_host(style_page):
    for tag, attrs in Page(style_page).tags:
        fetched = attrs.get("src") or (attrs.get("href") if tag in {"link", "use"} else None)
        assert not fetched or fetched.startswith("/static/"), fetched


def test_ids_on_a_page_are_unique(style_page):
    ids = Page(style_page).ids
    assert sorted({name for name in ids if ids.count(name) > 1}) == []


def test_every_icon_that_is_named_exists():
    drawn = set(re.findall(r'<symbol id="([a-z-]+)"', (Path(settings.BASE_DIR) / "static/icons.svg").read_text()))
    sources = "".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
    named = set(re.findall(r'components/icon\.html" with name="([a-z-]+)"', sources))
    named |= set(re.findall(r'icon="([a-z-]+)"', sources))
    named |= {icon for _, icon in words.STANDINGS.values()} | {entry.icon for entry in RAIL}
    assert named - drawn == set()


@pytest.mark.parametrize("standing", list(Standing))
def test_a_standing_is_words_first(rf, standing):
    page = component(rf, "standing", standing=standing)
    assert page.text == words.standing_words(standing)
    assert page.tags[0][1]["class"] == f"standing is-{standing.value.replace('_', '-')}"


def test_the_bar_of_a_clock_is_hidden_from_readers_and_its_words_are_not(rf):
    clock = samples()["clocks"][1]
    page = component(rf, "clock", clock=clock)
    assert dict(page.tags)["svg"]["aria-hidden"] == "true"
    assert page.text == clock.text


def test_a_row_offers_its_deed_and_says_what_it_is_about(rf):
    row = samples()["rows"][1]
    page = component(rf, "row_action", row=row)
    assert row["sentence"] in page.text
    assert "I signed in today : " + row["sentence"] in page.text.replace("today:", "today :")
    forms = [attrs for tag, attrs in page.tags if tag == "form"]
    assert {form["method"] for form in forms} == {"post"}
    assert all(form["action"] == form["hx-post"] for form in forms), "with and without scripts the same address"
    assert {form["hx-target"] for form in forms} == {"#row-soon"}


def test_a_done_row_offers_only_undo(rf):
    done = samples()["rows"][-1]
    page = component(rf, "row_action", row=done)
    buttons = [attrs for tag, attrs in page.tags if tag == "button"]
    assert len(buttons) == 1
    assert "Undo" in page.text
    assert "I signed in today" not in page.text
    without_undo = component(rf, "row_action", row=done | {"undo_url": ""})
    assert not [tag for tag, _ in without_undo.tags if tag == "button"]


def test_forms_inside_components_pass_the_csrf_check(db, settings):
    settings.ROOT_URLCONF = "tests.web.echo_urls"
    strict = Client(enforce_csrf_checks=True)
    page = Page(strict.get("/today/").content.decode())
    token = next(attrs["value"] for _, attrs in page.tags if attrs.get("name") == "csrfmiddlewaretoken")
    sent = {"on": "2026-11-21"}
    assert strict.post("/do/", sent | {"csrfmiddlewaretoken": token}).status_code == 302
    assert strict.post("/do/", sent).status_code == 403


def test_why_names_facts_rule_source_cure_and_who_was_told(rf):
    why = samples()["why"]
    page = component(rf, "why", why=why, about="Sign in to iQIES")
    for said in [why["rule"], why["clears"], why["source"]["title"], why["source"]["fact"], why["facts"][0]["text"]]:
        assert said in page.text
    assert "said by the person who signed in" in page.text
    assert "Mon 20 May 2024" in page.text
    assert "Fri 13 Nov 2026, 7:00 a.m. ET" in page.text
    assert "Nobody yet." not in page.text
    assert "Nobody yet." in component(rf, "why", why=why | {"told": []}).text


def test_a_rule_of_the_house_is_called_so(rf):
    why = samples()["house_why"]
    assert "Your organization’s rule" in component(rf, "why", why=why).text
    assert "Your organization’s rule" not in component(rf, "why", why=why | {"house": False}).text


def test_what_people_type_is_shown_as_text(rf):
    row = {"id": "row-1", "standing": "soon", "sentence": "Ask <script>alert(1)</script>"}
    page = component(rf, "row_action", row=row)
    assert "script" not in [tag for tag, _ in page.tags]
    assert "<script>alert(1)</script>" in page.text


def test_a_toast_with_undo_posts_and_one_without_has_no_form(rf):
    with_undo = component(rf, "toast", text="Recorded.", level="success", undo_url="/undo/")
    assert [attrs["action"] for tag, attrs in with_undo.tags if tag == "form"] == ["/undo/"]
    assert not [tag for tag, _ in component(rf, "toast", text="Recorded.", level="success").tags if tag == "form"]


def test_messages_of_a_view_become_toasts(rf):
    told = [
        Message(messages.ERROR, "Nothing was saved.", extra_tags=""),
        Message(messages.SUCCESS, "Done.", "undo=/u/"),
    ]
    html = engines["django"].get_template("frame/toasts.html").render({"messages": told}, rf.get("/"))
    page = Page(html)
    assert page.text.index("Nothing was saved.") < page.text.index("Done.")
    assert [attrs["action"] for tag, attrs in page.tags if tag == "form"] == ["/u/"]
    assert dict(page.tags[0][1])["role"] == "status"


def test_each_cell_of_a_table_carries_its_columns_name_for_small_screens(rf):
    table = samples()["table"]
    page = component(rf, "table", caption="Accounts", columns=table["columns"], rows=table["rows"])
    labels = [attrs["data-label"] for tag, attrs in page.tags if tag == "td"]
    assert labels == ["System", "Standing", "Last safe day", "Roles"] * 2
    assert len([1 for tag, attrs in page.tags if tag == "th" and attrs.get("scope") == "row"]) == 2
    assert "nav" not in [tag for tag, _ in page.tags], "one page needs no pager"


def test_a_refused_form_says_first_that_nothing_was_saved(rf):
    page = component(rf, "errors", form=samples()["refused"])
    assert page.text.startswith("Nothing was saved yet: three things need a look")
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert links == ["#id_refused-name", "#id_refused-last_login", "#id_refused-system"]
    assert component(rf, "errors", form=samples()["form"]).text == ""


def test_a_voided_entry_stays_in_the_timeline_and_says_why(rf):
    page = component(rf, "timeline", items=samples()["timeline"])
    assert "No longer counted: typed for the wrong person." in page.text


def test_checklist_steps_that_are_done_offer_nothing(rf):
    items = samples()["checklist"]
    page = component(rf, "checklist", title="First steps", items=items)
    offered = [1 + len(item.get("links", ())) for item in items if not item.get("done")]
    assert len([tag for tag, _ in page.tags if tag == "a"]) == sum(offered)
    assert "Register your facility Done" in page.text
