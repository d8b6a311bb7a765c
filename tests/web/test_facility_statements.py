"""The pages on which people say who submits, who keeps the record and what is still in use at a facility."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from accounts.models import FacilityStream, RecordKeeper
from accounts.models.register import SystemInUse
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def address(cast, name, *args):
    return reverse(f"web:{name}", args=["riverside", *(args or [cast.oak.pk])])


def place(client, cast):
    return client.get(cast.oak.get_absolute_url()).content.decode()


def test_who_submits_is_said_on_one_page_and_shown_at_the_facility(client, cast):
    client.force_login(cast.carol)
    form = client.get(address(cast, "facility-streams"))
    usual = [each.here.stream.slug for each in form.context["here"]]
    assert {"mds", "pbj", "epoc"} <= set(usual)
    assert "oasis" in [each.here.stream.slug for each in form.context["others"]]
    answer = client.post(
        address(cast, "facility-streams"),
        {"pbj-through": "third-party", "pbj-through_name": "Data Partners", "mds-through": ""},
    )
    assert answer.url == cast.oak.get_absolute_url()
    assert list(FacilityStream.objects.values_list("stream__slug", "through_name")) == [("pbj", "Data Partners")]
    assert "A third party submits: Data Partners" in place(client, cast)


def test_what_cannot_be_is_said_at_once_and_nothing_is_stored(client, cast):
    client.force_login(cast.carol)
    answer = client.post(address(cast, "facility-streams"), {"pbj-through": "third-party", "mds-through": "none"})
    assert "say which third party submits it" in answer.content.decode()
    answer = client.post(address(cast, "facility-streams"), {"pbj-through": "own", "pbj-since": "someday"})
    assert "Give a day" in answer.content.decode()
    answer = client.post(
        address(cast, "facility-streams"),
        {"pbj-through": "third-party", "pbj-through_name": "password is Hunter2!"},
    )
    assert "Hunter2" not in answer.content.decode()
    assert not FacilityStream.objects.exists()


def test_keepers_are_named_and_ended(client, cast):
    client.force_login(cast.carol)
    henry = cast.people["henry"]
    client.post(address(cast, "facility-keepers"), {"person": henry.pk, "since": TODAY.isoformat()})
    keeper = RecordKeeper.objects.known().get()
    assert keeper.person == henry
    assert "Henry Test" in client.get(address(cast, "facility-keepers")).content.decode()
    assert "Nobody is named yet" not in place(client, cast)
    answer = client.post(address(cast, "keeper-end", keeper.pk), {"last_on": TODAY - timedelta(days=1)})
    assert "cannot lie before" in answer.content.decode()
    client.post(address(cast, "keeper-end", keeper.pk), {"last_on": TODAY.isoformat()})
    assert RecordKeeper.objects.known().get().valid_to == TODAY


def test_only_people_of_the_place_are_offered_as_keepers(client, cast):
    client.force_login(cast.carol)
    answer = client.post(address(cast, "facility-keepers"), {"person": cast.people["mallory"].pk, "since": TODAY})
    assert "Choose somebody who works here" in answer.content.decode()
    assert not RecordKeeper.objects.exists()


def test_an_administrator_keeps_a_closed_system_in_use_and_gives_it_up(client, cast):
    held(cast, "cmsnet")
    client.force_login(cast.carol)
    assert "its accounts are to be removed" in place(client, cast)
    assert client.get(address(cast, "facility-in-use", cast.oak.pk, "cmsnet")).status_code == 403
    client.force_login(cast.alice)
    page = address(cast, "facility-in-use", cast.oak.pk, "cmsnet")
    assert "One account is open there" in client.get(page).content.decode()
    assert "Say why" in client.post(page, {"reason": ""}).content.decode()
    client.post(page, {"reason": "Old reports are read there"})
    assert SystemInUse.objects.known().get().reason == "Old reports are read there"
    assert "still in use here" in place(client, cast)
    assert "Old reports are read there" in client.get(page).content.decode()
    client.post(page)
    assert not SystemInUse.objects.known().exists()


def test_a_live_system_has_nothing_to_overrule(client, cast):
    client.force_login(cast.alice)
    page = address(cast, "facility-in-use", cast.oak.pk, "iqies")
    assert "nothing to overrule" in client.get(page).content.decode()
    client.post(page, {"reason": "Because"})
    assert not SystemInUse.objects.exists()
