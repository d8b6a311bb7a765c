"""Asking for access on pages: four steps whose answers are the address, bundles, changes, and one change for many."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, PortalAccount, RequestHouse, RoleGrant, SystemInUse
from accounts.services.inventory import report_loss
from accounts.services.requests import drafting
from accounts.services.requests.submitting import submit
from facilities.models.tenancy import Role
from staff.models import Absence
from systems.models import SystemRole
from tests import factories
from tests.conftest import NOON, TODAY
from tests.requests.asking import ask, drafted, submitted
from tests.web.holdings import address, crowd, held

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
VIEWER = "provider-assessment-viewer"
COORDINATOR = "provider-assessment-coordinator"
WHY = {"reason": "She takes over the assessments."}


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        yield


def role_of(system, skip=0):
    """Return a role of a system by its place in the catalogue."""
    return SystemRole.objects.current().filter(system__slug=system).order_by("position", "pk")[skip]


def step(client, **answers):
    """Open a step as its form does, following what is settled already."""
    return client.get(address("request-new"), answers, follow=True)


def send(client, deed="send", typed=None, **answers):
    """Send the last step of these answers."""
    page = step(client, **answers)
    assert "form" in page.context, page.content.decode()
    url = f"{address('request-new')}?{page.request['QUERY_STRING']}"
    return client.post(url, {**(WHY if typed is None else typed), "deed": deed}, follow=True)


def here(page):
    return f"{page.request['PATH_INFO']}?{page.request['QUERY_STRING']}"


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def wishes():
    """Return what is asked for, as tuples that a test can read."""
    rows = AccessRequest.objects.order_by("pk").select_related("system", "facility", "role", "beneficiary_person")
    return [
        (row.kind, row.system.slug, row.facility.name, row.role.slug, str(row.beneficiary_person))
        for row in rows
    ]  # fmt: skip


def test_a_newcomer_is_led_from_one_question_to_the_next_and_asks_for_two_buildings(client, cast):
    factories.EmploymentFactory(facility=cast.elm, person=cast.people["henry"])
    client.force_login(cast.henry)
    first = step(client)
    assert [first.context["step"], first.context["may_find"]] == [1, False]
    second = step(client, person=cast.people["henry"].pk, kind="access", **{"from": 1})
    usual = {choice.system.slug: choice.note for choice in second.context["usual"]}
    assert "MDS" in usual["iqies"]
    assert usual["harp"] == "Comes first: iQIES is signed in to with it."
    nothing = step(client, person=cast.people["henry"].pk, kind="access", **{"from": 2})
    assert nothing.context["remarks"] == ["Tick at least one facility.", "Choose a system."]
    answers = {"person": cast.people["henry"].pk, "kind": "access", "system": "iqies"}
    answers["facility"] = [cast.elm.pk, cast.oak.pk]
    third = step(client, **answers)
    html = third.content.decode()
    assert third.context["step"] == 3
    assert "Decided by: " in html
    assert "upload files" in html
    assert not AccessRequest.objects.exists()
    last = step(client, **answers, role=VIEWER)
    assert [line.sentence for line in last.context["lines"]] == [
        f"A new iQIES account for Henry Test at {place}, as Provider Assessment Viewer."
        for place in ("Elm House", "Oak House")
    ]
    (first, *_) = last.context["lines"][0].first
    assert first["label"] == "Ask for HARP first"
    assert f"facility={cast.elm.pk}" in first["url"]
    assert last.context["deciders"].words == "one approver"  # Alice, whom a holder cannot look up
    assert not AccessRequest.objects.exists()
    refused = send(client, typed={"reason": ""}, **answers, role=VIEWER)
    assert "Say why it is needed" in refused.content.decode()
    kept = send(client, "draft", **answers, role=VIEWER)
    assert said(kept) == ["Kept as two requests in draft. You find it under My requests."]
    assert wishes() == [("new-account", "iqies", place, VIEWER, "Henry Test") for place in ("Elm House", "Oak House")]
    one, other = AccessRequest.objects.all()
    assert [one.state, one.bundle_id] == ["draft", other.bundle_id]
    assert one.bundle_id is not None


def test_a_secret_in_the_reason_is_refused_and_not_shown_again(client, cast):
    client.force_login(cast.carol)
    answers = {"person": cast.people["henry"].pk, "kind": "access", "system": "idm", "facility": cast.oak.pk}
    answers["role"] = role_of("idm").slug
    answer = send(client, typed={"reason": "Her password is Sommer2026!"}, **answers)
    html = answer.content.decode()
    assert "Portalkeeper never keeps one" in html
    assert "Sommer2026" not in html
    assert not AccessRequest.objects.exists()


def test_people_are_found_by_name_and_only_where_one_may_ask(client, cast):
    client.force_login(cast.carol)
    found = step(client, person="other", find="henry", kind="access", **{"from": 1})
    assert found.context["step"] == 2
    assert found.context["wanting"].person == cast.people["henry"]
    myself = step(client, person=cast.people["carol"].pk, find="henry", kind="access", **{"from": 1})
    assert myself.context["wanting"].person == cast.people["henry"], "a name that was typed counts"
    nobody = step(client, person="other", find="olga", kind="access", **{"from": 1})
    assert "Nobody of yours is called “olga”" in nobody.context["remarks"][0]
    assert step(client, person="other", kind="access", **{"from": 1}).context["remarks"] == ["Write whom it is for."]


def test_what_is_foreign_is_not_there_and_what_makes_no_sense_is_left_out(client, cast):
    theirs = factories.PersonFactory(organization=cast.hilltop)
    account = held(cast, "olga", facility=cast.elm)
    client.force_login(cast.carol)
    for foreign in (
        {"person": theirs.pk},
        {"person": cast.people["olga"].pk},
        {"facility": cast.summit.pk},
        {"account": account.pk},
        {"grant": account.grants.get().pk},
        {"pick": f"account-{account.pk}"},
    ):
        assert client.get(address("request-new"), {"kind": "access", **foreign}).status_code == 404, foreign
    for odd in ({"person": "x"}, {"kind": "magic"}, {"system": "no\0such"}, {"role": "king", "system": "iqies"},
                {"pick": "grant-"}, {"facility": "9" * 30}, {"step": "9"}, {"step": "٣"}):  # fmt: skip
        assert client.get(address("request-new"), odd).status_code == 200, odd
    client.force_login(cast.mallory)
    assert client.get(address("request-new")).status_code == 404


def test_a_closed_system_offers_its_successor_and_goes_on_with_a_reason(client, cast):
    client.force_login(cast.carol)
    answers = {"person": cast.people["henry"].pk, "kind": "access", "facility": cast.oak.pk}
    page = step(client, **answers, system="qies", role=role_of("qies").slug)
    assert page.context["closed"].places == "Oak House"
    assert [each["label"] for each in page.context["instead"]] == ["Ask for iQIES instead"]
    instead = dict(parse_qsl(urlsplit(page.context["instead"][0]["url"]).query))
    assert [instead["system"], "role" in instead] == ["iqies", False]
    answers |= {"system": "qies", "still": "1", "role": role_of("qies").slug}
    refused = send(client, **answers)
    assert "Say why it is still needed here." in refused.content.decode()
    send(client, "draft", WHY | {"still_needed_reason": "Corrections of 2024."}, **answers)
    assert AccessRequest.objects.get().still_needed_reason == "Corrections of 2024."


@pytest.mark.parametrize(("kind", "loss"), [("unlock", "locked"), ("reactivation", "inactive")])
def test_on_a_closed_system_an_account_works_again_only_with_a_reason_that_is_not_asked_for_twice(
    client, cast, kind, loss
):
    account = held(cast, "henry", slug="qies")
    question = "Is this account still needed?"
    client.force_login(cast.carol)
    assert question in client.get(account.get_absolute_url()).content.decode()
    report_loss(scope=cast.scope("alice"), account=account, loss=loss, lost_on=TODAY, at=NOON)
    answers = {"person": cast.people["henry"].pk, "kind": kind, "pick": f"account-{account.pk}"}
    if kind == "reactivation":
        answers["pick"] = step(client, **(answers | {"pick": ""})).context["options"][0].pick.value
    page = step(client, **answers)
    assert [page.context["step"], page.context["closed"].places] == [2, "Oak House"]
    instead = dict(parse_qsl(urlsplit(page.context["instead"][0]["url"]).query))
    assert [instead["system"], instead["kind"], instead["facility"]] == ["iqies", "access", str(cast.oak.pk)]
    assert "still=1" in page.context["go_on"]
    last = client.get(address("request-new") + page.context["go_on"])
    assert "Say why it is still needed here." in client.post(here(last), {"deed": "send"}).content.decode()
    drawn = drafted(cast, kind=kind, system="qies", role="", account=account)
    with pytest.raises(AccountRefused, match="QIES has closed for Oak House"):
        submit(scope=cast.scope("carol"), requests=[drawn], at=NOON)
    edit = client.get(address("request-edit", drawn.pk)).context["form"]
    assert edit.fields["still_needed_reason"].required, "a draft asks for it as well"
    client.post(here(last), {"deed": "send", "still_needed_reason": "Corrections of 2024."})
    request = AccessRequest.objects.exclude(pk=drawn.pk).get()
    assert (request.state, request.still_needed_reason) == ("in_progress", "Corrections of 2024.")
    PortalAccount.objects.filter(pk=account.pk).update(status="active", loss="", lost_at=None)
    RoleGrant.objects.filter(account=account).update(valid_to=None)
    assert question not in client.get(account.get_absolute_url()).content.decode()
    mine = AccessRequest.objects.filter(pk=request.pk)
    mine.update(state="done", closed_at=timezone.now(), effective_on=TODAY, proof="note")
    assert question not in client.get(account.get_absolute_url()).content.decode()
    RoleGrant.objects.filter(account=account).update(recorded_at=timezone.now() + timedelta(days=400))
    assert question in client.get(account.get_absolute_url()).content.decode(), "what came of it is long gone"
    SystemInUse.objects.create(
        organization=cast.riverside, facility=cast.oak, system=account.system, reason="Old records", recorded_at=NOON
    )
    assert question not in client.get(account.get_absolute_url()).content.decode()


def test_whoever_has_the_account_asks_for_a_further_role_and_what_is_held_is_left_out(client, cast):
    account = held(cast, "henry", slug="psr")
    other = role_of("psr", skip=1).slug
    client.force_login(cast.carol)
    answers = {"account": account.pk, "kind": "additional-role", "facility": cast.oak.pk}
    page = step(client, **answers, role=[account.grants.get().role.slug, other])
    assert page.context["left_out"] == [f"{account.grants.get().role.name} at Oak House"]
    send(client, "draft", **answers, role=other)
    assert wishes() == [("additional-role", "psr", "Oak House", other, "Henry Test")]
    assert AccessRequest.objects.get().account == account


def test_each_kind_about_what_is_there(client, cast):
    account = held(cast, "henry")
    grant = account.grants.get()
    other = role_of("iqies", skip=1).slug
    client.force_login(cast.henry)
    mine = {"person": cast.people["henry"].pk}
    for kind, pick, heading in [("removal", "account", "a removal"), ("forgotten-id", "account", "a forgotten user ID"),
                                ("contact-change", "account", "a change of contact data"),
                                ("unlock", "account", "an unlock")]:  # fmt: skip
        page = step(client, **mine, kind=kind)
        assert f"<h1>Ask for {heading}</h1>" in page.content.decode()
        option = next(each for each in page.context["options"] if each.pick.account == account)
        assert option.pick.value.startswith(pick), kind
        send(client, typed={}, **mine, kind=kind, pick=option.pick.value)
    changing = step(client, grant=grant.pk, kind="role-change")
    assert [changing.context["step"], grant.role in [each.role for each in changing.context["roles"]]] == [3, False]
    assert step(client, grant=grant.pk, kind="role-change", role=grant.role.slug).context["step"] == 3
    send(client, **mine, kind="role-change", pick=f"grant-{grant.pk}", role=other)
    assert step(client, **mine, kind="reactivation").context["options"] == []
    report_loss(scope=cast.scope("alice"), account=account, loss="roles_revoked", lost_on=TODAY, at=NOON)
    (option,) = step(client, **mine, kind="reactivation").context["options"]
    send(client, typed={}, **mine, kind="reactivation", pick=option.pick.value)
    send(client, typed={}, **mine, kind="proofing", system="harp")
    kinds = ["removal", "forgotten-id", "contact-change", "unlock", "role-change", "reactivation"]
    assert [row.kind for row in AccessRequest.objects.order_by("pk")] == [*kinds, "proofing"]
    states = set(AccessRequest.objects.exclude(kind="role-change").values_list("state", flat=True))
    assert states == {"in_progress"}
    assert AccessRequest.objects.get(kind="role-change").state == "submitted"
    again = step(client, **mine, kind="removal", pick=f"account-{account.pk}")
    assert "The same is asked for already and stands at “in progress”." in again.content.decode()


def test_where_nobody_may_decide_the_page_says_so_and_a_reason_goes_on(client, cast):
    account = held(cast, "alice", slug="psr")
    client.force_login(cast.alice)
    answers = {"grant": account.grants.get().pk, "kind": "role-change", "role": role_of("psr", skip=1).slug}
    page = step(client, **answers)
    assert [page.context["deciders"].nobody, page.context["deciders"].places] == [True, ["Oak House"]]
    where = step(client, person=cast.people["henry"].pk, kind="access").context
    assert [len(where["facilities"]) > 1, where["ticked"]] == [True, {cast.oak.pk}], "where he works is ticked"
    plain = "takes an administrator, not an approver"
    assert plain not in page.content.decode()
    official = {
        "person": cast.people["alice"].pk,
        "kind": "access",
        "facility": cast.oak.pk,
        "system": "iqies",
        "role": "provider-security-official",
    }
    assert plain in step(client, **official).content.decode()
    refused = send(client, **answers)
    assert "Nobody in the organization may decide this" in refused.content.decode()
    assert not AccessRequest.objects.exists()
    RequestHouse.objects.create(organization=cast.riverside, outside_deputy=cast.people["olga"])
    assert step(client, **answers).context["deciders"].outside == "Olga Test"
    RequestHouse.objects.all().delete()
    send(client, typed=WHY | {"unapproved_reason": "There is nobody else."}, **answers)
    assert AccessRequest.objects.get().approval == "unapproved"
    factories.MembershipFactory(user=cast.olga, organization=cast.riverside, facility=cast.oak, role=Role.APPROVER)
    assert step(client, **answers).context["deciders"].words == "Olga Test"
    Absence.objects.create(
        organization=cast.riverside, person=cast.people["olga"], valid_from=TODAY, valid_to=TODAY, recorded_at=NOON
    )
    assert step(client, **answers).context["deciders"].words == "Olga Test (away until Fri 20 Nov 2026)"


def test_a_draft_is_changed_and_sent_and_what_was_sent_is_decided_anew(client, cast):
    held(cast, "henry", slug="idm")
    mine = drafted(cast, "carol", system="psr", role=role_of("psr").slug)
    url = address("request-edit", mine.pk)
    client.force_login(cast.carol)
    page = client.get(url)
    role = role_of("psr", skip=1)
    typed = {"version": 1, "role": role.pk, "facility": cast.oak.pk, "reason": "Another reason."}
    assert "decided anew" not in page.content.decode()
    client.post(url, typed | {"deed": "send"})
    mine.refresh_from_db()
    assert [mine.role, mine.state, mine.revision] == [role, "submitted", 1]
    page = client.get(url)
    assert "decided anew" in page.content.decode()
    stale = client.post(url, typed | {"reason": "Typed against the old one."})
    assert [row["yours"] for row in stale.context["differing"]] == ["Typed against the old one."]
    client.post(url, typed | {"version": stale.context["form"].data["version"], "reason": "Newer."})
    mine.refresh_from_db()
    assert [mine.reason, mine.state, mine.revision] == ["Newer.", "submitted", 2]
    client.force_login(cast.alice)
    assert client.get(url).status_code == 403
    client.force_login(cast.olga)
    assert client.get(url).status_code == 404


def test_the_drafts_of_a_bundle_are_sent_together(client, cast):
    for who in ("henry", "carol"):
        held(cast, who, slug="idm")
    role = role_of("psr").slug
    these = [ask(cast, system="psr", role=role, person=who) for who in ("henry", "carol")]
    one, other = drafting.draft(scope=cast.scope("carol"), asks=these, at=NOON)
    client.force_login(cast.carol)
    typed = {"version": 1, "role": one.role_id, "facility": cast.oak.pk, "reason": "Both of us."}
    client.post(address("request-edit", one.pk), typed | {"deed": "send-all"})
    other.refresh_from_db()
    assert other.state == "submitted"


def test_one_change_for_many_is_looked_at_then_sent_in_one_bundle_without_more_queries(client, cast):
    crowd(cast, 3)
    held(cast, "olga", facility=cast.elm)
    submitted(cast, kind="removal", role="", account=held(cast, "henry"))
    client.force_login(cast.carol)
    asked = {"all": "1", "system": "iqies"}
    assert "wish" in client.get(address("requests-bulk"), asked).context
    page = client.get(address("requests-bulk"), asked | {"do": "removal"})
    assert page.context["count"] == 3
    why = "The same is asked for already and has not ended. Open that request under Requests."
    assert [(each.name, each.why) for each in page.context["left_out"]] == [("Henry Test, iQIES", why)]
    stale = client.post(address("requests-bulk"), asked | {"do": "removal", "reason": "All left.", "count": 7})
    assert "Meanwhile it would be 3 instead of 7" in stale.content.decode()
    spent = []
    for count, extra in ((3, 0), (9, 9)):
        crowd(cast, extra)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.post(
                address("requests-bulk"), asked | {"do": "removal", "reason": "All left.", "count": count}
            )
        assert answer.status_code == 302, answer.content.decode()
        spent.append(len(queries))
    assert spent[1] <= spent[0]
    assert AccessRequest.objects.filter(kind="removal", bundle__isnull=False, state="in_progress").count() == 12
    assert AccessRequest.objects.values("bundle").distinct().count() == 3


def test_many_roles_are_changed_or_brought_back_and_findings_lead_there(client, cast):
    account = held(cast, "carol")
    lost = held(cast, "henry")
    report_loss(scope=cast.scope("alice"), account=lost, loss="roles_revoked", lost_on=TODAY, at=NOON)
    old, new = (role_of("iqies", skip=number).slug for number in (0, 1))
    client.force_login(cast.alice)
    picked = {"account": [account.pk, lost.pk]}
    page = client.get(address("requests-bulk"), picked | {"do": "role-change", "old": old, "new": old})
    assert page.context["choices"].remark
    page = client.get(address("requests-bulk"), picked | {"do": "role-change", "old": old, "new": new})
    assert [page.context["count"], page.context["left_out"][0][0]] == [1, "Henry Test, iQIES"]
    page = client.get(address("requests-bulk"), picked | {"do": "reactivation"})
    assert page.context["first"][0].startswith("Henry Test’s iQIES account")
    why = "Nothing was lost that could come back. Ask for access where a role is missing."
    assert [(each.name, each.why) for each in page.context["left_out"]] == [("Carol Test, iQIES", why)]
    assert client.get(address("requests-bulk"), {"of": "findings", "kind": "lapse"}).status_code == 200
    assert client.get(address("requests-bulk"), {"of": "findings", "kind": "x"}).status_code == 404
    client.force_login(cast.audrey)
    assert client.get(address("requests-bulk"), picked).status_code == 403


def test_a_certification_is_offered_only_where_a_rule_asks_for_one(client, cast):
    """iQIES publishes none; the applications of the Enterprise Portal do (EP-CERT-3)."""
    held(cast, "henry")
    client.force_login(cast.henry)
    answers = {"person": cast.people["henry"].pk, "kind": "certification"}
    assert "No rule asks for a yearly certification on HARP and iQIES." in step(client, **answers).content.decode()
    there = held(cast, "henry", "psr")
    option = next(each for each in step(client, **answers).context["options"] if each.pick.account == there)
    send(client, typed={}, **answers, pick=option.pick.value)
    asked = AccessRequest.objects.get()
    assert (asked.kind, asked.grant, asked.state) == ("certification", there.grants.get(), "in_progress")


def test_an_account_with_roles_elsewhere_is_not_removed_as_a_whole_by_a_link(client, cast):
    account = held(cast, "henry")
    factories.GrantFactory(
        organization=cast.riverside, account=account, facility=cast.elm, role=role_of("iqies"), valid_from=TODAY
    )
    answers = {"person": cast.people["henry"].pk, "account": account.pk, "kind": "removal"}
    client.force_login(cast.carol)
    page = step(client, **answers)
    assert page.context["step"] == 2, "she keeps accounts at Oak House only"
    picks = [option.pick for option in page.context["options"] if option.pick.account == account]
    assert [pick.grant.facility for pick in picks] == [cast.oak]
    client.force_login(cast.alice)
    assert step(client, **answers).context["step"] == 4
