"""How requests end: with proof and effect in one act, taken back exactly, failed and tried again."""

import json
from datetime import date, timedelta

import pytest
from django.core.management import call_command

from accounts.errors import AccountRefused
from accounts.models import (
    AccessRequest,
    Certification,
    Deadline,
    Finding,
    PortalAccount,
    ProfileCheck,
    RequestStep,
    RoleGrant,
)
from accounts.policy.requesting import Kind, State
from accounts.services.inventory import correct_account, remove_account, report_loss
from accounts.services.lapses import sweep_lapses
from accounts.services.logins import record_login, refresh_clocks
from accounts.services.requests.carrying import record_outcome
from accounts.services.requests.cms_side import Said, open_on_cms_side
from accounts.services.requests.ending import fail, finish, retry
from accounts.services.requests.submitting import withdraw
from accounts.services.requests.taking_over import own_removals
from accounts.services.requests.undoing import undo
from accounts.services.terms import longest_until
from audit.models import AuditEvent, AuditItem
from facilities.access import NotAllowed
from facilities.models import Membership, Recheck
from facilities.models.tenancy import Role
from systems.models import SystemRole
from tests import factories
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.requests.asking import cms_did, submitted
from tests.requests.scenes import SCENES, YESTERDAY, role, running, viewer

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

LATER = NOON + timedelta(hours=3)


def without_harp(request):
    """Forget the HARP account that the guards want, so that finishing has to make it."""
    PortalAccount.objects.filter(system__slug="harp").delete()
    return request


def done(cast, request, on=TODAY, by="carol", at=NOON, **given):
    given = {"proof": "note", "proof_text": "The help desk said so on the phone.", "cms_side": cms_did(request)} | given
    return finish(scope=cast.scope(by), request=request, effective_on=on, at=at, **given)


def standing(cast, person="henry"):
    """What must be the same after an undo: accounts, grants in force with what is certified, steps, dates."""
    accounts = PortalAccount.objects.filter(person=cast.people[person]).exclude(status="removed", opened_on=TODAY)
    grants = RoleGrant.objects.known().filter(account__in=accounts)
    dates = Deadline.objects.open().filter(account__in=accounts)
    of_roles = Deadline.objects.open().filter(grant__account__in=accounts)
    return {
        "accounts": sorted(
            accounts.values_list(
                "pk", "status", "loss", "term", "lasts_until", "opened_on", "removed_on", "user_id", "login_state",
                "last_login_on", "counts_from_on", "confirmed_on", "history_from_on", "proofing", "lapses_on",
            )
        ),
        "grants": sorted(
            (*row, sorted(map(str, certified_on(row, grants))))
            for row in grants.values_list("account", "facility", "role", "valid_from", "valid_to", "evidence")
        ),
        "dates": sorted(dates.values_list("account", "kind", "due_on", "basis_on")),
        "of_roles": sorted(of_roles.values_list("grant__role", "grant__facility", "kind", "due_on", "basis_on")),
        "checked": sorted(ProfileCheck.objects.known().values_list("account", "checked_on")),
        "steps": sorted(RequestStep.objects.values_list("pk", "state", "started_on", "due_on")),
        "step_dates": sorted(
            Deadline.objects.open().filter(request_step__isnull=False).values_list("request_step", "due_on")
        ),
    }  # fmt: skip


def certified_on(row, grants):
    mine = grants.filter(account=row[0], facility=row[1], role=row[2], valid_from=row[3])
    return Certification.objects.known().filter(grant__in=mine).values_list("certified_on", flat=True)


@pytest.mark.parametrize("kind", list(Kind))
def test_finishing_takes_effect_and_undoing_leaves_everything_as_it_was(cast, kind):
    request, holds = SCENES[kind](cast)
    before = standing(cast)
    Recheck.objects.all().delete()
    finished = done(cast, request, user_id="HTEST01" if kind == Kind.FORGOTTEN_ID else "")
    assert holds(), kind
    assert (finished.state, finished.effective_on) == (State.DONE, TODAY)
    assert not finished.steps.filter(state__in=["open", "waiting"]).exists()
    assert not Deadline.objects.open().filter(request_step__request=request).exists()
    again = done(cast, request, user_id="HTEST01" if kind == Kind.FORGOTTEN_ID else "")
    assert again.version == finished.version, "a second click changes nothing"
    event = AuditEvent.objects.get(action="request.done")
    assert (event.subject_key, event.actor_label) == (request.key, "carol@example.org")
    back = undo(scope=cast.scope("carol"), request=request, reason="It was the wrong Henry.", at=LATER)
    assert (back.state, back.proof, back.opened_grant_id) == (State.IN_PROGRESS, "", None)
    assert standing(cast) == before
    assert AuditEvent.objects.get(action="request.undone").reason == "It was the wrong Henry."
    done(cast, request, at=LATER, user_id="HTEST01" if kind == Kind.FORGOTTEN_ID else "")
    assert holds(), "what was undone can be finished anew"
    call_command("verify_audit")


def test_a_new_account_starts_its_clocks_and_says_where_it_came_from(cast):
    request = without_harp(running(cast, wanted_until=TODAY + timedelta(days=20)))
    assert request.state == State.APPROVED
    finished = done(cast, request, on=YESTERDAY, user_id="HTEST01", proof="seen", seen_by=cast.people["olga"])
    account = PortalAccount.objects.get(person=cast.people["henry"], system__slug="iqies")
    grant = account.grants.get()
    assert finished.opened_grant == grant
    assert (grant.evidence, grant.valid_from) == (f"Request {request.pk}", YESTERDAY)
    assert (account.identity.user_id, account.identity.grants.get().evidence) == ("HTEST01", f"Request {request.pk}")
    assert (account.term, account.lasts_until) == ("temporary", TODAY + timedelta(days=20))
    clock = Deadline.objects.open().get(account=account, kind="inactivity")
    assert clock.basis_on == YESTERDAY
    assert Recheck.objects.filter(facility=cast.oak).exists()
    [item] = AuditItem.objects.of_event(AuditEvent.objects.get(action="request.done").pk)
    assert json.loads(item.payload)["seen_by"] == cast.people["olga"].key


def test_what_was_planned_works_from_the_day_and_its_term_is_what_the_rule_allows(cast):
    request = without_harp(running(cast, wanted_until=TODAY + timedelta(days=900)))
    planned = held(cast, last_login="never", roles=[viewer()], person="henry")
    PortalAccount.objects.filter(person=cast.people["henry"]).update(status="requested")
    refresh_clocks([planned.pk, planned.identity_id], at=NOON)
    before = standing(cast)
    done(cast, request)
    planned.refresh_from_db()
    assert (planned.status, planned.opened_on, planned.identity.status) == ("active", TODAY, "active")
    assert planned.grants.known().get().valid_from == TODAY
    assert planned.lasts_until == longest_until(TODAY, "temporary") < TODAY + timedelta(days=900)
    undo(scope=cast.scope("carol"), request=request, reason="Not yet.", at=LATER)
    assert standing(cast) == before


def test_a_role_ends_alone_while_others_are_held_and_an_authority_stays_while_it_is_used(cast):
    account = held(cast, last_login=YESTERDAY, roles=[viewer(), role("provider-administrator")], person="henry")
    one = running(cast, kind=Kind.REMOVAL, role="", account=account, grant=account.grants.get(role=viewer()))
    done(cast, one)
    account.refresh_from_db()
    assert account.status == "active"
    assert [grant.role.slug for grant in account.grants.known().filter(valid_to=None)] == ["provider-administrator"]
    qies = held(cast, "casper", last_login=YESTERDAY, person="henry").identity
    above = running(cast, kind=Kind.REMOVAL, role="", account=qies, grant=qies.grants.get(), system="qies")
    done(cast, above)
    qies.refresh_from_db()
    assert qies.status == "active"
    assert not qies.grants.known().filter(valid_to=None).exists()
    whole = running(cast, kind=Kind.REMOVAL, role="", account=qies, system="qies")
    with pytest.raises(AccountRefused, match="the way in to .*. Have that account removed first"):
        done(cast, whole)


def test_reactivation_cures_the_lapse_at_once_and_may_give_one_role_back(cast):
    account = held(cast, last_login=TODAY - timedelta(days=200), roles=[viewer()], person="henry")
    sweep_lapses(at=NOON)
    assert Finding.objects.open().filter(kind="lapse", account=account).exists()
    request = running(cast, kind=Kind.REACTIVATION, account=account)
    done(cast, request)
    account.refresh_from_db()
    assert account.confirmed_on == TODAY
    assert account.grants.known().get().valid_from == date(2024, 6, 1), "it was never recorded as lost"
    assert not Finding.objects.open().filter(kind="lapse", account=account).exists()
    lost = held(cast, "hqr", last_login=YESTERDAY, person="olga", facility="elm")
    report_loss(scope=cast.scope("olga"), account=lost, loss="roles_revoked", lost_on=YESTERDAY, at=NOON)
    some = SystemRole.objects.filter(system__slug="hqr").first()
    back = running(
        cast, by="alice", person="olga", kind=Kind.REACTIVATION, account=lost, role=some.slug, system="hqr",
        facility=cast.elm,
    )  # fmt: skip
    done(cast, back, by="alice")
    lost.refresh_from_db()
    assert (lost.status, lost.grants.known().get(valid_to=None).evidence) == ("active", f"Request {back.pk}")


def test_it_ends_with_proof_on_a_day_that_can_be_by_who_may(cast):
    request = running(cast)
    wrong = [
        ({"on": TODAY + timedelta(days=2)}, "future", "effective_on"),
        ({"on": date(1999, 12, 31)}, "before any", "effective_on"),
        ({"proof": ""}, "how it is known", "proof"),
        ({"proof_text": "  "}, "in words", "proof_text"),
        ({"proof_text": "x" * 501}, "500 characters", "proof_text"),
        ({"proof": "file"}, "Choose the file", "file"),
        ({"proof": "seen"}, "Say who", "seen_by"),
        ({"proof": "seen", "seen_by": cast.people["mallory"]}, "Say who", "seen_by"),
    ]
    for given, said, field in wrong:
        with pytest.raises(AccountRefused, match=said) as refused:
            done(cast, request, **given)
        assert refused.value.field == field
    for who in ("olga", "audrey", "mallory"):
        with pytest.raises((NotAllowed, AccessRequest.DoesNotExist)):
            done(cast, request, by=who)
    waiting = submitted(cast, role="provider-administrator")
    with pytest.raises(AccountRefused, match="not being carried out"):
        done(cast, waiting)
    assert not PortalAccount.objects.filter(system__slug="iqies").exists()
    assert done(cast, request, by="henry").state == State.DONE, "her own, by herself"
    with pytest.raises(AccountRefused, match="finished already"):
        done(cast, request, on=YESTERDAY)


def test_a_change_that_cannot_have_been_is_refused_and_nothing_moves(cast):
    short = without_harp(running(cast, wanted_until=TODAY - timedelta(days=3), at=NOON - timedelta(days=5)))
    with pytest.raises(AccountRefused, match="wanted until"):
        done(cast, short)
    account = held(cast, last_login=YESTERDAY, roles=[viewer()], person="henry")
    change = running(
        cast, kind=Kind.ROLE_CHANGE, role="provider-administrator", account=account, grant=account.grants.get()
    )
    before = standing(cast)
    with pytest.raises(AccountRefused, match="began on Sat 1 Jun 2024") as refused:
        done(cast, change, on=date(2024, 6, 1))
    assert refused.value.field == "effective_on"
    assert standing(cast) == before
    remove_account(scope=cast.scope("alice"), account=account, removed_on=TODAY, at=NOON)
    with pytest.raises(AccountRefused, match="Add it on the person’s page"):
        done(cast, change)


def test_what_somebody_touched_is_not_undone_and_it_says_what_to_do_by_hand(cast):
    scope = cast.scope("carol")
    request = running(cast)
    done(cast, request)
    with pytest.raises(AccountRefused, match="Say why"):
        undo(scope=scope, request=request, reason=" ", at=LATER)
    with pytest.raises(NotAllowed):
        undo(scope=cast.scope("olga"), request=request, reason="x", at=LATER)
    with pytest.raises(AccountRefused, match="more than 7 days ago") as late:
        undo(scope=scope, request=request, reason="x", at=NOON + timedelta(days=7, seconds=1))
    assert late.value.code == "too_late"
    account = PortalAccount.objects.get(person=cast.people["henry"], system__slug="iqies")
    record_login(scope=cast.scope("henry"), account=account, happened_on=TODAY, at=LATER)
    with pytest.raises(AccountRefused, match="Ask for the removal") as refused:
        undo(scope=scope, request=request, reason="x", at=LATER)
    assert refused.value.code == "touched"
    request.refresh_from_db()
    assert request.state == State.DONE
    named = running(cast, kind=Kind.FORGOTTEN_ID, role="", account=account)
    done(cast, named, user_id="HTEST01")
    harp = PortalAccount.objects.get(pk=account.identity_id)
    correct_account(
        scope=cast.scope("alice"),
        account=harp,
        version=harp.version,
        user_id="HTEST02",
        password_changed_on=None,
        note="",
        at=LATER,
    )
    with pytest.raises(AccountRefused, match="Correct the user ID"):
        undo(scope=scope, request=named, reason="x", at=LATER)


def test_an_authority_that_another_system_uses_by_now_stays(cast):
    request = without_harp(running(cast))
    done(cast, request)
    hqr = held(cast, "hqr", person="henry")
    undo(scope=cast.scope("carol"), request=request, reason="Not iQIES after all.", at=LATER)
    iqies = PortalAccount.objects.get(person=cast.people["henry"], system__slug="iqies")
    assert (iqies.status, iqies.grants.known().count()) == ("removed", 0)
    assert hqr.identity.status == "active"
    assert hqr.identity.grants.known().filter(valid_to=None).exists()


def test_a_failed_request_stops_its_dates_and_is_tried_again(cast):
    request = running(cast)
    step = request.steps.filter(state="open").first()
    with pytest.raises(AccountRefused, match="Withdraw it"):
        fail(scope=cast.scope("carol"), request=request, reason="No answer", at=NOON)
    record_outcome(scope=cast.scope("carol"), step=step, worked=False, on=TODAY, note="The page did not open.", at=NOON)
    request.refresh_from_db()
    with pytest.raises(AccountRefused, match="Say why"):
        fail(scope=cast.scope("carol"), request=request, reason="", at=NOON)
    failed = fail(scope=cast.scope("carol"), request=request, reason="The help desk refused it.", at=NOON)
    assert (failed.state, failed.ended_reason) == (State.FAILED, "The help desk refused it.")
    assert not Deadline.objects.open().filter(request_step__request=request).exists()
    with pytest.raises(AccountRefused, match="Take it up again first"):
        done(cast, request)
    again = retry(scope=cast.scope("carol"), request=request, at=LATER)
    assert (again.state, again.closed_at) == (State.IN_PROGRESS, None)
    assert again.steps.get(pk=step.pk).state == "open"
    with pytest.raises(AccountRefused, match="Ask anew"):
        retry(scope=cast.scope("carol"), request=submitted(cast, role="provider-administrator"), at=LATER)
    assert done(cast, again).state == State.DONE
    with pytest.raises(AccountRefused, match="being carried out can fail"):
        fail(scope=cast.scope("carol"), request=again, reason="x", at=LATER)


def test_an_account_beside_the_one_of_the_request_is_left_alone(cast):
    first = held(cast, last_login=YESTERDAY, roles=[viewer()], person="henry")
    second = factories.AccountFactory(organization=cast.riverside, person=cast.people["henry"])
    factories.GrantFactory(account=second, facility=cast.oak, role=viewer())
    request = running(cast, kind=Kind.ADDITIONAL_ROLE, role="provider-administrator", account=second)
    done(cast, request)
    assert first.grants.known().count() == 1
    assert second.grants.known().count() == 2


def refused(act, *, who, **given):
    with pytest.raises(NotAllowed):
        act(scope=who, at=NOON, **given)


def test_whose_access_goes_or_changes_has_no_say_in_how_that_ends(cast):
    account = held(cast, last_login=YESTERDAY, roles=[viewer()], person="henry")
    grant, henry = account.grants.get(), cast.scope("henry")
    proved = {"effective_on": TODAY, "proof": "note", "proof_text": "I say so."}
    removal = running(cast, kind=Kind.REMOVAL, role="", account=account, grant=grant)
    refused(withdraw, who=henry, request=removal, reason="No.")
    refused(fail, who=henry, request=removal, reason="No.")
    refused(finish, who=henry, request=removal, **proved)
    done(cast, removal)
    refused(undo, who=henry, request=removal, reason="I want it back.")
    undo(scope=cast.scope("carol"), request=removal, reason="It was the wrong Henry.", at=LATER)
    fail(scope=cast.scope("carol"), request=removal, reason="The desk is closed.", at=LATER)
    refused(retry, who=henry, request=removal)
    withdraw(scope=cast.scope("carol"), request=removal, reason="Not needed.", at=LATER)
    removal = running(cast, kind=Kind.REMOVAL, role="", account=account, grant=account.grants.known().get())
    change = running(
        cast, kind=Kind.ROLE_CHANGE, role="provider-administrator", account=account, grant=account.grants.known().get()
    )
    refused(withdraw, who=henry, request=change, reason="No.")
    refused(finish, who=henry, request=change, **proved)
    first = change.steps.filter(state="open").select_related("request__beneficiary_person").first()
    for actor, hers in (("facility", False), ("holder", True)):
        change.steps.filter(pk=first.pk).update(actor=actor)
        first.actor = actor
        if hers:
            assert record_outcome(scope=henry, step=first, worked=True, on=TODAY, at=NOON).state == "done"
        else:
            refused(record_outcome, who=henry, step=first, worked=True, on=TODAY)
    refused(fail, who=henry, request=change, reason="No.")
    own = submitted(cast, by="henry", kind=Kind.REMOVAL, role="", account=account)
    refused(finish, who=henry, request=own, **proved)  # removing accounts is no right of a holder
    for asked in (removal, own):  # nor is saying that it went on, whoever asked
        step = asked.steps.filter(state="open").select_related("request__beneficiary_person").first()
        refused(record_outcome, who=henry, step=step, worked=True, on=TODAY)
        assert record_outcome(scope=cast.scope("carol"), step=step, worked=True, on=TODAY, at=NOON).state == "done"
    assert withdraw(scope=henry, request=own, reason="I stay.", at=NOON).state == State.WITHDRAWN


def test_no_role_lets_anybody_carry_out_the_removal_of_her_own_access_but_the_only_administrator(cast):
    proved = {"effective_on": TODAY, "proof": "note", "proof_text": "I say so."}
    account = held(cast, last_login=YESTERDAY, roles=[viewer()], person="carol")
    carol = cast.scope("carol")
    asked = {"person": "carol", "kind": Kind.REMOVAL, "role": "", "account": account}
    removal = running(cast, by="alice", **asked)
    step = removal.steps.filter(state="open").select_related("request__beneficiary_person").first()
    refused(record_outcome, who=carol, step=step, worked=True, on=TODAY)
    refused(finish, who=carol, request=removal, **proved)
    refused(fail, who=carol, request=removal, reason="No.")
    refused(withdraw, who=carol, request=removal, reason="No.")
    done(cast, removal, by="alice")
    refused(undo, who=carol, request=removal, reason="I want it back.")
    undo(scope=cast.scope("alice"), request=removal, reason="Not yet.", at=LATER)
    fail(scope=cast.scope("alice"), request=removal, reason="The desk is closed.", at=LATER)
    refused(retry, who=carol, request=removal)
    twin = factories.PersonFactory(organization=cast.riverside, email=cast.people["carol"].email.upper())
    AccessRequest.objects.filter(pk=removal.pk).update(state=State.WITHDRAWN)
    cast.people["twin"] = twin
    second = held(cast, last_login=YESTERDAY, roles=[viewer()], person="twin")
    other = running(cast, by="alice", **(asked | {"person": "twin", "account": second}))
    refused(finish, who=carol, request=other, **proved)
    cast.people["alice"].email = "alice@example.org"
    cast.people["alice"].save()
    mine = held(cast, last_login=YESTERDAY, roles=[viewer()], person="alice")
    own = running(cast, by="alice", **(asked | {"person": "alice", "account": mine}))
    boss = factories.UserFactory(email="boss@example.org")
    seat = factories.MembershipFactory(
        user=boss, organization=cast.riverside, facility=cast.oak, role=Role.ADMINISTRATOR
    )
    refused(finish, who=cast.scope("alice"), request=own, **proved)
    assert not own_removals(cast.scope("alice"), TODAY).exists(), "the administrator there carries it out"
    seat.delete()
    assert own_removals(cast.scope("alice"), TODAY).get() == own
    fail(scope=cast.scope("alice"), request=own, reason="The desk is closed.", at=LATER)
    retry(scope=cast.scope("alice"), request=own, at=LATER)
    for action in ("request.failed", "request.retried"):
        [item] = AuditItem.objects.of_event(AuditEvent.objects.filter(action=action).latest("seq").pk)
        assert json.loads(item.payload)["own_removal"] is True
    assert done(cast, own, by="alice").state == State.DONE, "nobody else could"
    [item] = AuditItem.objects.of_event(AuditEvent.objects.filter(action="request.done").latest("seq").pk)
    assert json.loads(item.payload)["own_removal"] is True


def test_asking_first_lifts_nobodys_rights(cast):
    account = held(cast, "idm", last_login=YESTERDAY, person="henry")
    proved = {"effective_on": TODAY, "proof": "note", "proof_text": "I say so."}
    asked = {"kind": Kind.CERTIFICATION, "role": "", "account": account, "grant": account.grants.get()}
    mine = submitted(cast, by="henry", system="idm", **asked)
    refused(finish, who=cast.scope("henry"), request=mine, **proved)
    assert not Certification.objects.exists()
    factories.MembershipFactory(user=cast.henry, organization=cast.riverside, facility=cast.oak, role=Role.COORDINATOR)
    refused(finish, who=cast.scope("henry"), request=mine, **proved)  # nor by a role: somebody else certifies it
    assert done(cast, mine).state == State.DONE
    Membership.objects.filter(user=cast.henry, role=Role.COORDINATOR).delete()
    refused(undo, who=cast.scope("henry"), request=mine, reason="Never mind.")
    report_loss(scope=cast.scope("carol"), account=account, loss="locked", lost_on=YESTERDAY, at=NOON)
    unlock = submitted(cast, by="henry", kind=Kind.UNLOCK, role="", account=account, system="idm")
    assert done(cast, unlock, by="henry").state == State.DONE, "what a holder records about her own account anyway"


def test_what_is_open_on_the_side_of_cms_ends_with_its_outcome_and_day_and_never_unsaid(cast):
    request = running(cast)
    [wait] = open_on_cms_side(request)
    before = standing(cast)
    wrong = [
        ({}, "“Wait for the new Security Official” is still open", f"outcome-{wait.pk}"),
        ({wait.pk: Said("perhaps", TODAY)}, "is still open", f"outcome-{wait.pk}"),
        ({wait.pk: Said("refused", TODAY)}, "record that it cannot be done", f"outcome-{wait.pk}"),
        ({wait.pk: Said("done")}, "on which day", f"on-{wait.pk}"),
        ({wait.pk: Said("done", TODAY + timedelta(days=2))}, "future", f"on-{wait.pk}"),
        ({wait.pk: Said("done", date(1999, 1, 1))}, "before any", f"on-{wait.pk}"),
    ]
    for said, words, field in wrong:
        with pytest.raises(AccountRefused, match=words) as refused:
            done(cast, request, cms_side=said)
        assert refused.value.field == field
    assert standing(cast) == before, "nothing of it was written"
    done(cast, request, cms_side={wait.pk: Said("done", YESTERDAY)})
    wait.refresh_from_db()
    assert (wait.state, wait.done_on, wait.done_by) == ("done", YESTERDAY, "carol@example.org")
    [item] = AuditItem.objects.of_event(AuditEvent.objects.get(action="request.done").pk)
    assert json.loads(item.payload)["cms_side"] == {wait.key_in_list: YESTERDAY.isoformat()}
    undo(scope=cast.scope("carol"), request=request, reason="Too early.", at=LATER)
    assert standing(cast) == before
    wait.refresh_from_db()
    assert (wait.state, wait.done_on, wait.done_by) == ("waiting", None, "")
    done(cast, request, at=LATER, cms_side={wait.pk: Said("not-needed")})
    wait.refresh_from_db()
    assert (wait.state, wait.note) == ("skipped", "CMS’s side had nothing to do or decide here.")
    own = running(cast, kind=Kind.FORGOTTEN_ID, role="", account=PortalAccount.objects.open().get(system__slug="iqies"))
    assert done(cast, own, user_id="HTEST01", cms_side={}).state == State.DONE, "where nothing waits for CMS"
