"""From "Ask for access" to a role with proof, by the names that stand on the screens and nothing else."""

import re

import pyotp
from django.db.models import Q

from accounts.models import AccessRequest, Deadline, RoleGrant
from audit.models import AuditEvent
from tests.conftest import TODAY
from tests.flows.visitors import button, follow, go, link, press

TODAY_SAID = "Fri 20 Nov 2026"
WHY = "Takes over the records on Monday."
STILL = "The state fetches the old reports from there."


def main(page):
    """Return what the page says, without the frame around it."""
    return page.get_by_role("main").inner_text()


def told(page):
    """Return what the site answers to the last deed."""
    return page.get_by_role("status").first.inner_text()


def begin(page, what="Get access to a system"):
    """Go from anywhere to the first of the four steps and say that it is for Henry."""
    go(page, "Requests")
    with page.expect_navigation():
        link(page, "Ask for access").first.click()
    page.get_by_text("Step 1 of 4").wait_for()
    page.get_by_label("Somebody else").fill("henry test")
    page.get_by_role("radio", name=what, exact=True).check()
    press(page, "Next")
    assert "Henry Test" in main(page), "a name that is typed counts, although Myself is ticked still"


def choose(page, system, place="Oak House"):
    """Say where and which system; one that is not usual there stands folded away below the others."""
    page.get_by_text("Step 2 of 4").wait_for()
    page.get_by_role("checkbox", name=place).check()
    choice = page.get_by_role("radio", name=system, exact=True)
    if not choice.is_visible():
        page.get_by_text("Other systems").click()
    choice.check()
    press(page, "Next")


def choose_role(page, role, kind="checkbox"):
    page.get_by_text("Step 3 of 4").wait_for()
    page.get_by_role(kind, name=role, exact=True).check()
    press(page, "Next")


def send(page, what, *, still=False):
    """Look at what is asked for, say why, send it, and see it where it waits for somebody else."""
    page.get_by_text("Step 4 of 4").wait_for()
    page.get_by_label("Why it is needed").fill(WHY)
    if still:
        page.get_by_label("Why it is still needed here").fill(STILL)
    assert "Who decides" in main(page)
    press(page, "Send")
    assert "One request sent. Whoever decides has it now." in told(page)
    assert page.get_by_role("heading", level=1).inner_text() == what
    assert "approver or administrator of" in main(page)
    assert button(page, "Approve").count() == 0, "who asked does not decide"


def decide(page, secret, what, *, asked_anew):
    """Approve it as somebody else, who gives a fresh code where the last one is too old."""
    go(page, "Today")
    page.wait_for_load_state("networkidle")  # what Today fetches beside itself
    follow(page, "Look and decide")
    assert page.get_by_role("heading", level=1).inner_text() == what
    assert WHY in main(page)
    page.get_by_label("Reason or question").fill("Agreed.")
    press(page, "Approve")
    if asked_anew:
        page.get_by_role("heading", name="Confirm it is you").wait_for()
        page.get_by_label("code").fill(pyotp.TOTP(secret).now())
        press(page, re.compile("^Confirm$"))
        assert page.get_by_label("Reason or question").input_value() == "Agreed.", "nothing typed is lost"
        press(page, "Approve")
    assert f"Approved: {what}." in told(page)


def come_back(page, what):
    """Open one's own request again."""
    go(page, "Requests")
    follow(page, "My requests")
    follow(page, f"{what}.")


def headings(page):
    """Return the steps that stand on the page, in order."""
    steps = page.get_by_role("region", name="Steps")
    return steps.get_by_role("heading", level=3).all_inner_texts()


def step(page, title):
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=title, exact=True))


def tick(page, title, *, note=""):
    """Say that a step is done."""
    if note:
        step(page, title).get_by_label("Note").fill(note)
    with page.expect_navigation():
        button(step(page, title), re.compile("^Done")).click()
    assert f"{title}: done on {TODAY_SAID}." in told(page)
    assert re.search(
        rf"Done on {TODAY_SAID}, said by \w+ Test\. {note}".strip(), " ".join(step(page, title).inner_text().split())
    )


def could_not(page, title, note):
    """Say that a step did not work; without a word about what happened that is refused, and says what it wants."""
    with page.expect_navigation():
        button(step(page, title), re.compile("^Did not work")).click()
    assert "Say what happened, so that the next person knows." in step(page, title).inner_text()
    step(page, title).get_by_label("Note").fill(note)
    with page.expect_navigation():
        button(step(page, title), re.compile("^Did not work")).click()
    assert "What to do instead stands below." in told(page)


def carry_out(page, titles):
    """Tick one step after the other, as they stand there and in no other order."""
    for title in titles:
        tick(page, title)


def prove(page, what, *, since, day="The role is held since", user_id="", seen_by=""):
    """End it with what proves it."""
    follow(page, "It is done: tell the proof")
    page.get_by_label(day).fill(since.isoformat())
    if user_id:
        page.get_by_label("User ID").fill(user_id)
    if seen_by:
        page.get_by_role("radio", name="Somebody saw it").check()
        page.get_by_label("Seen in the system by").select_option(label=seen_by)
    else:
        page.get_by_role("textbox", name="In words").fill("Told on the phone, case 4711.")
    press(page, "Finish this request")
    assert f"Done. {what}." in told(page)
    assert "Done on Fri 20 Nov." in main(page)
    assert (f"by {seen_by}" if seen_by else "case 4711") in page.get_by_role("complementary").inner_text()


def look_at(page, system, role, place="Oak House"):
    """See the role on Henry's page and on the account's own."""
    go(page, "People")
    follow(page, "Henry Test")
    account = link(page, re.compile(f"^{re.escape(system)}$"))
    row = page.get_by_role("row").filter(has=account)
    assert f"{role} at {place}" in row.inner_text()
    next_date = row.get_by_role("cell").nth(2).inner_text()
    with page.expect_navigation():
        row.get_by_role("link", name=system, exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == f"Henry Test’s {system} account"
    beside = page.get_by_role("region", name="This account").inner_text()
    assert role in beside
    assert f"at {place}" in beside
    return next_date


def stands(system, role, *, since, clock="", place="Oak House", kind="new-account"):
    """Check what is stored: the role from its day on, its clock, every step with who and when, proof and audit row."""
    request = AccessRequest.objects.get(system__name=system, kind=kind, state="done")
    grant = request.opened_grant
    assert (grant.role.name, grant.facility.name) == (role, place)
    assert (grant.valid_from, grant.valid_to, grant.voided_at) == (since, None, None)
    assert grant.account.status == "active"
    running = Deadline.objects.open().filter(Q(account=grant.account) | Q(grant=grant))
    assert not clock or running.filter(kind=clock, due_on__gt=since).exists()
    assert request.proof == "seen" or request.proof_text
    assert request.effective_on == since
    steps = list(request.steps.filter(cure_for=""))
    assert {each.state for each in steps} == {"done"}
    assert all(each.done_by and each.done_at and each.done_on == TODAY for each in steps if each.actor != "approver")
    done = AuditEvent.objects.filter(action="request.done", subject_key=request.key)
    assert [event.reason for event in done] == [request.proof_text]
    return request


def ended(system, role):
    """Return the last day of a role that another one replaced."""
    return RoleGrant.objects.known().get(account__system__name=system, role__name=role).valid_to
