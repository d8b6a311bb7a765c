"""Requests of somebody who has left fall to the next in line, who takes them over or withdraws them."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Approval, RequestStep
from accounts.policy.requesting import State
from accounts.services.requests import deciding
from accounts.services.requests.acts import lock_request
from accounts.services.requests.deciders import concerned, somebody_decides
from accounts.services.requests.ending import fail, retry
from accounts.services.requests.submitting import withdraw
from accounts.services.requests.taking_over import hand_down, left_askers, take_over, to_take_over
from audit.models import AuditEvent
from facilities.access import NotAllowed, Scope
from facilities.models import Membership
from facilities.models.tenancy import Role
from reminders.services.plan_handed import plan_handed
from staff.models import Absence, Deputy, Employment, Person
from tests import factories
from tests.conftest import NOON, TODAY
from tests.requests.asking import drafted, submitted

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines, pytest.mark.time_machine(NOON, tick=False)]
LIST = "/o/riverside/requests/"


def page(name, request):
    return reverse(f"web:{name}", args=["riverside", request.pk])


def text_of(answer):
    return " ".join(answer.content.decode().split())


def leaves(cast, name="carol"):
    Employment.objects.filter(person=cast.people[name]).update(valid_to=TODAY.replace(day=1))


@pytest.fixture
def fay(cast):
    """Fay administers Oak House, as a confirmed member."""
    user = factories.UserFactory(email="fay@example.org", name="Fay Test")
    seat = {"organization": cast.riverside, "user": user}
    factories.MembershipFactory(**seat, facility=cast.oak, role=Role.ADMINISTRATOR)
    cast.people["fay"] = factories.PersonFactory(
        **seat, first_name="Fay", last_name="Test", email=user.email, user_confirmed_at=NOON
    )
    return user


def test_the_next_in_line_takes_it_over_changes_it_and_somebody_else_decides(client, cast, fay):
    sent, draft = submitted(cast), drafted(cast, person="olga")
    client.force_login(fay)
    waiting = {"show": "inbox"}
    assert "no longer works here" not in text_of(client.get(LIST, waiting))
    leaves(cast)
    inbox = text_of(client.get(LIST, waiting))
    assert inbox.count("Carol Test, who asked, no longer works here.") == 2
    today = text_of(client.get("/o/riverside/"))
    assert "Asked for by somebody who has left" in today
    assert today.count("Carol Test, who asked, no longer works here.") == 2
    said = text_of(client.get(page("request", sent)))
    assert "<h2>Carol Test, who asked, no longer works here.</h2>" in said
    assert "Take this request over" in said
    done = client.post(page("request-take-over", sent), follow=True)
    assert "Somebody else decides it." in text_of(done)
    assert "Taken over from who asked and has left" in text_of(done)
    sent.refresh_from_db()
    assert (sent.requester_person, sent.asked_first_person) == (cast.people["fay"], cast.people["carol"])
    event = AuditEvent.objects.get(action="request.taken-over")
    assert (event.actor_key, event.subject_key) == (fay.key, sent.key)
    take_over(scope=Scope.of(fay, cast.riverside), request=sent, at=NOON)
    assert AuditEvent.objects.filter(action="request.taken-over").count() == 1, "the same again changes nothing"
    assert client.get(page("request-edit", sent)).status_code == 200
    with pytest.raises(AccountRefused) as refused:
        deciding.decide(scope=Scope.of(fay, cast.riverside), requests=[sent], approve=True, at=NOON)
    assert refused.value.code == "own"
    [decided] = deciding.decide(scope=cast.scope("alice"), requests=[sent], approve=True, at=NOON)
    assert decided.state == State.APPROVED
    assert Approval.objects.get().requester_person == cast.people["fay"]
    withdraw(scope=Scope.of(fay, cast.riverside), request=draft, reason="", at=NOON)
    assert "no longer works here" not in text_of(client.get(LIST, waiting))
    assert left_askers(cast.riverside, TODAY) == {}, "nothing of hers runs any more"


def test_who_asked_first_decides_nothing_of_it_when_she_is_back_nor_does_the_database_let_her(
    cast, fay, django_assert_num_queries
):
    request = submitted(cast)
    leaves(cast)
    take_over(scope=Scope.of(fay, cast.riverside), request=request, at=NOON)
    by = cast.scope("alice")
    with django_assert_num_queries(1):
        assert concerned(lock_request(by, request.pk), cast.people["carol"].pk, "")
    open_to = AccessRequest.objects.filter(somebody_decides(TODAY), pk=request.pk)
    assert open_to.exists()
    alice = Person.objects.filter(pk=cast.people["alice"].pk)
    alice.update(email="CAROL@example.org")
    assert not open_to.exists(), "a second record of who asked first"
    alice.update(email="alice@example.org")
    Employment.objects.filter(person=cast.people["carol"]).update(valid_to=None)
    Membership.objects.filter(user=cast.carol).update(role=Role.ADMINISTRATOR)
    with pytest.raises(AccountRefused) as refused:
        deciding.decide(scope=cast.scope("carol"), requests=[request], approve=True, at=NOON)
    assert refused.value.code == "own"
    by = {"requester_person": cast.people["fay"], "beneficiary_person": cast.people["henry"]}
    row = {"organization": cast.riverside, "request": request, "revision": 1, "verdict": "approve", "at": NOON, **by}
    for given in (
        {"approver_person": cast.people["carol"]},
        {"approver_person": cast.people["alice"], "in_place_of": cast.people["carol"]},
    ):
        with pytest.raises(IntegrityError, match="asked first"), transaction.atomic():
            Approval.objects.create(**row, **given)
    mine = AccessRequest.objects.filter(pk=request.pk)
    for change in (
        {"asked_first_person": None},
        {"asked_first_person": cast.people["alice"]},
    ):
        with pytest.raises(IntegrityError, match="asked first"), transaction.atomic():
            mine.update(**change)
    other = submitted(cast, by="alice", person="olga")
    theirs = AccessRequest.objects.filter(pk=other.pk)
    for change in (
        {"requester_person": cast.people["fay"]},
        {"requester_person": cast.people["fay"], "asked_first_person": cast.people["henry"]},
    ):
        with pytest.raises(IntegrityError, match="taking over"), transaction.atomic():
            theirs.update(**change)


def test_what_is_refused_and_to_whom_it_falls(client, cast, fay):
    request = submitted(cast)
    alice, fays = cast.scope("alice"), Scope.of(fay, cast.riverside)
    with pytest.raises(AccountRefused) as refused:
        take_over(scope=fays, request=request, at=NOON)
    assert refused.value.code == "still_here"
    Membership.objects.filter(user=cast.carol).update(ended_at=NOON)
    client.force_login(cast.olga)
    assert client.post(page("request-take-over", request)).status_code == 404
    client.force_login(cast.alice)
    assert client.get(page("request-take-over", request)).status_code == 405
    drafted(cast, by="henry")
    leaves(cast, "henry")
    assert "Henry Test, who asked" not in text_of(client.get(LIST, {"show": "inbox"})), "Fay is next in line"
    assert "Carol Test, who asked, can no longer sign in here." in text_of(client.get(page("request", request)))
    Membership.objects.filter(user=fay).update(ended_at=NOON)
    assert "Henry Test, who asked, no longer works here." in text_of(client.get(LIST, {"show": "inbox"}))
    Membership.objects.filter(user=fay).update(ended_at=None)
    coordinator = factories.UserFactory(email="cora@example.org")
    factories.MembershipFactory(user=coordinator, organization=cast.riverside, facility=cast.oak, role=Role.COORDINATOR)
    with pytest.raises(NotAllowed, match="Ask an administrator"):
        take_over(scope=Scope.of(coordinator, cast.riverside), request=request, at=NOON)
    client.force_login(coordinator)
    said = text_of(client.get(page("request", request)))
    assert "An administrator of Oak House or of the organization takes it over" in said
    assert "Take this request over" not in said
    [request] = deciding.decide(scope=alice, requests=[request], approve=True, at=NOON)
    with pytest.raises(AccountRefused) as refused:
        take_over(scope=alice, request=request, at=NOON)
    assert refused.value.code == "decided"
    with pytest.raises(IntegrityError, match="taking over"), transaction.atomic():
        AccessRequest.objects.filter(pk=request.pk).update(
            requester_person=cast.people["alice"], asked_first_person=cast.people["carol"]
        )
    take_over(scope=fays, request=request, at=NOON)
    Membership.objects.filter(user=fay).update(ended_at=NOON)
    with pytest.raises(AccountRefused) as refused:
        take_over(scope=alice, request=request, at=NOON)
    assert refused.value.code == "once", "Fay would be forgotten, and could decide"
    with pytest.raises(IntegrityError, match="taking over"), transaction.atomic():
        AccessRequest.objects.filter(pk=request.pk).update(requester_person=cast.people["olga"])
    client.force_login(cast.alice)
    said = text_of(client.get(page("request", request)))
    assert "It was taken over once already" in said
    assert "Take this request over" not in said
    Membership.objects.filter(user=fay).update(ended_at=None)
    withdraw(scope=fays, request=request, reason="Not needed.", at=NOON)
    Membership.objects.filter(user=fay).update(ended_at=NOON)
    with pytest.raises(AccountRefused) as refused:
        take_over(scope=alice, request=request, at=NOON)
    assert refused.value.code == "ended"


def test_who_stands_in_for_an_absent_asker_finds_her_steps_and_the_next_in_line_what_did_not_work(client, cast, fay):
    for person in ("henry", "olga"):
        account = factories.AccountFactory(organization=cast.riverside, person=cast.people[person])
        submitted(cast, person=person, kind="removal", role="", account=account)
    RequestStep.objects.filter(state="open").update(actor="facility")
    olga, away = cast.people["olga"], {"person": cast.people["carol"], "recorded_at": NOON, "recorded_by": "x"}
    away |= {"organization": cast.riverside, "valid_from": TODAY, "valid_to": TODAY}
    Deputy.objects.create(**away, deputy=olga)
    Absence.objects.create(**away)
    client.force_login(cast.olga)
    assert client.get(LIST, {"show": "inbox"}).context["rows"] == [], "she carries out nothing at Oak House"
    Membership.objects.filter(user=cast.olga).update(facility=cast.oak)
    words = "You stand in for Carol Test, who asked and is away."
    inbox = text_of(client.get(LIST, {"show": "inbox"}))
    assert (inbox.count(words), inbox.count("access of Olga Test")) == (1, 0), "not the removal of her own access"
    assert words in text_of(client.get("/o/riverside/"))
    Absence.objects.update(voided_at=NOON)
    request = submitted(cast, kind="forgotten-id", role="", system="qies")
    fail(scope=cast.scope("carol"), request=request, reason="The help desk knows of none.", at=NOON)
    client.force_login(fay)
    failed = {"show": "inbox", "state": "failed"}
    assert client.get(LIST, failed).context["rows"] == [], "Carol is here still"
    leaves(cast)
    inbox = text_of(client.get(LIST, failed))
    assert "Try it again, or withdraw it" in inbox
    assert "Carol Test, who asked, no longer works here." in inbox
    retry(scope=Scope.of(fay, cast.riverside), request=request, at=NOON)
    take_over(scope=Scope.of(fay, cast.riverside), request=request, at=NOON)


def test_a_removal_of_her_own_access_falls_to_the_next_administrator(client, cast, fay):
    cast.riverside.reminders_started_at = NOON
    cast.riverside.save()
    account = factories.AccountFactory(person=cast.people["fay"])
    request = submitted(cast, person="fay", kind="removal", role="", account=account)
    Membership.objects.filter(user=cast.carol).update(ended_at=NOON)
    alice, fays = cast.scope("alice"), Scope.of(fay, cast.riverside)
    with pytest.raises(AccountRefused) as refused:
        take_over(scope=fays, request=request, at=NOON)
    assert refused.value.code == "own"
    gone = left_askers(cast.riverside, TODAY)

    def falls_to(scope, name):
        return to_take_over(scope, cast.people[name], gone, TODAY).exists()

    assert (falls_to(fays, "fay"), falls_to(alice, "alice")) == (False, True)
    client.force_login(fay)
    said = text_of(client.get(page("request", request)))
    assert "Another administrator of Oak House or of the organization takes it over" in said
    hand_down(at=NOON)
    plan_handed(at=NOON)
    told = request.hand_overs.get(what="left").reminders.values_list("recipient__first_name", flat=True)
    assert list(told) == ["Alice"]
    AccessRequest.objects.filter(pk=request.pk).update(closed_at=NOON, state=State.WITHDRAWN)
    account.person = cast.people["olga"]
    account.save()
    Person.objects.filter(pk=cast.people["olga"].pk).update(email="FAY@example.org")
    Membership.objects.filter(user=cast.carol).update(ended_at=None)
    twin = submitted(cast, person="olga", kind="removal", role="", account=account)
    Membership.objects.filter(user=cast.carol).update(ended_at=NOON)
    gone = left_askers(cast.riverside, TODAY)
    assert (falls_to(fays, "fay"), falls_to(alice, "alice")) == (False, True), "a second record of hers"
    with pytest.raises(AccountRefused) as refused:
        take_over(scope=fays, request=twin, at=NOON)
    assert refused.value.code == "own"
