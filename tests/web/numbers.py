"""Numbers that a page shows with a link or a button, and how long the list is that opens."""

import csv
import io
import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from django.urls import reverse

from tests.web.markup import tree

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
COUNT = rf"(?P<count>\d{{1,3}}(?:,\d{{3}})+|\d+|{'|'.join(WORDS)})\+?"
# "12", "12 accounts", "Two people: QIES at Oak House", "All 12", "My requests 12", "Today 2 waiting for you"
SHOWN = (
    re.compile(rf"{COUNT}(?: (?P<unit>[a-z].*))?", re.I),
    re.compile(rf"(?:.+ )?all {COUNT}\b.*", re.I),
    re.compile(rf".*[a-z] {COUNT}(?: waiting for you)?", re.I),
)
SAID = re.compile(rf"\b{COUNT} (?P<unit>accounts?|people|person)\b", re.I)  # in a sentence beside a link to a list
MEASURES = ("day", "week", "month", "year", "date")


@dataclass(frozen=True)
class Shown:
    """A number on a page, what it counts, and what one opens there."""

    page: str
    text: str
    number: int
    people: bool
    url: str
    posted: tuple[tuple[str, str], ...] = ()

    @property
    def opens(self):
        """What decides how long the list is."""
        return self.url, self.posted, self.people

    def __str__(self):
        return f"{self.page}: “{self.text}” → {self.url}"


def _number(word):
    return WORDS.index(word.lower()) if word.lower() in WORDS else int(word.replace(",", ""))


def _read(text):
    """Return the number that a link's text shows and its unit; nothing for dates, measures and names with numbers."""
    for pattern in SHOWN:
        found = pattern.fullmatch(text)
        if found:
            unit = found.groupdict().get("unit") or ""
            of_people = unit.startswith(("person", "people"))
            return None if unit.startswith(MEASURES) else (_number(found["count"]), of_people)
    return None


def _list(url):
    """Return whether an address is one of the product's own."""
    return urlsplit(url).path.startswith("/o/")


def shown(page, url):
    """Yield every number of a page with what it opens: links, buttons of forms, sentences beside a link to a list."""
    for link in page.all("a"):
        target, read = urljoin(url, link.attrs.get("href") or ""), _read(link.text)
        if read and _list(target) and "#" not in target:
            yield Shown(url, link.text, *read, target)
    for form in page.all("form"):
        fields = [field.attrs for field in form.all("input", type="hidden")]
        for button in form.all("button"):
            read = _read(button.text)
            if read and form.attrs.get("method") == "post" and "export" in form.attrs.get("action", ""):
                posted = tuple((each["name"], each["value"]) for each in fields)
                yield Shown(url, button.text, *read, urljoin(url, form.attrs["action"]), posted)
    for counted in page.all("p", class_="list-count"):
        yield Shown(url, counted.text, *_read(counted.text.removeprefix("More than ")), url)
    for rows in page.all("ol", class_="rows"):
        for row in rows.all("li"):
            yield from _said(row, url)


def _said(row, url):
    """Yield the number of accounts or people that a row speaks of, where it leads to a list of them."""
    lists = [urljoin(url, link.attrs.get("href") or "") for link in row.all("a")]
    lists = [each for each in lists if urlsplit(each).path == reverse("web:accounts", args=[url.split("/")[2]])]
    sentence = next(row.all("a"), None)
    said = SAID.search(sentence.text) if sentence and lists else None
    if said:
        yield Shown(url, sentence.text, _number(said["count"]), said["unit"].lower().startswith("p"), lists[0])


def length(client, number):
    """Return how many rows the list has that a number opens, over all of its pages; people count once."""
    if number.posted or "/export/" in number.url:
        answer = client.post(number.url, dict(number.posted))
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        return len(list(csv.DictReader(io.StringIO(text))))
    names = list(_names(client, number.url))
    return len(set(names)) if number.people else len(names)


def _names(client, url):
    """Yield the name of every row of a list, its pages one after the other; of a group that has more, all of them."""
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, f"{url}: {answer.status_code}"
        main = next(tree(answer.content.decode()).all("main"))
        for table in main.all("table"):
            yield from (row.text if table.has("class_", "import") else next(row.all("th")).text for row in _body(table))
            break
        for rows in main.all("ol", class_="rows"):
            group = [link for link in rows.parent.all("a") if re.match("All ", link.text)]
            if group:
                yield from _names(client, urljoin(url, group[0].attrs["href"]))
            else:
                yield from (row.text for row in rows.inside if getattr(row, "tag", "") == "li")
        following = next((link.attrs["href"] for link in main.all("a", rel="next")), "")
        url = urljoin(url, following) if following else ""


def _body(table):
    return [row for body in table.all("tbody") for row in body.all("tr")]
