"""Data sheets carry the catalogue's exact words, never a secret, and say what is missing."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.urls import reverse
from pypdf import PdfReader

from accounts.models import AccessRequest, PortalAccount
from accounts.policy.data_sheets import SheetRefused
from accounts.services.requests.drafting import draft
from accounts.sheets import keep_sheet, people_with_access, sheet_of
from facilities.models import Facility
from staff.models import Person
from systems.models import FormPhrase, System, SystemRole
from tests import factories
from tests.conftest import NOON
from tests.requests.asking import ask, drafted


def _qies(cast, person: str, user_id: str | None, role: str = "individual-user", place=None) -> PortalAccount:
    account = factories.AccountFactory(
        organization=cast.riverside, person=cast.people[person], system=System.objects.get(slug="qies"), user_id=user_id
    )
    role_row = SystemRole.objects.get(system__slug="qies", slug=role)
    factories.GrantFactory(
        organization=cast.riverside, account=account, facility=place or cast.oak, role=role_row, valid_from=NOON.date()
    )
    return account


def _phrase(fact: str) -> str:
    return FormPhrase.objects.get(fact_id=fact).text


def _removal(cast, person: str, account: PortalAccount, **given: object):
    return ask(cast, person=person, kind="removal", system=account.system.slug, role="", account=account, **given)


def test_one_form_for_who_goes_and_who_comes_with_unknown_for_an_unknown_id(cast):
    account = _qies(cast, "henry", None)
    both = [
        _removal(cast, "henry", account, reason=""),
        ask(cast, person="carol", system="qies", role="individual-user", still_needed_reason="Old records.", reason=""),
    ]
    gone, come = draft(scope=cast.scope("alice"), asks=both, at=NOON)
    everything = AccessRequest.objects.all()
    sheet = sheet_of(gone, everything)
    assert sheet == sheet_of(come, everything), "the successor stands on the same form"
    text = sheet.text()
    assert text.startswith("MDS Individual User Account Request\n")
    assert f"Personal logon ID: {_phrase('QIES-FORM-1')}" in text
    assert "Facility CCN: 015009" in text
    assert "Name: Carol Test" in text
    assert "Reason for Request: Henry Test is replaced by Carol Test." in text
    assert "password" not in text


def test_licensed_only_words_and_the_reason_of_texas_in_texas_only(cast):
    lodges = {
        state: factories.FacilityFactory(organization=cast.riverside, ccn=None, licensed_only=True, state=state)
        for state in ("TX", "OK")
    }
    for state, lodge in lodges.items():
        request = drafted(cast, by="alice", facility=lodge, system="qies", role="individual-user", reason="We start.")
        text = sheet_of(request, AccessRequest.objects.all()).text()
        assert f"Facility CCN: {_phrase('QIES-FORM-4')}\n" in text
        assert (_phrase("QIES-FORM-3") in text) == (state == "TX")
        assert ("We start." in text) == (state == "OK")


def test_everybody_but_some_needs_an_id_of_each_who_stays(cast):
    henry, carol = _qies(cast, "henry", "HTEST01"), _qies(cast, "carol", None)
    with pytest.raises(SheetRefused, match="Tick at least one"):
        keep_sheet(cast.oak, [])
    with pytest.raises(SheetRefused, match="No account ID is known of Carol Test"):
        keep_sheet(cast.oak, [henry, carol])
    carol.grants.update(valid_to=NOON.date() + timedelta(days=20), temporary=True)
    assert people_with_access(cast.oak) == [carol, henry], "also who has it until a day"
    message = keep_sheet(cast.oak, [henry]).message
    start = _phrase("QIES-FORM-2").replace("[provider name]", "Oak House").replace("…", "")
    assert message == f"{start}Henry Test (account ID HTEST01)"
    Facility.objects.filter(pk=cast.oak.pk).update(name=" ")
    with pytest.raises(SheetRefused, match="no name"):
        keep_sheet(Facility.objects.get(pk=cast.oak.pk), [henry])


def test_cmsnet_epoc_and_the_call_have_their_own_sheets_and_others_none(cast):
    epoc = _qies(cast, "henry", "E1", role="epoc-user")
    grant, none = epoc.grants.get(), AccessRequest.objects.none()
    mail = sheet_of(drafted(cast, kind="removal", system="qies", role="", account=epoc, grant=grant), none)
    words = "Please remove the ePOC account of Henry Test at Oak House, CCN 015009."
    assert mail.message == words
    assert mail.send_to.endswith(": iqies@cms.hhs.gov"), "HD-1, by its present address"
    whole = {"kind": "removal", "system": "qies", "role": "", "account": epoc}
    assert sheet_of(drafted(cast, **whole), none).message == words, "the whole account, which is an ePOC one"
    factories.GrantFactory(
        account=epoc, facility=cast.oak, role=SystemRole.objects.get(system__slug="qies", slug="individual-user")
    )
    both = sheet_of(drafted(cast, **whole), none)
    assert both.form == "MDS Individual User Account Request"
    assert both.message.endswith(f": iqies@cms.hhs.gov: {words}")
    network = factories.AccountFactory(
        organization=cast.riverside, person=cast.people["henry"], system=System.objects.get(slug="cmsnet"), user_id=None
    )
    sheet = sheet_of(draft(scope=cast.scope("carol"), asks=[_removal(cast, "henry", network)], at=NOON)[0], none)
    assert sheet.form == "CMSNet Access Request Form"
    assert "ZIP Code: 35653" in sheet.text()
    call = sheet_of(drafted(cast, kind="forgotten-id", system="qies", role="", account=epoc), none)
    assert "CCN: 015009" in call.text()
    assert any("exactly" in hint for hint in call.hints)
    assert any("Never tell the password" in hint for hint in call.hints)
    assert sheet_of(drafted(cast), none) is None


def test_the_pages_and_the_pdf_say_the_same_and_stay_inside_the_organization(client, cast):
    Person.objects.filter(pk=cast.people["henry"].pk).update(last_name="Nguyễn Muñoz")
    account = _qies(cast, "henry", "HTEST01")
    cast.people["henry"].refresh_from_db()
    [request] = draft(scope=cast.scope("carol"), asks=[_removal(cast, "henry", account)], at=NOON)
    page, pdf = (
        reverse(f"web:{name}", args=["riverside", request.pk]) for name in ("request-sheet", "request-sheet-pdf")
    )
    client.force_login(cast.carol)
    shown = client.get(page).content.decode()
    assert "HTEST01" in shown
    answer = client.get(pdf)
    reader = PdfReader(BytesIO(answer.content))
    words = "\n".join(part.extract_text() for part in reader.pages)
    assert "Henry Nguyễn Muñoz" in words
    assert "HTEST01" in words
    assert reader.metadata.title == "Data for the QIES account request"
    stay = reverse("web:remove-all-but", args=["riverside", cast.oak.pk])
    assert "Henry Nguyễn Muñoz" in client.get(stay).content.decode()
    assert "Tick at least one person" in client.get(stay, {"ask": "page"}).content.decode()
    words = client.get(stay, {"ask": "page", "stays": account.pk}).content.decode()
    assert "Please remove ALL users assigned to Oak House EXCEPT Henry" in words
    assert client.get(stay, {"ask": "pdf", "stays": account.pk})["Content-Type"] == "application/pdf"
    client.force_login(cast.olga)
    assert client.get(page).status_code == client.get(stay).status_code == 404
    client.force_login(cast.mallory)
    for address in (page, pdf, stay):
        assert client.get(address.replace("riverside", "hilltop")).status_code == 404
