"""Importing people in a real browser: pasted, looked at, imported and taken back, by keyboard and without scripts."""

import pytest
from django.urls import reverse

from imports.models import Import
from staff.models import Employment
from tests.browser.conftest import NARROW, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TABLE = "\n".join(
    [
        "Employee\tUnit\tJob",
        "Carol Test\tOak House\tMDS coordinator",
        "Henry Test\tOak House\tClerk",
        "Ana Newcomer\tOak House\tNurse",
    ]
)


def test_a_chosen_file_is_looked_at(open_page, signed_in, cast):
    page = open_page(reverse("web:people", args=["riverside"]), cookies=signed_in(cast.alice))
    page.get_by_role("link", name="Import a list").click()
    rows = TABLE.replace("Unit", "Facility").replace("Employee", "Employee name").replace("\t", ",")
    page.get_by_label("File").set_input_files({"name": "HR list.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("heading", name="HR list.csv").wait_for()
    assert page.get_by_role("heading", name="People who join (1)").is_visible()
    assert not page.get_by_role("combobox").first.is_visible(), "what is sure stays folded"
    page.get_by_role("button", name="Discard this list").click()
    page.get_by_text("No imports yet").wait_for()
    assert not Import.objects.exists()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_pasted_table_is_looked_at_imported_and_taken_back(open_page, signed_in, cast, scripts):
    size = WIDE if scripts else NARROW
    home = reverse("web:imports", args=["riverside"])
    page = open_page(home, size=size, scripts=scripts, cookies=signed_in(cast.alice))
    page.get_by_role("main").get_by_role("link", name="Import people").first.press("Enter")
    page.get_by_label("Or paste a table").fill(TABLE)
    page.get_by_role("button", name="Look at it").press("Enter")
    page.get_by_text("Say below which columns these are").wait_for()
    unit = page.get_by_role("row", name="Unit").get_by_role("combobox")
    unit.focus()
    unit.select_option("Facility")
    page.get_by_role("button", name="Read it this way").press("Enter")
    page.get_by_role("heading", name="People who join (1)").wait_for()
    assert page.get_by_role("row", name="Ana Newcomer").inner_text().count("Oak House, Nurse") == 1
    assert not Import.objects.exists()
    page.get_by_role("button", name="Import: one joins").press("Enter")
    page.get_by_role("heading", name="Pasted table", exact=True).wait_for()
    assert page.get_by_role("status").inner_text().startswith("One joined")
    assert Employment.objects.known().filter(person__last_name="Newcomer").count() == 1
    page.get_by_role("link", name="Take this import back").press("Enter")
    page.get_by_text("One person who joined keeps the name here").wait_for()
    page.get_by_role("button", name="Take “Pasted table” back").press("Enter")
    page.get_by_text("Taken back for two people.", exact=True).wait_for()
    assert not Employment.objects.known().filter(person__last_name="Newcomer").exists()
