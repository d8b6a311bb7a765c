"""Links in sign-in mails come from SITE_URL, whatever Host a request claims."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail

from tests import factories

pytestmark = pytest.mark.django_db


def test_a_reset_mail_points_to_our_site_and_its_link_works(client, settings):
    settings.SITE_URL = "https://keeper.example.org"
    user = factories.UserFactory(email="ruth@example.org")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    client.post("/auth/password/reset/", {"email": user.email}, headers={"host": "evil.example.com"})
    [message] = mail.outbox
    links = re.findall(r"https?://\S+", message.body)
    assert links
    assert all(link.startswith("https://keeper.example.org/") for link in links)
    assert "evil" not in message.body
    path = links[0].removeprefix("https://keeper.example.org")
    assert client.get(path, follow=True).status_code == 200


def test_an_unknown_address_gets_the_same_answer_and_no_mail(client):
    known = factories.UserFactory(email="ruth@example.org")
    EmailAddress.objects.create(user=known, email=known.email, verified=True, primary=True)
    answers = [client.post("/auth/password/reset/", {"email": who}) for who in (known.email, "x@example.org")]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, answers[0]["Location"])}
    assert [message.to for message in mail.outbox] == [[known.email]]


def test_nobody_signs_up_without_an_invitation(client):
    page = client.get("/auth/signup/")
    answer = client.post(
        "/auth/signup/", {"email": "x@example.org", "password1": "long enough 1", "password2": "long enough 1"}
    )
    assert "form" not in (page.context or {})
    assert answer.status_code in {200, 302, 403}
    assert not type(factories.UserFactory.build()).objects.filter(email="x@example.org").exists()
