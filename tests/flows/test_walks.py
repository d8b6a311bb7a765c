"""The five seed systems from "Ask for access" to a role with its proof, by somebody who reads only the screens."""

from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from accounts.models import AccessRequest, Finding
from tests import factories
from tests.chromium import NARROW
from tests.conftest import TODAY
from tests.flows.visitors import button, follow, link, press
from tests.flows.walking import (
    begin,
    carry_out,
    choose,
    choose_role,
    come_back,
    could_not,
    decide,
    ended,
    headings,
    look_at,
    main,
    prove,
    send,
    stands,
    step,
    tick,
)
from tests.requests.asking import with_harp

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WEDNESDAY, THURSDAY = TODAY - timedelta(days=2), TODAY - timedelta(days=1)
ONE = "Individual user"


@pytest.fixture
def two(clock, cast, newcomer, arriving):
    """Carol, who asks, and Alice, who decides, each in a browser of her own; a function that Alice decides with."""
    secret = generate_totp_secret()
    TOTP.activate(cast.alice, secret)
    carol, alice = newcomer(cookies=arriving(cast.carol)), newcomer(cookies=arriving(cast.alice))
    for page in (carol, alice):
        page.goto("/")
        page.wait_for_load_state("networkidle")  # one answers after the other
    decided = []

    def approved(what):
        """Let Alice approve it, and Carol come back to it."""
        decide(alice, secret, what, asked_anew=not decided)
        decided.append(what)
        come_back(carol, what)

    return carol, approved


def get_harp(carol, approved):
    """Register at HARP, with the four stages on its screens and a proofing that fails once."""
    harp = f"New HARP account for Henry Test at Oak House: {ONE}"
    send(carol, harp)
    approved(harp)
    titles = [
        "Open the registration",
        "Enter the profile",
        "Choose the user ID",
        "Prove who you are",
        "Sign in once",
        "Set up the second factor",
        "Ask for the role in the application",
    ]
    assert headings(carol) == ["Decision here", *titles]
    assert link(carol, "https://harp.cms.gov").count() == 1
    for stage in ("Profile Information", "Account Information", "Remote Proofing", "Confirmation"):
        assert f"“{stage}”" in main(carol)
    carry_out(carol, titles[:3])
    could_not(carol, "Prove who you are", "Two answers were wrong.")
    carry_out(carol, ["Try the proofing again", *titles[3:]])
    prove(carol, harp, since=WEDNESDAY, user_id="HTEST")
    look_at(carol, "HARP", ONE)
    stands("HARP", ONE, since=WEDNESDAY)


def get_iqies(carol, approved):
    """Say how the HARP account stands, then get a first role on iQIES."""
    begin(carol)
    choose(carol, "iQIES")
    choose_role(carol, "Provider Assessment Viewer")
    assert "Nobody said yet whether Henry Test’s HARP account has a second factor." in main(carol)
    follow(carol, "Say how the HARP account stands")
    carol.get_by_label("Identity proofing").select_option(label="Done")
    carol.get_by_role("radio", name="Authenticator app").check()
    press(carol, "Save how far they are")  # and goes on with what was being asked
    viewer = "New iQIES account for Henry Test at Oak House: Provider Assessment Viewer"
    send(carol, viewer)
    approved(viewer)
    titles = ["Security Officials first", "Request the role", "Wait for the new Security Official"]
    assert headings(carol) == ["Decision here", *titles]
    carry_out(carol, titles)
    prove(carol, viewer, since=THURSDAY)
    assert "2027" in look_at(carol, "iQIES", "Provider Assessment Viewer"), "the clock runs"
    stands("iQIES", "Provider Assessment Viewer", since=THURSDAY, clock="inactivity")


def change_role(carol, approved):
    """Get another role instead of the first one."""
    begin(carol, "Change a role")
    carol.get_by_role("checkbox", name="iQIES: Provider Assessment Viewer at Oak House").check()
    press(carol, "Next")
    choose_role(carol, "Provider Assessment Coordinator", kind="radio")
    other = "Another iQIES role for Henry Test at Oak House: Provider Assessment Coordinator"
    send(carol, other)
    assert "now Provider Assessment Viewer, then Provider Assessment Coordinator" in main(carol)
    approved(other)
    titles = ["Security Officials first", "Request the new role", "Wait for the new Security Official"]
    titles.append("Have the old role removed")
    assert headings(carol) == ["Decision here", *titles]
    carry_out(carol, titles)
    prove(carol, other, since=TODAY, day="The new role is held since")
    look_at(carol, "iQIES", "Provider Assessment Coordinator")
    stands("iQIES", "Provider Assessment Coordinator", since=TODAY, clock="inactivity", kind="role-change")
    assert ended("iQIES", "Provider Assessment Viewer") == THURSDAY


def test_what_follows_qies_is_offered_and_harp_comes_first(two, command):
    carol, approved = two
    begin(carol)
    choose(carol, "QIES")
    assert "QIES has closed for Oak House" in main(carol)
    follow(carol, "Ask for iQIES instead")
    choose_role(carol, "Provider Assessment Viewer")
    assert "Henry Test has no working HARP account, and that comes first." in main(carol)
    follow(carol, "Ask for HARP first")
    get_harp(carol, approved)
    get_iqies(carol, approved)
    change_role(carol, approved)
    assert command("verify_audit")["ok"] is True


def test_qies_and_casper_are_still_needed_here(two):
    carol, approved = two
    for system, titles in (
        ("QIES", ["Know the CCN", "Get a CMSNet ID", "Connect", "Register online"]),
        ("CASPER", ["Have a QIES account", "Log in to CASPER"]),
    ):
        begin(carol)
        choose(carol, system)
        follow(carol, f"{system} is still needed here")
        what = f"New {system} account for Henry Test at Oak House: {ONE}"
        send(carol, what, still=True)
        approved(what)
        assert headings(carol) == ["Decision here", *titles]
        assert "800-339-9313" in main(carol), "whom to call"
        carry_out(carol, titles)
        prove(carol, what, since=WEDNESDAY, user_id="" if system == "CASPER" else "HTEST1")
        assert "2027" in look_at(carol, system, ONE), "the clock runs"
        request = stands(system, ONE, since=WEDNESDAY, clock="inactivity")
        assert request.still_needed_reason


def test_one_of_the_two_mails_of_cmsnet_does_not_arrive(two):
    carol, approved = two
    begin(carol)
    choose(carol, "CMSNet")
    follow(carol, "CMSNet is still needed here")
    what = f"New CMSNet account for Henry Test at Oak House: {ONE}"
    press(carol, "Send")
    assert "Say why it is needed: whoever decides reads it." in main(carol), "what is missing is told"
    assert "Say why it is still needed here." in main(carol)
    assert carol.get_by_role("alert").count() == 1, "and told once"
    send(carol, what, still=True)
    approved(what)
    mails = ["The first e-mail arrives", "The second e-mail arrives"]
    titles = ["Open the registration", "Enter CCN, state and ZIP", "Fill the Access Request Form", "Submit the form"]
    assert headings(carol) == ["Decision here", *titles, *mails]
    carry_out(carol, titles)
    for mail in mails:
        assert "Two full business days: by Tue 24 Nov (in four days)." in step(carol, mail).inner_text()
    tick(carol, mails[0], note="On Friday.")
    could_not(carol, mails[1], "Nothing came until noon.")
    half = Finding.objects.get(kind="one-of-two-mails")
    assert half.closed_at is None
    cure = step(carol, "Look in the spam folder").inner_text()
    assert "(888) 238-2122" in cure
    assert "This mends what did not work." in cure
    carry_out(carol, ["Look in the spam folder", mails[1]])
    half.refresh_from_db()
    assert half.closed_at is not None
    follow(carol, "It is done: tell the proof")
    press(carol, "Finish this request")
    assert "Say in words how it is known." in main(carol), "what is missing is told"
    follow(carol, "Back without saving")
    prove(carol, what, since=TODAY, user_id="HTEST2")
    assert "2027" in look_at(carol, "CMSNet", ONE), "the clock runs"
    stands("CMSNet", ONE, since=TODAY, clock="inactivity")


@pytest.fixture
def pine(cast):
    """A hospital where Carol coordinates and Henry works, too."""
    found = factories.FacilityFactory(
        organization=cast.riverside, name="Pine Hospital", ccn="010001", provider_type="ACUTE"
    )
    factories.MembershipFactory(user=cast.carol, organization=cast.riverside, facility=found, role="coordinator")
    factories.EmploymentFactory(facility=found, person=cast.people["henry"])
    return found


def test_the_six_stages_of_the_qualitynet_portal_and_what_follows_it(two, cast, pine):
    carol, approved = two
    begin(carol)
    choose(carol, "QualityNet portal", pine.name)
    follow(carol, "QualityNet portal is still needed here")
    choose_role(carol, "MU Web-Based Read")
    old = "New QualityNet portal account for Henry Test at Pine Hospital: MU Web-Based Read"
    send(carol, old, still=True)
    approved(old)
    stages = {
        "Start the enrollment": "Login",
        "Verify identity": "Verify Identity",
        "Answer the questions": "Identity Questions",
        "See the identity confirmed": "Identity Confirmed",
        "Enroll the second factor": "Enroll Credential",
        "See the enrollment confirmed": "Enrollment Confirmed",
    }
    assert headings(carol) == ["Decision here", *stages]
    for title, stage in stages.items():
        assert f"“{stage}”" in step(carol, title).inner_text()
    titles = list(stages)
    carry_out(carol, titles[:2])
    could_not(carol, titles[2], "One question was left out.")
    assert "866-578-5409" in step(carol, "Call Experian").inner_text()
    carry_out(carol, ["Call Experian", *titles[2:]])
    prove(carol, old, since=WEDNESDAY, user_id="HTEST3")
    assert "2027" in look_at(carol, "QualityNet portal", "MU Web-Based Read", pine.name), "the clock runs"
    stands("QualityNet portal", "MU Web-Based Read", since=WEDNESDAY, clock="inactivity", place=pine.name)

    with_harp(cast, "henry")
    begin(carol)
    choose(carol, "QualityNet portal", pine.name)
    follow(carol, "Ask for HQR instead")
    choose_role(carol, ONE)
    new = f"New HQR account for Henry Test at Pine Hospital: {ONE}"
    send(carol, new)
    approved(new)
    titles = ["Security Official first", "Request the role in HQR", "Wait for the decision"]
    assert headings(carol) == ["Decision here", *titles]
    carry_out(carol, titles)
    prove(carol, new, since=THURSDAY, seen_by="Carol Test")
    look_at(carol, "HQR", ONE, pine.name)
    stands("HQR", ONE, since=THURSDAY, place=pine.name)


def test_idm_and_an_application_of_the_enterprise_portal(two):
    carol, approved = two
    begin(carol)
    choose(carol, "PS&R")
    choose_role(carol, "End user")
    assert "Henry Test has no working IDM account, and that comes first." in main(carol)
    follow(carol, "Ask for IDM first")
    choose_role(carol, ONE)
    idm = f"New IDM account for Henry Test at Oak House: {ONE}"
    send(carol, idm)
    approved(idm)
    titles = ["Know what to ask for", "Register", "Request a role", "Wait for the approver"]
    assert headings(carol) == ["Decision here", *titles]
    assert link(carol, "https://portal.cms.gov").count() == 1
    carry_out(carol, titles[:2])
    could_not(carol, "Request a role", "The questions were about somebody else.")
    carry_out(carol, ["Prove who you are by phone", *titles[2:]])
    prove(carol, idm, since=WEDNESDAY, user_id="HTEST4")
    assert "2027" in look_at(carol, "IDM", ONE), "the clock runs"
    stands("IDM", ONE, since=WEDNESDAY, clock="inactivity")

    begin(carol)
    choose(carol, "PS&R")
    choose_role(carol, "End user")
    psr = "New PS&R account for Henry Test at Oak House: End user"
    send(carol, psr)
    approved(psr)
    titles = ["Security Official first", "Ask for the role", "Wait for the new Security Official"]
    assert headings(carol) == ["Decision here", *titles]
    carry_out(carol, titles)
    prove(carol, psr, since=THURSDAY)
    assert "2027" in look_at(carol, "PS&R", "End user"), "the yearly certification is near"
    stands("PS&R", "End user", since=THURSDAY, clock="certification")


def test_the_four_steps_on_a_phone_without_scripts(clock, cast, newcomer, arriving):
    page = newcomer(size=NARROW, scripts=False, touch=True, cookies=arriving(cast.carol))
    page.goto("/")

    def tap(target):
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        with page.expect_navigation():
            target.tap()

    tap(page.get_by_role("navigation", name="Main").get_by_role("link", name="Requests"))
    tap(link(page, "Ask for access").first)
    page.get_by_label("Somebody else").fill("henry test")
    page.get_by_role("radio", name="Get access to a system", exact=True).tap()
    tap(button(page, "Next"))
    page.get_by_text("Other systems").tap()
    page.get_by_role("radio", name="CMSNet", exact=True).tap()
    tap(button(page, "Next"))
    tap(link(page, "CMSNet is still needed here"))
    tap(link(page, "Change system"))
    assert page.get_by_role("radio", name="CMSNet", exact=True).is_checked(), "nothing is lost on the way back"
    tap(button(page, "Next"))
    tap(link(page, "CMSNet is still needed here"))
    tap(button(page, "Send"))
    assert "Nothing was sent yet, and nothing you typed is lost" in main(page)
    page.get_by_label("Why it is needed").fill("He sends the records.")
    page.get_by_label("Why it is still needed here").fill("The state reads them there.")
    tap(button(page, "Send"))
    assert page.get_by_role("heading", level=1).inner_text() == f"New CMSNet account for Henry Test at Oak House: {ONE}"
    assert AccessRequest.objects.get().state == "submitted"
