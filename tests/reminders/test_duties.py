"""Certifications, acknowledgements and obligations climb their ladders by ticks, and their mails call them by name."""

from datetime import date

import pytest
from django.db import transaction

from accounts.models import Deadline, Finding, Obligation, PortalAccount, RoleGrant
from accounts.services.certifying import record_certification, void_certification
from accounts.services.clocks import recompute
from accounts.services.duties import record_acknowledgement, switch_rule
from accounts.services.inventory import AccountFacts, add_accounts, remove_account
from accounts.services.obligations import Owed, add_obligation, meet_obligation, void_obligation
from reminders.models import Reminder
from systems.models import SystemRole
from tests.conftest import NOON, TODAY
from tests.reminders.mailbox import mails_to, text
from tests.reminders.making import DAY, administrator, started
from tests.reminders.test_tick import ask, everything

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture
def riverside(cast):
    """The cast, with Riverside's reminders started."""
    return started(cast)


def granted(cast, person="henry", role="user", opened_on=None, facility=None):
    """Return somebody's role at PS&R, granted a year before it has to be certified: in 60 days unless told."""
    roles = SystemRole.objects.filter(system__slug="psr")
    chosen = [each for each in roles if ("official" in each.slug) == (role == "official")]
    facts = AccountFacts(chosen[0].system, chosen[:1], opened_on or anniversary(60), "unknown")
    made = add_accounts(
        scope=cast.scope("alice"), person=cast.people[person], facility=facility or cast.oak, accounts=[facts], at=NOON
    )
    account = next(each for each in made if each.system.slug == "psr")
    return RoleGrant.objects.get(account=account)


def anniversary(left):
    """Return the day of a grant whose certification is due in so many days."""
    due_on = TODAY + left * DAY
    return (due_on + DAY).replace(year=due_on.year - 1)


def recompute_all():
    with transaction.atomic():
        recompute(accounts=PortalAccount.objects.all(), at=NOON)


def due(grant):
    return Deadline.objects.get(grant=grant, kind="certification")


def planned(deadline):
    """Return (first name, step) of what was planned for a deadline, skipped steps left out."""
    rows = Reminder.objects.filter(deadline=deadline).exclude(state="skipped")
    return set(rows.values_list("recipient__first_name", "step"))


def test_a_role_has_to_be_certified_the_day_before_its_anniversary(riverside):
    grant = granted(riverside)
    assert due(grant).due_on == TODAY + 60 * DAY
    record_certification(scope=riverside.scope("alice"), grant=grant, certified_on=TODAY, at=NOON)
    assert due(grant).due_on == date(2027, 11, 19)
    assert due(grant).cycle == 2


def test_a_role_that_was_older_when_it_came_here_had_been_certified_until_then(riverside):
    grant = granted(riverside, opened_on=date(2019, 3, 5))
    assert due(grant).due_on == date(2027, 3, 4)


def test_without_an_approver_the_facility_is_asked_and_the_holder_is_told_afterwards(riverside, mailoutbox):
    administrator(riverside, "fay", riverside.oak)
    grant = granted(riverside)
    for day in range(62):
        ask(NOON + day * DAY)
    steps = {step for _, step in planned(due(grant))}
    assert steps == {60, 30, 14, 7, 1, -1}
    assert planned(due(grant)) == {("Fay", step) for step in steps} | {("Alice", 1), ("Alice", -1), ("Henry", -1)}
    finding = Finding.objects.open().get(deadline=due(grant))
    assert (finding.severity, finding.facility, finding.account) == ("critical", riverside.oak, grant.account)
    assert any("PS&R" in text(mail) and "is presumed removed" in text(mail) for mail in mails_to(mailoutbox, "henry"))


def test_the_approver_on_record_is_asked_first_and_the_facility_at_the_third_step(riverside, mailoutbox):
    administrator(riverside, "fay", riverside.oak)
    granted(riverside, "carol", "official", opened_on=TODAY)
    grant = granted(riverside)
    ask(NOON)
    assert planned(due(grant)) == {("Carol", 60)}
    assert "has to be certified by" in text(mails_to(mailoutbox, "carol")[0])
    ask(NOON + 46 * DAY)
    assert planned(due(grant)) == {("Carol", 60), ("Carol", 14), ("Fay", 14)}


def test_an_official_does_not_certify_herself(riverside):
    administrator(riverside, "fay", riverside.oak)
    grant = granted(riverside, "carol", "official")
    ask(NOON)
    assert planned(due(grant)) == {("Fay", 60)}


def test_an_official_of_another_facility_hears_nothing(riverside):
    granted(riverside, "olga", "official", opened_on=TODAY, facility=riverside.elm)
    grant = granted(riverside)
    ask(NOON)
    assert planned(due(grant)) == {("Alice", 60)}


def test_a_mail_about_a_certification_is_not_called_one_about_a_login(riverside, mailoutbox):
    administrator(riverside, "fay", riverside.oak)
    granted(riverside)
    ask(NOON)
    subjects = [mail["Subject"] for mail in mails_to(mailoutbox, "fay")]
    assert subjects == ["2 CMS certifications due by Tue 19 Jan 2027, 7 findings"]  # at IDM, where she signs in, too


def test_dark_weeks_bring_one_mail_with_the_latest_step(riverside, mailoutbox):
    administrator(riverside, "fay", riverside.oak)
    grant = granted(riverside)
    ask(NOON)
    ask(NOON + 54 * DAY)
    states = dict(
        Reminder.objects.filter(recipient=riverside.people["fay"], deadline=due(grant)).values_list("step", "state")
    )
    assert states == {60: "in_digest", 30: "skipped", 14: "skipped", 7: "in_digest"}
    assert len(mails_to(mailoutbox, "fay")) == 2


def test_a_certification_rearms_and_a_voided_one_counts_no_more(riverside):
    grant = granted(riverside, opened_on=anniversary(-3) + DAY)
    RoleGrant.objects.filter(pk=grant.pk).update(recorded_at=NOON - 100 * DAY)
    recompute_all()
    ask(NOON)
    assert Finding.objects.open().filter(deadline=due(grant)).count() == 1
    told = record_certification(scope=riverside.scope("alice"), grant=grant, certified_on=TODAY, at=NOON)
    again = record_certification(scope=riverside.scope("alice"), grant=grant, certified_on=TODAY, at=NOON)
    assert again == told
    assert not Finding.objects.open().filter(deadline=due(grant)).exists()
    void_certification(scope=riverside.scope("alice"), certification=told, reason="Wrong person", at=NOON)
    assert due(grant).due_on == TODAY - 2 * DAY
    ask(NOON)
    assert Finding.objects.open().filter(deadline=due(grant)).count() == 1


def test_with_the_account_ends_what_its_roles_are_certified_for(riverside):
    grant = granted(riverside)
    remove_account(scope=riverside.scope("alice"), account=grant.account, removed_on=TODAY, at=NOON)
    assert due(grant).closed_at is not None
    ask(NOON)
    assert planned(due(grant)) == set()


def test_members_first_owe_an_acknowledgement_thirty_days_after_the_rule_was_switched_on(riverside, mailoutbox):
    switch_rule(scope=riverside.scope("alice"), rule="R-13", on=True, at=NOON)
    owed = Deadline.objects.open().filter(kind="acknowledgement")
    assert {each.due_on for each in owed} == {TODAY + 30 * DAY}
    names = set(owed.values_list("person__first_name", flat=True))
    assert "Carol" in names
    assert "Mallory" not in names
    for day in range(32):
        ask(NOON + day * DAY)
    carols = owed.get(person=riverside.people["carol"])
    assert {("Carol", step) for step in (30, 14, 7, 1, -1)} <= planned(carols)
    assert Finding.objects.open().get(deadline=carols).severity == "high"
    record_acknowledgement(
        scope=riverside.scope("alice"),
        person=riverside.people["carol"],
        document="rules",
        acknowledged_on=TODAY + 31 * DAY,
        at=NOON + 31 * DAY,
    )
    carols.refresh_from_db()
    assert carols.due_on == TODAY + (31 + 365) * DAY
    assert not Finding.objects.open().filter(deadline=carols).exists()
    first = mails_to(mailoutbox, "carol")[0]
    assert "Acknowledge the rules of behavior by" in text(first)


def test_the_addendum_is_owed_by_privileged_holders_only_and_ends_with_the_privilege(riverside):
    switch_rule(scope=riverside.scope("alice"), rule="R-14", on=True, at=NOON)
    assert not Deadline.objects.filter(kind="acknowledgement").exists()
    grant = granted(riverside, "carol", "official", opened_on=TODAY)
    ask(NOON)
    owed = Deadline.objects.get(kind="acknowledgement")
    assert (owed.person, owed.subject_key) == (
        riverside.people["carol"],
        f"person:{riverside.people['carol'].pk}/addendum",
    )
    remove_account(scope=riverside.scope("alice"), account=grant.account, removed_on=TODAY, at=NOON)
    ask(NOON + 2 * DAY)
    owed.refresh_from_db()
    assert owed.closed_at is not None


def test_a_rule_that_is_switched_off_asks_nobody_any_more(riverside):
    alice = riverside.scope("alice")
    switch_rule(scope=alice, rule="R-13", on=True, at=NOON)
    switch_rule(scope=alice, rule="R-13", on=False, at=NOON)
    assert not Deadline.objects.open().filter(kind="acknowledgement").exists()
    ask(NOON)
    assert not Reminder.objects.filter(deadline__isnull=False).exists()


def texan(cast):
    type(cast.oak).objects.filter(pk=cast.oak.pk).update(state="TX")
    cast.oak.refresh_from_db()
    return cast.oak


def test_the_texas_window_closes_sixty_days_after_the_first_ltcmi(riverside, mailoutbox):
    owed = Owed("ltcmi", event_on=TODAY - 46 * DAY)
    obligation = add_obligation(scope=riverside.scope("alice"), facility=texan(riverside), owed=owed, at=NOON)
    deadline = Deadline.objects.get(obligation=obligation)
    assert deadline.due_on == TODAY + 14 * DAY
    assert add_obligation(scope=riverside.scope("alice"), facility=riverside.oak, owed=owed, at=NOON) == obligation
    for day in range(16):
        ask(NOON + day * DAY)
    assert planned(deadline) == {("Alice", step) for step in (14, 7, 3, 1, -1)}
    finding = Finding.objects.open().get(deadline=deadline)
    assert (finding.severity, finding.facility) == ("critical", riverside.oak)
    assert "Oak House owes by" in text(mails_to(mailoutbox, "alice")[0])
    assert "Oak House owed by" in text(mails_to(mailoutbox, "alice")[-1])
    meet_obligation(scope=riverside.scope("alice"), obligation=obligation, met_on=TODAY, at=NOON + 15 * DAY)
    assert not Finding.objects.open().filter(deadline=deadline).exists()


def test_a_typed_day_is_owed_as_typed_and_can_be_taken_back(riverside, mailoutbox):
    administrator(riverside, "fay", riverside.oak)
    owed = Owed("other", title="Send the staffing data", due_on=TODAY + 7 * DAY)
    obligation = add_obligation(scope=riverside.scope("alice"), facility=riverside.oak, owed=owed, at=NOON)
    ask(NOON)
    assert planned(Deadline.objects.get(obligation=obligation)) == {("Fay", 7)}
    assert "Oak House owes by Fri 27 Nov (in seven days): Send the staffing data." in text(
        mails_to(mailoutbox, "fay")[0]
    )
    void_obligation(scope=riverside.scope("alice"), obligation=obligation, at=NOON)
    ask(NOON + 7 * DAY)
    assert not any("Send the staffing data" in text(mail) for mail in mails_to(mailoutbox, "fay")[1:])
    assert Obligation.objects.get().voided_at == NOON


def test_a_repeated_tick_writes_nothing_about_any_of_them(riverside):
    granted(riverside, opened_on=anniversary(5))
    switch_rule(scope=riverside.scope("alice"), rule="R-13", on=True, at=NOON)
    add_obligation(
        scope=riverside.scope("alice"),
        facility=riverside.oak,
        owed=Owed("other", title="Send it", due_on=TODAY - DAY),
        at=NOON,
    )
    ask(NOON + DAY)
    before = everything()
    ask(NOON + DAY)
    assert everything() == before
