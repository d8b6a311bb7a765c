"""Importing accounts on pages: unknown people and what the list lacks are told first, written once, and back again."""

import pytest
import time_machine

from accounts.models import Finding, LoginEvent, PortalAccount, RoleGrant
from accounts.services.inventory import correct_account
from audit.models import AuditEvent
from imports.models import Import, ImportRow, PendingImport, SavedMapping
from staff.models import Person
from systems.models import SystemRole
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.web.test_imports_pages import address, consent, kept_files, words
from tests.web.test_imports_pages import tuple_of as cells_of

pytestmark = pytest.mark.django_db

HEADER = "System\tCCN\tLast Name\tFirst Name\tWork Email\tUser ID\tRole\tRole Status\tGranted On\tLast Login"
VIEWER = "Provider Assessment Viewer"
HENRY = f"iQIES\t015009\tTest\tHenry\thenry@example.org\tHTEST1\t{VIEWER}\tActive\t03/15/2025\t11/10/2026"
NOBODY = f"iQIES\t015009\tStranger\tSam\tsam@example.org\tSS1\t{VIEWER}\tActive\t\t"
WRONG = "iQIES\t015009\tTest\tOlga\tolga@example.org\t\tCook\tActive\t\t"


@pytest.fixture(autouse=True)
def _noon(settings, tmp_path):
    settings.UPLOAD_ROOT = tmp_path / "uploads"
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def alice(client, cast):
    client.force_login(cast.alice)
    return client


def paste(client, *rows, header=HEADER, kind="accounts", **others):
    return client.post(address("import-new"), {"kind": kind, "pasted": "\r\n".join([header, *rows])} | others)


def looked_at(client, *rows, **options):
    answer = paste(client, *rows, **options)
    assert answer.status_code == 302, answer.context["form"].errors
    return answer.url, client.get(answer.url)


def stored():
    tables = (Person, PortalAccount, RoleGrant, LoginEvent, Finding, Import, ImportRow, AuditEvent)
    return [list(model.objects.order_by("pk").values_list()) for model in tables]


def test_a_list_of_accounts_is_looked_at_imported_once_and_taken_back(alice, cast):
    carol = held(cast, "iqies", person="carol", last_login=TODAY)
    before = stored()
    url, page = looked_at(alice, HENRY, NOBODY, WRONG)
    assert stored() == before
    said = words(page)
    assert "Import: one new account and one account noted as missing in the list" in said
    assert "Line 3 Sam Stranger · iQIES" in said
    assert "Nothing is written for these rows: a list of accounts adds nobody" in said
    assert "Line 4 Olga Test · Column “Role” IQIES has no role “Cook”" in said or "has no role “Cook”" in said
    assert "Carol Test iQIES · Oak House" in said
    assert "Nothing is removed. Each becomes a finding" in said
    rows = {part.slug: part.rows for part in page.context["parts"]}
    assert [cells_of(cell) for cell in rows["created"][0].cells] == [
        ("Role at Oak House", "", f"{VIEWER}, from Sat 15 Mar 2025"),
        ("Access since", "", "Sat 15 Mar 2025"),
        ("Last sign-in", "", "Tue 10 Nov 2026"),
        ("User ID", "", "HTEST1"),
    ]
    first, second = consent(alice, url, page), consent(alice, url, page)
    source = Import.objects.get()
    assert first.url == second.url == address("import", source.pk)
    assert AuditEvent.objects.filter(action="accounts.imported").count() == 1
    assert Finding.objects.open().filter(kind=Finding.Kind.MISSING_IN_FILE, account=carol).exists()
    assert "“User ID”: User ID" in words(alice.get(first.url))
    assert "Taken back for one account." in words(alice.post(address("import-undo", source.pk), follow=True))
    assert list(PortalAccount.objects.open().filter(system__slug="iqies")) == [carol]
    _, page = looked_at(alice, HENRY.replace(f"\t{VIEWER}", ""), header=HEADER.replace("\tRole\t", "\t"))
    assert "Henry Test · No column is taken for it A new account needs its role" in words(page)


def test_what_changes_of_a_known_account_is_shown_as_it_was_and_becomes(alice, cast):
    held(
        cast,
        "iqies",
        person="henry",
        last_login=TODAY.replace(day=1),
        roles=list(SystemRole.objects.filter(slug="provider-assessment-viewer")),
    )
    _, page = looked_at(alice, HENRY.replace("Active", "Disabled"))
    row = next(part for part in page.context["parts"] if part.slug == "updated").rows[0]
    assert row.title == "Henry Test"
    assert [cells_of(cell) for cell in row.cells if cell.label != "User ID"] == [
        ("Role at Oak House", VIEWER, "ended"),
        ("Account", "Active", "Lost (disabled)"),
        ("Last sign-in", "Sun 1 Nov 2026", "Tue 10 Nov 2026"),
    ]


@pytest.mark.parametrize("row", [HENRY.replace("HTEST1", "123-45-6789"), HENRY.replace("HTEST1", "password: hunter2")])
def test_a_secret_in_a_list_of_accounts_is_refused_before_anything_is_kept(alice, settings, row):
    answer = paste(alice, row)
    assert "Line 2, column “User ID”: A cell looks like" in words(answer)
    assert "6789" not in answer.content.decode()
    assert "hunter2" not in answer.content.decode()
    assert kept_files(settings) == []
    assert not PendingImport.objects.exists()


@pytest.mark.parametrize("kind", ["staff", "accounts"])
def test_a_list_without_titles_whose_first_row_holds_a_secret_is_not_kept(alice, settings, kind):
    answer = paste(alice, "015009\tHenry\tx", header="015010\tOlga\t123-45-6789", kind=kind)
    assert "The title of column 3 looks like a Social Security number." in words(answer)
    assert "6789" not in answer.content.decode()
    assert kept_files(settings) == []
    assert paste(alice, "015009\tHenry\tx", header="015010\tOlga\ty", kind=kind).status_code == 302


def test_a_list_of_one_system_says_which_at_the_start_or_where_it_is_looked_at(alice, cast):
    header, row = "CCN\tName\tUser Name\tLast Login Date", "015009\tTest, Henry\tHT1\t2026-11-01"
    url, page = looked_at(alice, row, header=header, system="cmsnet")
    assert page.context["report"].created == 1
    url, page = looked_at(alice, row, header=header)
    assert "This list lacks the system" in words(page)
    chosen = {column["select"]: column["field"] for column in page.context["columns"]}
    assert "Choose a system of the list." in words(alice.post(url, chosen | {"system": "nonsense"}))
    assert alice.post(url, chosen | {"system": "cmsnet"}).url == url
    page = alice.get(url)
    assert consent(alice, url, page).url == address("import", Import.objects.get().pk)
    assert PortalAccount.objects.get(system__slug="cmsnet").person == cast.people["henry"]


def test_accounts_that_changed_meanwhile_are_shown_again_instead_of_being_written(alice, cast):
    account = held(
        cast, "iqies", person="henry", roles=list(SystemRole.objects.filter(slug="provider-assessment-viewer"))
    )
    url, page = looked_at(alice, HENRY.replace("Active", "Disabled"))
    facts = {"user_id": "", "password_changed_on": None, "note": "Hers"}
    correct_account(scope=cast.scope("alice"), account=account, version=account.version, at=NOON, **facts)
    RoleGrant.objects.filter(account=account).update(valid_to=TODAY)
    before = stored()
    assert consent(alice, url, page).url == url
    assert stored() == before
    assert "People or accounts changed since this was shown." in words(alice.get(url))


def test_a_list_that_changes_nothing_still_notes_what_it_does_not_show(alice, cast):
    url, page = looked_at(alice, HENRY)
    consent(alice, url, page)
    held(cast, "iqies", person="carol", last_login=TODAY)
    url, page = looked_at(alice, HENRY)
    assert "Import: one account noted as missing in the list" in words(page)
    assert "You can take the import back" not in words(page)
    assert consent(alice, url, page).url == address("imports")
    assert "Noted under Findings, as the list does not show them: one account." in words(alice.get(address("imports")))
    assert Finding.objects.open().filter(kind=Finding.Kind.MISSING_IN_FILE).count() == 1
    assert Import.objects.count() == 1
    assert "wait" not in words(alice.get(address("imports"))).lower()
    for again in (consent(alice, url, page), alice.get(url), alice.post(f"{url}discard/")):
        assert again.url == f"{address('findings')}?kind=missing-in-file", "a second click is told where it went on"
    assert "was taken already." in words(alice.get(again.url))


def test_a_list_of_a_system_that_the_catalogue_has_lost_asks_again_which_one_it_is(alice):
    header, row = "CCN\tName\tUser Name", "015009\tTest, Henry\tHT1"
    url, page = looked_at(alice, row, header=header, system="cmsnet")
    PendingImport.objects.update(system="gone")
    assert "The catalogue has no system" in words(alice.get(url))
    assert consent(alice, url, page).url == url


def test_all_rows_of_a_part_of_accounts_are_reached(alice):
    url, _ = looked_at(alice, HENRY, NOBODY, WRONG)
    for part in ("created", "unknown", "rejected", "missing"):
        assert alice.get(f"{url}rows/{part}/").status_code == 200
    assert "Sam Stranger" in words(alice.get(f"{url}rows/unknown/"))
    assert alice.get(f"{url}rows/joiner/").status_code == 404


# --- ways of reading, saved under a name ---------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "header", "row", "meant"),
    [
        ("staff", "Place\tWho\tCode", "015009\tHenry Test\tE7", {"ccn": "Place", "full_name": "Who"}),
        (
            "accounts",
            "Place\tWho\tCode",
            "015009\tTest, Henry\tHT1",
            {"ccn": "Place", "full_name": "Who", "user_id": "Code"},
        ),
    ],
)
def test_a_way_of_reading_is_kept_under_a_name_and_taken_for_the_same_titles(alice, kind, header, row, meant):
    url, page = looked_at(alice, row, header=header, kind=kind)
    assert "This list lacks" in words(page)
    titles = {column["name"]: column["select"] for column in page.context["columns"]}
    chosen = {titles[title]: field for field, title in meant.items()} | {"save_as": " Monthly "}
    chosen |= {"system": "cmsnet"} if kind == "accounts" else {}
    assert alice.post(url, chosen).url == url
    saved = SavedMapping.objects.get()
    assert (saved.name, saved.kind, saved.header) == ("Monthly", kind, header.split("\t"))
    assert "Saved as “Monthly”." in words(alice.get(url))
    _, again = looked_at(alice, row, header=header, kind=kind)
    assert again.context["read_as"] == "Monthly"
    assert again.context["report"].rows == 1
    wider, other = looked_at(alice, row + "\tx", header=header + "\tMore", kind=kind)
    assert other.context["read_as"] == "", "another header row is not read so by itself"
    assert [each.name for each in other.context["saved"]] == ["Monthly"]
    before = [column["field"] for column in other.context["columns"]]
    for nothing in ("Nonsense", ""):
        answer = alice.post(wider, {"mapping": nothing})
        assert answer.context["wrong"]
        assert [column["field"] for column in answer.context["columns"]] == before, "what was guessed stays"
    assert alice.post(wider, {"mapping": "Monthly"}).url == wider
    assert alice.get(wider).context["read_as"] == "Monthly"
    _, foreign = looked_at(alice, row, header="A\tB\tC", kind=kind)
    assert foreign.context["saved"] == []


def test_a_name_that_is_too_long_or_a_secret_keeps_nothing(alice):
    url, page = looked_at(alice, HENRY)
    chosen = {column["select"]: column["field"] for column in page.context["columns"]}
    assert "has 1 to 60 characters" in words(alice.post(url, chosen | {"save_as": "x" * 61}))
    for garbage in ("a\x00b", "a\nb", "x" * 10_000):
        assert "in one line" in words(alice.post(url, chosen | {"save_as": garbage}))
    assert alice.post(url, {"mapping": "a\x00b"}).status_code == 200
    answer = alice.post(url, chosen | {"save_as": "password: hunter2"})
    assert "The name looks like a secret." in words(answer)
    assert "hunter2" not in answer.content.decode()
    assert not SavedMapping.objects.exists()
