"""Dated rules, and those that no other file follows by commands alone: files bring the facts, a tick tells of them."""

import json
from collections import Counter
from datetime import date
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import Deadline, Finding, PortalAccount
from accounts.services.duties import switch_rule
from accounts.services.inventory import correct_account, remove_account
from accounts.services.obligations import Owed, add_obligation
from accounts.services.terms import state_term
from staff.models import Person
from staff.services.absences import record_absence
from tests.conftest import NOON, TODAY
from tests.reminders.mailbox import outbox, text
from tests.reminders.making import DAY, started
from tests.reminders.test_tick import ask

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
ROSTER = "employee_number,last_name,first_name,email,ccn,start_date,end_date,status"
ACCOUNTS = "employee_number,system,ccn,user_id,role,granted_on,last_login_on,last_certified_on"
ADA, BOB = "1,Example,Ada,ada@example.org,015009,2020-01-06,,", "2,Example,Bob,bob@example.org,015009,2020-01-06,,"
CLOCKS = ("inactivity", "deletion")
COE = "3,Example,Coe,coe@example.org,015009,2020-01-06,,"


@pytest.fixture
def riverside(cast, tmp_path):
    """The cast with mails started, and Ada, Bob and Coe at Oak House by a roster."""
    started(cast)
    take("import_staff", tmp_path / "roster.csv", ROSTER, ADA, BOB, COE, allow_mass_leavers=True)
    return cast


def take(command, path, *rows, **options):
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    with time_machine.travel(NOON, tick=False):
        call_command(command, str(path), organization="riverside", verbosity=0, stdout=StringIO(), **options)


def listed(tmp_path, *rows):
    take("import_accounts", tmp_path / "accounts.csv", ACCOUNTS, *rows)


def told(mailbox, name):
    return "\n".join(text(mail) for mail in outbox(mailbox) if mail["To"] == f"{name}@example.org")


def test_r13_members_owe_an_acknowledgement_and_people_of_a_roster_do_not(riverside, mailoutbox):
    switch_rule(scope=riverside.scope("alice"), rule="R-13", on=True, at=NOON)
    ask(NOON)
    owed = Deadline.objects.open().filter(kind="acknowledgement")
    assert set(owed.values_list("due_on", flat=True)) == {TODAY + 30 * DAY}
    names = set(owed.values_list("person__first_name", flat=True))
    assert "Carol" in names
    assert not names & {"Ada", "Bob", "Coe"}
    assert "Acknowledge the rules of behavior by Sun 20 Dec" in told(mailoutbox, "carol")


def test_r14_who_is_privileged_by_a_list_owes_the_addendum(riverside, tmp_path, mailoutbox):
    listed(
        tmp_path,
        "1,iQIES,015009,,Provider Security Official (PSO),2026-11-02,2026-11-18,",
        "2,iQIES,015009,,Provider Assessment Viewer,2026-11-02,2026-11-18,",
    )
    switch_rule(scope=riverside.scope("alice"), rule="R-14", on=True, at=NOON)
    ask(NOON)
    owed = Deadline.objects.open().get(kind="acknowledgement")
    assert (owed.person.first_name, owed.due_on) == ("Ada", TODAY + 30 * DAY)
    assert "addendum" in told(mailoutbox, "ada")
    assert told(mailoutbox, "bob") == ""


def test_r56_the_texas_window_is_mailed_by_a_tick_and_found_when_it_has_passed(riverside, mailoutbox):
    type(riverside.oak).objects.filter(pk=riverside.oak.pk).update(state="TX")
    riverside.oak.refresh_from_db()
    owed = Owed("ltcmi", event_on=TODAY - 57 * DAY)
    add_obligation(scope=riverside.scope("alice"), facility=riverside.oak, owed=owed, at=NOON)
    ask(NOON)
    deadline = Deadline.objects.open().get(kind="obligation")
    assert deadline.due_on == TODAY + 3 * DAY
    assert "Oak House owes by Mon 23 Nov" in told(mailoutbox, "alice")
    ask(NOON + 4 * DAY)
    assert Finding.objects.open().get(deadline=deadline).severity == "critical"


def test_r58_a_report_stays_for_thirty_days_and_is_routed_to_one_role_only(riverside, tmp_path, mailoutbox):
    type(riverside.oak).objects.filter(pk=riverside.oak.pk).update(provider_type="ACUTE")
    riverside.oak.refresh_from_db()
    basic = "1,mft,015009,,Basic MFT permission,2026-11-02,2026-11-18,"
    listed(tmp_path, basic)
    ask(NOON)
    finding = Finding.objects.open().get(kind="no-file-pickup")
    assert (finding.severity, finding.facility) == ("medium", riverside.oak)
    assert "Nobody can pick up reports from Managed File Transfer" in told(mailoutbox, "alice")
    owed = Owed("mft-file", event_on=TODAY - 22 * DAY)
    add_obligation(scope=riverside.scope("alice"), facility=riverside.oak, owed=owed, at=NOON)
    ask(NOON + DAY)
    deadline = Deadline.objects.open().get(kind="window")
    assert (deadline.due_on, deadline.policy.fact_id) == (TODAY + 8 * DAY, "HQR-PERM-1")
    assert "picked up" in told(mailoutbox, "alice")
    finding.refresh_from_db()
    assert json.loads(finding.facts)["waiting"] == (TODAY + 8 * DAY).isoformat()
    listed(tmp_path, basic, "2,mft,015009,,MFT permission with Auto-Route (IQR),2026-11-20,2026-11-20,")
    ask(NOON + 9 * DAY)
    assert not Finding.objects.open().filter(kind="no-file-pickup").exists()
    assert Finding.objects.open().get(deadline=deadline).severity == "medium", "the file is gone"


def test_r12_a_list_tells_when_a_role_was_certified_and_a_tick_mails_the_next_time(riverside, tmp_path, mailoutbox):
    listed(tmp_path, f"1,psr,015009,,End user,2024-03-01,2026-11-18,{date(2025, 12, 21)}")
    ask(NOON)
    deadline = Deadline.objects.open().get(kind="certification", grant__account__system__slug="psr")
    assert deadline.due_on == TODAY + 30 * DAY
    assert "Ada Example" in told(mailoutbox, "alice")


def test_r12_of_a_leavers_role_the_mail_says_that_it_goes_and_asks_for_no_certification(
    riverside, tmp_path, mailoutbox
):
    listed(tmp_path, *(f"{who},psr,015009,,End user,2024-03-01,2026-11-18,{date(2025, 12, 21)}" for who in (1, 2)))
    take("import_staff", tmp_path / "left.csv", ROSTER, f"{ADA[:-1]}{TODAY - DAY},", BOB, COE, allow_mass_leavers=True)
    ask(NOON)
    mail = told(mailoutbox, "alice")
    role = "the PS&R role End user at Oak House"
    assert f"Ada Example left on Thu 19 Nov (yesterday): have {role} removed, not certified again." in mail
    assert "Ada Example’s PS&R role" not in mail
    assert "Bob Example’s PS&R role End user at Oak House has to be certified by" in mail
    [subject] = [each["Subject"] for each in outbox(mailoutbox) if each["To"] == "alice@example.org"]
    assert "dates due by" in subject, "what is to be removed is no certification"
    ask(NOON + 31 * DAY)
    assert f"{role} is presumed removed, as nobody certified it by" in told(mailoutbox, "alice")


def test_r24_a_third_individual_account_at_one_facility_is_found(riverside, tmp_path):
    rows = [f"{number},qies,015009,,Individual user,2024-03-01,2026-11-18," for number in (1, 2, 3)]
    listed(tmp_path, *rows[:2])
    ask(NOON)
    assert not Finding.objects.open().filter(kind="quota").exists()
    listed(tmp_path, *rows)
    ask(NOON + DAY)
    assert Finding.objects.open().get(kind="quota").subject_key == f"facility:{riverside.oak.pk}/quota:QIES-QUO-3"


def test_r53_a_user_id_that_a_list_passes_on_is_found(riverside, tmp_path):
    listed(tmp_path, "1,qies,015009,AEX1,Individual user,2024-03-01,2026-11-18,")
    adas = PortalAccount.objects.get(system__slug="qies")
    remove_account(scope=riverside.scope("alice"), account=adas, removed_on=TODAY, at=NOON)
    listed(tmp_path, "2,qies,015009,AEX1,Individual user,2026-11-20,2026-11-20,")
    ask(NOON)
    assert Finding.objects.open().get(kind="id-reuse").person.first_name == "Bob"


def test_r05_a_password_that_is_too_old_is_found(riverside, tmp_path):
    listed(tmp_path, "1,qies,015009,AEX1,Individual user,2024-03-01,2026-11-18,")
    account = PortalAccount.objects.get(system__slug="qies")
    correct_account(
        scope=riverside.scope("alice"), account=account, version=account.version, user_id="AEX1",
        password_changed_on=TODAY - 60 * DAY, note="", at=NOON,
    )  # fmt: skip
    ask(NOON)
    assert not Finding.objects.open().filter(kind="lapse").exists()
    ask(NOON + DAY)
    assert Finding.objects.open().get(kind="lapse").deadline.kind == "password"


def test_r01_to_r10_clocks_of_a_list_are_those_that_explain_tells(riverside, tmp_path):
    last = date(2026, 9, 25)
    roles = {"iqies": "Provider Security Official (PSO)", "eqrs": "End user", "qualitynet": "Security Administrator"}
    slugs = ("qies", "casper", "iqies", "eqrs", "idm", "cmsnet", "qualitynet")
    listed(
        tmp_path,
        *(f"1,{slug},015009,,{roles.get(slug, 'Individual user')},2024-03-01,{last}," for slug in slugs),
    )
    ask(NOON)
    rows = Deadline.objects.open().filter(kind__in=CLOCKS, policy__isnull=False)
    found = {(each.account.system.slug, each.kind, each.due_on.isoformat()) for each in rows}
    wanted = set()
    for slug in slugs:
        out = StringIO()
        call_command("explain", f"--system={slug}", f"--last-login={last}", f"--on={TODAY}", "--json", stdout=out)
        deadlines = json.loads(out.getvalue())["deadlines"]
        wanted |= {(slug, each["kind"], each["due_on"]) for each in deadlines if each["kind"] in CLOCKS}
    assert found == wanted
    assert {slug for slug, _, _ in found} == set(slugs)


def test_what_two_lists_bring_is_found_and_told_in_one_night_rule_by_rule(riverside, tmp_path, mailoutbox):
    alice, oak = riverside.scope("alice"), riverside.oak
    for rule in ("R-15", "R-27", "R-52"):
        switch_rule(scope=alice, rule=rule, on=True, at=NOON)
    listed(
        tmp_path,
        "1,iQIES,015009,AEX1,Provider Security Official (PSO),2024-01-02,2026-11-18,",
        "2,iQIES,015009,BEX1,Assessment Submitter,2026-11-02,2026-11-18,",
        "2,PS&R,015009,,Security official,2024-01-02,2026-11-18,2026-11-18",
        "3,iQIES,015009,AEX1,Provider Assessment Viewer,2024-01-02,2026-09-25,",
        *(f"{number},CMSNet,015009,,Individual user,2024-01-02,2026-11-18," for number in (1, 2, 3)),
    )
    coe = Person.objects.get(employee_number="3")
    bobs = PortalAccount.objects.get(person__employee_number="2", system__slug="iqies")
    record_absence(scope=alice, person=coe, away_from_on=TODAY, away_to_on=None, at=NOON)
    state_term(scope=alice, account=bobs, version=bobs.version, term="temporary", lasts_until=TODAY + 7 * DAY, at=NOON)
    ask(NOON)
    found = Finding.objects.open().filter(organization=riverside.riverside)
    kinds = Counter(found.exclude(facility=riverside.elm).values_list("kind", flat=True))
    assert kinds == {
        "privileged-open": 4, "one-official": 1, "no-backup": 1, "few-keepers": 1, "closed-system": 1, "quota": 1,
        "no-epoc-administrator": 1, "psr-two-people": 1, "absence-lapse": 1, "shared-id": 2,
    }  # fmt: skip
    elms = set(found.filter(facility=riverside.elm).values_list("kind", flat=True))
    assert {"no-official", "no-account", "psr-two-people", "no-epoc-administrator"} <= elms
    reviews = Deadline.objects.open().filter(kind="review", facility=oak)
    assert sorted(reviews.values_list("due_on", flat=True)) == [TODAY + 90 * DAY, TODAY + 365 * DAY]
    ends = Deadline.objects.open().get(kind="temporary")
    assert (ends.account, ends.due_on) == (bobs, TODAY + 7 * DAY)
    mail = told(mailoutbox, "alice")
    for words in (
        "Elm House has no Security Official", "Nobody at Elm House can submit PBJ", "has the same HARP user ID",
        "Nobody keeps the backup record of Oak House", "Oak House lacks on PS&R a user", "no ePOC administrator",
        *(f"?kind={kind}" for kind in ("privileged-open", "absence-lapse", "closed-system", "no-backup",
                                       "one-official")),
    ):  # fmt: skip
        assert words in mail, words
    gone = COE.replace("2020-01-06,,", f"2020-01-06,{TODAY},"), ADA, BOB
    take("import_staff", tmp_path / "roster.csv", ROSTER, *gone)
    ask(NOON + DAY)
    left = Finding.objects.open().filter(kind="leaver-access", person=coe)
    assert set(left.values_list("account__system__slug", flat=True)) == {"iqies", "cmsnet"}, "one of each system"
    assert "Coe Example left" in told(mailoutbox, "alice")
