"""The core of the job for those without a mouse, and for those without scripts."""

import re

import pytest

from tests.flows import keys
from tests.flows.visitors import (
    PASSWORD,
    add_carol,
    button,
    go,
    group,
    join,
    link,
    press,
    register_burns,
    row,
    sentence,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DUE = "Remind Carol Diaz, or arrange cover: the iQIES roles are revoked after Mon 30 Nov (in 10 days)."
DONE = "Signed in today, recorded. Next: by Tue 19 Jan 2027 (in 60 days)."


def test_the_core_by_keyboard_alone(clock, directory, invited, newcomer):
    page = newcomer()
    page.goto(invited)
    keys.write(page, page.get_by_label("Your name"), "Ana Ruiz")
    keys.write(page, page.get_by_label("Choose a password for Portalkeeper"), PASSWORD)
    keys.press(page, button(page, "Join Oakwood Care"))

    keys.press(page, link(page, "Register a facility"))
    keys.write(page, page.get_by_label("CCN", exact=True), "015009")
    keys.write(page, page.get_by_label("State or territory"), "Alabama")
    keys.write(page, page.get_by_label("ZIP Code"), "35653")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    keys.press(page, button(page, "Register BURNS NURSING HOME, INC."))

    keys.press(page, page.get_by_role("navigation", name="Main").get_by_role("link", name="People"))
    keys.press(page, link(page, "Add a person"))
    keys.write(page, page.get_by_label("First name"), "Carol")
    keys.write(page, page.get_by_label("Last name"), "Diaz")
    keys.write(page, page.get_by_label("Works there since"), "02012024")
    iqies = group(page, "iQIES")
    keys.tick(page, page.get_by_role("checkbox", name=re.compile("^iQIES ")))
    keys.tick(page, iqies.get_by_label("Assessment Submitter"))
    keys.write(page, iqies.get_by_label("Opened on"), "03012024")
    keys.tab_to(page, iqies.get_by_label("I do not know"))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert iqies.get_by_label("On a day I know").is_checked()
    keys.write(page, iqies.get_by_label("That day"), "10012026")
    keys.press(page, button(page, "Save the person and the ticked accounts"))
    page.get_by_role("heading", name="Carol Diaz", level=1).wait_for()

    keys.press(page, page.get_by_role("navigation", name="Main").get_by_role("link", name="Today"))
    assert sentence(page, "iQIES") == DUE
    keys.tab_to(page, button(row(page, "iQIES"), "Carol signed in today"))
    page.keyboard.press("Enter")
    row(page, "iQIES").get_by_text(DONE).wait_for()
    keys.has_focus(button(row(page, "iQIES"), "Undo"))
    page.keyboard.press("Enter")
    button(row(page, "iQIES"), "Carol signed in today").wait_for()
    assert sentence(page, "iQIES") == DUE
    keys.has_focus(button(row(page, "iQIES"), "Carol signed in today"))


def test_the_core_without_scripts(clock, directory, invited, newcomer):
    page = newcomer(scripts=False)
    join(page, invited, "Ana Ruiz")
    register_burns(page)
    add_carol(page)
    go(page, "Today")
    assert sentence(page, "iQIES") == DUE
    with page.expect_navigation():
        button(row(page, "iQIES"), "Carol signed in today").click()
    assert DONE in row(page, "iQIES").inner_text()
    with page.expect_navigation():
        button(row(page, "iQIES"), "Undo").click()
    assert sentence(page, "iQIES") == DUE
    row(page, "CASPER").get_by_text("Another day").click()
    row(page, "CASPER").get_by_label("Last signed in on").fill("2026-11-16")
    with page.expect_navigation():
        button(row(page, "CASPER"), "Record this day").click()
    assert "Signed in on Mon 16 Nov, recorded." in row(page, "CASPER").inner_text()
    press(page, re.compile("^Undo ?: Login to CASPER recorded"))
    assert sentence(page, "CASPER").endswith("after Wed 2 Dec (in 12 days).")
