"""Who goes and who comes on one form (R-37), by pages alone: from the removal, from the access, with a new name."""

import html
import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from accounts.models import AccessRequest
from accounts.services.requests.drafting import Ask
from staff.models import Person
from systems.models import SystemRole
from tests import factories
from tests.conftest import NOON
from tests.web.holdings import address, held
from web.requests.successors import taken_over
from web.requests.wanting import wanting_of

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
TYPED = {"reason": "", "still_needed_reason": "Corrections of 2024.", "deed": "send"}


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        yield


def text_of(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def link(answer, words):
    """Return the address of the link with these words."""
    found = re.search(rf'<a[^>]*href="([^"]+)"[^>]*>{re.escape(words)}', answer.content.decode())
    assert found, f"no link {words}"
    return html.unescape(found[1])


def put_on_one_form(client, page, **answers):
    """Press the button of the panel, which sends what was chosen with what is typed below it."""
    panel = re.search(r'aria-labelledby="both-title".*?</section>', page.content.decode(), re.DOTALL)[0]
    assert 'type="submit" form="asking" name="deed" value="both"' in panel
    assert all(f'name="{name}" form="asking"' in panel for name in answers.keys() & {"over", "successor", "leaving"})
    return client.post(here(page), {"deed": "both", "reason": "Typed before.", "wanted_on": "2026-12-01"} | answers)


def here(page):
    """Return where the form of the last step is sent."""
    action = re.search(r'id="asking" method="post" action="([^"]*)"', page.content.decode())[1]
    return address("request-new") + html.unescape(action)


def lines(page):
    return [line.sentence for line in page.context["lines"]]


GOES = "The whole of Henry Test’s QIES account is to be removed."
COMES = "A new QIES account for {} at Oak House, as Individual user."


def test_from_the_account_of_who_goes_to_one_form_with_both_and_each_reads_what_she_may(client, cast):
    bea = factories.PersonFactory(organization=cast.riverside, first_name="Bea", last_name="Next", email="b@x.org")
    bella = factories.PersonFactory(organization=cast.riverside, first_name="Bella", last_name="Next", user=cast.nobody)
    for person in (bea, bella):
        factories.EmploymentFactory(facility=cast.oak, person=person)
    account = held(cast, "henry", slug="qies", user_id="HTEST01")
    client.force_login(cast.carol)
    page = client.get(link(client.get(account.get_absolute_url()), "Ask for removal"))
    assert lines(page) == [GOES]
    assert "closed" not in text_of(page), "what goes may go from a closed system"
    nobody = put_on_one_form(client, page, over="zora", reason="Her password is hunter2.")
    assert "Nobody of yours is called “zora”" in text_of(nobody)
    assert "hunter2" not in nobody.content.decode()
    several = put_on_one_form(client, page, over="next")
    assert "Who of these takes over?" in text_of(several)
    both = put_on_one_form(client, several, successor=bea.pk)
    assert lines(both) == [GOES, COMES.format("Bea Next")]
    assert "Bea Next takes over." in text_of(both)
    for kept in (several, both):
        assert [kept.context["form"][name].value() for name in ("reason", "wanted_on")] == [
            "Typed before.",
            "2026-12-01",
        ]
        assert "Typed before.</textarea>" in kept.content.decode()
        assert not kept.context["form"].errors, "nothing was sent yet"
    assert put_on_one_form(client, page, over="Bea Next").context["wanting"].successor == bea
    assert lines(client.get(address("request-new") + link(both, "Nobody takes over"))) == [GOES]
    assert "system=iqies" in link(both, "Ask for iQIES instead"), "its successor comes first"
    refused = client.post(here(both), TYPED | {"reason": "She retires.", "still_needed_reason": ""})
    assert "Say why it is still needed here." in text_of(refused)
    assert not AccessRequest.objects.exists()
    client.post(here(both), TYPED | {"reason": "She retires."})
    goes, comes = AccessRequest.objects.order_by("pk")
    assert [(row.kind, row.beneficiary_person, row.state) for row in (goes, comes)] == [
        ("removal", cast.people["henry"], "in_progress"),
        ("new-account", bea, "submitted"),
    ]
    assert goes.bundle_id == comes.bundle_id is not None
    assert [goes.still_needed_reason, comes.still_needed_reason] == ["", "Corrections of 2024."]
    for row in (goes, comes):
        sheet = text_of(client.get(link(client.get(row.get_absolute_url()), "Data sheet")))
        assert all(word in sheet for word in ("HTEST01", "Henry Test", "Bea Next", "b@x.org")), row
    client.force_login(cast.henry)
    mine = text_of(client.get(address("request-sheet", goes.pk)))
    assert "second half, about another person, which you may not read" in mine
    assert "HTEST01" in mine
    assert not any(word in mine for word in ("Bea", "b@x.org"))
    assert client.get(address("request-sheet", comes.pk)).status_code == 404


def test_from_the_access_of_who_comes_and_a_closed_casper_brings_the_account_that_opens_it(client, cast):
    held(cast, "henry", slug="qies", user_id="HTEST01")
    casper = held(cast, "henry", slug="casper")
    client.force_login(cast.carol)
    answers = {"person": cast.people["carol"].pk, "kind": "access", "facility": cast.oak.pk, "system": "qies"}
    page = client.get(address("request-new"), answers | {"still": "1", "role": "individual-user"})
    assert "Does Carol Test take over from somebody?" in text_of(page)
    assert "Henry Test, CASPER: the whole account" in text_of(page)
    both = put_on_one_form(client, page, leaving=f"account-{casper.pk}")
    assert lines(both) == [COMES.format("Carol Test"), "The whole of Henry Test’s CASPER account is to be removed."]
    client.post(here(both), TYPED | {"reason": "I take over."})
    comes, goes = AccessRequest.objects.order_by("pk")
    assert [comes.kind, goes.kind, goes.bundle_id] == ["new-account", "removal", comes.bundle_id]
    assert [goes.wanted_until, goes.still_needed_reason] == [None, ""]
    for row in (comes, goes):
        sheet = text_of(client.get(address("request-sheet", row.pk)))
        assert "Remove Name Henry Test" in sheet
        assert "Add Name Carol Test" in sheet
    role = SystemRole.objects.filter(system__slug="psr").first()
    psr = client.get(address("request-new"), answers | {"system": "psr", "role": role.slug})
    assert psr.context["step"] == 4
    assert "take over" not in text_of(psr), "no form of another system takes both"
    harp = held(cast, "henry", slug="harp", facility=cast.oak)
    foreign = {"person": cast.people["henry"].pk, "kind": "removal", "pick": f"account-{harp.pk}", "successor": "x"}
    assert "Who takes over?" not in text_of(client.get(address("request-new"), foreign))
    elsewhere = foreign | {"pick": f"account-{casper.pk}", "successor": cast.people["olga"].pk}
    assert client.get(address("request-new"), elsewhere).status_code == 404, "nobody whom Carol reads"
    stranger = factories.PersonFactory(organization=cast.hilltop)
    theirs = factories.AccountFactory(organization=cast.hilltop, person=stranger, system=casper.system)
    foreign_grant = factories.GrantFactory(account=theirs, facility=cast.summit)
    assert client.get(address("request-new"), elsewhere | {"successor": stranger.pk}).status_code == 404
    comes = answers | {"still": "1", "role": "individual-user"}
    for key in (f"account-{theirs.pk}", f"grant-{foreign_grant.pk}"):
        assert client.get(address("request-new"), comes | {"leaving": key}).status_code == 404, key
    beyond = factories.GrantFactory(account=casper, facility=cast.elm, role=casper.grants.get().role)
    for key in (f"account-{casper.pk}", f"grant-{beyond.pk}"):
        alone = client.get(address("request-new"), comes | {"leaving": key})
        assert lines(alone) == [COMES.format("Carol Test")], "of another facility nothing is taken away"
    beyond.delete()
    over = client.get(address("request-new"), elsewhere | {"successor": cast.people["carol"].pk})
    assert lines(over)[1] == COMES.format("Carol Test"), "CASPER opens with the QIES user name"


def test_a_new_name_is_added_on_the_way_and_comes_back_as_the_successor(client, cast):
    account = held(cast, "henry", slug="qies")
    client.force_login(cast.carol)
    page = client.get(link(client.get(account.get_absolute_url()), "Ask for removal"))
    unknown = put_on_one_form(client, page, over="Zora New")
    url = link(unknown, "Add “Zora New” as a new person")
    form = client.get(url).context["form"]
    assert [form[name].value() for name in ("first_name", "last_name", "facility")] == ["Zora", "New", cast.oak.pk]
    typed = {name: form[name].value() or "" for name in form.fields}
    back = client.post(url, typed, follow=True)
    assert Person.objects.get(last_name="New").employments.get().facility == cast.oak
    assert lines(back) == [GOES, COMES.format("Zora New")]
    plain = client.post(address("person-add"), typed | {"last_name": "Other"})
    assert plain.url == Person.objects.get(last_name="Other").get_absolute_url()


def test_many_roles_that_go_take_no_more_queries(cast):
    account = held(cast, "henry", slug="qies")
    roles = SystemRole.objects.filter(system=account.system).exclude(pk=account.grants.get().role_id)[:3]
    for role in roles:
        factories.GrantFactory(account=account, facility=cast.oak, role=role)
    scope, carol, grants = cast.scope("carol"), cast.people["carol"], list(account.grants.order_by("pk"))
    asks = [Ask("removal", account.system, cast.oak, account.person, grant=grant, account=account) for grant in grants]
    asked = f"person={carol.pk}&kind=access&facility={cast.oak.pk}&system=qies&role=individual-user"
    numbers = []
    for some in (1, len(grants)):
        leaving = "".join(f"&leaving=grant-{grant.pk}" for grant in grants[:some])
        with CaptureQueriesContext(connection) as queries:
            assert taken_over(scope, carol, asks[:some], NOON.date())
            assert len(wanting_of(scope, QueryDict(asked + leaving)).leaving) == some
        numbers.append(len(queries))
    assert len(grants) > 1
    assert numbers[0] == numbers[1]
