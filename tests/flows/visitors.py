"""What people do in the browser, step by step, by the names they read: no id, no class, no address typed by hand."""

import re
from contextlib import contextmanager

import pyotp

from tests.axe import violations

PASSWORD = "an owl on a quiet bicycle"
LAST_LOGINS = {"HARP": "2026-10-01", "iQIES": "2026-10-01", "QIES": "2026-10-01", "CASPER": "2026-10-03"}


def button(page, name):
    return page.get_by_role("button", name=name)


def link(page, name):
    return page.get_by_role("link", name=name)


def press(page, name):
    """Press the one button of this name and wait for the page that answers."""
    with page.expect_navigation():
        button(page, name).click()


def follow(page, name):
    with page.expect_navigation():
        link(page, name).click()


def go(page, entry):
    """Open one of the rail's pages."""
    with page.expect_navigation():
        page.get_by_role("navigation", name="Main").get_by_role("link", name=entry).click()


def group(page, system):
    """Return the fields of one system on the page that adds a person."""
    return page.get_by_role("group", name=system, exact=True)


def row(page, system):
    """Return the row of Today about one system; `iQIES` is not `QIES`."""
    about = page.get_by_role("link", name=re.compile(rf"(?<!\w){system}(?!\w)"))
    return page.get_by_role("main").get_by_role("listitem").filter(has=about)


def sentence(page, system):
    """Return what Today says about one system."""
    return row(page, system).get_by_role("link").first.inner_text()


def join(page, address, name):
    """Accept an invitation as somebody new."""
    page.goto(address)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Choose a password for Portalkeeper").fill(PASSWORD)
    press(page, re.compile("^Join "))


def enrol(page):
    """Set up the authenticator app; return its key as the page tells it to somebody without a camera."""
    page.get_by_text("My account").or_(page.get_by_label("My account")).first.click()
    follow(page, "Second factor")
    follow(page, "Set up the app")
    page.get_by_text("No camera? Type this key").click()
    secret = page.get_by_role("code").inner_text().strip()
    page.get_by_label("code").fill(pyotp.TOTP(secret).now())
    press(page, "Switch it on")
    page.get_by_label("Password").fill(PASSWORD)  # the recovery codes are shown to a fresh proof only
    press(page, "Confirm")
    page.get_by_role("heading", name="Recovery codes").wait_for()
    return secret


def sign_in(page, email, secret=""):
    """Sign in where the sign-in page stands already; with a key of the app the second step too."""
    page.get_by_label("Work e-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, re.compile("^Sign in$"))
    if secret:
        page.get_by_label("code").fill(pyotp.TOTP(secret).now())
        press(page, re.compile("^Sign in$"))


def register_burns(page):
    """Register a nursing home that CMS lists; the ZIP Code of another town is explained first."""
    follow(page, "Register a facility")
    page.get_by_label("CCN", exact=True).fill("015009")
    page.get_by_label("State or territory").select_option("Alabama")
    page.get_by_label("ZIP Code").fill("35150")
    press(page, "Check with CMS’s directory")
    assert "CMS lists BURNS NURSING HOME, INC. under 015009" in page.get_by_role("main").inner_text()
    doubt = page.get_by_role("alert").inner_text()
    assert "ZIP Code: " in doubt
    assert "35653" in doubt, "it says which ZIP Code CMS has"
    page.get_by_label("ZIP Code").fill("35653")
    press(page, "Check again")
    assert page.get_by_role("alert").count() == 0
    press(page, "Register BURNS NURSING HOME, INC.")
    page.get_by_role("heading", name="BURNS NURSING HOME, INC.", level=1).wait_for()


def add_carol(page):
    """Add a person with four accounts on one page."""
    go(page, "People")
    follow(page, "Add a person")
    page.get_by_label("First name").fill("Carol")
    page.get_by_label("Last name").fill("Diaz")
    page.get_by_label("Work e-mail").fill("carol@oakwood.example")
    page.get_by_label("Job").fill("MDS coordinator")
    page.get_by_label("Works there since").fill("2024-02-01")
    for system, last_login in LAST_LOGINS.items():
        page.get_by_role("checkbox", name=re.compile(f"^{system} ")).check()
        fields = group(page, system)
        if system == "iQIES":
            fields.get_by_label("Assessment Submitter").check()
        if system in {"HARP", "QIES"}:
            fields.get_by_label("User ID").fill("CDIAZ")
        fields.get_by_label("Opened on").fill("2024-03-01")
        fields.get_by_label("On a day I know").check()
        fields.get_by_label("That day").fill(last_login)
    press(page, "Save the person and the ticked accounts")
    assert "Carol Diaz is added with four accounts." in page.get_by_role("status").inner_text()


def objections(page, rules=None):
    """Return what axe objects to (all of WCAG, or only some rules), and by how much the page is too wide."""
    page.evaluate("window.scrollTo(0, 0)")  # what a bar happens to cover half is no fault of the page
    said = [
        f"{each['id']}: {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
        for each in violations(page, rules=rules)
        for node in each["nodes"]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return said + ([f"{wide} px wider than the window"] if wide > 0 else [])


@contextmanager
def refused(page, complaints):
    """Let the browser itself report the refusals (403, 404) of this block, and nothing else."""
    before = len(complaints)
    yield
    page.wait_for_load_state("networkidle")
    complaints[before:] = [said for said in complaints[before:] if not re.search(r"status of 40[34]", said)]
