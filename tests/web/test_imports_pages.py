"""Importing people on pages: nothing before the consent, what was looked at and nothing else, once, and back again."""

import re
from datetime import timedelta
from io import BytesIO, StringIO

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse
from openpyxl import Workbook

from accounts.models import PortalAccount
from accounts.services.inventory import correct_account
from audit.models import AuditEvent
from imports.models import Import, ImportRow, PendingImport
from staff.models import Employment, Person
from staff.services.people import PersonFacts, correct_person, end_employment
from tests import factories
from tests.conftest import NOON, TODAY
from tests.web.test_people_pages import hold

pytestmark = pytest.mark.django_db

HEADER = "Emp ID\tFirst Name\tLast Name\tWork Email\tPhone\tJob Title\tCCN\tHire Date\tTerm Date\tStatus"
ADA = "A1\tAda\tExample\tada@example.org\t555-0101\tNurse\t015009\t01/13/2020\t\tActive"
CAROL = "\tCarol\tTest\tcarol@example.org\t555-0100\t\t015009\t\t\tActive"
HENRY = "\tHenry\tTest\thenry@example.org\t\t\t015009\t\t\tActive"
BROKEN = "B2\tBob\tSample\tno address\t\tNurse\t015009\t\t\tActive"


@pytest.fixture(autouse=True)
def _noon(settings, tmp_path):
    settings.UPLOAD_ROOT = tmp_path / "uploads"
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def alice(client, cast):
    client.force_login(cast.alice)
    return client


def address(name, *args):
    return reverse(f"web:{name}", args=["riverside", *args])


def paste(client, *rows, header=HEADER):
    return client.post(address("import-new"), {"pasted": "\r\n".join([header, *rows])})


def looked_at(client, *rows, **options):
    """Upload rows and return (address of the preview, the preview)."""
    answer = paste(client, *rows, **options)
    assert answer.status_code == 302, answer.context["form"].errors
    return answer.url, client.get(answer.url)


def consent(client, url, page, **others):
    digest = page.context.get("digest", "")
    return client.post(f"{url}consent/", {"digest": digest} | others)


def stored():
    tables = (Person, Employment, Import, ImportRow, AuditEvent)
    return [list(model.objects.order_by("pk").values_list()) for model in tables]


def words(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def kept_files(settings):
    return [path.read_bytes() for path in settings.UPLOAD_ROOT.glob("*/*")]


# --- uploading -----------------------------------------------------------------------------------


def test_a_pasted_table_is_looked_at_imported_and_taken_back(alice, cast):
    before = stored()
    url, page = looked_at(alice, ADA, CAROL, HENRY, BROKEN, HENRY)
    assert stored() == before
    said = words(page)
    assert "Import: one joins and one gets new contact data or dates" in said
    assert "“Hire Date” writes days as month/day/year: 01/13/2020 is read as Mon 13 Jan 2020." in said
    assert "Line 5 Bob Sample · Column “Work Email” This is no e-mail address" in said
    assert "One row repeats what another row says; each counts once." in said
    assert "to one known person, so it may be about anybody. Otherwise none would have been." in said
    assert "You can take the import back until Sun 20 Dec 2026." in said
    answer = consent(alice, url, page)
    source = Import.objects.get()
    assert answer.url == address("import", source.pk)
    assert Person.objects.get(first_name="Ada").employments.get().facility == cast.oak
    done = words(alice.get(answer.url))
    assert "One joined and one updated." in done
    assert "Can be taken back until Sun 20 Dec 2026" in done
    assert "Oak House from Mon 13 Jan 2020" in done
    asked = words(alice.get(address("import-undo", source.pk)))
    assert "One person who joined keeps the name here, without a place of work." in asked
    assert alice.post(address("import-undo", source.pk)).url == answer.url
    assert not Employment.objects.known().filter(person__first_name="Ada").exists()
    assert "Taken back on Fri 20 Nov 2026" in words(alice.get(address("imports")))


@pytest.mark.parametrize("name", ["roster.xlsx", "roster.csv"])
def test_a_file_is_taken_by_its_content(alice, name):
    rows = [row.split("\t") for row in (HEADER, ADA, CAROL, HENRY)]
    book = Workbook()
    for row in rows:
        book.active.append(row)
    content = BytesIO()
    book.save(content)
    text = "\n".join(",".join(row) for row in rows).encode()
    file = SimpleUploadedFile(name, content.getvalue() if name.endswith("xlsx") else text)
    answer = alice.post(address("import-new"), {"file": file})
    page = alice.get(answer.url)
    assert page.context["report"].joiners == 1
    assert PendingImport.objects.get().file_name == name


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        ([ADA, CAROL.replace("555-0100", "123-45-6789")], HEADER, "Line 3, column “Phone”: A cell looks like"),
        ([ADA], HEADER.replace("Phone", "SSN"), "The column “SSN” looks like a Social Security number."),
        ([ADA], f"password: hunter2 123-45-6789\r\n{HEADER}", ""),
    ],
)
def test_a_secret_is_refused_not_kept_and_not_shown_again(alice, settings, rows, header, said):
    answer = paste(alice, *rows, header=header)
    if answer.status_code == 200:
        assert said in words(answer)
        assert "Ada" not in answer.content.decode()
    assert "6789" not in answer.content.decode()
    assert not any(b"6789" in content for content in kept_files(settings))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "Choose a file or paste a table."),
        ({"pasted": "  \r\n "}, "Choose a file or paste a table."),
        ({"pasted": HEADER}, "The list has a header and no row."),
        ({"pasted": f'{HEADER}\r\n"{ADA}'}, "A quotation mark opens here or later and never closes."),
        ({"file": SimpleUploadedFile("a.xlsx", b"")}, "The file is empty."),
        ({"file": SimpleUploadedFile("a.xls", b"\xd0\xcf\x11\xe0old")}, "Save it as .xlsx without a password."),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason_and_pasted_text_stays(alice, settings, data, said):
    page = alice.post(address("import-new"), data)
    assert said in words(page)
    assert kept_files(settings) == []
    assert page.context["form"]["pasted"].value() == data.get("pasted", None if "pasted" not in data else "")
    assert not PendingImport.objects.exists()


def test_both_a_file_and_a_table_or_one_that_is_too_large_are_refused(alice, settings):
    file = SimpleUploadedFile("a.csv", b"x" * 2_000)
    page = alice.post(address("import-new"), {"file": file, "pasted": ADA})
    assert "Choose a file or paste a table, not both." in words(page)
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000
    file.seek(0)
    page = alice.post(address("import-new"), {"file": file})
    assert "The file is larger than 10 MB." in words(page)


# --- looking -------------------------------------------------------------------------------------


def test_a_column_that_was_not_understood_is_chosen_and_one_column_is_one_thing(alice):
    url, page = looked_at(alice, ADA, CAROL, HENRY, header=HEADER.replace("CCN", "Unit"))
    assert "This list lacks the facility" in words(page)
    assert "report" not in page.context
    names = [column["name"] for column in page.context["columns"]]
    data = {column["select"]: column["field"] for column in page.context["columns"]}
    twice = alice.post(url, data | {f"column-{names.index('Unit')}": "email"})
    assert "“Work Email” and “Unit” cannot both be the work e-mail." in words(twice)
    assert [column["field"] for column in twice.context["columns"]].count("email") == 2, "the choice is not lost"
    assert PendingImport.objects.get().columns == {}
    assert alice.post(url, data | {f"column-{names.index('Unit')}": "ccn"}).url == url
    page = alice.get(url)
    assert page.context["report"].joiners == 1
    assert "Chosen" in words(page)
    assert consent(alice, url, page).status_code == 302
    assert Import.objects.get().columns["ccn"][0] == "Unit"
    _, again = looked_at(alice, ADA, CAROL, HENRY, header=HEADER.replace("CCN", "Unit"))
    assert again.context["report"].unchanged == 3, "the choice is remembered"
    _, other = looked_at(alice, ADA, CAROL, HENRY)
    assert "Chosen" not in words(other)


def test_what_changes_is_shown_cell_by_cell(alice, cast):
    moved = HENRY.replace("015009", "015010").replace("\t\t\t015010", "\t555-0199\tClerk\t015010")
    _, page = looked_at(alice, ADA, CAROL, moved, "\tOlga\tTest\tolga@example.org\t\tCook\t015010\t\t\tActive")
    rows = {row.title: row for part in page.context["parts"] for row in part.rows}
    ada, henry = rows["Ada Example"], rows["Henry Test"]
    assert [(cell.label, cell.before, cell.after) for cell in ada.cells] == [
        ("Works at", "", "Oak House, Nurse, from Mon 13 Jan 2020"),
        ("Work e-mail", "", "ada@example.org"),
        ("Phone", "", "555-0101"),
        ("Employee number", "", "A1"),
    ]
    assert ("Works at", "", "Elm House, Clerk, from Fri 20 Nov 2026") in [tuple_of(cell) for cell in henry.cells]
    assert ("Last day at Oak House", "open", "Fri 20 Nov 2026") in [tuple_of(cell) for cell in henry.cells]
    assert ada.url == ""
    assert henry.url == cast.people["henry"].get_absolute_url()


def tuple_of(cell):
    return cell.label, cell.before, cell.after


def test_whoever_is_missing_is_named_with_what_she_holds_and_the_brake_wants_a_tick(alice, cast):
    hold(cast, cast.people["henry"], cast.oak)
    url, page = looked_at(alice, ADA)
    said = words(page)
    assert "Oak House would lose two of two people" in said
    assert "Henry Test Not in the file · holds two open accounts" in said
    assert "They have really left: two people at Oak House" in said
    assert "One person who leaves holds open accounts there" in said
    for ticked in ({}, {"left": [cast.elm.pk, "x"]}):
        assert consent(alice, url, page, **ticked).url == url
        assert "tick first that so many people have really left" in words(alice.get(url))
        assert not Import.objects.exists()
    assert consent(alice, url, page, left=[cast.oak.pk]).url == address("import", Import.objects.get().pk)


def test_all_rows_of_a_part_are_reached(alice):
    rows = [f"N{n}\tFirst{n}\tLast{n}\t\t\tNurse\t015009\t\t\tActive" for n in range(120)]
    url, page = looked_at(alice, CAROL, HENRY, *rows)
    assert [(part.slug, part.count, len(part.rows)) for part in page.context["parts"]][0] == ("joiner", 120, 10)
    assert "See all 120" in words(page)
    first = alice.get(f"{url}rows/joiner/")
    second = alice.get(f"{url}rows/joiner/{first.context['next_url']}")
    seen = [row.title for shown in (first, second) for row in shown.context["part"].rows]
    assert len(set(seen)) == len(seen) == 120
    assert "101 to 120 of 120" in words(second)
    assert second.context["next_url"] == ""
    assert alice.get(f"{url}rows/leaver/").status_code == 200
    assert alice.get(f"{url}rows/joiner/?from=²").status_code == 200
    assert alice.get(f"{url}rows/joiner/?from=1200").url == f"{url}rows/joiner/"
    assert alice.get(f"{url}rows/nonsense/").status_code == 404


# --- consent -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_consent_is_given_once_however_often_it_is_pressed(alice, settings):
    url, page = looked_at(alice, ADA, CAROL, HENRY)
    first, second = consent(alice, url, page), consent(alice, url, page)
    assert first.url == second.url == alice.get(url).url == address("import", Import.objects.get().pk)
    assert Person.objects.filter(first_name="Ada").count() == 1
    assert AuditEvent.objects.filter(action="staff.imported").count() == 1
    assert kept_files(settings) == []


def test_what_changed_meanwhile_is_shown_again_instead_of_being_written(alice, cast):
    url, page = looked_at(alice, ADA, CAROL, HENRY)
    end_employment(
        scope=cast.scope("alice"), employment=cast.people["henry"].employments.get(), last_day_on=TODAY, at=NOON
    )
    before = stored()
    assert consent(alice, url, page).url == url
    assert stored() == before
    page = alice.get(url)
    assert "People or facilities changed since this was shown." in words(page)
    assert consent(alice, url, page).url == address("import", Import.objects.get().pk)


def test_the_same_list_again_has_nothing_to_consent_to(alice):
    url, page = looked_at(alice, ADA, CAROL, HENRY)
    consent(alice, url, page)
    url, page = looked_at(alice, ADA, CAROL, HENRY)
    assert "There is nothing to import: the register says the same already." in words(page)
    assert consent(alice, url, page).url == url
    assert Import.objects.count() == 1


def test_an_upload_is_over_after_a_day_or_when_it_is_discarded(alice, cast, settings):
    url, page = looked_at(alice, ADA, CAROL, HENRY)
    discarded, _ = looked_at(alice, ADA, CAROL, HENRY)
    assert alice.post(f"{discarded}discard/").url == address("imports")
    assert alice.post(f"{discarded}discard/").url == address("imports"), "a second click"
    assert "This list is not waiting any more. What was imported stands below." in words(alice.get(address("imports")))
    assert alice.get(discarded).status_code == alice.post(f"{discarded}consent/").status_code == 404
    with time_machine.travel(NOON + timedelta(hours=24), tick=False):
        alice.force_login(cast.alice)
        for answer in (alice.get(url), consent(alice, url, page), alice.post(url, {})):
            assert answer.url == address("import-new")
        assert "Please choose the file again." in words(alice.get(address("import-new")))
        assert url not in alice.get(address("imports")).content.decode()
    assert not Import.objects.exists()
    alice.force_login(cast.alice)
    assert url in alice.get(address("imports")).content.decode()
    for path in settings.UPLOAD_ROOT.glob("*/*"):
        path.unlink()
    assert alice.get(url).url == address("import-new")


def test_looking_at_any_page_of_imports_writes_nothing(alice, settings):
    url, page = looked_at(alice, ADA, CAROL, HENRY)
    consent(alice, url, page)
    url, _ = looked_at(alice, CAROL, HENRY)
    source = Import.objects.get()
    before, files = [*stored(), list(PendingImport.objects.values_list())], kept_files(settings)
    pages = [address("imports"), address("import-new"), url, f"{url}rows/leaver/"]
    pages += [address("import", source.pk), address("import-undo", source.pk)]
    for each in pages:
        assert alice.get(each).status_code == 200, each
    assert [alice.get(f"{url}{deed}/").status_code for deed in ("consent", "discard")] == [405, 405]
    assert ([*stored(), list(PendingImport.objects.values_list())], kept_files(settings)) == (before, files)


# --- who -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["carol", "olga", "henry", "audrey"])
def test_only_administrators_of_the_whole_organization_import(client, cast, alice, name):
    url, page = looked_at(alice, ADA, CAROL, HENRY)
    consent(alice, url, page)
    url, page = looked_at(alice, CAROL, HENRY)
    source = Import.objects.get()
    before = stored()
    client.force_login(getattr(cast, name))
    for each in (address("imports"), address("import-new"), url, address("import", source.pk)):
        assert client.get(each).status_code == 403
    posts = [address("import-new"), url, f"{url}consent/", f"{url}discard/", address("import-undo", source.pk)]
    assert {client.post(each, {"digest": page.context["digest"]}).status_code for each in posts} == {403}
    assert stored() == before
    for entry in ("today", "people"):
        assert address("imports") not in client.get(address(entry)).content.decode()
    client.force_login(cast.alice)
    assert address("imports") in client.get(address("today")).content.decode()
    assert address("import-new") in client.get(address("people")).content.decode()


def test_another_administrators_upload_and_another_tenants_import_do_not_exist(client, cast, alice):
    url, page = looked_at(alice, ADA, CAROL, HENRY)
    consent(alice, url, page)
    url, page = looked_at(alice, CAROL, HENRY)
    source = Import.objects.get()
    colleague = factories.UserFactory(email="second@example.org")
    factories.MembershipFactory(user=colleague, organization=cast.riverside, role="administrator")
    client.force_login(colleague)
    assert client.get(address("import", source.pk)).status_code == 200
    assert client.get(url).status_code == client.post(f"{url}consent/").status_code == 404
    client.force_login(cast.mallory)
    there = [reverse(f"web:{name}", args=["hilltop", source.pk]) for name in ("import", "import-undo")]
    there.append(url.replace("riverside", "hilltop"))
    assert {client.get(each).status_code for each in [*there, url]} == {404}
    assert client.post(there[1]).status_code == 404
    assert "Pasted table" not in words(client.get(reverse("web:imports", args=["hilltop"])))


# --- what was done, and taking it back -----------------------------------------------------------


def test_whoever_was_changed_since_is_named_before_and_stays(alice, cast):
    url, page = looked_at(alice, ADA, CAROL, HENRY)
    consent(alice, url, page)
    source = Import.objects.get()
    ada = Person.objects.get(first_name="Ada")
    facts = PersonFacts("Ada", "Married", ada.email, ada.phone, "A1")
    correct_person(scope=cast.scope("alice"), person=ada, version=1, facts=facts, at=NOON)
    asked = words(alice.get(address("import-undo", source.pk)))
    assert "What stays, because somebody changed it since Ada Married" in asked
    answer = alice.post(address("import-undo", source.pk), follow=True)
    assert "Taken back for one person. Kept, because somebody changed them since: one person." in words(answer)
    assert "Kept, changed since (1)" in words(answer)
    only = alice.get(address("import", source.pk) + "?status=kept")
    assert [row["cells"][0]["text"] for row in only.context["rows"]] == ["Ada Married"]
    assert Employment.objects.known().filter(person=ada).exists()


def test_a_second_undo_and_a_late_one_say_why_not(alice, cast):
    url, page = looked_at(alice, ADA, CAROL, HENRY)
    consent(alice, url, page)
    undo = address("import-undo", Import.objects.get().pk)
    with time_machine.travel(NOON + timedelta(days=31), tick=False):
        alice.force_login(cast.alice)
        for answer in (alice.get(undo), alice.post(undo)):
            assert "An import can be undone for 30 days." in words(answer)
        assert "Can no longer be taken back" in words(alice.get(address("imports")))
    alice.force_login(cast.alice)
    assert alice.post(undo).status_code == 302
    assert alice.post(undo).url == undo.removesuffix("undo/"), "a second click"
    assert "This import was undone already." in words(alice.get(undo))
    assert AuditEvent.objects.filter(action="staff.import-undone").count() == 1


def test_every_page_costs_the_same_for_few_rows_and_for_many(
    alice, cast, django_assert_max_num_queries, django_assert_num_queries
):
    rows = [f"N{n}\tFirst{n}\tLast{n}\t\t\tNurse\t015009\t\t\tActive" for n in range(70)]
    few, page = looked_at(alice, CAROL, HENRY, *rows[:2])
    many, _ = looked_at(alice, CAROL, HENRY, *rows)
    with django_assert_max_num_queries(17) as looking:
        alice.get(few)
    with django_assert_num_queries(len(looking)):
        alice.get(many)
    consent(alice, few, page)
    consent(alice, many, alice.get(many))
    first, last = Import.objects.order_by("pk")
    alice.get(address("imports"))  # says what was done; the next page does not
    alice.get(address("imports"))
    with django_assert_max_num_queries(16) as reading:
        alice.get(address("import", first.pk))
    with django_assert_num_queries(len(reading)):
        alice.get(address("import", last.pk))
    with django_assert_max_num_queries(17) as asking:
        alice.get(address("import-undo", first.pk))
    with django_assert_num_queries(len(asking)):
        alice.get(address("import-undo", last.pk))
    with django_assert_max_num_queries(13) as listing:
        alice.get(address("imports"))
    brought_in(cast, 60)
    with django_assert_num_queries(len(listing)):
        alice.get(address("imports"))


def brought_in(cast, count):
    for n in range(count):
        facts = {"kind": "staff", "file_name": f"{n}.csv", "sha256": "0", "applied_at": NOON, "applied_by": "alice"}
        Import.objects.create(organization=cast.riverside, **facts)


def test_imports_and_their_rows_are_all_reached_by_paging_the_newest_first(alice, cast):
    rows = [f"N{n}\tFirst{n}\tLast{n}\t\t\tNurse\t015009\t\t\tActive" for n in range(70)]
    url, page = looked_at(alice, CAROL, HENRY, *rows)
    source = consent(alice, url, page).url
    first = alice.get(source)
    second = alice.get(source + first.context["page"].next_url)
    who = [row["cells"][0]["url"] for shown in (first, second) for row in shown.context["rows"]]
    assert len(set(who)) == len(who) == 71
    brought_in(cast, 60)
    newest = alice.get(address("imports"))
    older = alice.get(address("imports") + newest.context["page"].next_url)
    back = alice.get(address("imports") + older.context["page"].previous_url)
    names = [row["cells"][0]["text"] for shown in (newest, older) for row in shown.context["rows"]]
    assert names == [f"{n}.csv" for n in range(59, -1, -1)] + ["Pasted table"]
    assert (older.context["page"].next_url, back.context["rows"]) == ("", newest.context["rows"])


def test_an_import_of_accounts_is_told_in_its_own_words(alice, cast, tmp_path):
    path = tmp_path / "iqies.csv"
    path.write_text(
        "System,CCN,Last Name,First Name,Work Email,User ID,Role,Role Status,Granted On,Last Login\n"
        "iQIES,015009,Test,Henry,henry@example.org,HTEST1,Provider Assessment Viewer,Active,03/15/2025,11/10/2026\n"
    )
    call_command("import_accounts", str(path), "--organization", "riverside", "--json", stdout=StringIO())
    source = Import.objects.get()
    assert "iqies.csv" in (listed := words(alice.get(address("imports"))))
    assert "One account added" in listed
    assert "Can be taken back until" in listed
    page = alice.get(address("import", source.pk))
    said = words(page)
    assert "Henry Test, iQIES" in said
    assert "A role at Oak House from Sat 15 Mar 2025; signed in on Tue 10 Nov 2026" in said
    assert "“User ID”: User ID" in said
    assert address("import-undo", source.pk) in page.content.decode()
    asked = words(alice.get(address("import-undo", source.pk)))
    assert "One account that was added is marked as removed" in asked
    done = words(alice.post(address("import-undo", source.pk), follow=True))
    assert "Taken back for one account." in done
    assert not PortalAccount.objects.open().exists()
    again = words(alice.get(address("import-undo", source.pk)))
    assert "undone already" in again


def test_an_account_that_somebody_changed_since_is_named_before_its_import_is_taken_back(alice, cast, tmp_path):
    path = tmp_path / "iqies.csv"
    path.write_text(
        "System,CCN,Last Name,First Name,Work Email,Role,Last Login\n"
        "iQIES,015009,Test,Henry,henry@example.org,Provider Assessment Viewer,11/10/2026\n"
    )
    call_command("import_accounts", str(path), "--organization", "riverside", "--json", stdout=StringIO())
    account = PortalAccount.objects.get(system__slug="iqies")
    facts = {"user_id": "", "password_changed_on": None, "note": "Hers"}
    correct_account(scope=cast.scope("alice"), account=account, version=1, at=NOON, **facts)
    address_of = address("import-undo", Import.objects.get().pk)
    asked = alice.get(address_of)
    assert "somebody changed every account it concerns since" in words(asked)
    assert "Henry Test, iQIES" in words(asked)
    assert account.get_absolute_url() in asked.content.decode()
    assert "because somebody changed them since: one account" in words(alice.post(address_of, follow=True))
