"""No page hides: what each is for is in view after three clicks from Today at most, by the words on the links."""

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.urls import resolve, reverse

from reminders.services.tick import run_tick
from tests.accounts.holding import held
from tests.browser.test_every_page import FRAGMENTS
from tests.conftest import NOON, TODAY
from tests.reminders.making import started
from tests.requests.asking import submitted
from tests.test_access import ROWS, SEEN

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST = 3  # clicks


@dataclass(frozen=True)
class Way:
    """A page by the name of its URL, its main deed in visible words, and the clicks that lead there from Today."""

    name: str
    deed: str
    path: tuple[str, ...] = ()


SEVERAL, AWAY, WORST = "Record several logins", "I will be away", "See the worst first"
WEEKS, CALENDAR, STEPS = "Week by week, as a table", "Set it up or stop it", "Getting started at Oak House"
WINDOWS = "Days between logins, per system"
NOBODY_KNOWS = "I do not know who has access…"
QUITS = "What would be missing if Henry left today, and who else is there"
FACILITY, HENRY, ACCOUNT = ("Facilities", "Oak House"), ("People", "Henry Test"), ("Accounts", "Carol Test")

ALICE = [
    Way("today", "Henry signed in today"),
    Way("logins-record", "Record these logins", (SEVERAL,)),
    Way("person-away", "Record the absence", (AWAY,)),
    Way("forecast", "Show", (WEEKS,)),
    Way("calendar", "Make a link", (CALENDAR,)),
    Way("first-hour", "Send me a test digest", (STEPS,)),
    Way("first-hour-mark", "Set this step aside", (STEPS, "Set aside")),
    Way("first-hours", "Go on at Oak House", ("further facilities",)),
    Way("burning", "Oak House", (WORST,)),
    Way("facilities", "Register a facility", ("Facilities",)),
    Way("moves", "PBJ staffing", ("Facilities", "Moves")),
    Way("move", "Export all 2", ("Facilities", "Moves", "PBJ staffing")),
    Way("remove-all-but", "Show what to send to CMS", (*FACILITY, NOBODY_KNOWS)),
    Way("facility-register", "Check with CMS’s directory", ("Facilities", "Register a facility")),
    Way("facility", "Add a person", FACILITY),
    Way("facility-edit", "Save Oak House", (*FACILITY, "Edit")),
    Way("facility-streams", "Save who submits for Oak House", (*FACILITY, "Change who submits")),
    Way("facility-keepers", "Name as keeper", (*FACILITY, "Change keepers")),
    Way("facility-record", "Take it along as CSV", (*FACILITY, "Look at it or print it")),
    Way("facility-in-use", "QIES is still in use here", (*FACILITY, "It is still in use")),
    Way("obligation-add", "Add it", (*FACILITY, "Add what is owed by a day")),
    Way("people", "Add a person", ("People",)),
    Way("person-add", "Save the person and the ticked accounts", ("People", "Add a person")),
    Way("person", "Add accounts", HENRY),
    Way("person-edit", "Save Henry Test", (*HENRY, "Edit")),
    Way("person-accounts-add", "Save the ticked accounts", (*HENRY, "Add accounts")),
    Way("person-employ", "Record the work", (*HENRY, "Works at a further facility…")),
    Way("employment-end", "Record Henry Test’s last day", (*HENRY, "Leaves Oak House…")),
    Way("person-quits", "Say who submits", (*HENRY, QUITS)),
    Way("person-deputy", "Let them stand in for Henry Test", (*HENRY, "Name who always stands in…")),
    Way("acknowledge", "Record what Henry Test acknowledged", (*HENRY, "Henry acknowledged a document…")),
    Way("accounts", "Export all 6", ("Accounts",)),
    Way("logins-bulk", "Record six logins", ("Accounts", "Record logins of all 6")),
    Way("account", "Carol signed in today", ACCOUNT),
    Way("account-edit", "Save", (*ACCOUNT, "Edit")),
    Way("account-lost", "Record that Carol Test’s iQIES account is lost", (*ACCOUNT, "It no longer works")),
    Way("account-term", "Save how long it lasts", (*ACCOUNT, "It is only temporary")),
    Way("account-remove", "Remove Carol Test’s iQIES account", (*ACCOUNT, "It was removed on iQIES")),
    Way("findings", "Say who submits", ("Findings",)),
    Way("requests", "Ask for access", ("Requests",)),
    Way("request", "Approve", ("Look and decide",)),
    Way("deciders", "Save who decides", ("Settings", "Change who decides")),
    Way("systems", "iQIES", ("Systems",)),
    Way("system", "Work it out", ("Systems", "iQIES")),
    Way("system-rules", "Source S4", ("Systems", "Rules for every system")),
    Way("imports", "Import accounts", ("Imports",)),
    Way("import-new", "Look at it", ("Imports", "Import people")),
    Way("settings", "Invite a member", ("Settings",)),
    Way("member-invite", "Invite", ("Settings", "Invite a member")),
    Way("house-rules", "Switch on", ("Settings", "See what each asks for")),
    Way("house-windows", "HARP", ("Settings", WINDOWS)),
    Way("house-window", "See what would happen", ("Settings", WINDOWS, "HARP")),
    Way("help", "Look it up", ("Help",)),
    Way("glossary", "Find", ("Help", "Whole glossary")),
    Way("leaflet", "Record several logins", ("Help", "Your Monday morning")),
]
OTHERS = {
    "henry": [
        Way("today", "I signed in today"),
        Way("accounts", "Henry Test", ("Accounts",)),
        Way("account", "I signed in today", ("Accounts", "Henry Test")),
        Way("person-away", "Record the absence", (AWAY,)),
        Way("system", "Work it out", ("Systems", "iQIES")),
    ],
    "carol": [
        Way("logins-record", "Record these logins", (SEVERAL,)),
        Way("person-add", "Save the person and the ticked accounts", ("People", "Add a person")),
        Way("employment-end", "Record Henry Test’s last day", (*HENRY, "Leaves Oak House…")),
        Way("account", "I signed in today", ACCOUNT),
    ],
    "audrey": [
        Way("burning", "Oak House", (WORST,)),
        Way("accounts", "Export all 6", ("Accounts",)),
        Way("people", "Export all 5", ("People",)),
        Way("facility-record", "Take it along as CSV", (*FACILITY, "Look at it or print it")),
    ],
}
LED_TO = {  # pages that stand beside what they are about, or that something has to happen before
    "home": "leads on to Today",
    "style": "for who builds the product",
    "join": "the link in an invitation",
    "search": "its field stands in the top bar of every page",
    "finding-why": "opens in place under Why?",
    "deadline-why": "opens in place under Why?",
    "login-another-day": "opens in place under Another day",
    "start-reminders": "a notice on Today until they have started",
    "calendar-made": "comes once after a link was made",
    "view-save": "beside the filters of a list that is filtered",
    "view": "beside a kept view",
    "account-profile": "the finding that asks for it",
    "account-identity": "the account at a sign-in authority",
    "account-tool": "beside what the account is used by",
    "request-new": "its steps begin under Ask for access",
    "request-edit": "the request’s page",
    "request-finish": "the request’s page",
    "requests-finish": "the page of a request that was asked for together with others",
    "request-fail": "the request’s page",
    "request-sheet": "the request’s page, where a form is needed",
    "request-undo": "the request’s page",
    "request-countersign": "the request’s page",
    "requests-bulk": "the findings or accounts it is asked for",
    "role-need": "beside the role",
    "role-need-void": "beside what was said of the role",
    "account-regain": "the row of a lost account",
    "job-look": "the person’s page after another job",
    "certify": "the row of Today that asks for it",
    "obligation-met": "the row of Today that asks for it",
    "facility-reviewed": "the row of Today that asks for it",
    "absence-end": "beside the absence",
    "deputy-end": "beside the deputy",
    "keeper-end": "beside the keeper",
    "certification-void": "beside the certification",
    "acknowledgement-void": "beside the acknowledgement",
    "import-look": "comes after the upload",
    "import": "comes after the import",
    "import-undo": "beside the import",
    "member-end": "beside the member",
}


@pytest.fixture
def house(clock, cast):
    """Oak House and Elm House with accounts that are due within the week, looked over by one tick."""
    started(cast)
    for person in ("carol", "henry"):
        held(cast, last_login=TODAY - timedelta(days=57), person=person)
    held(cast, "casper", last_login=TODAY - timedelta(days=30))
    submitted(cast)
    run_tick(at=NOON)
    return cast


def called(page, words):
    """Return the first link or button of this name; what is only said to those who do not see follows a colon."""
    name = re.compile(rf"^{re.escape(words)}( \d+\s+waiting for you| ?:.*)?$")
    return page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name)).first


def address(page, words):
    """Return where a click on these words leads; the page is the same again afterwards."""
    here, target = page.url, called(page, words)
    assert target.is_visible(), f"{words}: not to be seen on {here}"
    link = target.get_attribute("href", timeout=1_000)
    if link:
        return link
    with page.expect_navigation():
        target.click()
    landed = page.url
    page.goto(here)
    return landed


def visit(page, at, ways, path=()):
    """Open the page to which these clicks lead, look for the deed of each way that ends here, then go on."""
    page.goto(at)
    lost = []
    for way in [way for way in ways if way.path == path]:
        landed = resolve(urlsplit(page.url).path).url_name
        if landed != way.name or not called(page, way.deed).is_visible():
            lost.append((way, landed))
    further = {way.path[len(path)] for way in ways if way.path[: len(path)] == path and len(way.path) > len(path)}
    found = {words: address(page, words) for words in sorted(further)}
    for words, link in found.items():
        lost += visit(page, link, ways, (*path, words))
    return lost


def test_the_deed_of_every_page_is_three_clicks_from_today(house, newcomer, arriving):
    home = reverse("web:today", args=["riverside"])
    for name, ways in {"alice": ALICE, **OTHERS}.items():
        found = visit(newcomer(cookies=arriving(getattr(house, name))), home, ways)
        assert found == [], f"{name}: {found}"


def test_no_page_is_missing_above_and_no_way_is_longer():
    pages = {name for name, rows in ROWS.items() if any(row.post is None and row.expected[0] == SEEN for row in rows)}
    ours = {name.removeprefix("web:") for name in pages if name.startswith("web:") and name not in FRAGMENTS}
    assert ours == ({way.name for way in ALICE} | LED_TO.keys()) & ours
    assert not {way.name for way in ALICE} & LED_TO.keys()
    assert max(len(way.path) for ways in [ALICE, *OTHERS.values()] for way in ways) <= MOST
