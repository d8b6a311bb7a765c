"""A Security Official states what the system shows, on a page that the account leads to."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from accounts.models import LoginEvent
from accounts.services.logins import record_login
from systems.models import SystemRole
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _five_past_noon():
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        yield


@pytest.fixture
def henrys(cast):
    held(cast, person="alice", roles=[SystemRole.objects.get(system__slug="iqies", slug="provider-security-official")])
    account = held(cast, person="henry", last_login=TODAY - timedelta(days=40))
    record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY - timedelta(days=5), at=NOON)
    return account


def text_of(answer):
    return " ".join(answer.content.decode().split())


def test_the_official_is_offered_it_and_the_history_tells_what_was_contradicted(client, cast, henrys):
    client.force_login(cast.alice)
    page = reverse("web:account", args=["riverside", henrys.pk])
    form = reverse("web:login-seen", args=["riverside", henrys.pk])
    assert form in text_of(client.get(page))
    assert client.get(form).status_code == 200
    said = {"on": (TODAY - timedelta(days=40)).isoformat(), "seen_on": TODAY.isoformat()}
    answer = text_of(client.post(form, said, follow=True))
    assert "Recorded: Henry Test last signed in to iQIES on Sun 11 Oct 2026." in answer
    assert "One later login no longer counts." in answer
    assert "contradicted; on Fri 20 Nov 2026 the system showed that the last login was on Sun 11 Oct 2026." in answer
    assert "The last one that the system showed on Fri 20 Nov 2026." in answer


def test_who_is_no_official_is_not_offered_it_and_a_mistake_keeps_what_was_typed(client, cast, henrys):
    client.force_login(cast.carol)
    form = reverse("web:login-seen", args=["riverside", henrys.pk])
    assert form not in text_of(client.get(reverse("web:account", args=["riverside", henrys.pk])))
    client.force_login(cast.alice)
    answer = client.post(form, {"on": TODAY.isoformat(), "seen_on": (TODAY - timedelta(days=3)).isoformat()})
    assert "It cannot have been seen before the login." in text_of(answer)
    assert f'value="{TODAY.isoformat()}"' in text_of(answer)
    assert not LoginEvent.objects.seen().exists()
