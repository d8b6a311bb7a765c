"""The main job from nothing: an invitation, a facility, a person, a date, a click, a reminder in a real mailbox."""

import re
from datetime import timedelta

import pytest

from tests.conftest import NOON
from tests.flows.visitors import (
    add_carol,
    button,
    enrol,
    follow,
    go,
    join,
    press,
    register_burns,
    row,
    sentence,
    sign_in,
)
from tests.reminders.mailbox import html, read, text
from tests.tenancy import rows_of_two_tenants

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MONDAY = NOON + timedelta(days=2, hours=20)  # 13:00 UTC, seven in the morning in Chicago


def invite_carol(page):
    """Let the new person in as coordinator of the facility."""
    go(page, "Settings")
    follow(page, "Invite a member")
    page.get_by_label("Work e-mail").fill("carol@oakwood.example")
    page.get_by_label("Role").select_option(value="coordinator")
    page.get_by_label("Where").select_option(index=1)
    press(page, "Invite")
    assert "It was mailed to carol@oakwood.example." in page.get_by_role("main").inner_text()


def links_in(mail):
    return re.findall(r"http://\S+", text(mail))


def record_logins(page):
    """One click and back, another day, several at once."""
    before = sentence(page, "iQIES")
    assert before == "Sign in to iQIES by Mon 30 Nov (in 10 days): last seen 50 days ago."
    row(page, "iQIES").get_by_text("Why?").click()
    why = row(page, "iQIES").inner_text()
    assert "You signed in to iQIES on Thu 1 Oct 2026 (50 days ago)." in why
    assert "60 days" in why
    assert "Nobody yet." in why

    button(row(page, "iQIES"), "I signed in today").click()
    row(page, "iQIES").get_by_text("Signed in today, recorded. Next: by Tue 19 Jan 2027 (in 60 days).").wait_for()
    button(row(page, "iQIES"), "Undo").click()
    button(row(page, "iQIES"), "I signed in today").wait_for()
    assert sentence(page, "iQIES") == before

    row(page, "CASPER").get_by_text("Another day").click()
    row(page, "CASPER").get_by_label("Last signed in on").fill("2026-11-16")
    button(row(page, "CASPER"), "Record this day").click()
    row(page, "CASPER").get_by_text("Signed in on Mon 16 Nov, recorded. Next: by Fri 15 Jan 2027").wait_for()

    follow(page, "Record several logins")
    page.get_by_role("checkbox", name=re.compile("^HARP")).check()
    page.get_by_role("checkbox", name=re.compile("^QIES")).check()
    press(page, "Record these logins")
    assert "Two logins recorded for today." in page.get_by_role("status").inner_text()
    assert button(page, re.compile("^I signed in today")).count() == 1, "only iQIES is left to do"


def start_reminders(page):
    """See who would get what, then let mails go out."""
    go(page, "Today")
    follow(page, "See who would get what")
    said = page.get_by_role("main").inner_text()
    assert "The first mail would go to one person" in said
    assert "Carol Diaz, carol@oakwood.example: one date" in said
    press(page, "Start reminders for Oakwood Care")
    assert "Reminders have started." in page.get_by_role("status").inner_text()


def test_from_an_invitation_to_a_reminder_in_a_real_mailbox(clock, peer, newcomer, command, invited):
    command("load_directory")
    ana, carol = newcomer(), newcomer()
    join(ana, invited, "Ana Ruiz")
    secret = enrol(ana)
    follow(ana, "Today")
    register_burns(ana)
    add_carol(ana)
    go(ana, "Today")
    assert sentence(ana, "iQIES").startswith("Remind Carol Diaz, or arrange cover: the iQIES roles are revoked after")
    invite_carol(ana)

    (invited,) = [read(raw) for address, raw in peer.mails if address == "carol@oakwood.example"]
    join(carol, links_in(invited)[0], "Carol Diaz")
    record_logins(carol)
    start_reminders(ana)

    peer.mails.clear()
    clock(MONDAY)
    done = command("tick", "--at", MONDAY.isoformat())
    assert done["sweeps"]["mail"]["sent"] == 2
    mails = {address: read(raw) for address, raw in peer.mails}
    assert mails.keys() == {"carol@oakwood.example", "ana@oakwood.example"}
    assert "WRONG NOW" in text(mails["ana@oakwood.example"]), "nobody stands in for Carol at Burns"
    digest = mails["carol@oakwood.example"]
    said = "Sign in to iQIES by Mon 30 Nov (in seven days): last seen 53 days ago."
    assert digest["Subject"] == "1 CMS login due by Mon 30 Nov"
    assert said in " ".join(text(digest).split())
    assert said in " ".join(html(digest).split())
    again = command("tick", "--at", (MONDAY + timedelta(minutes=30)).isoformat())
    assert again["sweeps"]["mail"]["sent"] == again["sweeps"]["reminders"]["planned"] == 0
    assert len(peer.mails) == 2

    carol.goto(links_in(digest)[0])
    sign_in(carol, "carol@oakwood.example")  # three days later nobody is signed in any more
    carol.get_by_role("heading", name="Your iQIES account").wait_for()
    carol.get_by_text("Why?").click()
    assert "Carol Diaz, Mon 23 Nov 2026" in carol.get_by_role("main").inner_text(), "who was told, and when"
    go(carol, "Today")
    assert sentence(carol, "iQIES") == said, "the mail says what the page says"
    ana.goto(links_in(digest)[0])
    sign_in(ana, "ana@oakwood.example", secret)
    ana.get_by_role("heading", name="Carol Diaz’s iQIES account").wait_for()

    assert rows_of_two_tenants() == []
    assert command("verify_audit")["ok"] is True
