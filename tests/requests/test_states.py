"""Which ways a request takes: by the table, by the services, and by the database whoever writes."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from accounts.checks import check_requests_protected
from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Approval, Finding, RequestHouse, RequestStep
from accounts.policy.requesting import TRANSITIONS, Approved, Kind, State, may_become
from accounts.request_triggers import KEPT, PROTECTION
from accounts.services.inventory import report_loss
from accounts.services.requests import deciding, drafting, submitting
from accounts.services.requests.ending import finish
from accounts.services.requests.evidence import Upload, keep_file
from audit.models import AuditEvent
from facilities.access import NotAllowed
from facilities.models.tenancy import Role
from staff.models import Absence, Deputy
from staff.services.absences import record_absence
from systems.models import System, SystemRole
from tests import factories
from tests.conftest import NOON, TODAY
from tests.requests.asking import ask, cms_did, drafted, submitted, with_harp


def _put(request, state):
    """Set a state behind the services' back, past the triggers."""
    PROTECTION.drop()
    fields = {"effective_on": TODAY, "proof": "note"} if state == State.DONE else {}
    AccessRequest.objects.filter(pk=request.pk).update(state=state, **fields)
    PROTECTION.install()


def _refused(write) -> bool:
    try:
        with transaction.atomic():
            write()
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize("approval", [Approved.NEEDED, Approved.NOT_NEEDED, Approved.UNAPPROVED])
@pytest.mark.parametrize("approvals", [0, 1])
def test_the_database_and_the_table_agree_on_every_pair(cast, approval, approvals):
    if approvals and approval != Approved.NEEDED:
        return
    kind = Kind.UNLOCK if approval == Approved.NOT_NEEDED else Kind.NEW_ACCOUNT
    account = factories.AccountFactory(organization=cast.riverside, person=cast.people["henry"])
    given = {"kind": kind, "account": account, "system": account.system.slug} if kind == Kind.UNLOCK else {}
    request = drafted(cast, role="" if kind == Kind.UNLOCK else "provider-assessment-viewer", **given)
    if approval == Approved.UNAPPROVED:
        AccessRequest.objects.update(approval=approval, unapproved_reason="Nobody else is here.")
        Finding.objects.create(
            organization=cast.riverside, kind="unapproved-request", subject_key=request.key, opened_on=TODAY,
            facts="{}", severity="medium",
        )  # fmt: skip
    if approvals:
        _put(request, State.SUBMITTED)
        Approval.objects.create(
            organization=cast.riverside, request=request, revision=1, verdict="approve",
            approver_person=cast.people["alice"], requester_person=cast.people["carol"],
            beneficiary_person=cast.people["henry"], at=NOON,
        )  # fmt: skip
    wrong = []
    for old in State:
        _put(request, old)
        for new in State:
            if new == old:
                continue
            fields = {"effective_on": TODAY, "proof": "note"} if new == State.DONE else {}
            fields |= {"revision": F("revision") + 1} if (old, new) == (State.SUBMITTED, State.DRAFT) else {}
            point = transaction.savepoint()
            refused = _refused(lambda n=new, f=fields: AccessRequest.objects.filter(pk=request.pk).update(state=n, **f))
            transaction.savepoint_rollback(point)
            allowed = may_become(old, new, approval=approval, approvals=approvals)
            wrong += [(old, new)] * (allowed == refused)
    assert wrong == []


def test_ended_states_lead_nowhere_but_back_to_the_steps():
    assert TRANSITIONS[State.REJECTED] == TRANSITIONS[State.WITHDRAWN] == frozenset()
    assert all(not may_become(old, State.APPROVED, approval=Approved.NEEDED) for old in State)


def test_the_database_refuses_who_decides_about_her_own(cast):
    request = submitted(cast)
    people = cast.people

    def approve(approver, requester="carol", beneficiary="henry", revision=1):
        Approval.objects.create(
            organization=cast.riverside, request=request, revision=revision, verdict="approve",
            approver_person=people[approver], requester_person=people[requester],
            beneficiary_person=people[beneficiary], at=NOON,
        )  # fmt: skip

    assert _refused(lambda: approve("carol"))
    assert _refused(lambda: approve("henry"))
    assert _refused(lambda: approve("carol", requester="alice")), "another requester than the request's"
    assert _refused(lambda: approve("henry", beneficiary="alice"))
    assert _refused(lambda: approve("alice", revision=2)), "a revision that nobody saw"
    assert _refused(lambda: approve("mallory")), "somebody of another organization"
    factories.PersonFactory(organization=cast.riverside)
    approve("alice")
    assert _refused(lambda: approve("alice")), "twice"
    made = Approval.objects.get()
    assert _refused(lambda: Approval.objects.filter(pk=made.pk).update(approver_person=people["olga"]))
    assert _refused(lambda: AccessRequest.objects.update(beneficiary_person=people["olga"]))
    assert _refused(lambda: AccessRequest.objects.update(facility=cast.elm)), "what was approved stays what it was"
    assert _refused(lambda: AccessRequest.objects.create(
        organization=cast.riverside, kind="unlock", system=request.system, facility=cast.oak, state="in_progress",
        requester_person=people["carol"], beneficiary_person=people["henry"], approval="not_needed", created_at=NOON,
    )), "a request begins as a draft"  # fmt: skip


def test_a_request_is_asked_for_decided_and_gets_its_steps(cast):
    request = submitted(cast)
    assert request.state == State.SUBMITTED
    first, *later = request.steps.all()
    assert (first.actor, first.state, first.due_on) == ("approver", "open", TODAY + timedelta(days=3)), "Monday"
    assert later
    assert {step.state for step in later} == {"waiting"}
    [request] = deciding.decide(scope=cast.scope("alice"), requests=[request], approve=True, at=NOON)
    assert request.state == State.APPROVED
    states = list(request.steps.values_list("state", flat=True))
    assert states[0] == "done"
    assert states[1] == "open"
    told = AuditEvent.objects.filter(action__startswith="request.").order_by("seq")
    assert list(told.values_list("action", flat=True)) == ["request.drafted", "request.submitted", "request.approved"]
    call_command("verify_audit")


def test_nobody_decides_what_is_not_hers_to_decide(cast):
    request = submitted(cast)
    decide = {"requests": [request], "approve": True, "at": NOON}
    for name in ("carol", "olga", "henry", "audrey", "mallory"):
        with pytest.raises((NotAllowed, AccountRefused, AccessRequest.DoesNotExist)):
            deciding.decide(scope=cast.scope(name), **decide)
    assert request.approvals.count() == 0


def test_who_gets_it_or_asked_for_it_does_not_decide_it(cast):
    with_harp(cast, "alice")
    for_alice = drafted(cast, by="carol", person="alice")
    with pytest.raises(AccountRefused, match="Nobody in the organization may decide") as refused:
        submitting.submit(scope=cast.scope("carol"), requests=[for_alice], at=NOON)
    assert refused.value.code == "nobody"
    for_alice.refresh_from_db()
    assert for_alice.state == State.DRAFT
    [on] = submitting.submit(
        scope=cast.scope("carol"), requests=[for_alice], unapproved_reason="We are three people.", at=NOON
    )
    assert (on.state, on.approval) == (State.IN_PROGRESS, Approved.UNAPPROVED)
    finding = Finding.objects.get(kind="unapproved-request", closed_at=None)
    assert finding.subject_key == on.key
    assert "We are three people." in finding.facts
    boss = factories.UserFactory(email="boss@example.org")
    factories.MembershipFactory(user=boss, organization=cast.riverside, role=Role.ADMINISTRATOR)
    cast.boss = boss
    cast.people["boss"] = factories.PersonFactory(organization=cast.riverside, user=boss, user_confirmed_at=NOON)
    other = submitted(cast, by="carol", person="alice", role="assessment-submitter")
    with pytest.raises(AccountRefused, match="Somebody else decides"):
        deciding.decide(scope=cast.scope("alice"), requests=[other], approve=True, at=NOON)
    [other] = deciding.decide(scope=cast.scope("boss"), requests=[other], approve=True, at=NOON)
    assert other.state == State.APPROVED


def test_an_approver_does_not_decide_privileged_roles_and_two_may_be_wanted(cast):
    ada = factories.UserFactory(email="ada@example.org")
    factories.MembershipFactory(user=ada, organization=cast.riverside, facility=cast.oak, role=Role.APPROVER)
    cast.ada = ada
    cast.people["ada"] = factories.PersonFactory(organization=cast.riverside, user=ada, user_confirmed_at=NOON)
    plain, official = submitted(cast), submitted(cast, role="provider-security-official")
    deciding.decide(scope=cast.scope("ada"), requests=[plain], approve=True, at=NOON)
    with pytest.raises(NotAllowed, match="administrator of Oak House"):
        deciding.decide(scope=cast.scope("ada"), requests=[official], approve=True, at=NOON)
    AccessRequest.objects.filter(pk=official.pk).update(approvers_needed=2)
    [official] = deciding.decide(scope=cast.scope("alice"), requests=[official], approve=True, at=NOON)
    assert official.state == State.SUBMITTED, "one of two"
    with pytest.raises(AccountRefused, match="second person"):
        deciding.decide(scope=cast.scope("alice"), requests=[official], approve=True, at=NOON)


def test_a_deputy_decides_while_the_approver_is_away_and_only_then(cast):
    request = submitted(cast, by="henry", person="henry")
    told = {"organization": cast.riverside, "recorded_at": NOON, "recorded_by": "alice"}
    away = Absence.objects.create(person=cast.people["alice"], valid_from=TODAY, valid_to=TODAY, **told)
    Deputy.objects.create(
        person=cast.people["alice"], deputy=cast.people["olga"], absence=away, valid_from=TODAY, decides=True, **told
    )
    later = NOON + timedelta(days=1)
    with pytest.raises(NotAllowed):
        deciding.decide(scope=cast.scope("olga"), requests=[request], approve=True, at=later)
    [request] = deciding.decide(scope=cast.scope("olga"), requests=[request], approve=True, at=NOON)
    assert request.approvals.get().in_place_of == cast.people["alice"]


def test_who_left_decides_no_more(cast):
    request = submitted(cast)
    factories.EmploymentFactory(facility=cast.oak, person=cast.people["alice"], valid_to=TODAY - timedelta(days=1))
    with pytest.raises(NotAllowed, match="still works here"):
        deciding.decide(scope=cast.scope("alice"), requests=[request], approve=True, at=NOON)


def test_a_changed_request_is_decided_anew(cast):
    request = submitted(cast)
    [request] = deciding.decide(scope=cast.scope("alice"), requests=[request], approve=True, at=NOON)
    wider = ask(cast, role="provider-administrator")
    with pytest.raises(AccountRefused, match="Only who asked"):
        submitting.change(scope=cast.scope("alice"), request=request, ask=wider, version=request.version, at=NOON)
    changed = submitting.change(scope=cast.scope("carol"), request=request, ask=wider, version=request.version, at=NOON)
    assert (changed.state, changed.revision) == (State.SUBMITTED, 2)
    assert changed.approvals.get().voided_at is not None
    with pytest.raises(AccountRefused, match="changed meanwhile"):
        deciding.decide(scope=cast.scope("alice"), requests=[changed], approve=True, revisions={changed.pk: 1}, at=NOON)
    [changed] = deciding.decide(scope=cast.scope("alice"), requests=[changed], approve=True, at=NOON)
    assert changed.state == State.APPROVED


def test_sent_back_it_is_a_draft_again_and_rejected_it_is_over(cast):
    request = submitted(cast)
    back = deciding.send_back(scope=cast.scope("alice"), request=request, question="Which unit?", at=NOON)
    assert (back.state, back.revision) == (State.DRAFT, 2)
    assert back.notes.get().text == "Which unit?"
    [again] = submitting.submit(scope=cast.scope("carol"), requests=[back], at=NOON)
    with pytest.raises(AccountRefused, match="Say why it is rejected"):
        deciding.decide(scope=cast.scope("alice"), requests=[again], approve=False, at=NOON)
    [over] = deciding.decide(
        scope=cast.scope("alice"), requests=[again], approve=False, reason="She has it already.", at=NOON
    )
    assert over.state == State.REJECTED
    assert over.closed_at is not None
    assert not over.steps.filter(deadlines__closed_at=None, deadlines__isnull=False).exists()
    with pytest.raises(AccountRefused, match="nothing to withdraw"):
        submitting.withdraw(scope=cast.scope("carol"), request=over, reason="x", at=NOON)


def test_no_role_comes_back_that_was_never_held(cast):
    account = factories.AccountFactory(
        organization=cast.riverside, person=cast.people["henry"], system=System.objects.get(slug="iqies")
    )
    asked = {"by": "henry", "kind": "reactivation", "account": account}
    official, viewer = "provider-security-official", "provider-assessment-viewer"
    roles = {slug: SystemRole.objects.get(system=account.system, slug=slug) for slug in (official, viewer)}
    held = {"organization": cast.riverside, "account": account, "facility": cast.oak}
    since, on = TODAY - timedelta(days=90), TODAY - timedelta(days=5)
    taken = factories.GrantFactory(
        **held, role=roles[official], valid_from=since, valid_to=on, recorded_at=NOON - timedelta(days=5)
    )
    for role in (official, viewer):
        with pytest.raises(AccountRefused, match="never held, or taken away") as refused:
            drafted(cast, role=role, **asked)
        assert refused.value.field == "role"
    factories.GrantFactory(**held, role=roles[viewer], valid_from=since, recorded_at=NOON - timedelta(days=9))
    report_loss(scope=cast.scope("alice"), account=account, loss="inactive", lost_on=TODAY, at=NOON)
    assert drafted(cast, role=viewer, **asked).approval == Approved.NOT_NEEDED
    for given in ({"role": official}, {"role": "", "grant": taken}):
        with pytest.raises(AccountRefused, match="taken away before"):
            drafted(cast, **asked, **given)


def test_what_was_taken_away_does_not_come_back_with_an_account_that_was_lost_empty(cast):
    system = System.objects.get(slug="iqies")
    account = factories.AccountFactory(organization=cast.riverside, person=cast.people["henry"], system=system)
    role = SystemRole.objects.get(system=system, slug="provider-security-official")
    taken = factories.GrantFactory(
        organization=cast.riverside, account=account, facility=cast.oak, role=role,
        valid_from=TODAY - timedelta(days=90), valid_to=TODAY - timedelta(days=5),
        recorded_at=NOON - timedelta(days=5),
    )  # fmt: skip
    report_loss(scope=cast.scope("alice"), account=account, loss="inactive", lost_on=TODAY, at=NOON)
    asked = {"by": "henry", "kind": "reactivation", "account": account}
    for given in ({"role": role.slug}, {"role": "", "grant": taken}):
        with pytest.raises(AccountRefused, match="taken away before"):
            drafted(cast, **asked, **given)
    whole = drafted(cast, role="", **asked)
    [sent] = submitting.submit(scope=cast.scope("henry"), requests=[whole], at=NOON)
    finish(
        scope=cast.scope("carol"), request=sent, effective_on=TODAY, proof="note", proof_text="It opens.",
        cms_side=cms_did(sent), at=NOON,
    )  # fmt: skip
    account.refresh_from_db()
    assert (account.status, account.grants.known().filter(valid_to=None).count()) == ("active", 0)


def test_a_bundle_is_decided_in_one_act(cast, django_assert_max_num_queries):
    with_harp(cast, "henry")
    asks = [ask(cast, facility=place) for place in (cast.oak, cast.elm)]
    made = drafting.draft(scope=cast.scope("alice"), asks=asks, at=NOON)
    assert {request.bundle_id for request in made} == {made[0].bundle_id}
    assert made[0].bundle_id
    boss = factories.UserFactory(email="boss@example.org")
    factories.MembershipFactory(user=boss, organization=cast.riverside, role=Role.ADMINISTRATOR)
    cast.boss = boss
    factories.PersonFactory(organization=cast.riverside, user=boss, user_confirmed_at=NOON)
    sent = submitting.submit(scope=cast.scope("alice"), requests=made, at=NOON)
    with pytest.raises(AccountRefused, match="approve them all at once"):
        deciding.decide(scope=cast.scope("boss"), requests=sent, approve=True, at=NOON)
    deciding.decide(scope=cast.scope("boss"), requests=sent, approve=True, reason="Both are needed.", at=NOON)
    event = AuditEvent.objects.get(action="request.approved")
    assert event.item_count == 2
    assert event.reason == "Both are needed."


@pytest.mark.django_db
def test_the_triggers_come_back_with_every_migrate():
    PROTECTION.drop()
    assert PROTECTION.missing() == list(PROTECTION.triggers)
    assert [message.id for message in check_requests_protected(databases=["default"])] == ["accounts.W001"]
    call_command("migrate", verbosity=0)
    assert PROTECTION.missing() == []
    assert check_requests_protected(databases=["default"]) == []


def _second_administrator(cast):
    boss = factories.UserFactory(email="boss@example.org")
    factories.MembershipFactory(user=boss, organization=cast.riverside, role=Role.ADMINISTRATOR)
    cast.boss = boss
    person = factories.PersonFactory(organization=cast.riverside, user=boss, email=boss.email, user_confirmed_at=NOON)
    return person


def test_a_deputy_does_not_decide_about_the_absent_persons_own_requests_nor_twice_for_one_seat(cast):
    _second_administrator(cast)
    RequestHouse.objects.create(organization=cast.riverside, two_for_privileged=True)
    own = submitted(cast, by="alice", person="alice")
    other = submitted(cast, role="provider-security-official")
    deciding.decide(scope=cast.scope("alice"), requests=[other], approve=True, at=NOON)
    record_absence(
        scope=cast.scope("alice"), person=cast.people["alice"], away_from_on=TODAY, away_to_on=TODAY,
        deputy=cast.people["carol"], at=NOON,
    )  # fmt: skip
    assert Deputy.objects.get().decides, "she named her herself"
    with pytest.raises(AccountRefused, match="in place of somebody who asked for it"):
        deciding.decide(scope=cast.scope("carol"), requests=[own], approve=True, at=NOON)
    olga = cast.people["olga"]
    approval = {
        "organization": cast.riverside, "verdict": "approve", "at": NOON, "revision": 1, "approver_person": olga,
        "in_place_of": cast.people["alice"],
    }  # fmt: skip
    for request in (own, other):
        people = {each: getattr(request, each) for each in ("requester_person", "beneficiary_person")}
        assert _refused(lambda r=request, p=people: Approval.objects.create(**approval, **p, request=r))
    [other] = deciding.decide(scope=cast.scope("boss"), requests=[other], approve=True, at=NOON)
    assert (other.state, other.approvals.count()) == (State.APPROVED, 2)


def test_a_coordinator_hands_nobody_the_decisions_of_an_administrator(cast):
    request = submitted(cast, by="henry")
    away = {"away_from_on": TODAY, "away_to_on": TODAY, "at": NOON}
    factories.EmploymentFactory(facility=cast.oak, person=cast.people["alice"])
    absence = record_absence(
        scope=cast.scope("carol"), person=cast.people["alice"], deputy=cast.people["carol"], **away
    )
    assert not absence.deputies.get().decides
    with pytest.raises(NotAllowed):
        deciding.decide(scope=cast.scope("carol"), requests=[request], approve=True, at=NOON)


def test_two_are_wanted_and_one_is_there_so_the_outside_deputy_is_the_second(cast):
    _second_administrator(cast)
    RequestHouse.objects.create(
        organization=cast.riverside, two_for_privileged=True, outside_deputy=cast.people["audrey"]
    )
    request = submitted(cast, by="alice", person="henry", role="provider-security-official")
    [request] = deciding.decide(scope=cast.scope("boss"), requests=[request], approve=True, at=NOON)
    assert request.state == State.SUBMITTED
    [request] = deciding.decide(scope=cast.scope("audrey"), requests=[request], approve=True, at=NOON)
    assert request.state == State.APPROVED


def test_the_database_counts_no_approval_of_who_became_the_requester(cast):
    request = submitted(cast)
    Approval.objects.create(
        organization=cast.riverside, request=request, revision=1, verdict="approve",
        approver_person=cast.people["alice"], requester_person=cast.people["carol"],
        beneficiary_person=cast.people["henry"], at=NOON,
    )  # fmt: skip
    mine = AccessRequest.objects.filter(pk=request.pk)
    assert _refused(lambda: mine.update(state=State.DRAFT)), "sent back it is a new revision"
    assert _refused(lambda: mine.update(approval=Approved.UNAPPROVED, unapproved_reason="x", state=State.IN_PROGRESS))
    mine.update(state=State.DRAFT, revision=2)
    assert _refused(lambda: mine.update(requester_person=cast.people["alice"])), "also a draft is only taken over"
    mine.update(requester_person=cast.people["alice"], asked_first_person=cast.people["carol"])
    mine.update(state=State.SUBMITTED)
    assert _refused(lambda: mine.update(state=State.APPROVED))


def test_the_database_takes_no_approval_of_a_draft_and_lowers_no_number_of_deciders(cast):
    request = drafted(cast)
    mine = AccessRequest.objects.filter(pk=request.pk)
    approval = {
        "organization": cast.riverside, "request": request, "revision": 1, "verdict": "approve", "at": NOON,
        "approver_person": cast.people["alice"], "requester_person": cast.people["carol"],
        "beneficiary_person": cast.people["henry"],
    }  # fmt: skip
    assert _refused(lambda: Approval.objects.create(**approval)), "who asked may still become somebody else"
    mine.update(approvers_needed=2, wanted_until=TODAY)
    mine.update(state=State.SUBMITTED)
    assert _refused(lambda: mine.update(wanted_until=None)), "for good is another wish"
    Approval.objects.create(**approval)
    assert _refused(lambda: mine.update(state=State.APPROVED))
    assert _refused(lambda: mine.update(approvers_needed=1))


def test_who_has_a_second_record_with_the_same_address_does_not_decide_about_herself(cast):
    twin = factories.PersonFactory(organization=cast.riverside, email=cast.people["alice"].email.upper())
    cast.people["twin"] = twin
    _second_administrator(cast)
    request = submitted(cast, person="twin")
    with pytest.raises(AccountRefused, match="two records of one person"):
        deciding.decide(scope=cast.scope("alice"), requests=[request], approve=True, at=NOON)


def test_no_row_of_what_was_submitted_is_deleted_and_a_draft_may_go(cast, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    KEPT.install()
    assert KEPT.missing() == []
    request = submitted(cast)
    deciding.comment(scope=cast.scope("carol"), request=request, text="By Monday, please.", at=NOON)
    deciding.decide(scope=cast.scope("alice"), requests=[request], approve=True, at=NOON)
    keep_file(scope=cast.scope("carol"), request=request, upload=Upload("a.txt", b"Seen."), at=NOON)
    draft = drafted(cast, role="provider-administrator")
    deciding.comment(scope=cast.scope("carol"), request=draft, text="Not yet.", at=NOON)
    sent_back = submitted(cast, role="provider-security-official")
    deciding.send_back(scope=cast.scope("alice"), request=sent_back, question="Why?", at=NOON)

    def tried(statement):
        with connection.cursor() as cursor:
            cursor.execute(statement)

    for table in ("approval", "requeststep", "requestnote", "requestfile"):
        name = f"accounts_{table}"
        assert _refused(lambda n=name: tried(f"DELETE FROM {n} WHERE request_id = {request.pk}")), name
        moved = f"UPDATE {name} SET request_id = {draft.pk} WHERE request_id = {request.pk}"
        assert _refused(lambda m=moved: tried(m)), f"{name}: to where it could be deleted"
        if connection.vendor == "sqlite":
            assert _refused(lambda n=name: tried(f"REPLACE INTO {n} SELECT * FROM {n}")), name
    for column in ("sha256", "path", "name"):
        assert _refused(lambda c=column: tried(f"UPDATE accounts_requestfile SET {c} = 'other'")), column
    if connection.vendor == "sqlite":  # by another key than the number
        for model in (Approval, RequestStep):
            columns = ", ".join(f'"{field.column}"' for field in model._meta.fields if field.name != "id")
            again = f"REPLACE INTO {model._meta.db_table} ({columns}) SELECT {columns} FROM {model._meta.db_table}"
            assert _refused(lambda a=again: tried(a)), model
    for row in (request, sent_back):
        assert _refused(lambda key=row.pk: tried(f"DELETE FROM accounts_accessrequest WHERE id = {key}")), row.state
    note = "accounts_requestnote"
    assert _refused(lambda: tried(f"UPDATE {note} SET text = 'By Friday.' WHERE request_id = {request.pk}"))
    for table in (note, "accounts_handover"):
        tried(f"DELETE FROM {table} WHERE request_id = {draft.pk}")
    tried(f"DELETE FROM accounts_accessrequest WHERE id = {draft.pk}")
    assert not AccessRequest.objects.filter(pk=draft.pk).exists()
    kept = (request.approvals, request.notes, request.files)
    assert [rows.count() for rows in kept] == [1, 1, 1]
    assert request.steps.exists()
