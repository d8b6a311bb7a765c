"""Where signing in lands when the address names no organization."""

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


def test_the_only_organization_is_opened_at_once(client, cast):
    client.force_login(cast.carol)
    assert client.get(reverse("web:home")).url == cast.riverside.get_absolute_url()


def test_members_of_several_choose_among_theirs(client, cast):
    factories.MembershipFactory(user=cast.carol, organization=cast.hilltop)
    factories.OrganizationFactory(name="Third")
    client.force_login(cast.carol)
    page = client.get(reverse("web:home"))
    assert page.context["organizations"] == [cast.hilltop, cast.riverside]
    assert b"Third" not in page.content


def test_who_belongs_nowhere_is_told_what_to_ask_for(client, cast):
    client.force_login(cast.nobody)
    assert b"Ask for an invitation" in client.get(reverse("web:home")).content
