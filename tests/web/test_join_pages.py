"""Accepting an invitation."""

from datetime import timedelta

import pytest
import time_machine
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.core.cache import cache
from django.urls import reverse

from audit.models import AuditEvent
from facilities.models import Membership
from facilities.services.members import invite_member
from staff.models import Person
from tests.conftest import NOON
from users.models import User

pytestmark = pytest.mark.django_db
GOOD = {"name": "Nora New", "password": "a rather long sentence"}


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def door(cast):
    """The address of a fresh invitation for Nora as coordinator of Oak House."""
    return door_for(cast, "nora@example.org")


def door_for(cast, email, facility="oak"):
    issued = invite_member(
        scope=cast.scope("alice"), email=email, role="coordinator", facility=getattr(cast, facility), at=NOON
    )
    return reverse("web:join", args=[issued.token])


def test_the_page_says_who_invites_whom_where_and_as_what(client, door):
    text = client.get(door).content.decode()
    for words in ("Riverside Care", "nora@example.org", "alice@example.org", "coordinator", "Oak House"):
        assert words in text
    assert not User.objects.filter(email="nora@example.org").exists()


def test_a_stranger_becomes_member_and_person_and_is_signed_in(client, cast, door):
    answer = client.post(door, GOOD)
    nora = User.objects.get(email="nora@example.org")
    assert answer.url == cast.riverside.get_absolute_url()
    assert int(client.session["_auth_user_id"]) == nora.pk
    assert nora.check_password(GOOD["password"])
    assert Membership.objects.open().get(user=nora).facility == cast.oak
    assert Person.objects.get(user=nora).organization == cast.riverside
    assert AuditEvent.objects.filter(action="member.joined").count() == 1
    assert client.get(reverse("web:facility", args=["riverside", cast.oak.pk])).status_code == 200


def test_the_sign_in_is_recorded_so_that_a_second_factor_is_enrolled_without_asking_again(client, door):
    client.post(door, GOOD)
    [record] = client.session[AUTHENTICATION_METHODS_SESSION_KEY]
    assert record["method"] == "password"
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "password1234"}, "password"),
        ({"password": "nora@example.org"}, "password"),
        ({"password": ""}, "password"),
        ({"name": "  "}, "name"),
    ],
)
def test_a_weak_password_or_no_name_is_refused_and_the_door_stays_open(client, door, changed, field):
    page = client.post(door, GOOD | changed)
    assert set(page.context["form"].errors) == {field}
    assert not User.objects.filter(email="nora@example.org").exists()
    assert client.post(door, GOOD).status_code == 302


def test_the_door_opens_once(client, cast, door):
    client.post(door, GOOD)
    client.logout()
    page = client.get(door)
    assert page.status_code == 410
    assert b"has been used" in page.content


def test_an_old_invitation_says_so(client, door):
    with time_machine.travel(NOON + timedelta(days=14), tick=False):
        page = client.get(door)
        assert client.post(door, GOOD).status_code == 410
    assert page.status_code == 410
    assert b"has expired" in page.content
    assert not User.objects.filter(email="nora@example.org").exists()
    assert client.get(door).status_code == 200


def test_a_replaced_invitation_and_a_made_up_one_look_the_same(client, cast, door):
    door_for(cast, "nora@example.org")
    replaced, invented = client.get(door), client.get(reverse("web:join", args=["x" * 43]))
    assert replaced.status_code == invented.status_code == 404
    assert b"not valid" in replaced.content
    assert b"not valid" in invented.content


def test_who_signs_in_here_already_is_asked_to_and_then_joins_with_one_click(client, cast):
    door = door_for(cast, "mallory@example.org")
    page = client.get(door)
    assert f"{reverse('account_login')}?next=" in page.context["sign_in"]
    assert client.post(door, GOOD).status_code == 200
    assert not Membership.objects.filter(user=cast.mallory, organization=cast.riverside).exists()
    client.force_login(cast.mallory)
    assert client.get(door).context["signed_in"]
    assert not Membership.objects.filter(user=cast.mallory, organization=cast.riverside).exists()
    assert client.post(door).url == cast.riverside.get_absolute_url()
    assert Membership.objects.open().get(user=cast.mallory, organization=cast.riverside).role == "coordinator"


def test_an_invitation_for_somebody_else_cannot_be_taken(client, cast, door):
    client.force_login(cast.mallory)
    page = client.post(door)
    assert page.context["other"]
    assert b"mallory@example.org" in page.content
    assert not Membership.objects.filter(user=cast.mallory, organization=cast.riverside).exists()


def test_guessing_is_slowed_down(client, door):
    answers = [client.get(reverse("web:join", args=[f"guess{number}"])).status_code for number in range(31)]
    assert answers[:30] == [404] * 30
    assert answers[30] == 429
    cache.clear()  # as after the minute
    assert client.get(door).status_code == 200


def test_the_page_is_kept_by_no_cache(client, door):
    assert "no-store" in client.get(door).headers["Cache-Control"]
