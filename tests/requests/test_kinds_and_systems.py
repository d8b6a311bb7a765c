"""Every kind of request on every system of the catalogue leads to steps, or says what to do instead."""

import re
from datetime import date, timedelta

import pytest

from accounts.calendar_words import step_day
from accounts.duty_sentences import step_due
from accounts.errors import AccountRefused
from accounts.models import Deadline, PortalAccount, RequestStep
from accounts.policy.offering import why_not
from accounts.policy.requesting import Kind
from accounts.policy.step_order import arrange
from accounts.services.clocks import recompute
from accounts.services.requests.carrying import record_outcome, stand_of
from accounts.services.requests.deciding import decide
from accounts.services.requests.drafting import Ask, as_request
from accounts.services.requests.ending import finish
from accounts.services.requests.offered import surfaces
from accounts.services.requests.planning import plan_steps
from accounts.services.requests.undoing import undo
from reminders.duty_lines import COLUMNS, duty_of, said
from systems.models import Step, System
from tests import factories
from tests.conftest import NOON, TODAY
from tests.requests.asking import ask, drafted, submitted, with_harp
from web.guides.citing import Bibliography
from web.guides.desks import desks_of
from web.requests.picks import options_for
from web.requests.steps import help_words, is_stuck

AUTHORITIES = {"qies", "cmsnet", "harp", "qualitynet", "idm", "ia", "sams", "mycgs", "dde", "rds"}
PROOFED = {"harp", "qualitynet", "idm", "sams", "mycgs"}
ONE_ROLE = {"casper", "cmsnet", "harp", "dde", "rds"}


def _portal(slug: str) -> bool:
    return slug.startswith("ep-")


def _offered(kind: str, slug: str) -> bool:
    """Say by the facts alone which kinds there are."""
    return {
        Kind.CERTIFICATION: slug in {"idm", "psr"} or _portal(slug),  # EP-CERT-1
        Kind.PROOFING: slug in PROOFED,
        Kind.ROLE_CHANGE: slug not in ONE_ROLE and not _portal(slug),
        Kind.REMOVAL: slug not in {"harp", "idm"},  # HARP-REM-1, EP-OWN-1: those accounts stay with the person
    }.get(Kind(kind), True)


def _planned(cast, kind: str, system: System, facility=None, **given: object) -> list[RequestStep]:
    wish = Ask(kind, system, facility or cast.oak, cast.people["henry"], **given)
    request = as_request(cast.scope("carol"), wish, cast.people["carol"])
    request.pk = -1
    return plan_steps([request], TODAY)


def test_every_kind_on_every_system_has_steps_or_says_what_to_do_instead(cast):
    systems = list(System.objects.current())
    assert len(systems) >= 39
    known = surfaces(system.pk for system in systems)
    for system in systems:
        for kind in Kind:
            place = f"{kind} on {system.slug}"
            reason = why_not(kind, known[system.pk])
            assert (reason == "") == _offered(kind, system.slug), f"{place}: {reason}"
            if reason:
                assert "Ask" in reason or "ask" in reason, f"{place} does not say what to do instead"
                assert not (kind == Kind.ROLE_CHANGE and _portal(system.slug)) or "not known here" in reason, place
                continue
            for role in system.roles.all():
                steps = _planned(cast, kind, system, role=role)
                ours = [step.key_in_list for step in steps if not step.fact]
                assert set(ours) <= {"our-decision"}, f"{place}, {role}: no steps in the catalogue"
                assert [step for step in steps if step.fact and not step.cure_for], f"{place}, {role}"


@pytest.mark.parametrize(("kind", "system", "words"), [
    ("additional-role", "sams", "only the present one can hand it over"),
    ("role-change", "sams", "Only the present NHSN Facility Administrator"),
    ("additional-role", "qies", "additional users"),
    ("reactivation", "ep-pv", "password expired"),
    ("reactivation", "hqr", "request the role in HQR"),
    ("unlock", "eqrs", "866-288-8912"),
    ("unlock", "cmsnet", "(888) 238-2122"),
    ("contact-change", "psr", "My Profile"),
    ("removal", "casper", "ends CASPER in the register only"),
    ("removal", "qualitynet", "Security Administrator"),
    ("new-account", "harp", "a request of its own"),
    ("reactivation", "rds", "No published way"),
    ("additional-role", "harp", "for others, such as MFT, QTSO, ServiceNow and DEL, in HARP"),
    ("additional-role", "mft", "request the MFT permission there"),
    ("role-change", "mft", "request the MFT permission there"),
    ("additional-role", "casper", "was not found; call 1-800-339-9313"),
    ("additional-role", "cmsnet", "was not found; call the CMSNet help desk"),
    ("role-change", "qies", "ePOC account goes by e-mail to the QTSO help desk"),
    ("proofing", "sams", "By Experian or by documents."),
])  # fmt: skip
def test_the_steps_say_what_the_facts_say(cast, kind, system, words):
    assert words in " ".join(step.text for step in _planned(cast, kind, System.objects.get(slug=system)))


@pytest.mark.parametrize("system", ["idm", "psr", "ep-pv"])
def test_a_role_that_was_not_certified_here_is_looked_for_first_and_an_expired_password_is_reset(cast, system):
    account = factories.AccountFactory(
        organization=cast.riverside, person=cast.people["henry"], system=System.objects.get(slug=system)
    )
    grant = factories.GrantFactory(account=account, facility=cast.oak, role=account.system.roles.first())
    wish = {"kind": "reactivation", "system": account.system, "account": account, "grant": grant, "role": grant.role}
    assert [step.key_in_list for step in _planned(cast, **wish)] == ["reset-password"]
    assert options_for(cast.scope("carol"), cast.people["henry"], "reactivation", TODAY) == []
    Deadline.objects.update_or_create(
        kind="certification", subject_key=f"grant:{grant.pk}",
        defaults={
            "organization": cast.riverside, "grant": grant, "zone": "America/New_York",
            "basis_on": TODAY - timedelta(days=366), "due_on": TODAY - timedelta(days=1), "closed_at": None,
        },
    )  # fmt: skip
    assert [step.key_in_list for step in _planned(cast, **wish)] == ["see-role", "ask-again"], "nobody said that it is"
    PortalAccount.objects.filter(pk=account.pk).update(lapses_on=TODAY - timedelta(days=1))
    assert [step.key_in_list for step in _planned(cast, **wish)] == ["reset-password", "see-role", "ask-again"]
    PortalAccount.objects.filter(pk=account.pk).update(lapses_on=None)
    [option] = options_for(cast.scope("carol"), cast.people["henry"], "reactivation", TODAY)
    assert (option.pick.grant, "certified by Thu 19 Nov 2026" in option.note) == (grant, True)
    Deadline.objects.all().delete()
    PortalAccount.objects.filter(pk=account.pk).update(status="lost", loss="password_expired", lost_at=NOON)
    assert [step.key_in_list for step in _planned(cast, **wish)] == ["reset-password"]
    PortalAccount.objects.filter(pk=account.pk).update(loss="roles_revoked")
    assert [step.key_in_list for step in _planned(cast, **wish)] == ["request-again", "decision", "rejected"]


def test_what_is_not_offered_is_refused_with_the_same_words_and_left_out_of_what_is_offered(cast):
    harp = factories.AccountFactory(
        organization=cast.riverside, person=cast.people["henry"], system=System.objects.get(slug="harp")
    )
    factories.GrantFactory(account=harp, facility=cast.oak, role__slug="individual-user", role__system=harp.system)
    told = "stays with its person.* not found.* iQIES, HQR, EQRS and MFT: ask for that.*“It was removed on HARP”"
    with pytest.raises(AccountRefused, match=told):
        drafted(cast, kind="removal", system="harp", role="", account=harp)
    assert options_for(cast.scope("carol"), cast.people["henry"], "removal", TODAY) == []
    with pytest.raises(AccountRefused, match="entered with the HARP account; identity is proved there"):
        drafted(cast, kind="proofing", system="iqies", role="")
    idm = factories.AccountFactory(
        organization=cast.riverside, person=cast.people["henry"], system=System.objects.get(slug="idm")
    )
    approver = idm.system.roles.get(slug="approver")
    grant = factories.GrantFactory(account=idm, facility=cast.oak, role=approver)
    [option] = options_for(cast.scope("carol"), cast.people["henry"], "removal", TODAY)
    assert option.pick.grant == grant, "the approver's role is taken back in IDM (EP-REM-1), the account stays"
    assert ask(cast, kind="removal", system="idm", role="", account=idm, grant=grant)


def test_a_role_that_is_given_again_after_a_missed_certification_counts_its_year_anew(cast):
    account = factories.AccountFactory(
        organization=cast.riverside, person=cast.people["henry"], system=System.objects.get(slug="psr")
    )
    grant = factories.GrantFactory(
        account=account,
        facility=cast.oak,
        role=account.system.roles.get(slug="end-user"),
        valid_from=date(2025, 11, 10),
    )
    recompute(accounts=PortalAccount.objects.filter(pk=account.pk), at=NOON)
    late = Deadline.objects.get(grant=grant, kind="certification")
    assert (was_due_on := late.due_on) < TODAY
    request = submitted(cast, kind="reactivation", system="psr", role="end-user", account=account, grant=grant)
    ends = {"scope": cast.scope("henry"), "request": request, "effective_on": TODAY, "proof": "note"}
    step = request.steps.get(key_in_list="see-role")
    act = {"scope": cast.scope("henry"), "on": TODAY}
    record_outcome(step=step, worked=True, **act, at=NOON)
    finish(**ends, proof_text="It was there.", at=NOON)
    late.refresh_from_db()
    assert (late.closed_at, late.due_on) == (None, was_due_on), "nobody said that it was given again"
    back = {"scope": cast.scope("alice"), "request": request}
    undo(**back, reason="Looked at another role.", at=NOON)
    record_outcome(step=step, worked=False, **act, note="Not there.", at=NOON)
    asked_again = request.steps.get(key_in_list="ask-again")
    nudge = Deadline.objects.open().get(request_step=asked_again)
    assert nudge.due_on == asked_again.due_on == TODAY + timedelta(days=3), (
        "an approver decides: one business day (R-50)"
    )
    for key in ("ask-again", "see-role"):
        record_outcome(step=request.steps.get(key_in_list=key, state="open"), worked=True, **act, at=NOON)
    finish(**ends, proof_text="Approved.", at=NOON)
    late.refresh_from_db()
    assert (late.closed_at, late.due_on) == (None, date(2027, 11, 19))
    undo(**back, reason="Not given after all.", at=NOON + timedelta(hours=1))
    late.refresh_from_db()
    assert (late.closed_at, late.due_on) == (None, was_due_on)


def test_every_step_that_may_not_work_leads_to_a_cure_or_to_a_named_help_desk(cast):
    """Each step is let fail; so is what would mend it, until nothing is left but to ask somebody."""
    ways = {"cure": 0, "help": 0}
    known = surfaces(System.objects.values_list("pk", flat=True))
    bibliography = Bibliography("")
    hospice = factories.FacilityFactory(organization=cast.riverside, provider_type="HOSPICE")
    for system in System.objects.current().select_related("sign_in_via"):
        via = [system.sign_in_via] if system.sign_in_via else []
        help_text = help_words(system, desks_of([system, *via], bibliography, NOON))
        assert re.search(r"\d{3}.\d{4}|@|custhelp|was published: ask [A-Z]", help_text), help_text
        for kind in (kind for kind in Kind if not why_not(kind, known[system.pk])):
            steps = _planned(cast, kind, system, hospice)
            for step in steps:
                if step.cure_for or not step.fact:
                    continue
                for each in steps:
                    each.state = "failed" if each is step else "waiting"
                    each.done_on = TODAY if each is step else None
                arranged = arrange([stand_of(each) for each in steps], on=TODAY, today=TODAY)
                for each, stand in zip(steps, arranged, strict=True):
                    each.state = stand.state
                mending = [each for each in steps if each.cure_for and each.state == "open"]
                assert is_stuck(step, steps) == (not mending), f"{kind} on {system.slug}: {step.key_in_list}"
                ways["cure" if mending else "help"] += 1
                for cure in mending:
                    cure.state = "failed"
                assert all(is_stuck(each, steps) for each in [step, *mending])
            assert all(_mended(step, steps) for step in steps if step.actor in ("official", "cms")), (
                f"{kind} on {system.slug}: a rejection leads nowhere"
            )
    assert ways["cure"] > 100
    assert ways["help"] > 100


def _mended(step: RequestStep, steps: list[RequestStep]) -> bool:
    """Say whether a decision on CMS's side has what to do after a no; taking away and looking after have not."""
    decides = step.key_in_list.startswith(("wait", "decision", "add-role", "swap", "both", "have-assigned"))
    return not decides or any(each.cure_for in (step.key_in_list, step.together) for each in steps if each.cure_for)


@pytest.mark.parametrize(("system", "kind", "key", "words"), [
    ("cmsnet", "new-account", "check-provider", "call the CMSNet help desk, (888) 238-2122"),
    ("harp", "new-account", "profile", "log in to HARP with those credentials"),
    ("harp", "new-account", "proofing", "866-578-5409"),
    ("harp", "proofing", "retry", "866-578-5409"),
    ("iqies", "new-account", "wait-new-official", "Then request the role again"),
    ("qies", "new-account", "hospice-activate", "Call 1-800-339-9313"),
])  # fmt: skip
def test_what_mends_a_step_says_what_to_do(cast, system, kind, key, words):
    hospice = factories.FacilityFactory(organization=cast.riverside, provider_type="HOSPICE")
    role = System.objects.get(slug=system).roles.exclude(privileged=True).first()
    steps = _planned(cast, kind, System.objects.get(slug=system), hospice, role=role)
    [step] = [each for each in steps if each.key_in_list == key]
    assert words in " ".join(
        each.text for each in steps if each.cure_for in (step.key_in_list, step.together) and each.cure_for
    )


def test_the_page_of_a_step_without_a_cure_names_the_help_desk_and_lets_it_be_tried_again(client, cast):
    account = factories.AccountFactory(
        organization=cast.riverside, person=cast.people["henry"], system=System.objects.get(slug="iqies")
    )
    factories.GrantFactory(account=account, facility=cast.oak)
    request = submitted(cast, kind="contact-change", role="", account=account)
    [step] = request.steps.all()
    record_outcome(scope=cast.scope("henry"), step=step, worked=False, on=TODAY, note="No such menu.", at=NOON)
    client.force_login(cast.carol)
    shown = client.get(request.get_absolute_url()).content.decode()
    assert "Ask the help desk: iQIES Service Center (formerly QTSO/QIES help desk), 1-800-339-9313" in shown
    assert "Tried again?" in shown
    assert "Change your data in HARP: did not work" in client.get("/o/riverside/requests/?show=all").content.decode()
    record_outcome(scope=cast.scope("henry"), step=step, worked=True, on=TODAY, at=NOON)
    assert "Ask the help desk" not in client.get(request.get_absolute_url()).content.decode()


def test_where_a_source_speaks_of_weeks_page_list_and_mail_say_so_and_name_no_last_day(client, cast):
    with_harp(cast, "henry")
    request = submitted(cast, system="hqr", role="individual-user")
    [request] = decide(scope=cast.scope("alice"), requests=[request], approve=True, at=NOON)
    first = request.steps.get(key_in_list="official-first")
    assert first.due_on == date(2026, 12, 14), "fifteen business days, Thanksgiving apart"
    client.force_login(cast.carol)
    shown = client.get(request.get_absolute_url()).content.decode()
    assert "Said to take several weeks (not from CMS). Ask how it stands on Mon 14 Dec" in shown
    assert "by Mon 14 Dec" not in shown
    listed = client.get("/o/riverside/requests/?show=all").content.decode()
    assert "said to take several weeks" in listed
    assert "by Mon 14 Dec" not in listed
    [row] = Deadline.objects.open().filter(request_step=first).values(*COLUMNS, "kind", "due_on", "policy__cure_text")
    for on, words in ((TODAY, "ask on Mon 14 Dec"), (date(2026, 12, 16), "time to ask since Mon 14 Dec")):
        duty = duty_of(row, on, own=False)
        assert words in step_due(duty)
        assert "due" not in step_due(duty)
        assert step_day(duty).startswith("Ask how it stands: ")
        assert said(
            {f"deadline__{name}": value for name, value in row.items()}
            | {"system": "", "acknowledged": None, "account": None, "place": cast.oak.pk},
            on, own=False, slug="riverside",
        )[0] == "due"  # fmt: skip
    for key, who in (("official-first", "carol"), ("request-role", "henry")):
        step = request.steps.get(key_in_list=key)
        record_outcome(scope=cast.scope(who), step=step, worked=True, on=TODAY, at=NOON)
    assert request.steps.get(key_in_list="wait").due_on == date(2026, 11, 23), "an own official is asked after one day"
    assert not Step.objects.exclude(takes="").filter(confidence="official").exists(), "no CMS page speaks of weeks"
