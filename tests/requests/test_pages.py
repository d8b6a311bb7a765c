"""The pages of requests: who sees which, what the page says, and every deed with its refusal."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from accounts.models import AccessRequest, Approval, RequestNote, RequestStep
from accounts.services.requests import deciding, drafting, submitting
from audit.models import AuditEvent
from tests import factories
from tests.conftest import NOON, TODAY
from tests.requests.asking import ask, drafted, submitted, with_harp
from tests.web.holdings import held
from web.requests.listing import desk_of

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
LIST = "/o/riverside/requests/"
MFA = {"method": "mfa", "type": "totp"}


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def sign_in(client, user, *, factor=True, ago=0):
    """Sign in, with a second factor given so many seconds ago."""
    client.force_login(user)
    if factor:
        session = client.session
        session["account_authentication_methods"] = [MFA | {"at": time.time() - ago}]
        session["account_authentication_methods_user"] = str(user.pk)
        session.save()


def text(answer):
    return " ".join(answer.content.decode().split())


def sentences(answer):
    return [(row["cells"][0]["text"], row["cells"][1]["text"]) for row in answer.context["rows"]]


def page_of(client, request):
    answer = client.get(request.get_absolute_url())
    assert answer.status_code == 200
    return answer


def deed(name, pk, **typed):
    return reverse(f"web:{name}", args=["riverside", pk]), typed


def test_a_list_tells_in_sentences_and_each_member_sees_her_own(client, cast):
    request = submitted(cast)
    said = [
        (
            "New iQIES account for Henry Test at Oak House: Provider Assessment Viewer.",
            "Waits for a decision since Fri 20 Nov.",
        )
    ]
    numbers = {}
    for name in ("alice", "carol", "henry", "audrey", "olga"):
        client.force_login(getattr(cast, name))
        numbers[name] = []
        for show in ("mine", "inbox", "all"):
            answer = client.get(LIST, {"show": show})
            assert sentences(answer) in ([], said)
            numbers[name].append(len(answer.context["rows"]))
        assert [tab["count"].number for tab in answer.context["tabs"]] == numbers[name]
    assert numbers == {
        "alice": [0, 1, 1],
        "carol": [1, 0, 1],
        "henry": [1, 0, 1],
        "audrey": [0, 0, 1],
        "olga": [0, 0, 0],
    }
    client.force_login(cast.mallory)
    assert client.get(LIST).status_code == 404
    assert client.get("/o/hilltop/requests/?show=all").context["rows"] == []
    assert client.get(f"/o/hilltop/requests/{request.pk}/").status_code == 404
    client.force_login(cast.olga)
    assert client.get(request.get_absolute_url()).status_code == 404
    client.force_login(cast.alice)
    answer = client.get(LIST)
    assert answer.context["show"] == "inbox", "what waits comes first"
    entry = next(entry for entry in answer.context["nav"] if entry["label"] == "Requests")
    assert (entry["count"], entry["active"], entry["primary"]) == (1, True, True)


def test_the_list_is_narrowed_down_and_nonsense_is_told(client, cast):
    submitted(cast)
    drafted(cast, person="carol", role="provider-security-official")
    client.force_login(cast.alice)
    found = {
        query: len(client.get(f"{LIST}?show=all&{query}").context["rows"])
        for query in (
            "state=draft", "kind=new-account", "kind=unlock", "system=iqies", "system=qies", "q=henry", "q=nobody",
            f"facility={cast.oak.pk}", f"facility={cast.elm.pk}",
        )
    }  # fmt: skip
    assert list(found.values()) == [1, 2, 0, 2, 0, 1, 0, 2, 0]
    answer = client.get(f"{LIST}?show=all&state=nope&q=henry")
    assert "No request can stand so." in text(answer)
    assert len(answer.context["rows"]) == 1
    assert client.get(f"{LIST}?show=nope&facility=x&bundle=x&q=%00&after=x").status_code == 200


def test_what_waits_for_whom_follows_the_request(client, cast):
    with_harp(cast, "henry")
    request = drafted(cast)

    def waits():
        found = []
        for name in ("alice", "carol", "henry"):
            client.force_login(getattr(cast, name))
            if client.get(LIST, {"show": "inbox"}).context["rows"]:
                found.append(name)
        return found

    assert waits() == ["carol"], "her draft"
    client.force_login(cast.carol)
    [row] = client.get(LIST, {"show": "inbox"}).context["rows"]
    assert row["cells"][2]["text"] == "Look it over and send it"
    submitting.submit(scope=cast.scope("carol"), requests=[request], at=NOON)
    assert waits() == ["alice"], "her decision"
    deciding.send_back(scope=cast.scope("alice"), request=request, question="Which shift?", at=NOON)
    assert waits() == ["carol"], "what was sent back"
    submitting.submit(scope=cast.scope("carol"), requests=[request], at=NOON)
    deciding.decide(scope=cast.scope("alice"), requests=[request], approve=True, at=NOON)
    first = request.steps.get(state="open")
    RequestStep.objects.filter(pk=first.pk).update(actor="holder")
    assert waits() == ["henry"], "his step"
    RequestStep.objects.filter(pk=first.pk).update(actor="cms", due_on=TODAY + timedelta(days=1))
    assert waits() == [], "CMS has time"
    RequestStep.objects.filter(pk=first.pk).update(due_on=TODAY - timedelta(days=1))
    assert waits() == ["carol"], "who asked looks after it"
    RequestStep.objects.filter(request=request).update(state="done", done_on=TODAY, done_at=NOON)
    assert waits() == ["carol"], "the proof is missing"
    own = submitted(cast, by="henry", kind="removal", role="", account=held(cast, "henry"))
    for actor in ("holder", "facility"):
        own.steps.filter(state="open").update(actor=actor)
        assert waits() == ["alice", "carol"], "nobody carries out the removal of her own access"
        assert desk_of(cast.scope("alice"), TODAY).steps().filter(request=own).exists()
        assert not desk_of(cast.scope("henry"), TODAY).steps().filter(request=own).exists()
    RequestStep.objects.filter(request=own).update(state="done", done_on=TODAY, done_at=NOON)
    assert waits() == ["alice", "carol"], "nor says that it is through"
    client.force_login(cast.henry)
    assert "Somebody else records how the removal of your own access goes on" in text(page_of(client, own))
    client.force_login(cast.alice)
    assert page_of(client, own).context["not_hers"] == ""


def test_the_page_says_what_will_change_who_decides_and_why(client, cast):
    held(cast, "carol", ago=3)
    request = submitted(cast)
    client.force_login(cast.alice)
    answer = page_of(client, request)
    said = text(answer)
    assert "New iQIES account for Henry Test at Oak House: Provider Assessment Viewer" in said
    assert "Asked for by Carol Test." in said
    assert "now no role, then Provider Assessment Viewer" in said
    rows = answer.context["change"]["abilities"]
    assert rows
    assert all(not row["before"] and row["gained"] and not row["lost"] for row in rows)
    assert "She takes over the assessments." in said
    assert "Henry Test holds no iQIES account so far." in said
    assert "Nothing stands against it." in said
    assert "Your decision" in said
    said = text(page_of(client, drafted(cast)))
    assert "The same is asked for already and has not ended. Open that request under Requests." in said
    assert "()" not in said, "a guard of no rule names none"
    client.force_login(cast.henry)
    said = text(page_of(client, request))
    assert "Asked for by a colleague." in said, "a holder reads of no colleague"
    assert "Carol Test" not in said
    assert "Somebody else decides what you asked for or would get" in said
    assert "Your decision" not in said


def test_the_page_says_who_can_submit_before_and_after(client, cast):
    viewer = held(cast, "henry", ago=3)
    grant = viewer.grants.get()
    request = submitted(cast, kind="role-change", account=viewer, grant=grant, role="assessment-submitter")
    client.force_login(cast.alice)
    change = page_of(client, request).context["change"]
    assert (change["roles"]["before"], change["roles"]["after"]) == (grant.role.name, request.role.name)
    before = {each["stream"]: each["before"] for each in change["cover"]}
    removal = submitted(cast, kind="removal", account=viewer, grant=grant, role="")
    after = {each["stream"]: each["after"] for each in page_of(client, removal).context["change"]["cover"]}
    assert before
    assert set(after.values()) == {"nobody"}


def test_a_decision_takes_a_fresh_second_factor_and_what_was_typed_waits(client, cast):
    request = submitted(cast)
    address, typed = deed("request-decide", request.pk, verdict="approve", revision="1", reason="She is new there.")
    sign_in(client, cast.alice, factor=False)
    answer = client.post(address, typed)
    assert answer.status_code == 403, "no second factor is set up"
    ways = [reverse("mfa_index"), request.get_absolute_url()]
    assert [f'href="{way}"' in answer.content.decode() for way in ways] == [True, True], "there, and back"
    sign_in(client, cast.alice, ago=301)
    cast.alice.authenticator_set.create(type="totp", data={"secret": "x"})
    answer = client.post(address, typed)
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert not Approval.objects.exists()
    assert ">\nShe is new there.</textarea>" in page_of(client, request).content.decode()
    assert "She is new there." not in text(page_of(client, drafted(cast, person="carol")))
    sign_in(client, cast.alice)
    answer = client.post(address, typed, follow=True)
    assert "Approved: New iQIES account for Henry Test at Oak House" in text(answer)
    request.refresh_from_db()
    assert request.state == "approved"
    assert request.approvals.get().reason == "She is new there."
    answer = client.post(address, typed)
    assert answer.status_code == 200
    assert "does not wait for a decision (any more)" in text(answer)
    assert client.get(address).status_code == 405


def test_a_changed_request_is_refused_with_both_versions(client, cast):
    request = submitted(cast)
    sign_in(client, cast.alice)
    answer = page_of(client, request)
    seal = answer.context["seal"]
    submitting.change(
        scope=cast.scope("carol"), request=request, ask=ask(cast, reason="For night shifts."), version=request.version,
        at=NOON,
    )  # fmt: skip
    typed = {"verdict": "approve", "revision": "1", "seen": seal, "reason": "Yes."}
    for name in ("request-decide", "request-send-back"):
        answer = client.post(deed(name, request.pk)[0], typed)
        said = text(answer)
        assert "changed meanwhile" in said
        assert "You saw: She takes over the assessments." in said
        assert "Now: For night shifts." in said
        assert ">Yes.</textarea>" in said.replace("> Yes.", ">Yes.")
    assert not request.approvals.exists()
    answer = client.post(deed("request-decide", request.pk)[0], typed | {"seen": "forged", "revision": "x"})
    assert answer.context["changed"] == []
    assert not request.approvals.exists()


def test_rejecting_sending_back_withdrawing_and_commenting(client, cast):
    request = submitted(cast)
    sign_in(client, cast.alice)
    address = deed("request-decide", request.pk)[0]
    assert "Say why it is rejected." in text(client.post(address, {"verdict": "reject", "revision": "1"}))
    assert "Say whether you approve" in text(client.post(address, {"verdict": "x", "revision": "1", "reason": "."}))
    send = deed("request-send-back", request.pk)[0]
    assert "Say what is missing." in text(client.post(send, {"revision": "1"}))
    client.post(send, {"revision": "1", "reason": "Which shift?"})
    request.refresh_from_db()
    assert (request.state, RequestNote.objects.get().text) == ("draft", "Which shift?")
    sign_in(client, cast.carol, factor=False)
    page = page_of(client, request)
    assert "Sent back with a question; first asked for on Fri 20 Nov." in text(page)
    assert page.context["question"] == {"by": "a colleague", "text": "Which shift?"}
    assert "Which shift?" in text(client.get(page.context["edit_url"])), "where it is answered"
    row = client.get(LIST, {"show": "inbox"}).context["rows"][0]
    assert [row["cells"][1]["words"], row["cells"][2]["text"]] == [
        "Sent back",
        "Answer the question, then send it again",
    ]
    today = client.get("/o/riverside/")
    assert "One request came back to you with a question." in text(today)
    assert "request-questions" in [section["slug"] for section in today.context["sections"]]
    said = text(client.post(deed("request-comment", request.pk)[0], {"text": "password: Sunshine7!x"}))
    assert "Sunshine7" not in said
    client.post(deed("request-comment", request.pk)[0], {"text": "Nights."})
    said = text(page_of(client, request))
    assert "Which shift?" in said
    assert "Nights." in said
    assert "Alice Test" not in said, "an administrator without a place is not among those whom Carol reads"
    submitting.submit(scope=cast.scope("carol"), requests=[request], at=NOON)
    withdraw = deed("request-withdraw", request.pk)[0]
    assert "Say why it is withdrawn." in text(client.post(withdraw, {"reason": " "}))
    client.post(withdraw, {"reason": "He left."})
    request.refresh_from_db()
    assert (request.state, request.ended_reason) == ("withdrawn", "He left.")
    page = page_of(client, request)
    assert "Withdrawn on Fri 20 Nov." in text(page)
    assert {(step["state"], step["takes"]) for step in page.context["steps"]} == {("Not needed any more", "")}


def test_a_step_is_recorded_and_a_refused_one_keeps_what_was_typed(client, cast):
    request = submitted(cast)
    deciding.decide(scope=cast.scope("alice"), requests=[request], approve=True, at=NOON)
    step = request.steps.filter(state="open").first()
    address = deed("request-step", step.pk)[0]
    client.force_login(cast.audrey)
    assert client.post(address, {"worked": "yes", "on": "2026-11-20"}).status_code == 403
    client.force_login(cast.olga)
    assert client.post(address, {"worked": "yes", "on": "2026-11-20"}).status_code == 404
    client.force_login(cast.carol)
    for typed, said in (
        ({"worked": "yes", "on": "2027-11-20"}, "cannot have been done in the future"),
        ({"worked": "yes", "on": "soon", "note": "Kept"}, "That is no day."),
        ({"worked": "no", "on": "2026-11-20"}, "Say what happened"),
        ({"on": "2026-11-20", "note": "Kept"}, "Say whether it worked."),
    ):
        answer = client.post(address, typed)
        assert said in text(answer), typed
        assert typed.get("note", "") in text(answer)
    step.refresh_from_db()
    assert step.state == "open"
    client.post(address, {"worked": "yes", "on": "2026-11-19", "note": "By phone"})
    step.refresh_from_db()
    assert (step.state, step.done_on, step.note) == ("done", TODAY - timedelta(days=1), "By phone")
    page = page_of(client, request)
    assert "Done on Thu 19 Nov 2026, said by Carol Test. By phone" in text(page)
    finish = f'href="{deed("request-finish", request.pk)[0]}"'
    assert f'<a class="btn btn-secondary" {finish}' in page.content.decode(), "steps are left"
    client.force_login(cast.henry)
    mine = text(page_of(client, request))
    assert "said by a colleague. By phone" in mine
    assert "Carol Test. By phone" not in mine
    client.force_login(cast.carol)
    while left := request.steps.filter(state="open").order_by("position").first():
        client.post(deed("request-step", left.pk)[0], {"worked": "yes", "on": "2026-11-20"})
    assert f'<a class="btn btn-primary" {finish}' in page_of(client, request).content.decode()


def test_what_comes_first_is_a_link_to_ask_for_it_or_to_add_what_is_there(client, cast):
    request = drafted(cast)  # iQIES without a HARP account
    there = reverse("web:person-accounts-add", args=["riverside", cast.people["henry"].pk])
    client.force_login(cast.carol)
    for page in (page_of(client, request), client.get(reverse("web:request-edit", args=["riverside", request.pk]))):
        shown = page.content.decode()
        assert f'<a href="{there}">Add the HARP account that is there already</a>' in shown
        assert "Ask for HARP first</a>" in shown
    assert client.get(there).status_code == 200
    client.force_login(cast.audrey)
    assert "Ask for HARP first" not in text(page_of(client, request)), "an auditor asks for nothing"
    mine = drafted(cast, by="henry")
    client.force_login(cast.henry)
    assert "Ask for HARP first" in text(page_of(client, mine))
    assert "Add the HARP account" not in text(page_of(client, mine)), "she may not add accounts"


def test_many_are_decided_for_one_reason_in_one_event(client, cast):
    asks = []
    for number in range(4):
        cast.people[f"more-{number}"] = factories.PersonFactory(organization=cast.riverside)
        with_harp(cast, f"more-{number}")
        asks.append(ask(cast, person=f"more-{number}"))
    made = submitting.submit(
        scope=cast.scope("carol"), requests=drafting.draft(scope=cast.scope("carol"), asks=asks, at=NOON), at=NOON
    )
    address = reverse("web:requests-decide", args=["riverside"])
    ticked = [f"{each.pk}:1" for each in made[:2]]
    sign_in(client, cast.alice)

    def post(verdict, **typed):
        return client.post(address, {"verdict": verdict, "show": "inbox"} | typed, follow=True)

    assert "No request is ticked." in text(post("approve", reason="All."))
    answer = post("approve", request=ticked)
    assert "Say why you approve them all at once." in text(answer)
    assert [row["pick"]["ticked"] for row in answer.context["rows"]] == [False, False, True, True]
    assert post("approve", request=["999999:1"], reason="All.").status_code == 404
    stale = post("approve", request=[ticked[0], f"{made[1].pk}:2"], reason="All of them.")
    assert "changed meanwhile" in text(stale)
    assert "All of them.</textarea>" in stale.content.decode(), "what was typed stays"
    assert not Approval.objects.exists()
    assert "Two requests approved." in text(post("approve", request=ticked, reason="Agreed."))
    bundle = made[0].bundle_id
    shown = client.get(LIST, {"show": "inbox", "bundle": bundle})
    assert "One of four asked for together" in text(shown)
    together = shown.context["together"]
    assert together["number"] == 2
    rest = {"bundle": bundle, "reason": "No."}
    assert "have changed meanwhile" in text(post("reject-all", seen="x", **rest))
    post("reject-all", seen=together["seen"], **rest)
    assert list(AccessRequest.objects.order_by("pk").values_list("state", flat=True)) == [
        "approved", "approved", "rejected", "rejected",
    ]  # fmt: skip
    events = AuditEvent.objects.filter(action__in=["request.approved", "request.rejected"]).order_by("seq")
    assert [(event.item_count, event.reason) for event in events] == [(2, "Agreed."), (2, "No.")]
    assert client.get(address).status_code == 405


def test_lists_and_page_cost_the_same_for_many(client, cast, django_assert_num_queries):
    first = submitted(cast)
    client.force_login(cast.alice)
    for number in range(3):
        cast.people[f"more-{number}"] = factories.PersonFactory(organization=cast.riverside)
        submitted(cast, person=f"more-{number}")
    client.get(LIST)
    with django_assert_num_queries(LIST_QUERIES):
        client.get(LIST, {"show": "inbox"})
    with django_assert_num_queries(PAGE_QUERIES):
        page_of(client, first)


def test_a_request_in_two_parts_of_a_list_stands_there_once_and_pages_go_on_where_they_ended(client, cast):
    asks = [ask(cast, person="carol" if number % 3 else "henry") for number in range(60)]
    made = [each.pk for each in drafting.draft(scope=cast.scope("carol"), asks=asks, at=NOON)]
    client.force_login(cast.carol)
    for show in ("mine", "inbox"):
        first = client.get(LIST, {"show": show})
        assert {tab["slug"]: tab["count"].number for tab in first.context["tabs"]}[show] == 60
        second = client.get(LIST + first.context["page"].next_url)
        shown = [row["cells"][0]["url"] for answer in (first, second) for row in answer.context["rows"]]
        assert shown == [f"{LIST}{pk}/" for pk in sorted(made, reverse=True)]
        assert not second.context["page"].next_url
        back = client.get(LIST + second.context["page"].previous_url)
        assert back.context["rows"] == first.context["rows"]


def test_the_step_that_wants_a_cmsnet_id_leads_to_asking_for_it_then_to_that_request_then_to_the_account(client, cast):
    old = {"role": "individual-user", "still_needed_reason": "Old records."}
    request = submitted(cast, system="qies", **old)

    def ways():
        [step] = [step for step in page_of(client, request).context["steps"] if step["title"] == "Get a CMSNet ID"]
        return [(way["label"], way["url"]) for way in step["ways"]]

    sign_in(client, cast.carol)
    person, place = cast.people["henry"].pk, cast.oak.pk
    asked = f"{reverse('web:request-new', args=['riverside'])}?person={person}&kind=access&facility={place}"
    there = reverse("web:person-accounts-add", args=["riverside", person])
    assert ways() == [
        ("Ask for CMSNet first", f"{asked}&system=cmsnet"),
        ("Add the CMSNet account that is there already", there),
    ]
    assert client.get(ways()[0][1]).status_code == client.get(there).status_code == 200
    running = submitted(cast, system="cmsnet", **old)
    assert ways() == [("Open the request for CMSNet (waiting for a decision)", running.get_absolute_url())]
    submitting.withdraw(scope=cast.scope("carol"), request=running, reason="It is there.", at=NOON)
    account = held(cast, "henry", "cmsnet")
    assert ways() == [("Open the CMSNet account", account.get_absolute_url())]
    assert "ways" not in page_of(client, submitted(cast)).context["steps"][0]


LIST_QUERIES = 26  # one, so that a full inbox is not counted to its end; one for her records; one for who has left
PAGE_QUERIES = 56  # sixteen for the guards, which also serve who submits what; two: who left


def test_the_official_finds_the_removal_that_she_carries_out(client, cast):
    """Where no role is wanted, the one that is held says who decides on CMS's side."""
    account = held(cast, "henry")
    official = factories.AccountFactory(organization=cast.riverside, person=cast.people["carol"], system=account.system)
    factories.GrantFactory(
        organization=cast.riverside, account=official, facility=cast.oak,
        role=account.system.roles.get(slug="provider-security-official"), valid_from=TODAY,
    )  # fmt: skip
    grant = account.grants.get()
    removal = submitted(cast, by="alice", kind="removal", role="", account=account, grant=grant)
    assert "official" in removal.steps.filter(state="open").values_list("actor", flat=True)
    client.force_login(cast.carol)
    shown = client.get(LIST, {"show": "inbox"})
    assert [row["cells"][0]["url"] for row in shown.context["rows"]] == [f"{LIST}{removal.pk}/"]
