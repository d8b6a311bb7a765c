"""Steps of requests by ticks: who hears when, what the mails say, what becomes a finding."""

from datetime import timedelta

import pytest

from accounts.models import Deadline, Finding, HandOver, RequestHouse
from accounts.services.requests.countersigning import countersign
from accounts.services.requests.dates import follow_dates
from accounts.services.requests.deciding import decide
from accounts.services.requests.ending import finish
from accounts.services.requests.handing import hand_turns
from accounts.services.requests.submitting import submit
from facilities.access import Scope
from facilities.models.tenancy import Role
from reminders.handed import READ_WITH, recipients
from reminders.models import Reminder
from reminders.turns import steps_with_a_day
from staff.models import Absence, Deputy
from systems.models import SystemRole
from tests import factories
from tests.conftest import NOON, TODAY
from tests.reminders.mailbox import mails_to, text
from tests.reminders.making import DAY, administrator, started
from tests.reminders.test_tick import ask as tick
from tests.requests.asking import cms_did, drafted, submitted, with_harp
from tests.requests.test_carrying import approved, did

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


def told(key):
    """Return (first name, step) of what was planned for a step, skipped ones left out."""
    rows = Reminder.objects.filter(deadline__request_step__key_in_list=key).exclude(state="skipped")
    return set(rows.values_list("recipient__first_name", "step"))


@pytest.fixture
def riverside(cast):
    """The cast, with Riverside's reminders started and an administrator at Oak House."""
    administrator(started(cast), "fay", cast.oak)
    return cast


def test_who_may_decide_hears_at_once_and_more_people_when_it_is_late(riverside, mailoutbox):
    approver = factories.UserFactory(email="ann@example.org")
    factories.MembershipFactory(
        user=approver, organization=riverside.riverside, facility=riverside.oak, role=Role.APPROVER
    )
    factories.PersonFactory(
        organization=riverside.riverside, first_name="Ann", email=approver.email, user=approver,
        user_confirmed_at=NOON,
    )  # fmt: skip
    submitted(riverside)
    tick(NOON)
    assert told("our-decision") == {("Ann", 366), ("Alice", 366)}, "not Carol, who asked, nor Henry, who gets it"
    said = text(mails_to(mailoutbox, "ann")[0])
    assert "Decide about Henry Test’s request (New account, iQIES at Oak House), due by Mon 23 Nov" in said
    for day in (3, 4):
        tick(NOON + day * DAY)
    assert told("our-decision") == {
        *((name, step) for name in ("Ann", "Alice") for step in (366, 0, -1)), ("Fay", -1)
    }  # fmt: skip
    lapse = Finding.objects.open().get(kind="lapse")
    assert (lapse.severity, lapse.facility) == ("low", riverside.oak)
    tick(NOON + 7 * DAY)
    assert {step for _, step in told("our-decision")} == {366, 0, -1, -3}, "Thanksgiving is no business day"
    lapse.refresh_from_db()
    assert lapse.severity == "medium"
    assert "this was due by Mon 23 Nov" in text(mails_to(mailoutbox, "ann")[-1])


def test_the_outside_deputy_hears_where_nobody_of_the_organization_may_decide(riverside):
    user = factories.UserFactory(email="uma@example.org")
    factories.MembershipFactory(user=user, organization=riverside.riverside, role="auditor")
    deputy = factories.PersonFactory(
        organization=riverside.riverside, first_name="Uma", email=user.email, user=user, user_confirmed_at=NOON
    )
    RequestHouse.objects.create(organization=riverside.riverside, outside_deputy=deputy)
    submitted(riverside, by="alice", person="alice")
    tick(NOON)
    assert told("our-decision") == {("Uma", 366)}
    RequestHouse.objects.update(two_for_privileged=True)
    official = SystemRole.objects.filter(system__slug="iqies", privileged=True)[0]
    two = submitted(riverside, role=official.slug)
    tick(NOON + DAY)
    of_two = Reminder.objects.filter(deadline__request_step__request=two)
    assert {row.recipient.first_name for row in of_two} == {"Alice", "Uma"}, "it takes two, and Alice is only one"
    decide(scope=riverside.scope("alice"), requests=[two], approve=True, at=NOON + DAY)
    tick(NOON + 4 * DAY)
    assert [row.recipient.first_name for row in of_two.filter(step=0)] == ["Uma"], "Alice has decided it"


def test_who_stands_in_for_an_absent_decider_hears_and_the_next_in_line_where_one_leaves(riverside, mailoutbox):
    deputy = factories.PersonFactory(
        organization=riverside.riverside, first_name="Dora", email="dora@example.org",
        user=factories.UserFactory(email="dora@example.org"), user_confirmed_at=NOON,
    )  # fmt: skip
    outside = factories.PersonFactory(organization=riverside.riverside, first_name="Uma", email="uma@example.org")
    RequestHouse.objects.create(organization=riverside.riverside, outside_deputy=outside)
    alice = riverside.people["alice"]
    stands = {"organization": riverside.riverside, "person": alice, "recorded_at": NOON, "recorded_by": "x"}
    Deputy.objects.create(**stands, deputy=deputy, valid_from=TODAY, decides=True)
    submitted(riverside)
    tick(NOON)
    assert told("our-decision") == {("Alice", 366)}, "nobody is away"
    Absence.objects.create(**stands, valid_from=TODAY + DAY, valid_to=TODAY + 2 * DAY)
    submitted(riverside, person="carol")
    tick(NOON + DAY)
    assert told("our-decision") == {("Alice", 366), ("Dora", 366)}
    new = Reminder.objects.filter(deadline__request_step__request__beneficiary_person__first_name="Carol")
    assert [row.recipient.first_name for row in new] == ["Dora"], "new work goes to who stands in, and to her alone"
    assert "Decide about Henry Test’s request" in text(mails_to(mailoutbox, "dora")[0])
    factories.EmploymentFactory(person=alice, facility=riverside.oak, valid_from=TODAY - DAY, valid_to=TODAY + 2 * DAY)
    tick(NOON + 3 * DAY)
    assert ("Uma", 0) in told("our-decision"), "Alice has left: the outside deputy is next"
    assert ("Alice", 0) not in told("our-decision")
    assert ("Dora", 0) not in told("our-decision")


def test_an_absent_administrator_hears_of_no_decision_her_deputy_makes_not_when_it_is_late_either(riverside):
    dora = factories.PersonFactory(
        organization=riverside.riverside, first_name="Dora", email="dora@example.org",
        user=factories.UserFactory(email="dora@example.org"), user_confirmed_at=NOON,
    )  # fmt: skip
    stands = {"organization": riverside.riverside, "person": riverside.people["alice"]}
    stands |= {"recorded_at": NOON, "recorded_by": "x", "valid_from": TODAY, "valid_to": TODAY + 10 * DAY}
    Deputy.objects.create(**stands, deputy=dora, decides=True)
    Absence.objects.create(**stands)
    submitted(riverside)
    for day in (0, 3, 4, 7):
        tick(NOON + day * DAY)
    assert {name for name, _ in told("our-decision")} == {"Dora", "Fay"}
    assert {step for name, step in told("our-decision") if name == "Dora"} == {366, 0, -1, -3}


def test_what_went_on_without_a_second_person_is_told_to_the_outside_deputy_and_waits_in_her_inbox(
    riverside, mailoutbox, client
):
    user = factories.UserFactory(email="uma@example.org")
    factories.MembershipFactory(user=user, organization=riverside.riverside, role="holder")
    uma = factories.PersonFactory(
        organization=riverside.riverside, first_name="Uma", email=user.email, user=user, user_confirmed_at=NOON
    )
    with_harp(riverside, "alice")
    draft = drafted(riverside, by="alice", person="alice")
    [alone] = submit(scope=riverside.scope("alice"), requests=[draft], unapproved_reason="We are three.", at=NOON)
    RequestHouse.objects.create(organization=riverside.riverside, outside_deputy=uma)
    tick(NOON)
    page = f"/o/riverside/requests/{alone.pk}/"
    assert page in text(mails_to(mailoutbox, "uma")[0])
    client.force_login(user)
    inbox = "/o/riverside/requests/?show=inbox"
    assert page in client.get(inbox).content.decode()
    assert "for you to look at" in client.get("/o/riverside/").content.decode()
    assert client.get(page).status_code == 200
    countersign(scope=Scope.of(user, riverside.riverside), request=alone, at=NOON)
    assert page not in client.get(inbox).content.decode()
    approver = factories.UserFactory(email="ann@example.org")
    factories.MembershipFactory(user=approver, organization=riverside.riverside, role=Role.APPROVER)
    ann = factories.PersonFactory(
        organization=riverside.riverside, first_name="Ann", email=approver.email, user=approver, user_confirmed_at=NOON
    )
    Finding.objects.filter(kind="unapproved-request").update(closed_at=None)
    assert page not in client.get(inbox).content.decode(), f"{ann} may decide there by now"
    Reminder.objects.filter(recipient=uma).delete()
    tick(NOON + DAY)
    assert not Reminder.objects.filter(recipient=uma).exists()


def test_a_step_that_is_over_is_not_told_and_the_next_one_is(riverside, mailoutbox):
    factories.GrantFactory(
        account__person=riverside.people["carol"], facility=riverside.oak, role__slug="provider-security-official"
    )
    request = approved(riverside)
    did(riverside, request, "request-role", by="henry")
    tick(NOON)
    assert told("our-decision") == set(), "it was decided before anybody was told"
    assert told("wait") == {("Carol", 366)}, "the Security Official"
    assert "Wait for the Security Official: Henry Test’s request" in text(mails_to(mailoutbox, "carol")[0])


def test_one_of_two_mails_is_late(riverside, mailoutbox):
    request = approved(
        riverside, system="cmsnet", role="individual-user", still_needed_reason="Staffing data go there."
    )
    for key in ("open-form", "check-provider", "access-request", "submit"):
        did(riverside, request, key)
    did(riverside, request, "mail-1")
    tick(NOON + 4 * DAY)
    assert not Finding.objects.filter(kind="one-of-two-mails").exists()
    assert told("mail-2") == {("Henry", 0)}
    tick(NOON + 5 * DAY)
    finding = Finding.objects.open().get(kind="one-of-two-mails")
    assert (finding.severity, finding.facility, finding.person) == ("medium", riverside.oak, riverside.people["henry"])
    assert Finding.objects.open().filter(kind="lapse").count() == 1
    tick(NOON + 5 * DAY + timedelta(hours=1))
    assert Finding.objects.filter(kind="one-of-two-mails").count() == 1
    mail = text(mails_to(mailoutbox, "henry")[-1])
    assert "The second e-mail arrives (New account, CMSNet at Oak House): this was due by Tue 24 Nov" in mail
    did(riverside, request, "mail-2", on=TODAY + 5 * DAY)
    finding.refresh_from_db()
    assert finding.closed_at is not None
    assert Deadline.objects.get(request_step__key_in_list="mail-2").closed_at is not None
    Finding.objects.filter(pk=finding.pk).update(closed_at=None)
    proof = {"effective_on": TODAY + 5 * DAY, "proof": "note", "proof_text": "Both came.", "user_id": "HTEST2"}
    finish(scope=riverside.scope("carol"), request=request, cms_side=cms_did(request), at=NOON + 6 * DAY, **proof)
    finding.refresh_from_db()
    assert finding.closed_at == NOON + 6 * DAY, "whoever finishes it does not wait for either"


def test_an_invitation_to_sams_is_good_for_thirty_days_from_its_day_and_a_new_one_counts_anew(riverside, mailoutbox):
    request = approved(riverside, system="sams", role="individual-user")
    assert not Deadline.objects.open().filter(kind="window").exists(), "nobody was invited yet"
    did(riverside, request, "invitation", on=TODAY)
    window = Deadline.objects.open().get(kind="window")
    assert (window.due_on, window.basis_on) == (TODAY + 30 * DAY, TODAY)
    assert window.policy.key == "NHSN-1"
    assert not Deadline.objects.open().filter(kind="request-step", request_step=window.request_step).exists()
    tick(NOON)
    assert told("register-in-time") == {("Henry", 30)}, "the hand-over"
    said = text(mails_to(mailoutbox, "henry")[0])
    assert "Register within 30 days (New account, SAMS at Oak House), due by Sun 20 Dec" in said
    tick(NOON + 31 * DAY)
    assert told("register-in-time") >= {("Henry", -1), ("Fay", -1), ("Alice", -1)}
    lapse = Finding.objects.open().get(kind="lapse", deadline=window)
    assert lapse.severity == "medium"
    did(riverside, request, "new-invitation", on=TODAY + 31 * DAY)
    window.refresh_from_db()
    assert (window.due_on, window.cycle) == (TODAY + 61 * DAY, 2)
    did(riverside, request, "register-in-time", on=TODAY + 32 * DAY)
    window.refresh_from_db()
    assert window.closed_at is not None
    tick(NOON + 33 * DAY)
    lapse.refresh_from_db()
    assert lapse.closed_at is not None


def test_the_removal_of_her_own_access_is_carried_out_and_heard_of_by_an_administrator(riverside):
    account = factories.AccountFactory(organization=riverside.riverside, person=riverside.people["henry"])
    factories.GrantFactory(account=account, facility=riverside.oak)
    request = submitted(riverside, by="henry", kind="removal", role="", account=account)
    step = request.steps.get(state="open")
    for actor in ("holder", "facility"):
        request.steps.filter(pk=step.pk).update(actor=actor, due_on=TODAY)
        follow_dates([request.pk], NOON)
        tick(NOON)
        assert {name for name, _ in told(step.key_in_list)} == {"Fay"}, actor
        for name, hers in (("henry", False), ("fay", True)):
            person = riverside.people[name]
            days = steps_with_a_day(person, Scope.of(person.user, riverside.riverside), TODAY)
            assert days.filter(pk=step.pk).exists() == hers, (actor, name)
        request.steps.filter(pk=step.pk).update(due_on=None)
        step.refresh_from_db()
        hand_turns([step], scope=None, at=NOON)
        turn = HandOver.objects.filter(step=step, what=HandOver.What.TURN).select_related(*READ_WITH).latest("pk")
        assert [person for _, person in recipients([turn], TODAY)] == [riverside.people["fay"].pk], actor
