"""One thing asked for about many people: new access, a certification; who is left out is named with what to do."""

import html
import json
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Approval, Finding
from accounts.services.requests.deciding import decide
from accounts.services.requests.finishing_many import finish_many
from audit.models import AuditEvent
from facilities.models.tenancy import Role
from systems.models import SystemRole
from tests import factories
from tests.conftest import NOON, TODAY
from tests.web.holdings import address, crowd, held

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        yield


def seen(client, **asked):
    return client.get(address("requests-bulk"), asked).context


def said_of(page):
    """Return by name why it is left out."""
    return {each.name: each.why for each in page["left_out"]}


def test_many_people_get_a_role_at_several_facilities_in_one_bundle(client, cast):
    factories.MembershipFactory(user=cast.audrey, organization=cast.riverside, role=Role.ADMINISTRATOR)
    crowd(cast, 2)
    held(cast, "henry")
    held(cast, "olga", slug="idm", facility=cast.elm)
    role = SystemRole.objects.filter(system__slug="iqies")[0]
    asked = {"all": "1", "do": "access", "to_system": "iqies", "new": role.slug, "at": [cast.oak.pk, cast.elm.pk]}
    client.force_login(cast.alice)
    assert seen(client, all="1", do="access")["choices"].systems, "first the system, then its roles"
    assert seen(client, all="1", do="access", to_system="iqies")["choices"].remark.startswith("Choose a role and at")
    page = seen(client, **asked)
    assert page["count"] == 3, "at Elm House, where nobody holds it"
    told = said_of(page)
    assert told["Henry Test, iQIES"] == (
        f"Holds {role.name} at Oak House already. Choose another role, or another facility."
    )
    assert "Ask for HARP" in told["Olga Test, iQIES at Elm House"]
    spent = []
    for count, extra in ((3, 0), (6, 6)):
        crowd(cast, extra)
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(address("requests-bulk"), asked | {"reason": "Both houses.", "count": count})
        assert answer.status_code == 302, answer.context["form"].errors
        spent.append(len(queries))
    assert spent[1] <= spent[0]
    made = AccessRequest.objects.filter(facility=cast.elm, role=role, kind="additional-role", state="submitted")
    assert (made.count(), made.values("bundle").distinct().count()) == (9, 2)
    assert AuditEvent.objects.filter(action="request.submitted").order_by("-pk")[0].item_count == 6
    with pytest.raises(AccountRefused) as refused:
        decide(scope=cast.scope("alice"), requests=list(made), approve=True, reason="All of them.", at=NOON)
    assert (refused.value.code, Approval.objects.count()) == ("own", 0), "who asked decides none of the bundle"
    proved = {"effective_on": TODAY, "proof": "note", "proof_text": "I say so."}
    found = finish_many(scope=cast.scope("alice"), requests=list(made), at=NOON, **proved)
    assert (found.done, len(found.refused)) == ([], 9)
    assert "It is not being carried out" in found.refused[0][1]
    client.force_login(cast.carol)
    assert client.get(address("requests-bulk"), asked).status_code == 404, "she asks at Oak House only"
    assert client.get(address("requests-bulk"), asked | {"at": cast.summit.pk}).status_code == 404


def test_many_roles_are_certified_and_a_closed_system_is_asked_for_with_a_reason_only(client, cast):
    held(cast, "henry", "psr")
    held(cast, "carol")
    held(cast, "carol", "qies")
    client.force_login(cast.alice)
    page = seen(client, all="1", do="certification")
    assert "is to be certified" in page["first"][0]
    assert "No rule asks for a yearly certification on iQIES" in said_of(page)["Carol Test, iQIES"]
    role = SystemRole.objects.filter(system__slug="qies")[0]
    asked = {"all": "1", "do": "access", "to_system": "qies", "new": role.slug, "at": cast.elm.pk}
    page = seen(client, **asked)
    assert page["closed"]
    assert "or say why it is still needed here" in said_of(page)["Carol Test, QIES at Elm House"]
    typed = asked | {"still": "1", "reason": "Old records.", "count": seen(client, **asked, still="1")["count"]}
    assert client.post(address("requests-bulk"), typed).status_code == 200, "and why is it needed still?"
    client.post(
        address("requests-bulk"), typed | {"still_needed_reason": "An appeal runs.", "unapproved_reason": "Alone."}
    )
    made = AccessRequest.objects.filter(system__slug="qies")
    assert {row.still_needed_reason for row in made} == {"An appeal runs."}


def test_whoever_left_is_left_out_of_a_certification_with_the_way_to_the_removal(client, cast):
    gone, moved = held(cast, "henry", "psr"), held(cast, "olga", "psr", facility=cast.elm)
    yesterday = TODAY - timedelta(days=1)
    factories.EmploymentFactory(person=cast.people["olga"], facility=cast.oak)
    for person, place in (("henry", cast.oak), ("olga", cast.elm)):
        cast.people[person].employments.filter(facility=place).update(valid_to=yesterday)
    client.force_login(cast.alice)
    page = client.get(address("requests-bulk"), {"all": "1", "do": "certification"})
    grant, named = gone.grants.get(), {each.name: each for each in page.context["left_out"]}
    assert all("Henry" in each for each in named), "who works elsewhere is no leaver"
    left = named[f"Henry Test, PS&R, {grant.role.name}"]
    assert left.why == (
        "Henry Test does not work here any more: the last day was 19 Nov 2026. Ask for the removal instead."
    )
    removal = f"?person={cast.people['henry'].pk}&kind=removal"
    assert f'{html.escape(removal)}">Ask for the removal<' in page.content.decode()
    assert [each.words for each in client.get(address("request-new") + removal).context["options"]] == [
        "PS&R: the whole account"
    ], "an identity is left with its person"
    page = client.get(address("request-new"), {"kind": "certification", "grant": moved.grants.get().pk}).context
    assert [guard.code for guard in page["lines"][0].hints] == ["moved"], "at Elm House she does not work any more"
    asked = {"kind": "certification", "grant": grant.pk}
    page = client.get(address("request-new"), asked)
    assert [way["label"] for way in page.context["lines"][0].first] == ["Ask for the removal"]
    page = client.post(f"{address('request-new')}?kind=certification&grant={grant.pk}", {"deed": "send"})
    assert "Ask for the removal instead" in str(page.context["form"].errors)
    assert not AccessRequest.objects.exists()
    for kind in ("access", "certification", "role-change", "reactivation", "unlock", "proofing"):
        page = client.get(address("request-new"), {"person": cast.people["henry"].pk, "kind": kind})
        assert page.context["gone"]["title"] == "Henry Test does not work here any more", kind
        assert "The last day was Thu 19 Nov 2026" in page.content.decode()
    page = client.get(address("request-new") + page.context["gone"]["url"])
    assert (page.context["step"], len(page.context["options"])) == (2, 1), "the account, to be removed"
    assert [each["label"] for each in client.get(gone.get_absolute_url()).context["asks"]] == [
        "Ask for removal",
        "Forgotten user ID",
    ]
    removal = {"kind": "removal", "grant": grant.pk}
    assert client.get(address("request-new"), removal).context["blocked"] is False
    factories.EmploymentFactory(person=cast.people["henry"], facility=cast.elm, valid_from=TODAY)
    page = client.get(address("request-new"), asked).context
    assert not page["lines"][0].blocking, "hired again"


def test_findings_about_people_lead_to_access_for_them_and_for_no_stranger(client, cast):
    facts = {"facility": cast.oak.pk, "place": "Oak House", "changed_on": "2026-11-01", "was": "Nurse", "now": "DON"}
    facts["systems"] = ["iqies"]
    for person in (cast.people["henry"], factories.PersonFactory(organization=cast.riverside, last_name="Elsewhere")):
        Finding.objects.create(
            organization=cast.riverside,
            kind="job-change",
            subject_key=f"{person.key}/{cast.oak.key}",
            facility=cast.oak,
            person=person,
            facts=json.dumps(facts),
            severity="low",
            opened_on=TODAY,
        )
    client.force_login(cast.carol)
    page = client.get(address("findings"), {"kind": "job-change"}).context
    asked = {"of": "findings", "kind": "job-change", "do": "access", "to_system": "harp", "at": cast.oak.pk}
    assert "of=findings" in page["many_url"]
    page = seen(client, **asked)
    assert [each["value"] for each in page["choices"].kinds] == ["access"], "there are no accounts to change"
    assert page["first"][0].startswith("A new HARP account for Henry Test at Oak House")
    assert said_of(page) == {
        f"{factories.Person.objects.get(last_name='Elsewhere')}": "Does not work where you may ask. An administrator of"
        " the organization asks for her."
    }
