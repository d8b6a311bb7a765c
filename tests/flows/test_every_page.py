"""Every page of the demo organization in every look: accessible, within the window, without a complaint."""

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts.lists.reading import AccountList
from accounts.models import PortalAccount
from accounts.services.account_lists import preview_account_list
from facilities.access import Scope
from facilities.models import Facility, Membership, Organization
from facilities.models.tenancy import Role
from imports.mappings import save_mapping
from imports.models import Import
from imports.opening import Held
from imports.uploads import keep_upload
from staff.models import Employment, Person
from staff.roster.keeping import Kept, kept_form
from staff.roster.reading import Roster, look_over
from staff.services.rosters import import_roster, preview_roster
from tests.chromium import NARROW, WIDE
from tests.flows.visitors import objections
from tests.long_names import lengthen
from web.guides.leaflets import LEAFLETS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LISTS = ["today", "accounts", "logins-record", "people", "person-add", "facilities", "facility-register", "settings"]
LISTS += [
    "findings",
    "forecast",
    "moves",
    "member-invite",
    "house-rules",
    "house-windows",
    "start-reminders",
    "calendar",
    "systems",
    "system-rules",
]
LISTS += ["requests", "request-new", "imports", "import-new", "first-hours", "help", "glossary"]
# Rich, replaced, assumed and unknown limits, and one of which nearly nothing is known.
GUIDES = ["iqies", "qies", "idm", "sams", "ep-cnc"]
OF_A_PERSON = ["person", "person-edit", "person-away", "person-employ", "person-accounts-add", "acknowledge"]
OF_A_PERSON += ["person-deputy"]
PALE_IN_THE_DARK = """() => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync("@media (prefers-color-scheme: dark) { h1 { color: #333 !important } }")
    document.adoptedStyleSheets = [sheet]
}"""
TITLES = "First name,Last name,CCN,Job title,Phone\n"
ZOOMED = {"width": 320, "height": 256}  # a window of 1,280 x 1,024 at 400 % (WCAG 1.4.10)
WIDER = "document.documentElement.scrollWidth - window.innerWidth"
OPEN_ALL = "document.querySelectorAll('main details').forEach(each => { each.open = true })"


@pytest.fixture
def demo(site):
    call_command("seed_demo", verbosity=0)
    return Organization.objects.get(slug="demo")


def imports_of(demo):
    """Bring in one list, and one that waits with worries of every kind; return their pages."""
    ana = Membership.objects.get(organization=demo, role=Role.ADMINISTRATOR).user
    scope, at = Scope.of(ana, demo), timezone.now()
    done = import_roster(scope=scope, path=Held("done.csv", f"{TITLES}Noa,Fiction,121598,,555-0102".encode()), at=at,
                         allow_mass_leavers=True)  # fmt: skip
    rows = ["Noa,Fiction,121598,Director,", "Bea,Newcomer,15980,Nurse,", f"Carol,Sample,015980,,{'5' * 40}"]
    roster = look_over(
        Roster, Held("waits.csv", (TITLES.replace("Phone", "Work phone number") + "\n".join(rows)).encode())
    )
    kept = {"file_name": roster.file, "sha256": roster.sha256, "content": kept_form(roster)}
    waits = keep_upload(scope=scope, kind=Import.Kind.STAFF, at=at, **kept)
    found = preview_roster(scope=scope, kept=Kept(kept["content"]), at=at)
    assert [len(found.difference.brakes), len(found.report.restored), len(found.report.rejected)] == [1, 1, 1]
    parts = [("import-part", [waits.pk, part]) for part in ("leaver", "rejected")]
    pages = [("import", [done.source]), ("import-undo", [done.source]), ("import-look", [waits.pk]), *parts]
    return [*pages, *accounts_waiting(scope, at)]


def accounts_waiting(scope, at):
    """Bring in a list of accounts that waits with worries of every kind, its way of reading saved; return its pages."""
    rows = [
        "iQIES,15980,Sample,Carol,PSO,11/20/2026",
        "iQIES,015980,Stranger,Sam,PSO,",
        "CASPER,015980,Sample,Carol,Cook,",
    ]
    titles = "System,CCN,Last name,First name,Role,Last login"
    roster = look_over(AccountList, Held("accounts.csv", "\n".join([titles, *rows]).encode()))
    columns = {name: column.title for name, column in roster.guess.columns.items()}
    save_mapping(scope=scope, kind=Import.Kind.ACCOUNTS, name="Monthly", header=roster.header, columns=columns, at=at)
    kept = {"file_name": roster.file, "sha256": roster.sha256, "content": kept_form(roster), "columns": columns}
    waits = keep_upload(scope=scope, kind=Import.Kind.ACCOUNTS, at=at, **kept)
    found = preview_account_list(scope=scope, kept=Kept(kept["content"]), at=at, columns=columns)
    told = found.report
    assert [len(told.unknown_people), len(told.restored), len(told.rejected)] == [1, 1, 1]
    assert told.missing_in_file
    parts = [("import-part", [waits.pk, part]) for part in ("unknown", "missing")]
    return [("import-look", [waits.pk]), *parts]


def addresses(demo):
    """Return every page that the demo's administrator can open, accounts of every standing included."""
    mine = {"organization": demo}
    found = [(name, []) for name in LISTS]
    telling = PortalAccount.objects.filter(**mine, person__last_name__in=["Sample", "Placeholder", "Template"])
    found += [("account", [account.pk]) for account in telling.order_by("pk")]
    active = PortalAccount.objects.filter(**mine, status="active").earliest("pk")
    of_account = (
        "account-edit",
        "account-term",
        "account-tool",
        "account-remove",
        "account-profile",
        "login-another-day",
    )
    found += [(name, [active.pk]) for name in (*of_account, "login-another-day")]
    carol, tom = (Person.objects.get(**mine, last_name=name) for name in ("Sample", "Template"))
    found += [*((name, [carol.pk]) for name in OF_A_PERSON), ("person", [tom.pk])]
    oak, palm = Facility.objects.filter(**mine).order_by("name")
    found += [
        ("facility", [oak.pk]),
        ("facility", [palm.pk]),
        ("remove-all-but", [palm.pk]),
        ("facility-edit", [palm.pk]),
    ]
    found += [("facility-record", [oak.pk]), ("facility-record", [palm.pk])]
    found += [
        ("facility-streams", [oak.pk]),
        ("facility-keepers", [oak.pk]),
        ("first-hour", [oak.pk]),
        ("first-hour-mark", [oak.pk, "test"]),
        ("facility-reviewed", [oak.pk]),
        ("facility-in-use", [oak.pk, "cmsnet"]),
    ]
    found.append(("job-look", [carol.pk, oak.pk]))
    found.append(("move", ["pbj-to-iqies"]))
    found.append(("employment-end", [Employment.objects.filter(**mine).earliest("pk").pk]))
    found.append(("member-end", [Membership.objects.filter(**mine, role=Role.COORDINATOR).earliest("pk").pk]))
    found += [("system", [slug]) for slug in GUIDES]
    found += [("leaflet", [each.slug]) for each in LEAFLETS]
    found += [("house-window", [slug]) for slug in ("iqies", "harp")]
    found += imports_of(demo)
    pages = [reverse(f"web:{name}", args=[demo.slug, *args]) for name, args in found]
    pages.append(reverse("web:import-new", args=[demo.slug]) + "?kind=accounts")
    guide = reverse("web:system", args=[demo.slug, "qies"])
    return [*pages, f"{guide}?last_login=2026-08-01", f"{guide}?last_login=2026-13-01"]


def looked_at(page):
    """Return what is wrong with the open page: on a desk in both schemes, on a phone, and at 400 %."""
    said = objections(page)
    page.emulate_media(color_scheme="dark")
    said += objections(page, ["color-contrast"])  # all that the colours can change, and the same on a phone
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(NARROW)
    said += [f"on a phone: {each}" for each in objections(page)]
    page.set_viewport_size(ZOOMED)
    if page.evaluate(WIDER) > 0:
        said.append("wider than the window at 400 %")
    page.set_viewport_size(WIDE)
    return said


def test_every_page_of_the_demo_stands_in_nobodys_way(demo, newcomer, arriving):
    ana = Membership.objects.get(organization=demo, role=Role.ADMINISTRATOR).user
    page = newcomer(size=WIDE, cookies=arriving(ana))
    found = {}
    pages = addresses(demo)
    lengthen(demo)
    for address in pages:
        answer = page.goto(address)
        assert answer.status == 200, address
        page.evaluate(OPEN_ALL)
        if address.endswith("/add/"):
            for box in page.get_by_role("checkbox").all():
                box.check()
        if said := looked_at(page):
            found[address] = said
    assert found == {}


def test_axe_and_the_width_would_be_noticed(demo, newcomer):
    page = newcomer(size=NARROW)
    page.goto(reverse("account_login"))
    page.evaluate(PALE_IN_THE_DARK)
    assert objections(page) == []
    page.emulate_media(color_scheme="dark")
    assert "color-contrast" in " ".join(objections(page, ["color-contrast"]))
    page.emulate_media(color_scheme="light")
    page.evaluate("document.querySelector('h1').style = 'color: #bbb; width: 500px'")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    said = " ".join(objections(page))
    assert all(word in said for word in ("color-contrast", "button-name", "wider than the window"))
