"""Steps as they are carried out: CMSNet's two e-mails, identity proofing, and what a passed day opens."""

from datetime import date, timedelta

import pytest

from accounts.errors import AccountRefused
from accounts.models import Deadline, RequestStep
from accounts.policy.requesting import State
from accounts.services.requests import deciding
from accounts.services.requests.carrying import record_outcome
from audit.models import AuditEvent
from facilities.access import NotAllowed
from reminders.services.tick import run_tick
from tests import factories
from tests.conftest import NOON, TODAY
from tests.requests.asking import submitted


def approved(cast, **given):
    request = submitted(cast, **given)
    [request] = deciding.decide(scope=cast.scope("alice"), requests=[request], approve=True, at=NOON)
    return request


def did(cast, request, key, *, worked=True, on=TODAY, note="", at=None, by="carol"):
    step = RequestStep.objects.get(request=request, key_in_list=key)
    at = at or NOON + timedelta(days=(on - TODAY).days)
    return record_outcome(scope=cast.scope(by), step=step, worked=worked, on=on, note=note, at=at)


def states(request):
    return {step.key_in_list: step.state for step in request.steps.all()}


def test_the_two_mails_of_cmsnet_are_ticked_one_by_one_and_what_to_do_opens_when_one_is_late(cast):
    request = approved(cast, system="cmsnet", role="individual-user", still_needed_reason="Staffing data go there.")
    with pytest.raises(AccountRefused, match="steps before"):
        did(cast, request, "submit")
    with pytest.raises(AccountRefused, match="before any of these systems existed"):
        did(cast, request, "open-form", on=date(202, 11, 20), at=NOON)
    for key in ("open-form", "check-provider", "access-request", "submit"):
        did(cast, request, key)
    request.refresh_from_db()
    assert request.state == State.IN_PROGRESS
    mails = request.steps.filter(together="two-mails")
    assert set(mails.values_list("state", "due_on")) == {("open", TODAY + timedelta(days=4))}, "Tuesday"
    assert states(request)["nothing-came"] == "waiting"
    with pytest.raises(AccountRefused, match="did not work or is late"):
        did(cast, request, "nothing-came")
    did(cast, request, "mail-1", on=date(2026, 11, 24))
    run_tick(at=NOON + timedelta(days=4))
    assert states(request)["nothing-came"] == "waiting", "the day itself is still safe"
    tick = run_tick(at=NOON + timedelta(days=5))
    assert tick.errors == []
    assert states(request)["nothing-came"] == "open"
    events = AuditEvent.objects.count()
    before = list(RequestStep.objects.order_by("pk").values())
    again = run_tick(at=NOON + timedelta(days=5))
    assert again.sweeps["steps"]["opened"] == 0
    assert (list(RequestStep.objects.order_by("pk").values()), AuditEvent.objects.count()) == (before, events)
    wednesday = date(2026, 11, 25)
    did(cast, request, "nothing-came", on=wednesday)
    deadline = Deadline.objects.get(request_step__key_in_list="mail-2")
    assert (deadline.due_on, deadline.cycle) == (date(2026, 11, 30), 2), "Thanksgiving and a weekend lie between"
    did(cast, request, "mail-2", on=wednesday)
    deadline.refresh_from_db()
    assert deadline.closed_at is not None
    with pytest.raises(AccountRefused, match="future"):
        did(cast, request, "mail-2", on=wednesday + timedelta(days=2), at=NOON)


def test_a_failed_proofing_leads_to_its_cures_and_is_tried_again(cast):
    factories.AccountFactory(organization=cast.riverside, person=cast.people["henry"])
    request = submitted(cast, kind="proofing", system="harp", role="")
    assert request.state == State.IN_PROGRESS, "nobody has to decide about that"
    assert list(request.steps.values_list("key_in_list", flat=True)) == [
        "retry", "reference-number", "manual", "confirmation"
    ]  # fmt: skip
    with pytest.raises(AccountRefused, match="what happened"):
        did(cast, request, "retry", worked=False)
    with pytest.raises(NotAllowed):
        did(cast, request, "retry", by="audrey")
    did(cast, request, "retry", worked=False, note="Three answers were wrong.", by="henry")
    assert states(request) == {
        "retry": "failed", "reference-number": "open", "manual": "open", "confirmation": "waiting"
    }  # fmt: skip
    did(cast, request, "reference-number")
    assert states(request) == {
        "retry": "open", "reference-number": "done", "manual": "waiting", "confirmation": "waiting"
    }  # fmt: skip
    did(cast, request, "retry")
    assert states(request)["confirmation"] == "open"
    with pytest.raises(AccountRefused, match="not work or is late"):
        did(cast, request, "manual")


@pytest.mark.parametrize(("official", "keys"), [
    ("", ["our-decision", "officials-first", "request-role", "wait-new-official"]),
    ("there", ["our-decision", "request-role", "wait"]),
    ("until a day", ["our-decision", "request-role", "wait"]),
    ("first", ["our-decision", "request-role", "wait-cms"]),
])  # fmt: skip
def test_who_decides_on_the_side_of_cms_decides_which_steps_there_are(cast, official, keys):
    role = "provider-security-official" if official == "first" else "provider-assessment-viewer"
    if official in ("there", "until a day"):
        account = factories.AccountFactory(organization=cast.riverside, person=cast.people["carol"])
        until = {"valid_to": TODAY + timedelta(days=9), "temporary": True} if official == "until a day" else {}
        factories.GrantFactory(account=account, facility=cast.oak, role__slug="provider-security-official", **until)
    request = submitted(cast, role=role)
    assert list(request.steps.values_list("key_in_list", flat=True)) == [*keys, "rejected"]


def test_the_first_official_is_looked_after_for_five_business_days(cast):
    request = approved(cast, role="provider-security-official")
    did(cast, request, "request-role")
    assert request.steps.get(key_in_list="wait-cms").due_on == date(2026, 11, 30), "Thanksgiving lies between"
