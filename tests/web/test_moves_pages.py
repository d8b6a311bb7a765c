"""Moves of streams to other systems: what a facility lacks, the next deed there, and the tools that will break."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.test import override_settings
from django.urls import include, path, reverse

import web.urls
from accounts.models import FacilityStream, PortalAccount, RoleGrant
from accounts.services.inventory import remove_account, report_loss
from accounts.services.places import StreamStatement, state_streams
from accounts.services.sign_in_facts import state_identity, state_tool
from audit.models import AuditEvent, AuditItem
from staff.services.absences import record_absence
from systems.models import Stream, SystemRole
from tests import factories
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.web.test_exports import exported, sign_in
from web.move_deeds import request_address

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

PBJ = "pbj-to-iqies"
asking = path("o/<slug:slug>/ask/", lambda request, slug: HttpResponse(), name="request-new")
urlpatterns = [
    path("", include(([asking, *web.urls.urlpatterns], "web"))),
    path("", include("config.urls")),
]


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        yield


def address(name, *args, slug="riverside"):
    return reverse(f"web:{name}", args=[slug, *args])


def told(client, query="", key=PBJ):
    """Return by facility its cells under their headings, each as its words."""
    context = client.get(address("move", key) + query).context
    titles = [column["label"] for column in context["columns"]]
    return {row["cells"][0]["text"]: dict(zip(titles, row["cells"], strict=True)) for row in context["rows"]}


def oak(client, *titles):
    cells = told(client)["Oak House"]
    assert {"Ready": "fine", "Not ready": "late", "Nobody knows": "unknown"}[cells["Standing"]["words"]] == str(
        cells["Standing"]["standing"]
    )
    return [cells[title].get("words") or cells[title]["text"] for title in ("Standing", *titles, "Next")]


def next_url(client):
    return told(client)["Oak House"]["Next"]["url"]


def role(slug):
    return list(SystemRole.objects.filter(system__slug="iqies", slug=slug))


def account_of(cast, person, slug):
    return PortalAccount.objects.get(person=cast.people[person], system__slug=slug)


def factor(cast, person, kind="app"):
    harp = account_of(cast, person, "harp")
    told = {"version": harp.version, "proofing": "done", "factor": kind, "since": None}
    state_identity(scope=cast.scope("alice"), account=harp, at=NOON, **told)


def tool(cast, account, name):
    account.refresh_from_db()
    return state_tool(scope=cast.scope("alice"), account=account, version=account.version, tool=name, at=NOON)


def test_a_facility_goes_from_unknown_to_ready_by_the_deeds_that_its_row_names(client, cast):
    client.force_login(cast.alice)
    assert oak(client) == ["Nobody knows", "Say who has an account there"]
    qies, casper = held(cast, "qies", person="carol"), held(cast, "casper", person="henry")
    tool(cast, qies, "Night uploader")
    counts = ("Holders", "With HARP", "With second factor", "With new role", "Security Official")
    name_one = "Name a Provider Security Official (PSO)"
    assert oak(client, *counts) == ["Not ready", "2", "0 of 2", "0 of 2", "0 of 2", "Nobody", name_one]
    held(cast, "iqies", person="carol", roles=role("provider-security-official"))
    add = "Add HARP account for Henry Test"
    assert oak(client, *counts) == ["Not ready", "2", "1 of 2", "0 of 2", "1 of 2", "Carol Test", add]
    assert next_url(client) == address("person-accounts-add", cast.people["henry"].pk)
    held(cast, "harp", person="henry")
    first = min("carol", "henry", key=lambda name: cast.people[name].pk)
    assert oak(client) == ["Not ready", f"Record the second factor of {first.title()} Test and one more"]
    assert next_url(client) == address("account-identity", account_of(cast, first, "harp").pk)
    factor(cast, "carol")
    factor(cast, "henry", "sms")
    assert oak(client, "With second factor") == [
        "Not ready",
        "2 of 2",
        "Ask for PBJ Submitter (Provider) for Henry Test",
    ]
    assert f"person={cast.people['henry'].pk}&kind=access" in next_url(client)
    assert told(client)["Oak House"]["Second person"] == {"text": "No", "note": "only Carol Test"}
    held(cast, "iqies", person="henry", roles=role("pbj-submitter-provider"))
    assert oak(client, "Second person", "Tool") == [
        "Not ready",
        "Yes",
        "Night uploader",
        "Find another way for Night uploader",
    ]
    assert next_url(client) == address("account-tool", qies.pk)
    tool(cast, qies, "")
    assert oak(client, "Tool") == ["Ready", "None", "Have the old accounts removed"]
    for account in (casper, account_of(cast, "henry", "qies"), qies):
        account.refresh_from_db()
        remove_account(scope=cast.scope("alice"), account=account, removed_on=TODAY, at=NOON)
    assert oak(client, "Holders", "With HARP") == ["Ready", "Nobody", "–", "Nothing to do"]


def test_who_is_away_stands_in_for_nobody_and_who_lost_the_old_account_since_still_has_to_move(client, cast):
    client.force_login(cast.alice)
    held(cast, "iqies", person="carol", roles=role("provider-security-official"))
    held(cast, "iqies", person="henry", roles=role("pbj-submitter-provider"))
    assert oak(client, "Second person") == ["Ready", "Yes", "Nothing to do"]
    henry = cast.people["henry"]
    record_absence(scope=cast.scope("alice"), person=henry, away_from_on=TODAY, away_to_on=None, at=NOON)
    assert oak(client, "Second person") == ["Not ready", "No", "Name a second person"]
    old = held(cast, "qies", person="carol")
    report_loss(scope=cast.scope("alice"), account=old, loss="disabled", lost_on=TODAY - timedelta(days=2), at=NOON)
    assert oak(client, "Holders", "With second factor") == [
        "Not ready", "1", "0 of 1", "Record the second factor of Carol Test",
    ]  # fmt: skip
    RoleGrant.objects.known().filter(account=old).update(valid_to=TODAY.replace(month=8, day=1))  # lost before the move
    assert oak(client, "Holders")[1] == "Nobody"


def test_a_role_is_asked_for_on_the_page_of_requests_where_there_is_one_else_the_guide_says_how(client, cast):
    client.force_login(cast.alice)
    held(cast, "qies", person="carol")
    official = SystemRole.objects.get(system__slug="iqies", slug="provider-security-official")
    asked = {"system": official.system, "facility": cast.oak, "role": official}
    here = request_address(cast.scope("alice"), **asked)
    assert next_url(client) == (here or address("system", "iqies"))
    with override_settings(ROOT_URLCONF=__name__):
        there = request_address(cast.scope("alice"), **asked)
        assert there.endswith(f"/?system=iqies&facility={cast.oak.pk}&role=provider-security-official")
        assert next_url(client) == there
        client.force_login(cast.audrey)  # reads all and asks for nothing
        assert next_url(client) == address("system", "iqies")


def test_only_facilities_whose_own_people_send_it_are_listed_each_member_her_own(client, cast):
    home_health = factories.FacilityFactory(organization=cast.riverside, ccn="017009", provider_type="HHA")
    expected = {"alice": {"Elm House", "Oak House"}, "carol": {"Oak House"}, "olga": {"Elm House"}, "henry": set()}
    for who, places in expected.items():
        client.force_login(getattr(cast, who))
        assert set(told(client)) == places, who
    client.force_login(cast.alice)
    stated = StreamStatement(Stream.objects.get(slug="pbj"), FacilityStream.Through.CORPORATE, "Main office")
    state_streams(scope=cast.scope("alice"), facility=cast.elm, statements=[stated], at=NOON)
    assert set(told(client)) == {"Oak House"}
    own = StreamStatement(Stream.objects.get(slug="pbj"), FacilityStream.Through.OWN)
    state_streams(scope=cast.scope("alice"), facility=home_health, statements=[own], at=NOON)
    assert set(told(client)) == {"Oak House", home_health.name}
    client.force_login(cast.mallory)
    assert client.get(address("moves")).status_code == 404
    assert client.get(address("move", PBJ)).status_code == 404
    [row] = [each for each in client.get(address("moves", slug="hilltop")).context["rows"] if "PBJ" in str(each)]
    assert row["cells"][-1]["note"] == "0 of 1"
    assert client.get(address("move", "pbj-to-nowhere", slug="hilltop")).status_code == 404


def test_moves_say_how_many_facilities_are_ready_and_the_list_is_narrowed_down(client, cast):
    client.force_login(cast.alice)
    held(cast, "iqies", person="carol", roles=role("provider-security-official"))
    held(cast, "iqies", person="henry", roles=role("pbj-submitter-provider"))
    rows = {row["cells"][0]["text"]: row["cells"] for row in client.get(address("moves")).context["rows"]}
    assert list(rows)[0] == "PBJ staffing", "the latest first"
    assert [cell["text"] for cell in rows["PBJ staffing"][1:4]] == [
        "QIES, CASPER and CMSNet", "iQIES", "Mon 17 Aug 2026",
    ]  # fmt: skip
    assert (rows["PBJ staffing"][4]["words"], rows["PBJ staffing"][4]["note"]) == ("Not all known", "1 of 2")
    for query, places in {
        "?standing=ready": {"Oak House"},
        "?standing=not-ready": set(),
        "?standing=unknown": {"Elm House"},
        "?q=015010": {"Elm House"},
        "?q=oak&standing=unknown": set(),
        "?state=AL": {"Oak House", "Elm House"},
        "?state=nonsense&standing=%00&q=%00": {"Oak House", "Elm House"},
    }.items():
        assert set(told(client, query)) == places, query


def test_the_list_is_paged_and_asks_the_same_whatever_the_number_of_facilities(client, cast, django_assert_num_queries):
    client.force_login(cast.alice)
    held(cast, "qies", person="carol")
    held(cast, "iqies", person="henry")
    for query in ("", "?standing=not-ready"):
        told(client, query)
    with django_assert_num_queries(29):
        told(client)
    with django_assert_num_queries(33):
        told(client, "?standing=not-ready")
    with django_assert_num_queries(24):
        client.get(address("moves"))
    for number in range(60):
        place = factories.FacilityFactory(organization=cast.riverside, name=f"Place {number:02d}")
        person = factories.PersonFactory(organization=cast.riverside)
        factories.EmploymentFactory(facility=place, person=person)
        account = factories.AccountFactory(person=person, system=account_of(cast, "carol", "qies").system)
        factories.GrantFactory(account=account, facility=place)
    with django_assert_num_queries(29):
        first = client.get(address("move", PBJ)).context
    with django_assert_num_queries(33):
        assert len(told(client, "?standing=not-ready")) == 50
    with django_assert_num_queries(24):
        client.get(address("moves"))
    second = client.get(address("move", PBJ) + first["page"].next_url).context
    names = [row["cells"][0]["text"] for page in (first, second) for row in page["rows"]]
    assert (len(names), names) == (62, sorted(names))


def test_all_matching_facilities_come_as_a_file_and_the_chain_says_of_which_move(client, cast):
    held(cast, "qies", person="carol")
    sign_in(client, cast.alice)
    answer = client.post(address("move-export", PBJ), {"standing": "not-ready"})
    assert answer["Content-Disposition"] == 'attachment; filename="riverside-move-pbj-to-iqies-2026-11-20.csv"'
    [row] = exported(answer)
    assert (row["Facility"], row["Standing"], row["Holders"]) == ("Oak House (015009)", "Not ready", "1")
    assert row["Security Official"] == "nobody"
    event = AuditEvent.objects.get(action="move.exported")
    said = json.loads(AuditItem.objects.of_event(event.pk).get().payload)
    assert said == {"subject": cast.riverside.key, "move": PBJ, "count": 1, "filter": "standing=not-ready"}
    client.force_login(cast.carol)
    assert "export these facilities" in client.post(address("move-export", PBJ)).content.decode()
    assert client.post(address("move-export", "none")).status_code == 404


def test_a_tool_is_named_on_the_accounts_page_and_never_with_a_secret(client, cast):
    account = held(cast, "qies", person="carol")
    client.force_login(cast.carol)
    page = address("account-tool", account.pk)
    form = client.get(page).context["form"]
    refused = client.post(page, {"version": account.version, "tool": "Uploader, password: Sunshine7!x"})
    assert "looks like a password" in refused.content.decode()
    assert "Sunshine" not in refused.content.decode()
    assert "at most 80" in client.post(page, {"version": account.version, "tool": "x" * 81}).content.decode()
    sent = {"version": form["version"].value(), "tool": " Night   uploader "}
    assert client.post(page, sent).status_code == 302
    assert "Night uploader" in client.get(address("account", account.pk)).content.decode()
    assert client.post(page, sent).status_code == 302, "the same again"
    stale = client.post(page, sent | {"tool": "Another"})
    assert "Somebody else saved this account meanwhile" in stale.content.decode()
    event = AuditEvent.objects.get(action="account.tool-stated")
    said = json.loads(AuditItem.objects.of_event(event.pk).get().payload)
    assert said == {"subject": account.key, "used_by_tool": {"before": "", "after": "Night uploader"}}


def test_a_second_factor_is_told_at_the_sign_in_authority_only_and_not_for_the_future(client, cast):
    iqies = held(cast, "iqies", person="carol")
    harp = account_of(cast, "carol", "harp")
    client.force_login(cast.carol)
    assert client.get(address("account-identity", iqies.pk)).status_code == 404
    page = address("account-identity", harp.pk)
    ahead = {
        "version": harp.version,
        "proofing": "done",
        "factor": "app",
        "since": (TODAY + timedelta(days=9)).isoformat(),
    }
    assert "in the future" in client.post(page, ahead).content.decode()
    assert "Select a valid choice" in client.post(page, ahead | {"factor": "seed"}).content.decode()
    assert client.post(page, ahead | {"since": TODAY.isoformat()}).status_code == 302
    shown = client.get(address("account", harp.pk)).content.decode()
    assert "Authenticator app, since Fri 20 Nov 2026" in shown
    harp.refresh_from_db()
    client.post(page, {"version": harp.version, "proofing": "done", "factor": "none", "since": TODAY.isoformat()})
    harp.refresh_from_db()
    assert (harp.second_factor, harp.second_factor_on) == ("none", None)
    assert AuditEvent.objects.filter(action="account.identity-stated").count() == 2
