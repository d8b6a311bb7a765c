"""Pages on which requests end: finished with proof, failed, tried again, undone, looked at by a third person."""

import html
from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import AccessRequest, Finding, PortalAccount, RequestFile, RequestHouse
from accounts.policy.requesting import Approved, Kind, State
from accounts.services.logins import record_login
from accounts.services.requests.cms_side import open_on_cms_side
from accounts.services.requests.drafting import change
from accounts.services.requests.submitting import submit
from audit.models import AuditEvent
from config.backups.making import evidence_files
from facilities.models.tenancy import Role
from tests import factories
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.requests.asking import ask, cms_did_typed, drafted, submitted, with_harp
from tests.requests.scenes import running
from tests.requests.test_pages import sign_in

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n1 0 obj\n"


@pytest.fixture(autouse=True)
def _noon(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "evidence"
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def address(name, *args):
    return reverse(f"web:{name}", args=["riverside", *args])


def text_of(answer):
    return " ".join(html.unescape(answer.content.decode()).split())


def note(request=None, **given):
    said = {"effective_on": TODAY.isoformat(), "proof": "note", "proof_text": "Told on the phone."}
    return said | (cms_did_typed(request) if request else {}) | given


def test_a_request_is_finished_with_a_file_that_its_readers_get_and_nobody_else(client, cast):
    request = running(cast)
    url = address("request-finish", request.pk)
    client.force_login(cast.carol)
    page = text_of(client.get(url))
    assert "New iQIES account for Henry Test at Oak House" in page
    assert f"Henry Test has “{request.role}” on iQIES at Oak House from that day, and a clock starts." in page
    assert "Alice Test" in page, "who may have seen it"
    file = SimpleUploadedFile("approval.pdf", PDF, content_type="text/html")
    answer = client.post(url, note(request, proof="file", file=file, user_id="HTEST01"))
    assert answer.status_code == 302
    request.refresh_from_db()
    assert request.state == State.DONE
    assert PortalAccount.objects.get(system__slug="harp").user_id == "HTEST01"
    shown = text_of(client.get(address("request", request.pk)))
    assert f'<a href="{address("request-file", RequestFile.objects.get().pk)}">approval.pdf</a>' in shown
    person = cast.people["henry"].pk
    assert f'href="{address("person", person)}"' in shown, "to what she holds now"
    assert f"/requests/new/?person={person}&kind=access" in shown, "and to what comes next"
    sent = client.get(address("request-file", RequestFile.objects.get().pk))
    assert (sent.content, sent["Content-Type"]) == (PDF, "application/pdf")
    assert sent["Content-Disposition"] == 'attachment; filename="approval.pdf"'
    assert "no-store" in sent["Cache-Control"]
    assert "finished already" in text_of(client.get(url))
    for who, status in (("henry", 200), ("audrey", 200), ("olga", 404), ("mallory", 404)):
        client.force_login(getattr(cast, who))
        assert client.get(address("request-file", RequestFile.objects.get().pk)).status_code == status, who
    client.force_login(cast.alice)
    [path] = evidence_files()
    path.write_bytes(b"forged")
    assert "proves nothing" in text_of(client.get(address("request-file", RequestFile.objects.get().pk)))


def test_what_is_missing_or_wrong_stands_beside_its_field_and_nothing_is_written(client, cast):
    request = running(cast)
    url = address("request-finish", request.pk)
    client.force_login(cast.carol)
    secret = client.post(url, note(proof_text="Password: Winter2026!"))
    assert "Winter2026" not in text_of(secret)
    wrong = [
        (note(proof_text=""), "proof_text", "Say in words"),
        (note(proof="seen"), "seen_by", "Say who"),
        (note(proof="seen", seen_by=cast.people["mallory"].pk), "seen_by", "of this list"),
        (note(proof="file"), "file", "Choose the file"),
        (note(proof="file", file=SimpleUploadedFile("a.pdf", b"MZ\x00")), "file", "Choose a PDF"),
        (note(proof="file", file=SimpleUploadedFile("a.txt", b"PIN: 123456")), "file", "looks like a PIN"),
        (note(effective_on=(TODAY + timedelta(days=3)).isoformat()), "effective_on", "future"),
        (note(effective_on=""), "effective_on", "Give a day"),
        (note(proof=""), "proof", "how it is known"),
        (note(file=SimpleUploadedFile("a.pdf", PDF)), "proof", "You chose a file as well"),
    ]
    for typed, field, said in wrong:
        form = client.post(url, cms_did_typed(request) | typed).context["form"]
        assert said in str(form.errors[field]), typed
    large = SimpleUploadedFile("a.pdf", PDF + bytes(11 * 2**20))
    assert "larger than 5 MB" in text_of(client.post(url, note(request, proof="file", file=large)))
    [wait] = open_on_cms_side(request)
    page = client.post(url, note()).content.decode()
    assert "“Wait for the new Security Official” is still open. Say whether CMS’s side did it." in page
    assert f'{address("request", request.pk)}#step-{wait.pk}"' in page
    no_day = client.post(url, note(request) | {f"on-{wait.pk}": ""}).context["form"]
    assert "on which day" in str(no_day.errors[f"on-{wait.pk}"])
    request.refresh_from_db()
    assert request.state == State.APPROVED
    assert not PortalAccount.objects.filter(system__slug="iqies").exists()
    assert evidence_files() == []
    client.get(url)
    waiting = submitted(cast, role="provider-administrator")
    assert "once it is approved" in text_of(client.get(address("request-finish", waiting.pk)))
    assert "not being carried out" in text_of(client.post(address("request-finish", waiting.pk), note(waiting)))


def test_failed_tried_again_done_and_undone(client, cast):
    account = held(cast, person="henry", last_login=TODAY)
    request = running(cast, kind=Kind.CONTACT_CHANGE, role="", account=account)
    client.force_login(cast.henry)  # her own
    fail, undo, back = (address(f"request-{name}", request.pk) for name in ("fail", "undo", "retry"))
    assert "Say why" in text_of(client.post(fail, {"reason": ""}))
    assert client.get(fail).status_code == client.get(undo).status_code == 200
    assert AccessRequest.objects.get().state == State.IN_PROGRESS
    assert client.post(fail, {"reason": "The desk is closed."}).status_code == 302
    assert AccessRequest.objects.get().state == State.FAILED
    opened = client.get(back)
    assert (opened.status_code, opened["Allow"]) == (405, "POST")
    assert "This address only takes a button" in text_of(opened)
    assert {"Content-Security-Policy", "X-Frame-Options", "Permissions-Policy"} <= opened.headers.keys()
    page = address("request", request.pk)
    assert f'<form method="post" action="{back}">' in text_of(client.get(page))
    client.post(back)
    assert AccessRequest.objects.get().state == State.IN_PROGRESS
    client.post(address("request-finish", request.pk), note())
    assert AccessRequest.objects.get().state == State.DONE
    shown = text_of(client.get(page))
    assert undo in shown
    assert "In words: Told on the phone." in shown
    assert "Say why it is undone" in text_of(client.post(undo, {"reason": " "}))
    assert "looks like a password" in text_of(client.post(undo, {"reason": "password: Winter2026!"}))
    client.post(undo, {"reason": "Wrong account."})
    assert AccessRequest.objects.get().state == State.IN_PROGRESS
    assert "nothing to undo" in text_of(client.post(undo, {"reason": "Again."}))
    acts = AuditEvent.objects.filter(subject_key=request.key).order_by("seq").values_list("action", flat=True)
    assert list(acts)[-2:] == ["request.done", "request.undone"]


@pytest.mark.parametrize("name", ["request-finish", "request-fail", "request-retry", "request-undo"])
def test_who_may_not_carry_it_out_is_told_so_or_finds_nothing(client, cast, name):
    request = running(cast)
    for who, status in (("audrey", 403), ("olga", 404), ("mallory", 404)):
        client.force_login(getattr(cast, who))
        assert client.post(address(name, request.pk), note(reason="x")).status_code == status, who
    request.refresh_from_db()
    assert request.state == State.APPROVED


def test_who_finishes_her_own_request_may_name_another_person_who_saw_it(client, cast):
    request = running(cast)
    colleague = factories.PersonFactory(organization=cast.riverside, first_name="Cora", last_name="League")
    factories.EmploymentFactory(person=colleague, facility=cast.oak)
    client.force_login(cast.henry)
    url = address("request-finish", request.pk)
    page = text_of(client.get(url))
    assert "Alice Test" in page
    assert "Carol Test" in page
    assert "Cora League" not in page, "Henry does not read who works there"
    told = note(request, proof="seen", proof_text="", user_id="HTEST01")
    assert "of this list" in text_of(client.post(url, told | {"seen_by": colleague.pk}))
    assert client.post(url, told | {"seen_by": cast.people["alice"].pk}).status_code == 302
    request.refresh_from_db()
    assert (request.state, request.seen_by) == (State.DONE, cast.people["alice"])


def test_the_page_offers_nothing_to_whom_it_takes_access_from(client, cast):
    account = held(cast, person="henry", last_login=TODAY)
    request = running(cast, kind=Kind.REMOVAL, role="", account=account, grant=account.grants.get())
    page = address("request", request.pk)
    names = ("request-finish", "request-fail", "request-withdraw")
    for who, offered in (("carol", True), ("henry", False)):
        client.force_login(getattr(cast, who))
        shown = client.get(page).content.decode()
        assert [address(name, request.pk) in shown for name in names] == [offered] * 3, who
    for name in (*names, "request-undo", "request-retry"):
        assert client.post(address(name, request.pk), note(reason="No.")).status_code == 403, name
    request.refresh_from_db()
    assert request.state == State.IN_PROGRESS


def test_a_third_person_looks_at_what_nobody_decided_and_the_finding_closes(client, cast):
    with_harp(cast, "henry")
    draft = drafted(cast, by="alice")
    [request] = submit(scope=cast.scope("alice"), requests=[draft], unapproved_reason="We are three.", at=NOON)
    assert request.approval == Approved.UNAPPROVED
    client.force_login(cast.alice)
    page = text_of(client.get(address("findings")))
    assert "iQIES for Henry Test at Oak House was asked for by Alice Test and no second person has seen it" in page
    assert "The reason that was given: We are three." in page
    url = address("request-countersign", request.pk)
    assert client.get(url).status_code == 403, "who asked"
    assert url not in text_of(client.get(address("request", request.pk)))
    client.force_login(cast.carol)
    assert client.get(url).status_code == 403, "who does not decide"
    boss = factories.UserFactory(email="boss@example.org")
    factories.MembershipFactory(user=boss, organization=cast.riverside, facility=cast.oak, role=Role.ADMINISTRATOR)
    factories.PersonFactory(organization=cast.riverside, user=boss, user_confirmed_at=NOON)
    client.force_login(boss)
    assert url in text_of(client.get(address("findings")))
    assert "We are three." in text_of(client.get(url))
    assert url in text_of(client.get(address("request", request.pk)))
    assert client.post(url, {}).status_code == 403, "without a second factor"
    assert Finding.objects.open().filter(kind="unapproved-request").exists()
    sign_in(client, boss)
    assert client.post(url, {"reason": "The role fits her job."}).status_code == 302
    assert not Finding.objects.open().filter(kind="unapproved-request").exists()
    event = AuditEvent.objects.get(action="request.countersigned")
    assert (event.reason, event.actor_label) == ("The role fits her job.", "boss@example.org")
    client.post(url, {})
    assert AuditEvent.objects.filter(action="request.countersigned").count() == 1
    usual = submitted(cast, by="carol", role="provider-administrator")
    assert client.get(address("request-countersign", usual.pk)).status_code == 403, "nobody was missing there"


def test_an_administrator_names_the_outside_deputy_who_then_decides_and_countersigns(client, cast):
    url = address("deciders")
    client.force_login(cast.carol)
    assert client.get(url).status_code == 403
    assert "nobody is named" in text_of(client.get(address("settings")))
    client.force_login(cast.alice)
    with_harp(cast, "henry")
    draft = drafted(cast, by="alice")
    [alone] = submit(scope=cast.scope("alice"), requests=[draft], unapproved_reason="We are three.", at=NOON)
    said = {"version": "0", "outside_deputy": cast.people["olga"].pk, "two_for_privileged": "on"}
    assert "of this list" in text_of(client.post(url, said | {"outside_deputy": cast.people["mallory"].pk}))
    assert client.post(url, said).status_code == 302
    house = RequestHouse.objects.get()
    assert (house.outside_deputy, house.two_for_privileged, house.version) == (cast.people["olga"], True, 1)
    stale = client.post(url, said | {"two_for_privileged": ""})
    assert "Somebody else saved this meanwhile" in text_of(stale)
    assert client.post(url, said | {"version": "1"}).status_code == 302
    assert AuditEvent.objects.filter(action="deciders.set").count() == 1, "the same again is no act"
    page = text_of(client.get(address("settings")))
    assert "Where none of them may, Olga Test does. Privileged roles take two people." in page
    official = drafted(cast, role="provider-security-official")
    assert official.approvers_needed == 2
    plain = ask(cast, role="provider-assessment-viewer")
    changed = change(scope=cast.scope("carol"), request=official, ask=plain, version=1, at=NOON)
    assert changed.approvers_needed == 1
    sign_in(client, cast.olga)
    assert client.get(address("request-countersign", alone.pk)).status_code == 200
    assert address("request-countersign", alone.pk) in text_of(client.get(address("request", alone.pk)))
    done = client.post(address("request-countersign", alone.pk), {"reason": "It is right."}, follow=True)
    assert (done.status_code, "Looked at: " in text_of(done)) == (200, True)
    assert client.get(address("request", alone.pk)).status_code == 404, "she sees no more of the place"
    assert not Finding.objects.open().filter(kind="unapproved-request").exists()


def test_roles_that_are_gone_are_asked_for_at_once(client, cast):
    account = held(cast, last_login=TODAY - timedelta(days=200), person="henry")
    record_login(scope=cast.scope("henry"), account=account, happened_on=TODAY, at=NOON)
    client.force_login(cast.henry)
    answer = client.post(address("account-check", account.pk), {"answer": "gone"}, follow=True)
    made = AccessRequest.objects.get()
    assert (made.kind, made.state, made.account) == (Kind.REACTIVATION, State.DRAFT, account)
    assert (made.role, made.facility, made.requester_person) == (
        account.grants.known().get().role, cast.oak, cast.people["henry"],
    )  # fmt: skip
    assert "One request to get them back is drafted: look and submit." in text_of(answer)


def test_a_harp_user_id_that_names_the_facility_is_told_before_it_is_written_down(client, cast):
    account = held(cast, last_login=TODAY, person="henry")
    request = submitted(cast, kind="forgotten-id", role="", account=account)
    client.force_login(cast.carol)
    url, typed = address("request-finish", request.pk), note() | {"user_id": "OakHouse7"}
    assert "keep it" not in text_of(client.get(url)), "nothing to tick before there is a remark"
    page = client.post(url, typed)
    assert "It contains the name Oak House" in str(page.context["form"].errors["user_id"])
    assert "It is registered like this already: keep it" in text_of(page)
    request.refresh_from_db()
    account.identity.refresh_from_db()
    assert (request.state, account.identity.user_id) == (State.IN_PROGRESS, None)
    assert client.post(url, typed | {"keep_id": "on"}).status_code == 302
    account.identity.refresh_from_db()
    assert account.identity.user_id == "OakHouse7"
